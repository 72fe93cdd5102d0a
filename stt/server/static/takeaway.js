// Results to keep: text, subtitles, the recording, the command.

import { jobAddress, jobResult, rendered, responseFormat, transcribeAddress } from "./api.js";
import { curlLine, jobLine } from "./curl.js";
import { say } from "./i18n.js";
import { apiKey } from "./memory.js";

const $ = (id) => document.getElementById(id);

/**
 * The transcript in a format, if the page has it already; else null.
 *
 * @param {object} shown the recording on the page
 * @param {string} format txt, srt, vtt or json
 */
export function known({ answer, files }, format) {
  if (format === "txt") return answer.text;
  // Only the JSON of /transcribe is what the command below prints.
  if (format === "json" && "processing_time_seconds" in answer) {
    return JSON.stringify(answer, null, 2);
  }
  return files.get(format) ?? null;
}

/** Request the transcript in a format from the service. */
export async function make({ file, asked, files, job }, format, { signal, onProgress }) {
  const content = job
    ? await jobResult(job.id, responseFormat(format))
    : await rendered(file, { asked, format, signal, onProgress });
  files.set(format, content);
}

/** Download a file. */
export function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The name of a recording's file as people type it: macOS takes its letters apart (NFD). */
export const composed = (file) => file.name.normalize("NFC");

/** The name of a recording's file in another format. */
export const renamed = (name, format) => `${name.replace(/\.[^.]+$/, "")}.${format}`;

/** Show the command for the last action. @param {string|null} name of a saved file */
export function showCurl({ file, asked, job }, format, name = null) {
  const common = { format: responseFormat(format), save: name, withKey: apiKey() !== null };
  $("curl").textContent = job
    ? jobLine({ url: jobAddress(job.id), ...common })
    : curlLine({ url: transcribeAddress(), name: file.name, asked, ...common });
}

/** Copy a text and confirm it on the button. */
export async function copy(button, text, key) {
  let outcome = "copy.done";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    outcome = "copy.failed"; // For example without https.
  }
  say(button, outcome);
  say($("done"), outcome);
  setTimeout(() => say(button, key), 2_000);
}
