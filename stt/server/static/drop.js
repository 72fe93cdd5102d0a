// Ways to give files to the page: choose, paste and drop.

import { say } from "./i18n.js";

const $ = (id) => document.getElementById(id);

/**
 * @param {(files: Iterable<File>) => void} take called with what somebody gives
 * @param {() => string} invitation the text shown while files hover over the page
 */
export function onFiles(take, invitation) {
  $("choose").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => {
    const files = [...$("file").files];
    $("file").value = ""; // Allows choosing the same file again.
    take(files);
  });
  document.addEventListener("paste", ({ clipboardData }) => take([...clipboardData.files]));
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    say($("drop-here-text"), invitation());
    $("drop-here").hidden = false;
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) $("drop-here").hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    $("drop-here").hidden = true;
    take([...event.dataTransfer.files]);
  });
}
