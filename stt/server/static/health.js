// The status of the service: polled until it is ready, and again after an error.

import { health, pause } from "./api.js";
import { hush, say } from "./i18n.js";
import { size } from "./quantities.js";

const LOADING_MS = 1_000;
const TROUBLE_MS = 5_000;
/** An idle model is loaded again by the next request. */
const USABLE = new Set(["ready", "idle"]);

const $ = (id) => document.getElementById(id);
let status = "asking";
let watching = false;

/** Show the status, and poll until the service is ready. Returns whether it had to wait. */
export async function watchHealth() {
  if (watching) return false;
  watching = true;
  let waited = false;
  try {
    while ((await showHealth()) !== "ok") {
      waited = true;
      const wait = status === "loading" ? LOADING_MS : TROUBLE_MS;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  } finally {
    watching = false;
  }
  return waited;
}

/** Wait while models are loading. @param {() => void} onWait called if it has to wait */
export async function whenLoaded(signal, onWait) {
  if (status === "loading") onWait();
  while (status === "loading") await pause(LOADING_MS / 4, signal);
}

async function showHealth() {
  let body;
  try {
    body = await health();
  } catch {
    body = { status: "unreachable", models: [] };
  }
  status = body.status;
  $("state").className = `state ${status}`;
  say($("state"), `state.${status}`);
  if (status !== "unreachable") $("demo").hidden = !body.demo;
  showLoading((body.models ?? []).find((model) => !USABLE.has(model.status)));
  return status;
}

function showLoading(model) {
  $("loading").hidden = !model;
  if (!model) return hush($("loading-text"));
  const { model_id: name, reason, bytes_done: done, bytes_total: total } = model;
  const fetching = model.step === "fetching" && total > 0;
  if (model.status === "failed") {
    say($("loading-text"), "loading.failed", { model: name, reason });
  } else if (model.retry_in_seconds !== null && model.retry_in_seconds !== undefined) {
    const seconds = Math.ceil(model.retry_in_seconds);
    say($("loading-text"), "loading.retry", { model: name, reason, seconds });
  } else if (fetching) {
    say($("loading-text"), "loading.bytes", { model: name, done: size(done), total: size(total) });
  } else {
    say($("loading-text"), "loading.step", { model: name });
  }
  $("loading-bar").hidden = model.status === "failed";
  progress($("loading-bar"), fetching ? done / total : null);
}

/** @param {number|null} share from 0 to 1, or null if unknown */
export function progress(bar, share) {
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}
