// What the page asks besides a language: hotwords, its language model, its written form, its spaces,
// and whether channels are kept apart.

import { say } from "./i18n.js";
import { remember, remembered } from "./memory.js";

const $ = (id) => document.getElementById(id);
const EXAMPLES = { ko: "판교, 카카오뱅크:2", en: "Kubernetes, Nakamura:2" };

const FIELDS = ["lang", "hotwords", "language_model", "written", "spacing", "channels"];

let language = null; // the entry of /languages

/**
 * The fields of a request: `lang` and, if they are not the service's defaults, `hotwords`
 * (comma-separated), `language_model` (a boolean), `written` (true), `spacing` ("restored") and
 * `channels` ("split").
 */
export function asked() {
  const fields = { lang: language.code };
  const hotwords = list($("hotwords").value);
  if (hotwords) fields.hotwords = hotwords;
  const { language_model: usual } = language;
  if (usual !== "none" && used() !== usual) fields.language_model = used() === "on";
  if (language.written && $("write").checked) fields.written = true;
  if (language.spacing && $("space").checked) fields.spacing = "restored";
  if ($("split").checked) fields.channels = "split";
  return fields;
}

/** Whether recordings are submitted as jobs. */
export const asJobs = () => !$("job-option").hidden && $("as-job").checked;

/** Whether the service takes jobs. */
export function offerJobs(possible) {
  $("job-option").hidden = !possible;
  $("as-job").checked = remembered("jobs") === "on";
}

/** Whether two requests ask for the same. */
export const alike = (one, other) =>
  FIELDS.every(
    (name) => one[name] === other[name],
  );

/** Show a language's options, as they were left. */
export function showOptions(entry) {
  language = entry;
  const { code, tag, language_model: usual, written, spacing } = language;
  $("hotwords").disabled = false;
  $("hotwords").value = remembered(`hotwords.${code}`) ?? "";
  $("hotwords").lang = tag;
  $("hotwords").placeholder = EXAMPLES[tag.slice(0, 2)] ?? "";
  $("model-option").hidden = usual === "none";
  $("use-model").checked = (remembered(`language-model.${code}`) ?? usual) === "on";
  $("write-option").hidden = !written;
  $("write").checked = remembered(`written.${code}`) === "on";
  $("space-option").hidden = !spacing;
  $("space").checked = remembered(`spacing.${code}`) === "on";
  $("split").checked = remembered("channels") === "on";
  $("options").open = Object.keys(asked()).length > 1;
}

/** Call `listener` after each change. */
export function onOptions(listener) {
  $("hotwords").addEventListener("input", () => {
    remember(`hotwords.${language.code}`, list($("hotwords").value) || null);
    listener();
  });
  $("use-model").addEventListener("change", () => {
    // The default is not remembered, because the operator may change it.
    const own = used() === language.language_model ? null : used();
    remember(`language-model.${language.code}`, own);
    listener();
  });
  $("write").addEventListener("change", () => {
    remember(`written.${language.code}`, $("write").checked ? "on" : null);
    listener();
  });
  $("space").addEventListener("change", () => {
    remember(`spacing.${language.code}`, $("space").checked ? "on" : null);
    listener();
  });
  $("as-job").addEventListener("change", () => {
    remember("jobs", $("as-job").checked ? "on" : null);
  });
  $("split").addEventListener("change", () => {
    remember("channels", $("split").checked ? "on" : null);
    listener();
  });
}

const used = () => ($("use-model").checked ? "on" : "off");

/** Pasted lines are separate hotwords. */
const list = (text) =>
  text.normalize("NFC").split(/[,\n]/).map((word) => word.trim()).filter(Boolean).join(", ");
