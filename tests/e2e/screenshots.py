"""The pictures of `docs/page.md` and of the report.

``uv run python -m tests.e2e.screenshots`` recreates them. They come out as here
where the fonts Noto Sans and Noto Sans CJK are installed.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, expect

from stt.commands import evaluate
from tests.audio_files import with_ffmpeg
from tests.e2e.browser import Visit, chromium, give, microphone_wav, read
from tests.e2e.reports import noisy_set
from tests.e2e.samples import TEXTS
from tests.e2e.server import ROOT, Server

IMAGES = ROOT / "docs" / "images"
TALK = ("ko-hello.wav", "ko-airport.mp3", "ko-library.m4a", "ko-breakfast.webm", "ko-coffee.ogg")
SPEECH = "ko-library.m4a"
PAUSE_SECONDS = 0.8
DESKTOP = {"viewport": {"width": 820, "height": 860}, "device_scale_factor": 1.2}
REPORT = {"viewport": {"width": 1040, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.4}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Server("--demo", "--port", "8400") as server:
        server.wait_until_ready()
        talk = joined(Path(folder) / "회의 녹음.m4a")
        page_of_report = evaluated(Path(folder))  # before Playwright, which has an event loop too
        with chromium(microphone_wav(Path(folder) / "microphone.wav", SPEECH)) as browser:
            listen(browser, server, talk, "light", locale="en-US", **DESKTOP)
            dark = {"locale": "ko-KR", "color_scheme": "dark", **DESKTOP}
            listen(browser, server, talk, "dark", "도서관, 공항:2", **dark)
            listen(browser, server, talk, "phone", locale="ko-KR", **PHONE)
            speak(browser, server, "recording", locale="en-US", **DESKTOP)
            report(browser, page_of_report)


def listen(
    browser: Browser, server: Server, file: Path, name: str, hotwords: str = "", **options: object
) -> None:
    """A recording, paused at a word; with hotwords, the options are open."""
    page = Visit(browser, server.url, reduced_motion="reduce", **options).open()
    if hotwords:
        page.locator("#options summary").click()
        page.locator("#hotwords").fill(hotwords)
        page.mouse.move(0, 0)
    give(page, file)
    page.locator("#seek").fill("8")
    page.evaluate("document.activeElement.blur()")
    photograph(page, name)


def speak(browser: Browser, server: Server, name: str, **options: object) -> None:
    """The microphone, with the text so far."""
    page = Visit(browser, server.url, reduced_motion="reduce", **options).open()
    page.locator("#record").click()
    expect(page.locator("#live")).to_contain_text(" ".join(TEXTS[SPEECH].split()[:3]))
    page.evaluate("document.activeElement.blur()")
    photograph(page, name)


def evaluated(folder: Path) -> Path:
    """The report of the samples with noise."""
    page = folder / "report.html"
    evaluate.main([str(noisy_set(folder / "set")), "--demo", "--report", str(page)])
    return page


def report(browser: Browser, file: Path) -> None:
    """A report with three of its recordings."""
    page = browser.new_context(locale="en-US", **REPORT).new_page()
    page.goto(file.as_uri())
    page.get_by_label("Search").fill("class")
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=IMAGES / "report.png", full_page=True)


def photograph(page: Page, name: str) -> None:
    file = IMAGES / f"page-{name}.png"
    page.screenshot(path=file, full_page=True)
    sys.stdout.write(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB\n")
    page.context.close()


def joined(file: Path) -> Path:
    """Several samples in a row, encoded as a phone does."""
    silence = np.zeros(round(PAUSE_SECONDS * 16_000), np.float32)
    talk = np.concatenate([part for name in TALK for part in (read(name), silence)])
    file.write_bytes(with_ffmpeg(talk[:, None], 16_000, "mp4", "aac"))
    return file


if __name__ == "__main__":
    main()
