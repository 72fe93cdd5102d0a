"use strict";
// The list of recordings, and the two languages of the page. Texts enter it as text, never as HTML.

const KOREAN = JSON.parse(document.getElementById("korean").textContent);
const ROWS = JSON.parse(document.getElementById("rows").textContent);
const AT_ONCE = 100;

const COLUMNS = [
  { key: "name", title: "File", text: true },
  { key: "cer", title: "CER" },
  { key: "wer", title: "WER" },
  { key: "real", title: "Kinds" }, // sorts by the errors that matter most
  { key: "seconds", title: "Length" },
  { key: "snr", title: "SNR" },
  { key: "speaker", title: "Speaker", text: true },
].filter(({ key }) => !["snr", "speaker"].includes(key) || ROWS.some((row) => row[key] !== null && row[key] !== ""));

const FILTERS = {
  all: () => true,
  wrong: (row) => row.errors > 0,
  real: (row) => row.real > 0,
  notation: (row) => row.notation > 0,
  spacing: (row) => row.spacing > 0,
  correct: (row) => row.errors === 0,
};

const element = (id) => document.getElementById(id);
const list = document.querySelector(".utterances");
let language = navigator.language.startsWith("ko") ? "ko" : "en";
let sort = null; // as the report has them: worst first
let found = ROWS;
let shown = 0;

for (const row of ROWS) {
  row.haystack = [row.name, row.speaker, row.reference, row.hypothesis, row.rawReference, row.rawHypothesis].join("\n").toLowerCase();
}

/** A phrase in the language of the page. */
function say(phrase, values = {}) {
  const text = language === "ko" && Object.hasOwn(KOREAN, phrase) ? KOREAN[phrase] : phrase; // a speaker may be "constructor"
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** An element with text or children. */
function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null));
  return made;
}

const percent = (rate) => (rate === null ? "n/a" : `${(100 * rate).toFixed(1)} %`);

// ---- a recording

/** Reference above hypothesis, piece by piece. Screen readers get both texts whole instead. */
function compare(row) {
  const box = make("div", "compare");
  const unseen = make("p", "unseen", `${say("Reference")}: ${row.reference || say("nothing")}. ${say("Recognised")}: ${row.hypothesis || say("nothing")}.`);
  const pieces = make("div", "pieces");
  pieces.setAttribute("aria-hidden", "true");
  let word = make("span", "word");
  const close = () => {
    if (word.childNodes.length) pieces.append(word);
    word = make("span", "word");
  };
  for (const [kind, reference, hypothesis] of row.pieces) {
    if (kind === "equal") {
      for (const part of reference.match(/\S+\s*|\s+/g) ?? []) {
        word.append(pair(kind, part, part));
        if (/\s$/.test(part) || word.childNodes.length > 12) close();
      }
    } else {
      word.append(pair(kind, reference, hypothesis));
    }
  }
  close();
  box.append(unseen, pieces);
  return box;
}

function pair(kind, reference, hypothesis) {
  const marked = (text) => (kind === "equal" ? text : text.replaceAll(" ", "␣") || "·");
  return make("span", `pair ${kind}`, make("span", "ref", marked(reference)), make("span", "hyp", marked(hypothesis)));
}

function player(row) {
  if (!row.url) {
    return make("p", "quiet", say("This format does not play in browsers; --embed-audio puts copies into the page."));
  }
  const button = make("button", "play", `▶ ${say("Play")}`);
  button.type = "button";
  button.setAttribute("aria-label", `${say("Play")}: ${row.name}`);
  button.addEventListener("click", () => {
    const audio = make("audio");
    audio.controls = true;
    audio.preload = "none";
    audio.src = row.url;
    audio.addEventListener("play", () => {
      for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    });
    audio.addEventListener("error", () => {
      audio.replaceWith(make("p", "quiet", say("The file cannot be played from here: it has moved, or the browser does not play its format.")));
    });
    button.replaceWith(audio);
    audio.focus();
    audio.play().catch(() => {}); // the error event says why
  });
  return button;
}

function raw(row) {
  if (row.rawReference === row.reference && row.rawHypothesis === row.hypothesis) return null;
  const texts = make("dl", "", ...["Reference", "Recognised"].flatMap((title) => [
    make("dt", "", say(title)),
    make("dd", "", (title === "Reference" ? row.rawReference : row.rawHypothesis) || say("nothing")),
  ]));
  return make("details", "raw", make("summary", "", say("Texts before normalisation")), texts);
}

function cell(row, { key, title, text }) {
  const value = row[key];
  let content = value === null ? "–" : String(value);
  if (key === "cer" || key === "wer") content = percent(value);
  if (key === "seconds") content = `${value.toFixed(1)} s`;
  if (key === "snr" && value !== null) content = `${Math.round(value)} dB`;
  if (key === "real") {
    const kinds = ["spacing", "notation", "real"].filter((kind) => row[kind]);
    const chips = kinds.map((kind) => make("span", `chip ${kind}`, `${say(kind)} ${row[kind]}`));
    content = chips.length ? make("span", "chips", ...chips) : "–";
  }
  const made = make(key === "name" ? "th" : "td", text ? key : `num ${key}`, content);
  if (key === "name") made.scope = "row";
  made.dataset.title = say(title);
  return made;
}

function utterance(row) {
  const texts = make("td", "", row.errors ? compare(row) : make("p", "same", make("span", "chip same", say("correct")), ` ${row.reference}`), make("div", "foot", player(row), raw(row)));
  texts.colSpan = COLUMNS.length;
  return make("tbody", "utterance", make("tr", "figures", ...COLUMNS.map((column) => cell(row, column))), make("tr", "texts", texts));
}

// ---- the list

function select() {
  const words = element("search").value.toLowerCase().normalize("NFC").trim();
  const fits = FILTERS[element("filter").value];
  found = ROWS.filter((row) => fits(row) && row.haystack.includes(words));
  if (sort) {
    const { key, text } = sort.column;
    const order = (a, b) => (text ? String(a[key]).localeCompare(String(b[key]), undefined, { numeric: true }) : (a[key] ?? Infinity) - (b[key] ?? Infinity));
    found.sort((a, b) => sort.sign * order(a, b));
  }
  for (const body of [...list.tBodies]) body.remove();
  shown = 0;
  extend();
}

function extend() {
  const next = found.slice(shown, shown + AT_ONCE);
  list.append(...next.map(utterance));
  shown += next.length;
  element("count").textContent = say("{shown} of {n}", { shown: shown.toLocaleString(), n: found.length.toLocaleString() });
  const left = Math.min(AT_ONCE, found.length - shown);
  element("more").hidden = left <= 0;
  element("more").textContent = say("Show {n} more", { n: left });
}

function sortBy(column) {
  const first = column.text ? 1 : -1;
  sort = { column, sign: sort?.column === column ? -sort.sign : first };
  heads();
  select();
  element("columns").children[COLUMNS.indexOf(column)].firstChild.focus();
}

function heads() {
  element("columns").replaceChildren(...COLUMNS.map((column) => {
    const active = sort ? sort.column === column : column.key === "cer";
    const sign = sort?.sign ?? -1;
    const button = make("button", "", `${say(column.title)}${active ? (sign > 0 ? " ▲" : " ▼") : ""}`);
    button.type = "button";
    button.addEventListener("click", () => sortBy(column));
    const head = make("th", column.text ? "" : "num", button);
    head.scope = "col";
    head.setAttribute("aria-sort", active ? (sign > 0 ? "ascending" : "descending") : "none");
    return head;
  }));
}

// ---- the language

function translate() {
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll("[data-say]")) {
    each.dataset.say ||= each.textContent;
    each.textContent = say(each.dataset.say, each.dataset);
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  heads();
  select();
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    language = button.dataset.language;
    translate();
  });
}
for (const button of document.querySelectorAll(".find")) {
  button.addEventListener("click", () => {
    element("search").value = button.dataset.find;
    element("filter").value = "wrong";
    select();
    element("search").focus();
    element("utterances").scrollIntoView();
  });
}
element("search").addEventListener("input", select);
element("filter").addEventListener("change", select);
element("more").addEventListener("click", () => {
  const at = shown;
  extend();
  list.tBodies[at].querySelector("button, audio, summary")?.focus();
});
translate();
