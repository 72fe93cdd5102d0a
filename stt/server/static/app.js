// The page: connects its controls to the modules that do the work.

import * as api from "./api.js";
import { onFiles } from "./drop.js";
import { envelope } from "./envelope.js";
import { watchHealth, whenLoaded } from "./health.js";
import * as i18n from "./i18n.js";
import { remember, remembered } from "./memory.js";
import { alike, asked, onOptions, showOptions } from "./options.js";
import { Player } from "./player.js";
import { askForKey, forgetProblem, showProblem } from "./problem.js";
import { clock } from "./quantities.js";
import { Recording } from "./record.js";
import { Entry, Recordings } from "./recordings.js";
import { NoMicrophone } from "./recorder.js";
import { copy, known, make, renamed, save, showCurl } from "./takeaway.js";
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
let shown = null; // the recording on the page
let current = null; // the recording that a request is about
const recordings = new Recordings(display);

const isRecording = () => starting || !$("recording").hidden;
const spoken = (code) => languages.find((language) => language.code === code);

// ---- recordings and their texts

/** Add a recording and show it. */
function take(file, recorded = false) {
  const entry = new Entry(file, recorded);
  recordings.add(entry);
  display(entry);
  return entry;
}

/** Add files and transcribe them, one after the other. */
async function takeAll(files) {
  if (files.length === 0 || languages.length === 0) return;
  if (isRecording()) return say($("done"), "drop.busy");
  const [first] = files.map((file) => {
    const entry = new Entry(file);
    recordings.add(entry);
    return entry;
  });
  if (busy()) return refresh();
  display(first);
  for (let entry; (entry = recordings.next()); ) {
    // Whoever looks at another recording meanwhile stays there.
    if (shown === current) display(entry);
    await transcribe(entry);
  }
}

/** Show a recording. */
function display(entry) {
  player.pause();
  shown = entry;
  player.load(entry.file);
  $("name").textContent = entry.name;
  $("download-wav").hidden = !entry.recorded;
  waveform.show({ outline: null, words: [], seconds: 0 });
  $("result").hidden = false;
  forgetProblem();
  showAnswer();
  if (entry.problem) showProblem(entry.problem, () => transcribe(entry));
  entry.seconds.then(async (seconds) => {
    const outline = await envelope(entry.file, seconds);
    if (entry === shown) waveform.show({ outline, seconds: player.seconds });
  });
  refresh();
}

/** Transcribe a recording. */
function transcribe(entry = shown) {
  const request = asked();
  entry.answer = null;
  entry.files.clear();
  entry.state = "working";
  if (entry === shown) showAnswer();
  return ask(entry, {
    again: () => transcribe(entry),
    onText: (text) => entry === shown && transcript.clear(text),
    ask: async (signal, onProgress) => {
      await whenLoaded(signal, () => onProgress("queue", {}));
      const options = { asked: request, seconds: await entry.seconds, signal, onProgress };
      keep(entry, await api.transcribe(entry.file, options), request);
    },
  });
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
      if (error && entry === shown) showProblem(error, doing.again);
    },
  });
}

/** Keep the transcript of a recording, and show it if the recording is on the page. */
function keep(entry, answer, request) {
  entry.answer = answer;
  entry.asked = request;
  entry.state = "done";
  if (entry !== shown) return;
  showAnswer();
  say($("done"), "work.done", { words: answer.words?.length ?? 0 });
}

/** Show the transcript of the recording on the page, if it has one. */
function showAnswer() {
  const { answer, asked: request } = shown;
  warn(answer?.warnings ?? []);
  if (answer === null) {
    i18n.hush($("facts"));
    return transcript.clear();
  }
  const language = spoken(request.lang);
  const { words = [], segments = [], duration, processing_time_seconds: took } = answer;
  player.learnLength(duration);
  waveform.show({ words, seconds: player.seconds });
  transcript.show(words, segments, language.tag);
  say($("facts"), took === undefined ? "facts" : "facts.speed", {
    length: clock(Math.round(duration)),
    language: language.native_name,
    model: answer.model ?? language.model_id,
    seconds: took?.toFixed(took < 10 ? 1 : 0),
  });
  showCurl(shown, "json");
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
  const entry = shown;
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
  if (busy() || isRecording()) return;
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
  const entry = take(file, true);
  $("result").focus({ preventScroll: true });
  if (words === null) return transcribe(entry);
  keep(entry, { text: joined(words), words, segments, duration: seconds }, asked());
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
  $("choose").disabled = languages.length === 0;
  for (const id of ["record", "lang"]) $(id).disabled = !idle;
  $("work").hidden = !busy() || shown !== current;
  recordings.refresh(shown);
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

function listenForClicks() {
  const clicks = { record, stop, discard, again: () => transcribe() };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", () => act());
  $("files-stop").addEventListener("click", () => {
    recordings.cancelWaiting();
    refresh();
  });
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
onFiles(takeAll, () => (isRecording() ? "drop.busy" : "drop.now"));
listenForClicks();
showLanguages();
// A checkpoint that had to be downloaded may bring a language model.
if (await watchHealth()) showLanguages();
