// The recording on the page, and its text.

import { envelope } from "./envelope.js";
import { hush, say } from "./i18n.js";
import { Player } from "./player.js";
import { clock } from "./quantities.js";
import { showCurl } from "./takeaway.js";
import { TranscriptView } from "./transcript.js";
import { Waveform } from "./waveform.js";

const $ = (id) => document.getElementById(id);

export class Result {
  #waveform = new Waveform($("wave"));
  #transcript = new TranscriptView(
    (seconds) => {
      this.player.seek(seconds);
      this.player.play();
    },
    () => this.player.toggle(),
  );
  #languages;

  /** The entry on the page; null before the first one. */
  entry = null;
  player = new Player((seconds, playing) => {
    this.#waveform.at(seconds);
    this.#transcript.light(seconds > 0 ? seconds : null);
    if (playing) this.#transcript.follow();
  });

  /** @param {(code: string) => object} languages finds an entry of /languages */
  constructor(languages) {
    this.#languages = languages;
  }

  /** Show a recording. */
  show(entry) {
    this.player.pause();
    this.entry = entry;
    $("name").textContent = entry.name;
    $("download-wav").hidden = !entry.recorded;
    $("result").hidden = false;
    // The page has no recording of a job that an earlier visit submitted.
    $("player").hidden = entry.file === null;
    $("player-note").hidden = true;
    this.#waveform.show({ outline: null, words: [], seconds: 0 });
    if (entry.file !== null) this.#load(entry);
    this.showText();
  }

  /** Show the transcript of the recording, or that there is none yet. */
  showText() {
    const { answer, asked } = this.entry;
    this.#warn(answer?.warnings ?? []);
    hush($("facts"));
    if (answer === null) return this.#transcript.clear();
    const language = this.#languages(asked.lang);
    const { words = [], segments = [], duration, processing_time_seconds: took } = answer;
    this.player.learnLength(duration);
    this.#waveform.show({ words, seconds: this.player.seconds });
    this.#transcript.show(words, segments, language.tag);
    say($("facts"), took === undefined ? "facts" : "facts.speed", {
      length: clock(Math.round(duration)),
      language: language.native_name,
      model: answer.model ?? language.model_id,
      seconds: took?.toFixed(took < 10 ? 1 : 0),
    });
    showCurl(this.entry, "json");
  }

  /** Show the text of the recording so far, while it is transcribed. */
  showSoFar(text) {
    this.#transcript.clear(text);
  }

  /** Update the hints after a change of language. */
  translate() {
    this.#transcript.translate();
    this.player.translate();
  }

  async #load(entry) {
    this.player.load(entry.file);
    const seconds = await entry.seconds;
    if (entry === this.entry && seconds !== null) this.player.setLength(seconds);
    const outline = await envelope(entry.file, seconds);
    if (entry === this.entry) this.#waveform.show({ outline, seconds: this.player.seconds });
  }

  /** Show what the service says is missing or doubtful. */
  #warn(warnings) {
    const items = warnings.map(({ message }) => {
      const item = document.createElement("li");
      item.textContent = message;
      return item;
    });
    $("warning-list").replaceChildren(...items);
    $("warnings").hidden = items.length === 0;
  }
}
