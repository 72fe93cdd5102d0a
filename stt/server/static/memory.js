// What the page remembers. Browsers can forbid storage altogether; then it remembers nothing.

const PREFIX = "stt-ctc.";

/** A choice from an earlier visit, or null. */
export const remembered = (name) => read("localStorage", name);
export const remember = (name, value) => write("localStorage", name, value);

/** The API key: for this tab only, until it is closed. */
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
    // Not remembered.
  }
}
