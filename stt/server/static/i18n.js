// The page in English or Korean. The browser's language decides, until the user switches.

import { remembered, remember } from "./memory.js";
import { STRINGS } from "./strings.js";

const PLACES = { en: 0, ko: 1 };
const ATTRIBUTES = { i18nLabel: "aria-label", i18nTitle: "title" };
const params = new WeakMap(); // element -> values of its text
const listeners = [];

let current = remembered("interface") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
if (!(current in PLACES)) current = "en";

/** The page's language as a BCP 47 tag. */
export const interfaceLanguage = () => current;

/** A text in the page's language; `{gap}` becomes `values.gap`. */
export function t(key, values = {}) {
  const sentence = STRINGS[key]?.[PLACES[current]];
  if (sentence === undefined) throw new Error(`unknown text ${key}`);
  return sentence.replace(/\{(\w+)\}/g, (_, gap) => resolve(values[gap]));
}

/** Whether a text exists. */
export const has = (key) => key in STRINGS;

/** Put a text into an element, and update it when the language changes. Values can be functions,
 * called at each update. */
export function say(element, key, values = {}) {
  element.dataset.i18n = key;
  params.set(element, values);
  const sentence = t(key, values);
  // Screen readers announce every write to a live region, so skip repeats.
  if (element.textContent !== sentence) element.textContent = sentence;
}

/** Put a text into an element's accessible name, likewise. */
export function label(element, key, values = {}) {
  element.dataset.i18nLabel = key;
  params.set(element, values);
  element.setAttribute("aria-label", t(key, values));
}

/** Remove an element's text. */
export function hush(element) {
  delete element.dataset.i18n;
  element.textContent = "";
}

/** Call `listener` after each change of language. */
export const onInterfaceLanguage = (listener) => listeners.push(listener);

/** Change the language and remember it. */
export function speak(language) {
  current = language;
  remember("interface", language);
  translatePage();
  for (const listener of listeners) listener();
}

/** Update every text of the page. */
export function translatePage() {
  document.documentElement.lang = current;
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-i18n]")) {
    element.textContent = t(element.dataset.i18n, params.get(element));
  }
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    const selector = `[data-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}]`;
    for (const element of document.querySelectorAll(selector)) {
      element.setAttribute(attribute, t(element.dataset[name], params.get(element)));
    }
  }
}

function resolve(value) {
  return String(typeof value === "function" ? value() : (value ?? ""));
}
