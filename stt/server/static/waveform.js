// Bars on a canvas: the outline of a recording, or the level of the microphone.

const BAR = 3; // CSS pixels
const GAP = 2;
const LEAST = 0.05; // of the height, so that silence shows
const FAINT = 0.02; // Recordings with a higher peak are scaled to full height.
const SPOKEN = 0.5; // height of words, if only their times are known

class Bars {
  constructor(canvas) {
    this.canvas = canvas;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Number of bars that fit. */
  get count() {
    return Math.floor((this.canvas.clientWidth + GAP) / (BAR + GAP));
  }

  /** @param {(bar: number) => number} height from 0 to 1  @param {number} played bars */
  paint(height, played) {
    const { canvas, count } = this;
    const scale = window.devicePixelRatio || 1;
    const [width, tall] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(tall * scale);
    const style = getComputedStyle(canvas);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    for (let bar = 0; bar < count; bar++) {
      const long = Math.max(LEAST, Math.min(1, height(bar))) * tall;
      context.fillStyle = style.getPropertyValue(bar < played ? "--played" : "--unplayed");
      context.beginPath();
      context.roundRect(bar * (BAR + GAP), (tall - long) / 2, BAR, long, BAR / 2);
      context.fill();
    }
  }
}

/** A recording, with the played part marked. */
export class Waveform extends Bars {
  #outline = null;
  #top = 1; // loudest value
  #words = [];
  #seconds = 0;
  #at = 0;

  /** @param {Float32Array|null} outline values from 0 to 1, or null to draw the words */
  show({ outline = this.#outline, words = this.#words, seconds = this.#seconds }) {
    this.#outline = outline;
    this.#top = Math.max(FAINT, ...(outline ?? []));
    this.#words = words;
    this.#seconds = seconds;
    this.draw();
  }

  /** @param {number} seconds */
  at(seconds) {
    this.#at = seconds;
    this.draw();
  }

  draw() {
    const { count } = this;
    const played = this.#seconds > 0 ? Math.round((this.#at / this.#seconds) * count) : 0;
    this.paint(this.#outline ? this.#heard(count) : this.#spoken(count), played);
  }

  #heard(count) {
    const outline = this.#outline;
    return (bar) => {
      const from = Math.floor((bar * outline.length) / count);
      const to = Math.max(from + 1, Math.floor(((bar + 1) * outline.length) / count));
      return Math.max(...outline.subarray(from, to)) / this.#top;
    };
  }

  #spoken(count) {
    const bars = new Float32Array(count);
    const place = (seconds) => Math.floor((seconds / this.#seconds) * count);
    for (const { start, end } of this.#words) bars.fill(SPOKEN, place(start), place(end) + 1);
    return (bar) => bars[bar];
  }
}

/** The last seconds of the microphone, newest at the right. */
export class Levels extends Bars {
  #levels = [];

  /** @param {number} level from 0 to 1 */
  push(level) {
    this.#levels.push(level);
    this.#levels = this.#levels.slice(-1_000);
    this.draw();
  }

  clear() {
    this.#levels = [];
    this.draw();
  }

  draw() {
    const missing = this.count - this.#levels.length;
    // The square root makes quiet speech visible.
    this.paint((bar) => Math.sqrt(this.#levels[bar - missing] ?? 0), Infinity);
  }
}
