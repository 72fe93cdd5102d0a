// The recordings of this visit, and the list to choose one from once there are several.

import { say } from "./i18n.js";
import { composed } from "./takeaway.js";

const $ = (id) => document.getElementById(id);

/**
 * One recording: its file, what was asked about it, and its text once there is one. `state` is
 * waiting, working, done, failed or cancelled; `problem` is the error of a failed one.
 */
export class Entry {
  state = "waiting";
  asked = null;
  answer = null;
  problem = null;
  files = new Map(); // format -> the transcript in it

  /** @param {File} file  @param {boolean} recorded whether it was recorded on this page */
  constructor(file, recorded = false) {
    this.file = file;
    this.name = composed(file);
    this.recorded = recorded;
    this.seconds = lengthOf(file);
  }
}

export class Recordings {
  #entries = [];
  #items = new Map(); // entry -> its button
  #onChoose;

  /** @param {(entry: Entry) => void} onChoose called when somebody chooses one */
  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /** Add a recording, at the end. */
  add(entry) {
    this.#entries.push(entry);
    const item = document.createElement("li");
    const button = document.createElement("button");
    const name = document.createElement("span");
    name.textContent = entry.name;
    name.className = "file-name";
    const state = document.createElement("span");
    state.className = "file-state";
    button.type = "button";
    button.append(name, state);
    button.addEventListener("click", () => this.#onChoose(entry));
    item.append(button);
    this.#items.set(entry, button);
    $("files-list").append(item);
  }

  /** The first one that waits, if any. */
  next() {
    return this.#entries.find(({ state }) => state === "waiting");
  }

  /** Number of those that wait. */
  get waiting() {
    return this.#entries.filter(({ state }) => state === "waiting").length;
  }

  /** Wait no longer for any. */
  cancelWaiting() {
    for (const entry of this.#entries) if (entry.state === "waiting") entry.state = "cancelled";
  }

  /** Show all states. @param {Entry} shown the one on the page */
  refresh(shown) {
    $("files").hidden = this.#entries.length < 2;
    $("files-stop").hidden = this.waiting === 0;
    say($("files-title"), "files", { count: this.#entries.length });
    for (const [entry, button] of this.#items) {
      button.setAttribute("aria-current", entry === shown);
      button.dataset.state = entry.state;
      say(button.lastChild, `files.${entry.state}`);
    }
  }
}

/** Seconds of a recording as the browser reads it; null if it cannot say. */
function lengthOf(file) {
  const audio = new Audio();
  audio.preload = "metadata";
  audio.src = URL.createObjectURL(file);
  return new Promise((resolve) => {
    const end = (seconds) => {
      URL.revokeObjectURL(audio.src);
      // Recordings made by browsers have no length.
      resolve(Number.isFinite(seconds) && seconds > 0 ? seconds : null);
    };
    audio.addEventListener("loadedmetadata", () => end(audio.duration), { once: true });
    audio.addEventListener("error", () => end(null), { once: true });
  });
}
