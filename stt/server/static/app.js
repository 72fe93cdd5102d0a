// The page: connects its controls to the modules that do the work.

import * as api from "./api.js";
import { onFiles } from "./drop.js";
import { takesJobs, watchHealth, whenLoaded } from "./health.js";
import * as i18n from "./i18n.js";
import { Jobs } from "./jobs.js";
import { remember, remembered } from "./memory.js";
import { Microphone } from "./microphone.js";
import { alike, asJobs, asked, offerJobs, onOptions, showOptions } from "./options.js";
import { askForKey, forgetProblem, showProblem } from "./problem.js";
import { Entry, Recordings } from "./recordings.js";
import { Result } from "./result.js";
import { copy, known, make, renamed, save, showCurl } from "./takeaway.js";
import { joined } from "./words.js";
import { busy, work } from "./work.js";

const $ = (id) => document.getElementById(id);
const { say } = i18n;

const spoken = (code) => languages.find((language) => language.code === code);
const result = new Result(spoken);
const recordings = new Recordings(display, remove);
const jobs = new Jobs(recordings, changed);
const microphone = new Microphone(() => ($("result").hidden = result.entry === null));

let languages = [];
let current = null; // the recording that a request is about

// ---- recordings and their texts

/** Add a recording and show it. */
function take(file, about) {
  const entry = new Entry(file, about);
  recordings.add(entry);
  display(entry);
  return entry;
}

/** Add files and transcribe them, one after the other. */
async function takeAll(files) {
  if (files.length === 0 || languages.length === 0) return;
  if (microphone.busy) return say($("done"), "drop.busy");
  const [first] = files.map((file) => {
    const entry = new Entry(file);
    recordings.add(entry);
    return entry;
  });
  if (busy()) return refresh();
  display(first);
  for (let entry; (entry = recordings.next()); ) {
    // Whoever looks at another recording meanwhile stays there.
    if (result.entry === current) display(entry);
    await (asJobs() ? handIn(entry) : transcribe(entry));
  }
}

/** Show a recording. */
function display(entry) {
  forgetProblem();
  result.show(entry);
  changed(entry);
}

/** Show what is new about a recording. */
function changed(entry) {
  refresh();
  if (entry !== result.entry) return;
  if (entry.problem) showProblem(entry.problem, () => (entry.file ? transcribe(entry) : display(entry)));
  else if (entry.answer) result.showText();
  else if (entry.job?.text) result.showSoFar(entry.job.text);
  if (entry.job?.state === "succeeded" && !entry.answer && !entry.problem) read(entry);
}

/** Fetch the text of a job. */
async function read(entry) {
  try {
    await jobs.read(entry);
  } catch (error) {
    entry.problem = error;
    changed(entry);
  }
}

/** Transcribe a recording. */
function transcribe(entry = result.entry) {
  const request = asked();
  restart(entry);
  return ask(entry, {
    again: () => transcribe(entry),
    onText: (text) => entry === result.entry && result.showSoFar(text),
    ask: async (signal, onProgress) => {
      await whenLoaded(signal, () => onProgress("queue", {}));
      const options = { asked: request, seconds: await entry.seconds, signal, onProgress };
      keep(entry, await api.transcribe(entry.file, options), request);
    },
  });
}

/** Hand in a recording as a job. */
function handIn(entry) {
  const request = asked();
  restart(entry);
  return ask(entry, {
    again: () => handIn(entry),
    ask: (signal, onProgress) => jobs.submit(entry, request, { signal, onProgress }),
  });
}

function restart(entry) {
  entry.answer = entry.job = null;
  entry.files.clear();
  entry.state = "working";
  if (entry === result.entry) result.showText();
}

/** Cancel or remove a job. */
async function remove(entry) {
  forgetProblem();
  try {
    await jobs.remove(entry);
  } catch (error) {
    return showProblem(error, () => remove(entry));
  }
  if (entry === result.entry && entry.state !== "cancelled") $("result").hidden = true;
}

/** Run a request about a recording; what goes wrong is shown with that recording. */
async function ask(entry, doing) {
  current = entry;
  entry.problem = null;
  await work({
    ...doing,
    onChange: refresh,
    onProblem: (error) => {
      entry.state = error ? "failed" : "cancelled";
      entry.problem = error;
      if (error && entry === result.entry) showProblem(error, doing.again);
    },
  });
}

/** Keep the transcript of a recording. */
function keep(entry, answer, request) {
  entry.answer = answer;
  entry.asked = request;
  entry.state = "done";
  changed(entry);
  if (entry === result.entry) say($("done"), "work.done", { words: answer.words?.length ?? 0 });
}

async function download(format) {
  if (busy()) return;
  const { entry } = result;
  if (format === "wav") return save(entry.file, entry.name);
  if (known(entry, format) === null) {
    await ask(entry, {
      again: () => download(format),
      ask: (signal, onProgress) => make(entry, format, { signal, onProgress }),
    });
    entry.state = "done";
  }
  const content = known(entry, format);
  if (content === null) return;
  const name = renamed(entry.name, format);
  save(content, name);
  showCurl(entry, format, name);
}

// ---- the microphone

async function record() {
  if (busy() || microphone.busy) return;
  result.player.pause();
  await microphone.start(asked(), spoken($("lang").value));
}

async function stop() {
  const { file, seconds, words, segments } = await microphone.stop();
  const entry = take(file, { recorded: true });
  $("result").focus({ preventScroll: true });
  if (words === null) return transcribe(entry);
  keep(entry, { text: joined(words), words, segments, duration: seconds }, asked());
}

// ---- the page itself

/** Offer jobs, and list those of earlier visits. */
async function showJobs() {
  offerJobs(takesJobs());
  if (!takesJobs() || languages.length === 0) return;
  try {
    await jobs.find();
  } catch (error) {
    showProblem(error, showJobs);
  }
}

/** Show the controls that fit the current state. */
function refresh() {
  const shown = result.entry;
  const answer = shown?.answer;
  const focused = document.activeElement;
  const idle = languages.length > 0 && !busy();
  $("choose").disabled = languages.length === 0;
  for (const id of ["record", "lang"]) $(id).disabled = !idle;
  $("work").hidden = !busy() || shown !== current;
  recordings.refresh(shown);
  $("main").classList.toggle("has-result", shown !== null);
  $("tools").hidden = !answer;
  $("legend").hidden = !answer?.words?.length;
  const language = spoken($("lang").value);
  const isNew = !answer || (language && !alike(shown.asked, asked()));
  $("again").hidden = !shown?.file || !language || !isNew || shown.state in { queued: 0, running: 0 };
  const key = answer && shown.asked.lang === language?.code ? "again.options" : "again";
  if (language) say($("again"), key, { language: language.native_name });
  $("more").hidden = busy() || ($("again").hidden && $("download-wav").hidden);
  // If the focused element is gone, the next Tab would start at the top of the page.
  if (focused.disabled || focused.closest("[hidden]")) $("result").focus({ preventScroll: true });
}

async function showLanguages() {
  forgetProblem();
  try {
    languages = await api.languages();
  } catch (error) {
    return showProblem(error, showLanguages);
  }
  const options = languages.map(
    ({ code, name, native_name: native, default: first }) =>
      new Option(native === name ? name : `${native} · ${name}`, code, first, first),
  );
  const before = $("lang").value;
  $("lang").replaceChildren(...options);
  const chosen = [before, remembered("language")].find(spoken);
  if (chosen) $("lang").value = chosen;
  showOptions(spoken($("lang").value));
  refresh();
}

function showInterface() {
  for (const language of ["en", "ko"]) {
    $(`ui-${language}`).setAttribute("aria-pressed", i18n.interfaceLanguage() === language);
  }
  result.translate();
}

function listenForClicks() {
  const clicks = { record, stop, discard: () => microphone.discard(), again: () => transcribe() };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", () => act());
  $("files-stop").addEventListener("click", () => {
    recordings.cancelWaiting();
    refresh();
  });
  for (const button of document.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => download(button.dataset.format));
  }
  $("copy-text").addEventListener("click", ({ currentTarget }) => {
    copy(currentTarget, result.entry.answer.text, "copy.text");
  });
  $("copy-curl").addEventListener("click", ({ currentTarget }) => {
    copy(currentTarget, $("curl").textContent, "copy");
  });
  $("lang").addEventListener("change", () => {
    remember("language", $("lang").value);
    showOptions(spoken($("lang").value));
    refresh();
  });
  onOptions(refresh);
  for (const language of ["en", "ko"]) {
    $(`ui-${language}`).addEventListener("click", () => i18n.speak(language));
  }
  i18n.onInterfaceLanguage(showInterface);
}

api.onKeyNeeded(askForKey);
i18n.translatePage();
showInterface();
onFiles(takeAll, () => (microphone.busy ? "drop.busy" : "drop.now"));
listenForClicks();
const listed = showLanguages();
// A checkpoint that had to be downloaded may bring a language model.
await ((await watchHealth()) ? showLanguages() : listed);
showJobs();
