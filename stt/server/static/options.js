// What the page asks besides a language: hotwords, its language model, its written form, its spaces,
// and whether channels are kept apart.

import { remember, remembered } from "./memory.js";

const $ = (id) => document.getElementById(id);
const EXAMPLES = { ko: "판교, 카카오뱅크:2", en: "Kubernetes, Nakamura:2" };

/**
 * Switches that are off at first, and the field of a request that each sets to a value. Those of a
 * language are offered if it has the field, and are remembered for that language alone.
 */
const SWITCHES = [
  { id: "write", field: "written", value: true, ofLanguage: true },
  { id: "space", field: "spacing", value: "restored", ofLanguage: true },
  { id: "split", field: "channels", value: "split" },
];
const JOBS = { id: "as-job", field: "jobs" };

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
  for (const each of SWITCHES) if (isOn(each)) fields[each.field] = each.value;
  return fields;
}

/** Whether recordings are submitted as jobs. */
export const asJobs = () => isOn(JOBS);

/** Whether the service takes jobs. */
export const offerJobs = (possible) => show(JOBS, possible);

/** Whether two requests ask for the same. */
export const alike = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Show a language's options, as they were left. */
export function showOptions(entry) {
  language = entry;
  const { code, tag, language_model: usual } = language;
  $("hotwords").disabled = false;
  $("hotwords").value = remembered(`hotwords.${code}`) ?? "";
  $("hotwords").lang = tag;
  $("hotwords").placeholder = EXAMPLES[tag.slice(0, 2)] ?? "";
  $("model-option").hidden = usual === "none";
  $("use-model").checked = (remembered(`language-model.${code}`) ?? usual) === "on";
  for (const each of SWITCHES) show(each, !each.ofLanguage || language[each.field]);
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
  for (const each of [...SWITCHES, JOBS]) {
    $(each.id).addEventListener("change", ({ target }) => {
      remember(memoryOf(each), target.checked ? "on" : null);
      listener();
    });
  }
}

const memoryOf = ({ field, ofLanguage }) => (ofLanguage ? `${field}.${language.code}` : field);

/** Offer a switch, as it was left, or hide it. */
function show(each, offered) {
  $(each.id).parentElement.hidden = !offered;
  $(each.id).checked = remembered(memoryOf(each)) === "on";
}

const isOn = ({ id }) => $(id).checked && !$(id).parentElement.hidden;

const used = () => ($("use-model").checked ? "on" : "off");

/** Pasted lines are separate hotwords. */
const list = (text) =>
  text.normalize("NFC").split(/[,\n]/).map((word) => word.trim()).filter(Boolean).join(", ");
