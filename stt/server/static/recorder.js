// Records the microphone: frames of 16-bit mono PCM at 16 kHz, then a WAV file.

import { wavFile } from "./wav.js";

export const SAMPLE_RATE = 16_000;

/** Recording is impossible; `reason` is one of `denied`, `missing`, `insecure`, `failed`. */
export class NoMicrophone extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const REASONS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing" };
// Models are trained on unprocessed speech; processing for calls costs accuracy.
const CONSTRAINTS = { channelCount: 1, echoCancellation: false, noiseSuppression: false };

export class Recorder {
  #frames = [];
  #samples = 0;
  #onFrame;
  #context;
  #microphone;
  #node;
  #screen;

  /** Seconds recorded so far. */
  get seconds() {
    return this.#samples / SAMPLE_RATE;
  }

  /** Request the microphone and start. @param {(frame: Int16Array) => void} onFrame */
  static async start(onFrame) {
    if (!navigator.mediaDevices || !window.AudioWorkletNode) throw new NoMicrophone("insecure");
    const recorder = new Recorder();
    recorder.#onFrame = onFrame;
    try {
      await recorder.#open();
    } catch (error) {
      recorder.#close();
      throw new NoMicrophone(REASONS[error.name] ?? "failed");
    }
    return recorder;
  }

  /** Stop; returns the recording. @param {string} name of the file */
  async stop(name) {
    await new Promise((resolve) => {
      this.#node.port.onmessage = ({ data }) => (data === null ? resolve() : this.#take(data));
      this.#node.port.postMessage("end");
    });
    this.#close();
    return wavFile(this.#frames, SAMPLE_RATE, name);
  }

  /** Stop and discard the recording. */
  discard() {
    this.#node.port.onmessage = null;
    this.#close();
    this.#frames = [];
  }

  async #open() {
    this.#microphone = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS });
    this.#context = new AudioContext();
    await this.#context.audioWorklet.addModule(new URL("pcm-worklet.js", import.meta.url));
    this.#node = new AudioWorkletNode(this.#context, "pcm");
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.#context.createMediaStreamSource(this.#microphone).connect(this.#node);
    // Outputs silence: browsers may not run an unconnected node.
    this.#node.connect(this.#context.destination);
    await this.#context.resume();
    // A sleeping phone stops recording.
    this.#screen = await navigator.wakeLock?.request("screen").catch(() => undefined);
  }

  #take(frame) {
    this.#frames.push(frame);
    this.#samples += frame.length;
    this.#onFrame(frame);
  }

  #close() {
    this.#microphone?.getTracks().forEach((track) => track.stop());
    if (this.#context?.state !== "closed") this.#context?.close();
    this.#screen?.release();
  }
}
