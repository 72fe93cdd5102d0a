// Live text by Vosk's WebSocket protocol: a configuration, frames of PCM with one reply each, and an
// end with the last words as its reply.

import { openStream } from "./api.js";
import { SAMPLE_RATE } from "./recorder.js";
import { continued, joined } from "./words.js";

const CONNECT_SECONDS = 5;
const FINISH_SECONDS = 15;

export class LiveText {
  /** Final words: `{word, start, end, confidence, space_before}`, times in seconds. */
  words = [];
  /** Utterances, between pauses: `{start, end}`. */
  segments = [];
  /** Whether words are missing because the service refused or disconnected. */
  lost = false;

  #socket;
  #waiting = []; // frames until the connection opens
  #owed = 0; // replies still to come
  #onChange;
  #ended = null;

  /**
   * @param {object} asked `lang`, and optionally `hotwords`, `language_model`, `written`, `spacing`
   * @param {(partial: string) => void} onChange called after every reply with the
   *   provisional words as they follow the final ones, and when text is lost
   */
  constructor({ lang, ...options }, onChange) {
    this.#onChange = onChange;
    this.#socket = openStream(lang);
    const timer = setTimeout(() => this.#socket.close(), CONNECT_SECONDS * 1000);
    this.#socket.onopen = () => {
      clearTimeout(timer);
      const config = { sample_rate: SAMPLE_RATE, words: true, ...options };
      this.#socket.send(JSON.stringify({ config }));
      for (const frame of this.#waiting.splice(0)) this.send(frame);
    };
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#socket.onclose = () => {
      clearTimeout(timer);
      this.#end(this.#owed > 0 || this.#waiting.length > 0 || this.#ended === null);
    };
  }

  /** The final text. */
  get text() {
    return joined(this.words);
  }

  /** @param {Int16Array} frame */
  send(frame) {
    if (this.lost) return;
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      this.#waiting.push(frame);
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(frame);
      this.#owed++;
    }
  }

  /** Wait for the last words; false if some are missing. */
  async finish() {
    if (this.lost) return false;
    const finished = new Promise((resolve) => (this.#ended = resolve));
    const eof = () => {
      this.#owed++;
      this.#socket.send(JSON.stringify({ eof: 1 }));
    };
    if (this.#socket.readyState === WebSocket.OPEN) eof();
    else this.#socket.addEventListener("open", eof);
    const timer = setTimeout(() => this.#end(true), FINISH_SECONDS * 1000);
    await finished;
    clearTimeout(timer);
    return !this.lost;
  }

  close() {
    this.#socket.onclose = this.#socket.onmessage = this.#socket.onopen = null;
    this.#socket.close();
  }

  #hear(reply) {
    this.#owed--;
    const result = reply.result ?? [];
    for (const { conf, ...word } of result) this.words.push({ ...word, confidence: conf });
    if (result.length > 0) this.segments.push({ start: result[0].start, end: result.at(-1).end });
    this.#onChange(this.#partial(reply));
    if (this.#ended && this.#owed === 0) this.#end(false);
  }

  /** The provisional text of a reply, as it follows the final words. */
  #partial({ partial: word = "", space_before }) {
    return word && this.words.length > 0 ? continued({ word, space_before }) : word;
  }

  #end(lost) {
    this.lost ||= lost;
    this.close();
    this.#onChange("");
    this.#ended?.();
  }
}
