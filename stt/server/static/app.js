// The page: connects its controls to the modules that do the work.

import * as api from "./api.js";
import { envelope } from "./envelope.js";
import { watchHealth, whenLoaded } from "./health.js";
import * as i18n from "./i18n.js";
import { remember, remembered } from "./memory.js";
import { alike, asked, onOptions, showOptions } from "./options.js";
import { Player } from "./player.js";
import { askForKey, forgetProblem, showProblem } from "./problem.js";
import { clock } from "./quantities.js";
import { Recording } from "./record.js";
import { NoMicrophone } from "./recorder.js";
import { composed, copy, known, make, renamed, save, showCurl } from "./takeaway.js";
import { TranscriptView } from "./transcript.js";
import { Waveform } from "./waveform.js";
import { joined } from "./words.js";
import { busy, work } from "./work.js";

const $ = (id) => document.getElementById(id);
const { say } = i18n;

const recording = new Recording();
const waveform = new Waveform($("wave"));
const transcript = new TranscriptView(
  (seconds) => {
    player.seek(seconds);
    player.play();
  },
  () => player.toggle(),
);
const player = new Player((seconds, playing) => {
  waveform.at(seconds);
  transcript.light(seconds > 0 ? seconds : null);
  if (playing) transcript.follow();
});

let languages = [];
let starting = false; // whether the microphone is starting
let shown = null; // the recording on the page: {file, seconds, asked, answer, files}

const occupied = () => busy() || starting || !$("recording").hidden;
const spoken = (code) => languages.find((language) => language.code === code);

// ---- a recording and its text

/** Show a new recording. */
function take(file, recorded = false) {
  player.pause();
  const mine = { file, seconds: player.load(file), asked: null, answer: null, files: new Map() };
  shown = mine;
  $("name").textContent = composed(file);
  i18n.hush($("facts"));
  transcript.clear();
  waveform.show({ outline: null, words: [], seconds: 0 });
  $("result").hidden = false;
  $("download-wav").hidden = !recorded;
  mine.seconds.then(async (seconds) => {
    const outline = await envelope(file, seconds);
    if (mine === shown) waveform.show({ outline, seconds: player.seconds });
  });
  refresh();
}

/** Transcribe the shown recording. */
function transcribe() {
  const { file, seconds } = shown;
  const request = asked();
  shown.answer = null;
  shown.files.clear();
  i18n.hush($("facts"));
  transcript.clear();
  warn([]);
  return work({
    again: transcribe,
    onChange: refresh,
    onText: (text) => transcript.clear(text),
    ask: async (signal, onProgress) => {
      await whenLoaded(signal, () => onProgress("queue", {}));
      const options = { asked: request, seconds: await seconds, signal, onProgress };
      show(await api.transcribe(file, options), request);
    },
  });
}

/** Show the transcript. */
function show(answer, request) {
  const language = spoken(request.lang);
  const { words = [], segments = [], duration, processing_time_seconds: took } = answer;
  shown.answer = answer;
  shown.asked = request;
  player.learnLength(duration);
  waveform.show({ words, seconds: player.seconds });
  transcript.show(words, segments, language.tag);
  say($("facts"), took === undefined ? "facts" : "facts.speed", {
    length: clock(Math.round(duration)),
    language: language.native_name,
    model: answer.model ?? language.model_id,
    seconds: took?.toFixed(took < 10 ? 1 : 0),
  });
  warn(answer.warnings ?? []);
  showCurl(shown, "json");
  say($("done"), "work.done", { words: words.length });
  refresh();
}

/** Show what the service says is missing or doubtful. */
function warn(warnings) {
  const items = warnings.map(({ message }) => {
    const item = document.createElement("li");
    item.textContent = message;
    return item;
  });
  $("warning-list").replaceChildren(...items);
  $("warnings").hidden = items.length === 0;
}

async function download(format) {
  if (busy()) return;
  const { file } = shown;
  if (format === "wav") return save(file, composed(file));
  if (known(shown, format) === null) {
    await work({
      again: () => download(format),
      onChange: refresh,
      ask: (signal, onProgress) => make(shown, format, { signal, onProgress }),
    });
  }
  const content = known(shown, format);
  if (content === null) return;
  const name = renamed(composed(file), format);
  save(content, name);
  showCurl(shown, format, name);
}

async function takeFirst([file]) {
  if (!file || languages.length === 0) return;
  if (occupied()) return say($("done"), "drop.busy");
  take(file);
  await transcribe();
}

// ---- the microphone

async function record() {
  if (occupied()) return;
  forgetProblem();
  player.pause();
  starting = true;
  try {
    await recording.start(asked(), spoken($("lang").value));
  } catch (error) {
    if (!(error instanceof NoMicrophone)) throw error;
    return showProblem(error, record);
  } finally {
    starting = false;
  }
  $("stop").disabled = $("discard").disabled = false;
  seeRecording(true);
  $("stop").focus();
}

async function stop() {
  $("stop").disabled = $("discard").disabled = true;
  const { file, seconds, words, segments } = await recording.stop();
  seeRecording(false);
  take(file, true);
  $("result").focus({ preventScroll: true });
  if (words === null) return transcribe();
  show({ text: joined(words), words, segments, duration: seconds }, asked());
}

function discard() {
  recording.discard();
  seeRecording(false);
  $("record").focus();
}

function seeRecording(now) {
  $("recording").hidden = !now;
  $("source").hidden = now;
  $("result").hidden = now || shown === null;
}

// ---- the page itself

/** Show the controls that fit the current state. */
function refresh() {
  const answer = shown?.answer;
  const focused = document.activeElement;
  const idle = languages.length > 0 && !busy();
  for (const id of ["choose", "record", "lang"]) $(id).disabled = !idle;
  $("main").classList.toggle("has-result", shown !== null);
  $("tools").hidden = !answer;
  $("legend").hidden = !answer?.words?.length;
  const language = spoken($("lang").value);
  $("again").hidden = !shown || !language || (answer && alike(shown.asked, asked()));
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
  transcript.translate();
  player.translate();
}

function listenForFiles() {
  $("choose").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    const files = [...$("file").files];
    $("file").value = ""; // Allows choosing the same file again.
    takeFirst(files);
  });
  document.addEventListener("paste", ({ clipboardData }) => takeFirst(clipboardData.files));
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    say($("drop-here-text"), occupied() ? "drop.busy" : "drop.now");
    $("drop-here").hidden = false;
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) $("drop-here").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    $("drop-here").hidden = true;
    takeFirst(event.dataTransfer.files);
  });
}

function listenForClicks() {
  const clicks = { record, stop, discard, again: transcribe };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", () => act());
  for (const button of document.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => download(button.dataset.format));
  }
  $("copy-text").addEventListener("click", ({ currentTarget }) => {
    copy(currentTarget, shown.answer.text, "copy.text");
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
listenForFiles();
listenForClicks();
showLanguages();
// A checkpoint that had to be downloaded may bring a language model.
if (await watchHealth()) showLanguages();
