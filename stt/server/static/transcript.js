// The transcript: words light up during playback, and a click plays from a word.

import { label, say, t } from "./i18n.js";
import { clock } from "./quantities.js";
import { continued } from "./words.js";

const SURE = 0.95; // words of this confidence have no tint
const LINGER_SECONDS = 0.3; // a word stays lit this long, unless the next one begins

/** A word: `{word, start, end, confidence, space_before, channel}`, times in seconds. */
export class TranscriptView {
  #element = document.getElementById("transcript");
  #spoken = document.getElementById("spoken");
  #words = [];
  #spans = [];
  #lit = -1;
  #cursor = -1;
  #onPlay;

  /** @param {(seconds: number) => void} onPlay  @param {() => void} onToggle */
  constructor(onPlay, onToggle) {
    this.#onPlay = onPlay;
    this.#element.addEventListener("click", ({ target }) => {
      const word = target.closest(".word");
      const time = target.closest("button.from");
      if (time) onPlay(Number(time.value));
      // A selection is for copying.
      else if (word && getSelection().isCollapsed) this.#playWord(Number(word.dataset.index));
    });
    this.#element.addEventListener("keydown", (event) => {
      if (event.target === this.#element && this.#press(event.key, onToggle)) {
        event.preventDefault();
      }
    });
  }

  /** Clear, or show the text so far. */
  clear(text = "") {
    this.#words = [];
    this.#spans = [];
    this.#lit = this.#cursor = -1;
    this.#spoken.textContent = "";
    this.#element.textContent = text;
    this.#element.classList.toggle("partial", text !== "");
    this.#element.hidden = text === "";
  }

  /**
   * @param {object[]} words
   * @param {{start: number, end: number, channel?: number}[]} segments stretches between pauses,
   *   in order
   * @param {string} language BCP 47 tag of the speech
   */
  show(words, segments, language) {
    this.clear();
    this.#element.hidden = false;
    this.#words = words;
    if (words.length === 0) {
      const empty = document.createElement("p");
      say(empty, "transcript.empty");
      this.#element.append(empty);
      return;
    }
    const stretches = segments.length > 0 ? segments : [{ start: words[0].start }];
    for (const { start, channel, indices } of shares(stretches, words)) {
      this.#element.append(this.#stretch(start, channel, indices, language));
    }
  }

  /** Light the word at a time. @param {number|null} seconds null for none */
  light(seconds) {
    let index = seconds === null ? -1 : lastStartingBy(this.#words, seconds + 0.001);
    if (index >= 0 && seconds > this.#words[index].end + LINGER_SECONDS) index = -1;
    if (index === this.#lit) return;
    this.#spans[this.#lit]?.classList.remove("now");
    this.#spans[index]?.classList.add("now");
    this.#lit = index;
  }

  /** Scroll to the lit word. */
  follow() {
    this.#spans[this.#lit]?.scrollIntoView({ block: "nearest" });
  }

  /** Update the hints after a change of language. */
  translate() {
    this.#spans.forEach((span, index) => (span.title = this.#hint("transcript.hint", index)));
  }

  #stretch(start, channel, indices, language) {
    const row = document.createElement("div");
    row.className = "stretch";
    const from = document.createElement("button");
    from.type = "button";
    from.className = "from";
    from.value = start;
    from.textContent = clock(start);
    label(from, "transcript.from", { time: clock(start) });
    const text = document.createElement("p");
    text.lang = language;
    for (const index of indices) {
      const { length } = text.childNodes;
      if (length > 0 && continued(this.#words[index]).startsWith(" ")) text.append(" ");
      text.append(this.#span(index));
    }
    row.append(from, ...this.#speaker(row, channel), text);
    return row;
  }

  /** Who speaks, if each channel is one's own. */
  #speaker(row, channel) {
    if (channel === undefined) return [];
    row.dataset.channel = channel;
    const name = document.createElement("span");
    name.className = "speaker";
    say(name, "transcript.channel", { channel });
    return [name];
  }

  #span(index) {
    const { word, confidence } = this.#words[index];
    const span = document.createElement("span");
    span.className = "word";
    span.dataset.index = index;
    span.textContent = word;
    span.title = this.#hint("transcript.hint", index);
    const doubt = Math.max(0, (SURE - (confidence ?? 1)) / SURE);
    span.style.setProperty("--doubt", `${Math.round(100 * doubt)}%`);
    this.#spans[index] = span;
    return span;
  }

  #hint(key, index) {
    const { word, start, confidence } = this.#words[index];
    return t(key, { word, time: clock(start), percent: Math.round(100 * (confidence ?? 1)) });
  }

  #playWord(index) {
    this.#point(index);
    this.#onPlay(this.#words[index].start);
  }

  #point(index) {
    this.#spans[this.#cursor]?.classList.remove("cursor");
    this.#cursor = Math.max(0, Math.min(this.#words.length - 1, index));
    this.#spans[this.#cursor]?.classList.add("cursor");
  }

  /** Handle a key; returns whether it had an effect. */
  #press(key, onToggle) {
    const last = this.#words.length - 1;
    if (last < 0) return false;
    const from = this.#cursor < 0 ? this.#lit : this.#cursor;
    const to = { ArrowLeft: Math.max(0, from - 1), ArrowRight: from + 1, Home: 0, End: last }[key];
    if (to !== undefined) {
      this.#point(to);
      this.#spans[this.#cursor].scrollIntoView({ block: "nearest" });
      this.#spoken.textContent = this.#hint("transcript.word", this.#cursor);
    } else if (key === "Enter") {
      this.#playWord(Math.max(0, this.#cursor));
    } else if (key === " ") {
      onToggle();
    }
    return to !== undefined || key === "Enter" || key === " ";
  }
}

/** The segments that have words, with the indices of these: in order on each channel. */
function shares(segments, words) {
  const left = Map.groupBy(words.keys(), (index) => words[index].channel);
  const last = new Map(segments.map((segment) => [segment.channel, segment]));
  return segments
    .map((segment) => {
      const { channel, end } = segment;
      const mine = left.get(channel) ?? [];
      const later = mine.findIndex((index) => words[index].end > end + 0.001);
      const count = segment === last.get(channel) || later < 0 ? mine.length : later;
      return { ...segment, indices: mine.splice(0, count) };
    })
    .filter(({ indices }) => indices.length > 0);
}

/** Index of the last word that has started at a time, or -1. */
function lastStartingBy(words, seconds) {
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].start <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
