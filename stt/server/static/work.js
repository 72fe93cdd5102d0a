// Runs one request at a time, with progress, cancel and error display.

import { progress } from "./health.js";
import { hush, say } from "./i18n.js";
import { forgetProblem } from "./problem.js";
import { size } from "./quantities.js";

const $ = (id) => document.getElementById(id);
let job = null; // AbortController

/** Whether a request is running. */
export const busy = () => job !== null;

/**
 * Run a request and show its progress.
 *
 * @param {object} doing
 * @param {(signal: AbortSignal, onProgress: Function) => Promise<void>} doing.ask
 * @param {(text: string) => void} doing.onText called with the text so far
 * @param {() => void} doing.onChange called at the start and at the end
 * @param {(error: Error|null) => void} doing.onProblem called if it fails, with null if cancelled
 */
export async function work({ ask, onText, onChange, onProblem }) {
  forgetProblem();
  job = new AbortController();
  const started = performance.now();
  const tick = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000);
    if ($("work-title").dataset.i18n !== "work.upload")
      say($("work-note"), "work.elapsed", { seconds });
  }, 1000);
  say($("work-title"), "work.upload");
  hush($("work-note"));
  progress($("bar"), null);
  hush($("done"));
  onChange();
  try {
    await ask(job.signal, (step, values) =>
      step === "text" ? onText(values.text) : tell(step, values),
    );
  } catch (error) {
    const cancelled = error.name === "AbortError";
    if (cancelled) say($("done"), "work.cancelled");
    onProblem(cancelled ? null : error);
  } finally {
    clearInterval(tick);
    job = null;
    onChange();
  }
}

function tell(step, values) {
  say($("work-title"), `work.${step}`, values);
  const sending = step === "upload";
  progress($("bar"), sending ? values.done / values.total : null);
  if (sending) {
    say($("work-note"), "work.uploaded", { done: size(values.done), total: size(values.total) });
  } else hush($("work-note"));
}

$("cancel").addEventListener("click", () => job?.abort());
