// Recordings submitted as jobs, which continue when the page is closed.

import * as api from "./api.js";
import { whenLoaded } from "./health.js";
import { apiKey, remember, remembered } from "./memory.js";
import { Entry } from "./recordings.js";

const POLL_MS = 1_000;
const LATER_MS = 10_000; // after the service did not answer
const ACTIVE = ["queued", "running"];

/** Ids of the jobs that this browser has submitted. */
const handedIn = () => remembered("jobs.ids")?.split(" ") ?? [];

export class Jobs {
  #recordings;
  #onChange;
  #polling = false;

  /** @param {Recordings} recordings  @param {(entry: Entry) => void} onChange */
  constructor(recordings, onChange) {
    this.#recordings = recordings;
    this.#onChange = onChange;
  }

  /** List the jobs of earlier visits. Asks for no key: that is for those who want something. */
  async find() {
    if (apiKey() === null && handedIn().length === 0) return;
    const jobs = await api.jobs();
    const listed = new Set(this.#recordings.jobs.map(({ job }) => job.id));
    // A service without keys lists everybody's.
    const mine = apiKey() === null ? handedIn() : jobs.map(({ id }) => id);
    for (const job of jobs.reverse()) {
      if (listed.has(job.id) || !mine.includes(job.id)) continue;
      const entry = new Entry(null, { name: job.name || job.id });
      entry.asked = { lang: job.language };
      this.#recordings.add(entry);
      this.#learn(entry, job);
    }
    this.#follow();
  }

  /** Hand in a recording. */
  async submit(entry, asked, { signal, onProgress }) {
    await whenLoaded(signal, () => onProgress("queue", {}));
    const job = await api.submit(entry.file, { asked, signal, onProgress });
    entry.asked = asked;
    remember("jobs.ids", [...handedIn().slice(-49), job.id].join(" "));
    this.#learn(entry, job);
    this.#follow();
  }

  /** Fetch the text of a job that has succeeded. */
  async read(entry) {
    entry.answer = JSON.parse(await api.jobResult(entry.job.id, "verbose_json"));
    this.#onChange(entry);
  }

  /** Cancel a job, or remove it once it has ended. */
  async remove(entry) {
    const active = ACTIVE.includes(entry.job.state);
    const left = await api.removeJob(entry.job.id);
    if (active && left) this.#learn(entry, left);
    else this.#recordings.remove(entry);
    this.#onChange(entry);
  }

  async #follow() {
    if (this.#polling) return;
    this.#polling = true;
    for (let active; (active = this.#active()).length > 0; ) {
      let wait = POLL_MS;
      for (const entry of active) {
        try {
          this.#learn(entry, await api.job(entry.job.id));
        } catch (error) {
          if (error instanceof api.Unreachable || error.status >= 500) wait = LATER_MS;
          else this.#lose(entry, error);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    this.#polling = false;
  }

  #active() {
    return this.#recordings.jobs.filter(({ job }) => ACTIVE.includes(job.state));
  }

  #learn(entry, job) {
    entry.job = job;
    entry.state = { succeeded: "done" }[job.state] ?? job.state;
    const { progress_seconds: done, duration_seconds: all, error } = job;
    entry.share = job.state === "running" && all ? Math.min(1, done / all) : null;
    if (error) entry.problem = new api.Problem(error.status, error.code, error.detail);
    this.#onChange(entry);
  }

  #lose(entry, error) {
    entry.job.state = "failed";
    entry.state = "failed";
    entry.problem = error;
    this.#onChange(entry);
  }
}
