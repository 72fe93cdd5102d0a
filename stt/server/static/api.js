// Requests to the service. Only this module knows its routes and answers.

import { apiKey, keepApiKey } from "./memory.js";

const MAX_TRIES = 30;
/** Longer recordings are streamed, so that text appears during transcription. */
const STREAM_FROM_SECONDS = 60;

/** An error answer: RFC 9457 problem details or OpenAI's `error` object. */
export class Problem extends Error {
  constructor(status, code, detail, retryAfterSeconds = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  static from({ status, text, header }) {
    let body = {};
    try {
      body = JSON.parse(text);
    } catch {
      // The answer comes from elsewhere, such as a proxy.
    }
    const { code, detail = null, message = null } = body?.error ?? body ?? {};
    const shown = typeof detail === "string" ? detail : (message ?? `HTTP ${status}`);
    return new Problem(status, code ?? null, shown, retryAfter(header("Retry-After")));
  }
}

/** No answer. */
export class Unreachable extends Error {}

const address = (path) => new URL(path, document.baseURI);
const signedOff = () => new DOMException("cancelled", "AbortError");
const authorization = () => (apiKey() ? { Authorization: `Bearer ${apiKey()}` } : {});

let askForKey = async () => null;

/** Call `ask(wasWrong)` when the service requires a key; it returns one, or null. */
export function onKeyNeeded(ask) {
  askForKey = ask;
}

/** The body of /health, ready or not. */
export async function health() {
  const answer = await get("health");
  if (answer.status !== 200 && answer.status !== 503) throw Problem.from(answer);
  return JSON.parse(answer.text);
}

/** The served languages. */
export async function languages() {
  const answer = await authorized(() => get("languages"));
  if (answer.status !== 200) throw Problem.from(answer);
  return JSON.parse(answer.text).languages;
}

/**
 * Transcribe a recording; the result has the keys of `verbose_json`.
 *
 * @param {Blob} file
 * @param {object} options
 * @param {object} options.asked `lang`, and optionally `hotwords`, `language_model`, `written`, `spacing`,
 *   `channels`
 * @param {number|null} options.seconds length of the recording, if known
 * @param {AbortSignal} options.signal
 * @param {(step: string, values: object) => void} options.onProgress `upload` with bytes `done`
 *   and `total`, `listen`, `text` with the `text` so far, `busy` with `seconds`
 */
export async function transcribe(file, { asked, seconds, signal, onProgress }) {
  // Channels that are kept apart cannot be streamed.
  if (!asked.channels && (seconds === null || seconds >= STREAM_FROM_SECONDS)) {
    return stream(file, { asked, signal, onProgress });
  }
  const fields = { ...asked, response_format: "verbose_json" };
  return JSON.parse(await post("transcribe", form(file, fields), { signal, onProgress }));
}

/** A recording's transcript in a text format: txt, srt, vtt or json. */
export async function rendered(file, { asked, format, signal, onProgress }) {
  const fields = { ...asked, response_format: responseFormat(format) };
  return post("transcribe", form(file, fields), { signal, onProgress });
}

/** The newest jobs, the newest first; none if the service requires another key. */
export async function jobs() {
  const answer = await get("v1/jobs?limit=50");
  if (answer.status === 401) return [];
  if (answer.status !== 200) throw Problem.from(answer);
  return JSON.parse(answer.text).data;
}

/** How far a job is. */
export async function job(id) {
  return JSON.parse((await ask(`v1/jobs/${id}`)).text);
}

/** Hand in a recording as a job; returns it. */
export async function submit(file, { asked, signal, onProgress }) {
  return JSON.parse(await post("v1/jobs", form(file, asked), { signal, onProgress }));
}

/** The transcript of a job that has succeeded. @param {string} format a `response_format` */
export async function jobResult(id, format) {
  return (await ask(`v1/jobs/${id}/result?response_format=${format}`)).text;
}

/** Cancel an active job, and return it; remove an ended one, and return null. */
export async function removeJob(id) {
  const { text } = await ask(`v1/jobs/${id}`, "DELETE");
  return text ? JSON.parse(text) : null;
}

/** URL of a job's result, for people who call it themselves. */
export const jobAddress = (id) => address(`v1/jobs/${id}/result`).href;

/** The `response_format` for a file suffix. */
export const responseFormat = (ending) => ({ txt: "text", json: "verbose_json" })[ending] ?? ending;

/** URL of the route, for people who call it themselves. */
export const transcribeAddress = () => address("transcribe").href;

/** A WebSocket for live audio. */
export function openStream(lang) {
  const url = address("stream");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("lang", lang);
  // Browsers cannot set headers on a WebSocket, so the key is a subprotocol, in base64url.
  const key = btoa(apiKey() ?? "").replace(/[+/=]/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
  return new WebSocket(url, key ? ["vosk", `base64url.bearer.${key}`] : []);
}

async function stream(file, { asked, signal, onProgress }) {
  const { lang, ...options } = asked;
  const fields = { model: lang, language: lang, ...options, stream: "true" };
  const body = form(file, { ...fields, "timestamp_granularities[]": "word,segment" });
  let text;
  let done;
  const newReader = () => {
    text = "";
    done = null;
    return readEvents((event) => {
      if (event.type === "transcript.text.delta") {
        text += event.delta;
        onProgress("text", { text });
      } else if (event.type === "transcript.text.done") {
        done = event;
      } else if (event.error) {
        throw new Problem(200, event.error.code ?? null, event.error.message);
      }
    });
  };
  await post("v1/audio/transcriptions", body, { signal, onProgress, newReader });
  if (done === null) throw new Unreachable();
  return done;
}

/** Returns a function that takes growing server-sent event text and reads each event once. */
export function readEvents(onEvent) {
  let read = 0;
  return (received) => {
    const text = received.replaceAll("\r\n", "\n");
    for (let end; (end = text.indexOf("\n\n", read)) >= 0; read = end + 2) {
      const lines = text.slice(read, end).split("\n");
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5));
      if (data.length > 0 && data[0].trim() !== "[DONE]") onEvent(JSON.parse(data.join("\n")));
    }
  };
}

function form(file, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", file, file.name); // Last, so that servers read the fields first.
  return body;
}

/** A request that has to succeed. */
async function ask(path, method = "GET") {
  const answer = await authorized(() => get(path, method));
  if (answer.status >= 300) throw Problem.from(answer);
  return answer;
}

async function get(path, method = "GET") {
  try {
    const response = await fetch(address(path), { method, headers: authorization() });
    const header = (name) => response.headers.get(name);
    return { status: response.status, text: await response.text(), header };
  } catch {
    throw new Unreachable();
  }
}

/** POST, and retry when the service says so or requires a key. */
async function post(path, body, { signal, onProgress, newReader }) {
  for (let tries = 1; ; tries++) {
    const feed = newReader?.();
    const answer = await authorized(() => upload(path, body, { signal, onProgress, feed }));
    if (answer.status < 300) {
      feed?.(answer.text);
      return answer.text;
    }
    const problem = Problem.from(answer);
    const again = problem.retryAfterSeconds !== null && [429, 503].includes(problem.status);
    if (!again || tries === MAX_TRIES) throw problem;
    for (let left = problem.retryAfterSeconds; left > 0; left--) {
      onProgress("busy", { seconds: left });
      await pause(1000, signal);
    }
  }
}

async function authorized(ask) {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 401) return answer;
    const key = await askForKey(apiKey() !== null);
    if (key === null) throw Problem.from(answer);
    keepApiKey(key);
  }
}

/** Uses XMLHttpRequest because fetch reports no upload progress. */
function upload(path, body, { signal, onProgress, feed }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signedOff());
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.upload.onprogress = ({ loaded, total }) => {
      onProgress("upload", { done: loaded, total });
    };
    request.upload.onload = () => onProgress("listen", {});
    request.onprogress = () => {
      if (!feed || request.status !== 200) return;
      try {
        feed(request.responseText);
      } catch (problem) {
        reject(problem);
        request.abort();
      }
    };
    request.onload = () => {
      const header = (name) => request.getResponseHeader(name);
      resolve({ status: request.status, text: request.responseText, header });
    };
    request.onerror = () => reject(new Unreachable());
    request.onabort = () => reject(signedOff());
    request.onloadend = () => signal.removeEventListener("abort", abort);
    request.open("POST", address(path));
    for (const [name, value] of Object.entries(authorization())) {
      request.setRequestHeader(name, value);
    }
    request.send(body);
  });
}

/** Seconds of a Retry-After header, which is a number or a date; null without one. */
function retryAfter(value) {
  if (!value) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.min(Math.max(1, Math.ceil(seconds)), 300);
}

/** Wait until the time is over or the signal aborts. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signedOff());
    const abort = () => {
      clearTimeout(timer);
      reject(signedOff());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", abort, { once: true });
  });
}
