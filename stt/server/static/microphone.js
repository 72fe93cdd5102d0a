// The microphone's buttons, and the card that replaces the sources meanwhile.

import { forgetProblem, showProblem } from "./problem.js";
import { Recording } from "./record.js";
import { NoMicrophone } from "./recorder.js";

const $ = (id) => document.getElementById(id);

export class Microphone {
  #recording = new Recording();
  #starting = false;
  #onEnd;

  /** @param {() => void} onEnd called when the recording ends, before it is taken */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  /** Whether it is recording, or about to. */
  get busy() {
    return this.#starting || !$("recording").hidden;
  }

  /** Start; arguments as for `Recording.start`. */
  async start(asked, language) {
    forgetProblem();
    this.#starting = true;
    try {
      await this.#recording.start(asked, language);
    } catch (error) {
      if (!(error instanceof NoMicrophone)) throw error;
      return showProblem(error, () => this.start(asked, language));
    } finally {
      this.#starting = false;
    }
    $("stop").disabled = $("discard").disabled = false;
    $("recording").hidden = false;
    $("source").hidden = $("result").hidden = true;
    $("stop").focus();
  }

  /** Stop; returns what `Recording.stop` does. */
  async stop() {
    $("stop").disabled = $("discard").disabled = true;
    const recorded = await this.#recording.stop();
    this.#end();
    return recorded;
  }

  /** Stop and discard the recording. */
  discard() {
    this.#recording.discard();
    this.#end();
    $("record").focus();
  }

  #end() {
    $("recording").hidden = true;
    $("source").hidden = false;
    this.#onEnd();
  }
}
