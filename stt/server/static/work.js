// Runs one request at a time, with progress, cancel and error display.

import { progress } from "./health.js";
import { hush, say } from "./i18n.js";
import { forgetProblem, showProblem } from "./problem.js";
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
 * @param {() => void} doing.again retries after an error
 * @param {(text: string) => void} doing.onText called with the text so far
 * @param {() => void} doing.onChange called at the start and at the end
 */
export async function work({ ask, again, onText, onChange }) {
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
  $("work").hidden = false;
  hush($("done"));
  onChange();
  try {
    await ask(job.signal, (step, values) =>
      step === "text" ? onText(values.text) : tell(step, values),
    );
  } catch (error) {
    if (error.name === "AbortError") say($("done"), "work.cancelled");
    else showProblem(error, again);
  } finally {
    clearInterval(tick);
    job = null;
    $("work").hidden = true;
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
