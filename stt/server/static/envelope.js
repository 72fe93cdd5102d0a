// The outline of a recording: the peak of each of `count` equal stretches.

const STRETCHES = 1_500;
const RATE = 8_000; // Hz; enough to show where speech is
/** Browsers decode whole files, to 32-bit floats of every channel at the original rate. */
const WHOLE_SECONDS = 20 * 60;
const PIECE_BYTES = 4_000_000;
const WAV_HEADER_BYTES = 44;

/**
 * @param {Blob} file
 * @param {number|null} seconds its length, if known
 * @param {number} wholeSeconds longer files are read in pieces, or not at all
 * @returns {Promise<Float32Array|null>} values from 0 to 1, or null if the browser cannot decode it
 */
export async function envelope(file, seconds, wholeSeconds = WHOLE_SECONDS) {
  try {
    if (seconds !== null && seconds <= wholeSeconds) {
      return loudest(await decode(file), STRETCHES);
    }
    return await inPieces(file);
  } catch {
    return null; // The browser does not know the format.
  }
}

/** Formats whose pieces can be decoded separately, for a coarser outline. */
async function inPieces(file) {
  const head = new Uint8Array(await file.slice(0, WAV_HEADER_BYTES).arrayBuffer());
  const ascii = (from, to) => String.fromCharCode(...head.slice(from, to));
  const isWav = ascii(0, 4) === "RIFF" && ascii(12, 16) === "fmt " && ascii(36, 40) === "data";
  const isMp3 = ascii(0, 3) === "ID3" || (head[0] === 0xff && (head[1] & 0xe6) === 0xe2);
  if (!isWav && !isMp3) return null;
  const start = isWav ? WAV_HEADER_BYTES : 0;
  const block = isWav ? head[32] + 256 * head[33] : 1; // bytes per sample of all channels
  const step = Math.floor(PIECE_BYTES / block) * block;
  const pieces = Math.ceil((file.size - start) / step);
  const outline = [];
  for (let at = start; at < file.size; at += step) {
    const piece = file.slice(at, at + step);
    const share = Math.max(1, Math.round((STRETCHES / pieces) * (piece.size / step)));
    outline.push(...loudest(await decode(isWav ? new Blob([head, piece]) : piece), share));
  }
  return Float32Array.from(outline);
}

async function decode(blob) {
  const context = new OfflineAudioContext(1, 1, RATE);
  return context.decodeAudioData(await blob.arrayBuffer());
}

/** @param {AudioBuffer} audio  @param {number} count of stretches */
function loudest(audio, count) {
  const outline = new Float32Array(count);
  for (let c = 0; c < audio.numberOfChannels; c++) {
    const samples = audio.getChannelData(c);
    for (let i = 0; i < samples.length; i++) {
      const stretch = Math.floor((i * count) / samples.length);
      outline[stretch] = Math.max(outline[stretch], Math.abs(samples[i]));
    }
  }
  return outline;
}
