// Plays the recording, with a position slider over the waveform.

import { label, t } from "./i18n.js";
import { clock } from "./quantities.js";

const $ = (id) => document.getElementById(id);

export class Player {
  #audio = $("audio");
  #onTime;
  #seconds = 0;

  /** @param {(seconds: number, playing: boolean) => void} onTime called at each new position */
  constructor(onTime) {
    this.#onTime = onTime;
    const audio = this.#audio;
    $("play").addEventListener("click", () => this.toggle());
    $("seek").addEventListener("input", () => this.seek(Number($("seek").value)));
    $("speed").addEventListener("change", () => {
      audio.defaultPlaybackRate = audio.playbackRate = Number($("speed").value);
    });
    audio.addEventListener("play", () => this.#playing(true));
    for (const end of ["pause", "ended", "emptied"]) {
      audio.addEventListener(end, () => this.#playing(false));
    }
    audio.addEventListener("seeked", () => this.#tell());
    audio.addEventListener("error", () => audio.hasAttribute("src") && this.#playable(false));
  }

  /** Load a recording. */
  load(file) {
    const audio = this.#audio;
    URL.revokeObjectURL(audio.src);
    this.#playable(true);
    this.setLength(0);
    audio.src = URL.createObjectURL(file);
    this.#tell();
  }

  /** Use the length that the file says. */
  setLength(seconds) {
    this.#seconds = seconds;
    $("seek").max = seconds;
    $("length").textContent = clock(Math.round(seconds));
  }

  /** Use the length from the service if the file has none. */
  learnLength(seconds) {
    if (this.#seconds === 0) this.setLength(seconds);
  }

  get seconds() {
    return this.#seconds;
  }

  toggle() {
    if (this.#audio.paused) this.play();
    else this.#audio.pause();
  }

  play() {
    this.#audio.play().catch(() => {}); // The error event reports it.
  }

  pause() {
    this.#audio.pause();
  }

  seek(seconds) {
    this.#audio.currentTime = seconds;
    this.#tell();
  }

  /** Update the position text after a change of language. */
  translate() {
    this.#tell();
  }

  #tell() {
    const seconds = this.#audio.currentTime;
    const time = clock(seconds);
    $("now").textContent = time;
    $("seek").value = seconds;
    const length = clock(Math.round(this.#seconds));
    $("seek").setAttribute("aria-valuetext", t("seek.at", { time, length }));
    this.#onTime(seconds, !this.#audio.paused);
  }

  #playing(playing) {
    $("play").classList.toggle("playing", playing);
    label($("play"), playing ? "pause" : "play");
    this.#tell();
    const follow = () => {
      if (this.#audio.paused) return;
      this.#tell();
      requestAnimationFrame(follow);
    };
    if (playing) requestAnimationFrame(follow);
  }

  #playable(can) {
    for (const id of ["play", "seek", "speed"]) $(id).disabled = !can;
    $("player-note").hidden = can;
  }
}
