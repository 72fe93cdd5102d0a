// The interface in English or Korean: chosen by the browser, switchable, remembered.

import { remembered, remember } from "./memory.js";
import { STRINGS } from "./strings.js";

const PLACES = { en: 0, ko: 1 };
const ATTRIBUTES = { i18nLabel: "aria-label", i18nTitle: "title" };
const params = new WeakMap(); // element -> what fills the gaps of its sentence
const listeners = [];

let current = remembered("interface") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
if (!(current in PLACES)) current = "en";

/** The interface's language, a BCP 47 tag. */
export const interfaceLanguage = () => current;

/** A sentence in the interface's language; `{gap}` becomes `values.gap`. */
export function t(key, values = {}) {
  const sentence = STRINGS[key]?.[PLACES[current]];
  if (sentence === undefined) throw new Error(`no sentence is called ${key}`);
  return sentence.replace(/\{(\w+)\}/g, (_, gap) => resolve(values[gap]));
}

/** Whether there is such a sentence. */
export const has = (key) => key in STRINGS;

/** Put a sentence into an element, and again whenever the language changes. A value may be a
 * function, which is then asked each time. */
export function say(element, key, values = {}) {
  element.dataset.i18n = key;
  params.set(element, values);
  const sentence = t(key, values);
  // A live region speaks each time that it is written, so not twice the same.
  if (element.textContent !== sentence) element.textContent = sentence;
}

/** The same for an element's accessible name. */
export function label(element, key, values = {}) {
  element.dataset.i18nLabel = key;
  params.set(element, values);
  element.setAttribute("aria-label", t(key, values));
}

/** Take a sentence out. */
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

/** Write every sentence of the page in the current language. */
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
