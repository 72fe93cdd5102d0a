// Sample-rate conversion of a stream, for the audio thread.

const ZERO_CROSSINGS = 16; // of the sinc on each side, at the lower of the two rates
const STEPS = 2048; // table entries between two zero crossings

/** Band-limited interpolation: https://ccrma.stanford.edu/~jos/resample/ */
export class Resampler {
  /** @param {number} from Hz  @param {number} to Hz */
  constructor(from, to) {
    this.step = from / to; // input samples between two output samples
    this.cutoff = Math.min(1, to / from); // of the input's Nyquist frequency
    this.reach = Math.ceil(ZERO_CROSSINGS / this.cutoff); // input samples on each side
    this.table = kernel();
    this.input = new Float32Array(this.reach); // silence before the first sample
    this.position = this.reach; // of the next output sample, in this.input
  }

  /** The output samples so far. @param {Float32Array} samples */
  feed(samples) {
    const input = new Float32Array(this.input.length + samples.length);
    input.set(this.input);
    input.set(samples, this.input.length);
    const output = [];
    for (; this.position + this.reach < input.length; this.position += this.step) {
      output.push(this.sample(input, this.position));
    }
    const passed = Math.max(0, Math.floor(this.position) - this.reach);
    this.input = input.slice(passed);
    this.position -= passed;
    return Float32Array.from(output);
  }

  /** The remaining samples, as if silence followed. */
  finish() {
    return this.feed(new Float32Array(this.reach + 1));
  }

  sample(input, position) {
    const first = Math.max(0, Math.ceil(position - this.reach));
    const last = Math.min(input.length - 1, Math.floor(position + this.reach));
    const scale = this.cutoff * STEPS;
    let sum = 0;
    for (let n = first; n <= last; n++) {
      sum += input[n] * (this.table[Math.round(Math.abs(n - position) * scale)] ?? 0);
    }
    return sum * this.cutoff;
  }
}

/** Half of a sinc under a Hann window; the other half is its mirror image. */
function kernel() {
  const table = new Float32Array(ZERO_CROSSINGS * STEPS + 1);
  for (let i = 0; i < table.length; i++) {
    const x = (Math.PI * i) / STEPS;
    const hann = 0.5 * (1 + Math.cos(x / ZERO_CROSSINGS));
    table[i] = (i === 0 ? 1 : Math.sin(x) / x) * hann;
  }
  return table;
}
