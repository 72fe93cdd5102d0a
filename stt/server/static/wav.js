// 16-bit mono PCM as a WAV file.

const HEADER_BYTES = 44;

/** @param {Int16Array[]} frames  @param {number} sampleRate Hz  @param {string} name */
export function wavFile(frames, sampleRate, name) {
  const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  const ascii = (at, text) => [...text].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  ascii(0, "RIFF");
  header.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  ascii(8, "WAVEfmt ");
  header.setUint32(16, 16, true); // bytes of the format chunk
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // channels
  header.setUint32(24, sampleRate, true);
  header.setUint32(28, sampleRate * 2, true); // bytes per second
  header.setUint16(32, 2, true); // bytes per sample of all channels
  header.setUint16(34, 16, true); // bits per sample
  ascii(36, "data");
  header.setUint32(40, bytes, true);
  return new File([header, ...frames], name, { type: "audio/wav" });
}
