// Audio thread: converts microphone samples to frames of 16-bit mono PCM at 16 kHz.

import { Resampler } from "./resampler.js";

const SAMPLE_RATE = 16_000;
const FRAME_SAMPLES = 1_600; // 100 ms

class PcmProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    // An AudioContext at 16 kHz would not do: Firefox connects microphones only at their own rate.
    this.resampler = new Resampler(sampleRate, SAMPLE_RATE);
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.running = true;
    this.port.onmessage = () => this.end();
  }

  process([[...channels]]) {
    if (this.running && channels.length > 0) this.take(this.resampler.feed(mean(channels)));
    return this.running;
  }

  take(samples) {
    for (const sample of samples) {
      this.frame[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32_767;
      if (this.filled === FRAME_SAMPLES) this.send();
    }
  }

  send() {
    const frame = this.frame.slice(0, this.filled);
    this.filled = 0;
    this.port.postMessage(frame, [frame.buffer]);
  }

  end() {
    this.take(this.resampler.finish());
    if (this.filled > 0) this.send();
    this.running = false;
    this.port.postMessage(null);
  }
}

function mean(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, i) => channels.reduce((sum, c) => sum + c[i], 0) / channels.length);
}

registerProcessor("pcm", PcmProcessor);
