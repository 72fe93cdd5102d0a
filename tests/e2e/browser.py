"""Chromium with a WAV file as its microphone."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect, sync_playwright

from stt.audio.reading import read_audio
from tests.e2e.samples import SAMPLES

SECONDS = 30
"""How long a page test waits for an element on a busy machine."""

LATER = re.compile("0:0[5-9]|0:[1-9]")
"""Recording time by which the microphone has played the sample."""


def find_chromium() -> str | None:
    """The system's Chromium, or the one that ``CHROMIUM`` names."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in names)
    return os.environ.get("CHROMIUM") or next(filter(None, found), None)


def read(sample: str) -> NDArray[np.float32]:
    """A sample, ``[n]`` at 16 kHz."""
    with (SAMPLES / sample).open("rb") as file:
        return np.concatenate(list(read_audio(file, max_seconds=60)))


def microphone_wav(path: Path, sample: str) -> Path:
    """A sample for Chromium's fake microphone: 48 kHz, with silence before and after."""
    speech = soxr.resample(read(sample), 16_000, 48_000)
    silence = np.zeros(24_000, np.float32)
    soundfile.write(path, np.concatenate([silence, speech, np.tile(silence, 120)]), 48_000)
    return path


@contextmanager
def chromium(microphone: Path) -> Iterator[Browser]:
    """A browser whose microphone plays the file, from its start at each recording."""
    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ],
        )
        yield browser
        browser.close()


class Visit:
    """The page in a fresh profile; `complaints` lists errors, warnings and foreign requests."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(1000 * SECONDS)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self._console(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self._requested(request.url))

    def open(self) -> Page:
        """Open the page and wait until the service is ready."""
        self.page.goto(self.url)
        expect(self.page.locator("#state")).to_have_class("state ok")
        expect(self.page.locator("#choose")).to_be_enabled()
        return self.page

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def _requested(self, url: str) -> None:
        if not url.startswith((self.url + "/", "blob:" + self.url, "data:")):
            self.complaints.append(f"request to {url}")


def give(page: Page, file: Path, language: str = "KR") -> None:
    """Choose a file and wait for its text."""
    page.locator("#lang").select_option(language)
    page.locator("#file").set_input_files(file)
    expect(page.locator("#tools")).to_be_visible()


def expect_words(page: Page, text: str) -> None:
    """Wait until the page has this text, formatted as in `samples/texts.tsv`."""
    expect(page.locator(".word")).to_have_text(text.split(), use_inner_text=True)


def words(page: Page) -> str:
    """The text on the page, formatted as in `samples/texts.tsv`."""
    return " ".join(page.locator(".word").all_inner_texts())


def live_words(page: Page) -> list[str]:
    """The words of all streams that the page opens from now on, added as the service answers."""
    answered: list[str] = []

    def hear(frame: str | bytes) -> None:
        answered.extend(word["word"] for word in json.loads(frame).get("result", []))

    page.on("websocket", lambda socket: socket.on("framereceived", hear))
    return answered


def resembles(text: str, spoken: str) -> bool:
    """Whether a text from the fake microphone is that of its sample.

    Beside other work, Chromium leaves pieces of tens of milliseconds out of what its microphone
    plays, so that the text may have other letters.
    """
    return bool(jiwer.cer(spoken.replace(" ", ""), text.replace(" ", "")) <= 0.5)
