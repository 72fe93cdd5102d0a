// The recordings of this visit, and the list to choose one from once there are several.

import { label, say } from "./i18n.js";
import { composed } from "./takeaway.js";

const $ = (id) => document.getElementById(id);

/**
 * One recording: its file, what was asked about it, and its text once there is one. `state` is
 * waiting, working, done, failed, cancelled, or of a job also queued or running, with the `share`
 * that is done; `problem` is the error of a failed one; `job` is as the service says.
 */
export class Entry {
  state = "waiting";
  share = null;
  job = null;
  asked = null;
  answer = null;
  problem = null;
  files = new Map(); // format -> the transcript in it

  /**
   * @param {File|null} file null for a job of an earlier visit
   * @param {object} about
   * @param {string} about.name of the recording; default: the file's
   * @param {boolean} about.recorded whether it was recorded on this page
   */
  constructor(file, { name = composed(file), recorded = false } = {}) {
    this.file = file;
    this.name = name;
    this.recorded = recorded;
    this.seconds = file && lengthOf(file);
  }
}

export class Recordings {
  #entries = [];
  #items = new Map(); // entry -> its button
  #onChoose;
  #onRemove;

  /**
   * @param {(entry: Entry) => void} onChoose called when somebody chooses one
   * @param {(entry: Entry) => void} onRemove called when somebody removes a job
   */
  constructor(onChoose, onRemove) {
    this.#onChoose = onChoose;
    this.#onRemove = onRemove;
  }

  /** Those that are jobs. */
  get jobs() {
    return this.#entries.filter(({ job }) => job !== null);
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
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.textContent = "✕";
    remove.addEventListener("click", () => this.#onRemove(entry));
    item.append(button, remove);
    this.#items.set(entry, button);
    $("files-list").append(item);
  }

  /** Take one off the list. */
  remove(entry) {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#items.get(entry).parentElement.remove();
    this.#items.delete(entry);
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
    $("files").hidden = this.#entries.length < 2 && this.jobs.length === 0;
    $("files-stop").hidden = this.waiting === 0;
    say($("files-title"), "files", { count: this.#entries.length });
    for (const [entry, button] of this.#items) {
      button.setAttribute("aria-current", entry === shown);
      button.dataset.state = entry.state;
      const { state, share, job, name } = entry;
      if (share === null) say(button.lastChild, `files.${state}`);
      else say(button.lastChild, "files.share", { percent: Math.round(100 * share) });
      const remove = button.nextSibling;
      remove.hidden = job === null;
      const ended = ["done", "failed", "cancelled"].includes(state);
      label(remove, ended ? "files.remove" : "files.cancel", { name });
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
