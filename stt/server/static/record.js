// The recording card: clock, level, live text.

import { hush, say } from "./i18n.js";
import { LiveText } from "./live.js";
import { clock } from "./quantities.js";
import { Recorder } from "./recorder.js";
import { Levels } from "./waveform.js";

const LEVEL_SAMPLES = 800; // samples per bar: 50 ms
const SILENT_SECONDS = 3;
const SILENT_LEVEL = 0.001;

const $ = (id) => document.getElementById(id);
const stayHere = (event) => event.preventDefault();

export class Recording {
  #recorder;
  #live;
  #levels = new Levels($("levels"));
  #heard = false;

  /**
   * Start recording with live text. Throws NoMicrophone.
   *
   * @param {object} asked of the service: `lang`, and optionally `hotwords`, `language_model`, `written`, `spacing`
   * @param {{native_name: string, tag: string}} language spoken language; `tag` is BCP 47
   */
  async start(asked, { native_name: name, tag }) {
    this.#heard = false;
    this.#levels.clear();
    this.#live = this.#recorder = null;
    const early = []; // frames recorded before the connection
    this.#recorder = await Recorder.start((frame) => this.#take(frame, early));
    this.#live = new LiveText(asked, (partial) => this.#show(partial));
    for (const frame of early) this.#live.send(frame);
    $("live").lang = tag;
    say($("on-air"), "recording.now", { language: name });
    $("recording-time").textContent = clock(0);
    this.#show("");
    addEventListener("beforeunload", stayHere); // The recording exists only here.
  }

  /** Stop. Returns `{file, words, segments}`; `words` is null if live text is missing. */
  async stop() {
    say($("recording-note"), "recording.finishing");
    const stamp = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
    const name = `recording-${stamp.slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.wav`;
    const file = await this.#recorder.stop(name);
    const whole = await this.#live.finish();
    removeEventListener("beforeunload", stayHere);
    const { words, segments } = this.#live;
    return { file, seconds: this.#recorder.seconds, words: whole ? words : null, segments };
  }

  /** Stop and discard the recording. */
  discard() {
    this.#recorder.discard();
    this.#live.close();
    removeEventListener("beforeunload", stayHere);
  }

  #take(frame, early) {
    if (this.#live) this.#live.send(frame);
    else early.push(frame);
    for (let at = 0; at < frame.length; at += LEVEL_SAMPLES) {
      const level = frame
        .subarray(at, at + LEVEL_SAMPLES)
        .reduce((top, x) => Math.max(top, Math.abs(x)), 0);
      this.#levels.push(level / 32_768);
      this.#heard ||= level / 32_768 > SILENT_LEVEL;
    }
    $("recording-time").textContent = clock(this.#recorder?.seconds ?? 0);
    this.#note();
  }

  #show(partial) {
    const { text } = this.#live;
    if ($("settled").textContent !== text) $("settled").textContent = text;
    $("partial").textContent = partial;
    $("live").scrollTop = $("live").scrollHeight;
    this.#note();
  }

  #note() {
    const note = $("recording-note");
    if (!this.#live) hush(note);
    else if (!this.#heard && this.#recorder.seconds > SILENT_SECONDS) say(note, "recording.silent");
    else say(note, this.#live.lost ? "recording.later" : "recording.live");
  }
}
