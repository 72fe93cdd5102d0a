// Shows errors, with the service's message under a translated title, and asks for the API key.

import { ADVICE } from "./advice.js";
import { Unreachable } from "./api.js";
import { watchHealth } from "./health.js";
import { has, hush, say } from "./i18n.js";
import { NoMicrophone } from "./recorder.js";

const $ = (id) => document.getElementById(id);
let again = null;

/** @param {Error} error  @param {() => void} retry called on "Try again" */
export function showProblem(error, retry) {
  const detail = $("problem-detail");
  hush(detail);
  $("problem-advice").textContent = "";
  detail.removeAttribute("lang");
  if (error instanceof NoMicrophone) {
    say($("problem-title"), "problem.microphone");
    say(detail, `mic.${error.reason}`);
  } else if (error instanceof Unreachable) {
    say($("problem-title"), "problem.network");
    say(detail, "problem.network.detail");
    watchHealth();
  } else {
    const known = `problem.${error.code}`;
    say($("problem-title"), has(known) ? known : "problem.title");
    $("problem-advice").textContent = ADVICE[error.code] ?? "";
    detail.lang = "en";
    detail.textContent = error.message;
    if (error.status === 503) watchHealth();
  }
  $("problem").hidden = false;
  again = retry;
}

export function forgetProblem() {
  $("problem").hidden = true;
}

/** Ask for an API key; resolves to it, or to null. @param {boolean} wasWrong whether the previous key was wrong */
export function askForKey(wasWrong) {
  const [form, field] = [$("key"), $("key-value")];
  form.hidden = false;
  field.value = "";
  field.setAttribute("aria-invalid", String(wasWrong));
  say($("key-hint"), wasWrong ? "key.wrong" : "key.hint");
  field.focus();
  return new Promise((resolve) => {
    const end = (key) => {
      form.hidden = true;
      resolve(key);
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      end(field.value.trim());
    };
    $("key-cancel").onclick = () => end(null);
  });
}

$("retry").addEventListener("click", () => again());
$("dismiss").addEventListener("click", forgetProblem);
