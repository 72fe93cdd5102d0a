"""The page in a real browser, on a real server with the demo models: recordings and their text."""

import json
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.e2e.browser import expect_words, give
from tests.e2e.conftest import Open
from tests.e2e.samples import SAMPLES, TEXTS
from tests.e2e.server import Server


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("ko-weather.flac", "KR"),
        ("ko-breakfast.webm", "KR"),
        ("ko-library.m4a", "KR"),
        ("en-music.opus", "EN"),
    ],
)
def test_an_uploaded_sample_is_transcribed_correctly(visit: Open, name: str, language: str) -> None:
    page = visit().open()
    give(page, SAMPLES / name, language)
    expect_words(page, TEXTS[name])
    expect(page.locator("#name")).to_have_text(name)
    expect(page.locator("#player-note")).to_be_hidden()


def test_a_format_the_browser_cannot_play_is_still_transcribed(
    visit: Open, demo: Server, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(SAMPLES / "ko-class-telephone.wav")
    telephone = tmp_path / "telephone.wav"
    soundfile.write(telephone, samples, rate, subtype="MS_ADPCM")
    page = visit().open()
    give(page, telephone)
    expect_words(page, demo.transcribe(telephone, lang="KR").json()["text"])
    expect(page.locator("#player-note")).to_be_visible()
    expect(page.locator("#play")).to_be_disabled()
    # The words' positions replace the waveform.
    heights = bar_heights(page)
    assert heights.count(max(heights)) > 20
    assert max(heights) > 5 * min(heights)


def test_words_light_up_as_the_audio_plays(visit: Open) -> None:
    page = visit().open()
    give(page, SAMPLES / "ko-hello.wav")
    page.evaluate(
        """() => {
            window.lit = [];
            const look = () => window.lit.push(document.querySelector(".word.now")?.textContent);
            new MutationObserver(look).observe(document.getElementById("transcript"),
                {attributes: true, subtree: true});
        }"""
    )
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_accessible_name("Pause")
    expect(page.locator("#play")).to_have_accessible_name("Play")
    lit = list(dict.fromkeys(filter(None, page.evaluate("window.lit"))))
    assert lit == TEXTS["ko-hello.wav"].split()
    assert page.locator("#audio").evaluate("audio => audio.ended")


def test_seeking_highlights_the_word_there(visit: Open, demo: Server) -> None:
    sample = SAMPLES / "ko-weather.flac"
    page = visit().open()
    give(page, sample)
    answer = demo.transcribe(sample, lang="KR", response_format="verbose_json").json()
    for entry in answer["words"]:
        page.locator("#seek").fill(str((entry["start"] + entry["end"]) / 2))
        expect(page.locator(".word.now")).to_have_text(entry["word"])
    page.locator("#seek").fill("0")
    expect(page.locator(".word.now")).to_have_count(0)


def test_a_click_on_a_word_plays_from_there(visit: Open, demo: Server) -> None:
    sample = SAMPLES / "ko-library.m4a"
    page = visit().open()
    give(page, sample)
    answer = demo.transcribe(sample, lang="KR", response_format="verbose_json").json()
    page.locator(".word").nth(2).click()
    expect(page.locator(".word.now")).to_have_text(answer["words"][2]["word"])
    expect(page.locator("#play")).to_have_accessible_name("Pause")
    assert page.locator("#audio").evaluate("audio => audio.currentTime") >= (
        answer["words"][2]["start"] - 0.01
    )


def test_uncertain_words_are_tinted_more(visit: Open, demo: Server) -> None:
    sample = SAMPLES / "ko-weather.flac"
    page = visit().open()
    give(page, sample)
    answer = demo.transcribe(sample, lang="KR", response_format="verbose_json").json()
    doubts = page.locator(".word").evaluate_all(
        "words => words.map((word) => parseFloat(word.style.getPropertyValue('--doubt')))"
    )
    by_doubt = sorted(range(len(doubts)), key=lambda i: doubts[i])
    by_confidence = sorted(range(len(doubts)), key=lambda i: -answer["words"][i]["confidence"])
    assert by_doubt == by_confidence
    least = page.locator(".word").nth(by_doubt[-1])
    percent = round(100 * answer["words"][by_doubt[-1]]["confidence"])
    expect(least).to_have_attribute("title", re.compile(f"{percent}% confidence"))


def test_downloads_equal_the_servers_formats(visit: Open, demo: Server) -> None:
    sample = SAMPLES / "ko-breakfast.webm"
    page = visit().open()
    give(page, sample)
    for ending, form in {"txt": "text", "srt": "srt", "vtt": "vtt"}.items():
        expected = demo.transcribe(sample, lang="KR", response_format=form).text
        assert downloaded(page, ending) == (f"ko-breakfast.{ending}", expected)
    name, content = downloaded(page, "json")
    expected_json = demo.transcribe(sample, lang="KR", response_format="verbose_json").json()
    timing = {"processing_time_seconds"}
    assert name == "ko-breakfast.json"
    assert {k: v for k, v in json.loads(content).items() if k not in timing} == {
        k: v for k, v in expected_json.items() if k not in timing
    }


def test_names_in_nfd_are_shown_and_saved_in_nfc(visit: Open, tmp_path: Path) -> None:
    recording = tmp_path / unicodedata.normalize("NFD", "회의.wav")  # as on a Mac
    shutil.copy(SAMPLES / "ko-hello.wav", recording)
    page = visit().open()
    give(page, recording)
    expect_words(page, TEXTS["ko-hello.wav"])
    assert page.locator("#name").text_content() == "회의.wav"
    assert downloaded(page, "txt")[0] == "회의.txt"


def test_the_curl_line_repeats_the_pages_request(visit: Open, tmp_path: Path) -> None:
    file = tmp_path / 'it\'s a "test"; 한국어, $HOME.flac'
    shutil.copy(SAMPLES / "ko-weather.flac", file)
    page = visit(permissions=["clipboard-read", "clipboard-write"]).open()
    give(page, file)
    page.locator("#copy-curl").click()
    expect(page.locator("#copy-curl")).to_have_text("Copied")
    line = page.evaluate("navigator.clipboard.readText()")
    assert line == page.locator("#curl").inner_text()
    answer = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(answer.stdout)["text"] == TEXTS["ko-weather.flac"]
    _, srt = downloaded(page, "srt")
    subprocess.run(page.locator("#curl").inner_text(), shell=True, cwd=tmp_path, check=True)
    assert file.with_suffix(".srt").read_text(encoding="utf-8") == srt


def test_copied_text_is_the_text(visit: Open) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"]).open()
    give(page, SAMPLES / "ko-airport.mp3")
    page.locator("#copy-text").click()
    expect(page.locator("#copy-text")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == TEXTS["ko-airport.mp3"]


def test_files_can_be_dropped_and_pasted(visit: Open) -> None:
    page = visit().open()
    for event, name in {"drop": "ko-thanks-44k-stereo.wav", "paste": "ko-hello.wav"}.items():
        content = list((SAMPLES / name).read_bytes())
        page.evaluate(
            """([event, name, content]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(content)], name));
                const options = {bubbles: true, cancelable: true};
                document.body.dispatchEvent(event === "drop"
                    ? new DragEvent(event, {...options, dataTransfer: data})
                    : new ClipboardEvent(event, {...options, clipboardData: data}));
            }""",
            [event, name, content],
        )
        expect(page.locator("#name")).to_have_text(name)
        expect(page.locator("#tools")).to_be_visible()
        expect_words(page, TEXTS[name])


def test_long_recordings_get_their_waveform_in_pieces(visit: Open, tmp_path: Path) -> None:
    rate = 8000
    loud = np.sin(np.arange(30 * rate) * 0.3) * np.repeat([0.1, 0.8, 0.0], 10 * rate)
    page = visit().open()
    for name in ("a.wav", "a.mp3"):
        soundfile.write(tmp_path / name, loud, rate)
        content = list((tmp_path / name).read_bytes())
        outline = page.evaluate(
            """async ([name, content]) => {
                const {envelope} = await import("/static/envelope.js");
                const file = new File([new Uint8Array(content)], name);
                return Array.from(await envelope(file, 30, 20));
            }""",
            [name, content],
        )
        third = len(outline) // 3
        middles = [outline[third // 2 + k * third] for k in range(3)]
        assert middles == pytest.approx([0.1, 0.8, 0.0], abs=0.05), name


def test_a_long_recordings_text_appears_while_it_is_transcribed(
    visit: Open, demo: Server, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(SAMPLES / "ko-hello.wav")
    long = tmp_path / "long.wav"
    soundfile.write(long, np.tile(np.append(samples, np.zeros(rate)), 20), rate)
    page = visit().open()
    posts: list[str] = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    page.evaluate(
        """() => {
            window.seen = 0;
            const transcript = document.getElementById("transcript");
            const look = () => window.seen += transcript.classList.contains("partial");
            new MutationObserver(look).observe(transcript, {attributes: true, childList: true});
        }"""
    )
    give(page, long)
    assert page.evaluate("window.seen") >= 1
    expect_words(page, " ".join([TEXTS["ko-hello.wav"]] * 20))
    # Uploaded once: the last stream event has the word times.
    assert posts == [demo.url + "/v1/audio/transcriptions"]
    page.locator("#seek").fill("6")
    expect(page.locator(".word.now")).to_be_visible()


def downloaded(page: Page, ending: str) -> tuple[str, str]:
    """Name and content."""
    with page.expect_download() as download:
        page.locator(f"[data-format={ending}]").click()
    path = download.value.path()
    # Read bytes, as text mode would change line endings.
    return download.value.suggested_filename, path.read_bytes().decode("utf-8")


def bar_heights(page: Page) -> list[int]:
    """Painted pixels in each non-empty column of the waveform."""
    heights: list[int] = page.locator("#wave").evaluate(
        """canvas => {
            const {width, height} = canvas;
            const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            const heights = new Array(width).fill(0);
            for (let i = 3; i < pixels.length; i += 4) {
                heights[((i - 3) / 4) % width] += pixels[i] > 200;
            }
            return heights.filter(Boolean);
        }"""
    )
    return heights
