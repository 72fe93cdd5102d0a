// What one takes away: the text, subtitles, the recording, the command.

import { rendered, responseFormat, transcribeAddress } from "./api.js";
import { curlLine } from "./curl.js";
import { say } from "./i18n.js";
import { apiKey } from "./memory.js";

const $ = (id) => document.getElementById(id);

/**
 * The transcript in a format, as far as the page has exactly that; else null.
 *
 * @param {object} shown the recording on the page
 * @param {string} format txt, srt, vtt or json
 */
export function known({ answer, files }, format) {
  if (format === "txt") return answer.text;
  // Only that of /transcribe is what the command below would print.
  if (format === "json" && "processing_time_seconds" in answer) {
    return JSON.stringify(answer, null, 2);
  }
  return files.get(format) ?? null;
}

/** The transcript in a format, made by the service. */
export async function make({ file, lang, files }, format, { signal, onProgress }) {
  files.set(format, await rendered(file, { lang, format, signal, onProgress }));
}

/** Hand a file to the browser's downloads. */
export function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The name of a recording's file in another format. */
export const renamed = (name, format) => `${name.replace(/\.[^.]+$/, "")}.${format}`;

/** Show the command that does what was just done. @param {string|null} name of a saved file */
export function showCurl({ file, lang }, format, name = null) {
  $("curl").textContent = curlLine({
    url: transcribeAddress(),
    name: file.name,
    lang,
    format: responseFormat(format),
    save: name,
    withKey: apiKey() !== null,
  });
}

/** Copy a text, and say so on the button. */
export async function copy(button, text, key) {
  let outcome = "copy.done";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    outcome = "copy.failed"; // Not on https, say.
  }
  say(button, outcome);
  say($("done"), outcome);
  setTimeout(() => say(button, key), 2_000);
}
