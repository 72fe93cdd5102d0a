// Stores choices. If the browser forbids storage, the page forgets them.

const PREFIX = "stt-ctc.";

/** A choice of an earlier visit, or null. */
export const remembered = (name) => read("localStorage", name);
export const remember = (name, value) => write("localStorage", name, value);

/** The API key, kept for this tab until it is closed. */
export const apiKey = () => read("sessionStorage", "key");
export const keepApiKey = (value) => write("sessionStorage", "key", value);

function read(storage, name) {
  try {
    return window[storage].getItem(PREFIX + name);
  } catch {
    return null;
  }
}

function write(storage, name, value) {
  try {
    if (value === null) window[storage].removeItem(PREFIX + name);
    else window[storage].setItem(PREFIX + name, value);
  } catch {
    // The browser forbids storage.
  }
}
