"""The page in a real browser: hotwords, switches of language model, written form and spaces."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.e2e.browser import expect_words, give, read, words
from tests.e2e.conftest import Open
from tests.e2e.samples import SAMPLES, TEXTS
from tests.e2e.server import Server

WEATHER = SAMPLES / "ko-weather.flac"
MISHEARD = "서우레:5"
"""A hotword that the demo prefers to what is said."""
CLASS = SAMPLES / "ko-class-telephone.wav"
"""Its text has a number."""
LIBRARY = SAMPLES / "ko-library.m4a"
"""The demo's language model changes its text."""


def test_hotwords_count_and_are_remembered(visit: Open, demo: Server) -> None:
    page = visit().open()
    fill(page, f" {MISHEARD},\n내일")
    give(page, WEATHER)
    form = {"lang": "KR", "hotwords": f"{MISHEARD}, 내일"}
    expected = demo.transcribe(WEATHER, **form).json()["text"]
    assert expected != TEXTS[WEATHER.name]
    expect_words(page, expected)
    expect(page.locator("#again")).to_be_hidden()
    line = page.locator("#curl").inner_text()
    answer = subprocess.run(line, shell=True, cwd=SAMPLES, capture_output=True, check=True)
    assert json.loads(answer.stdout)["text"] == expected
    with page.expect_download() as download:
        page.locator("[data-format=srt]").click()
    srt = demo.transcribe(WEATHER, **form, response_format="srt").text
    assert download.value.path().read_text(encoding="utf-8") == srt

    page.reload()
    expect(page.locator("#hotwords")).to_have_value(form["hotwords"])
    expect(page.locator("#hotwords")).to_be_visible()
    page.locator("#lang").select_option("EN")
    expect(page.locator("#hotwords")).to_have_value("")
    page.locator("#lang").select_option("KR")
    expect(page.locator("#hotwords")).to_have_value(form["hotwords"])


def test_a_change_offers_another_transcription(visit: Open, demo: Server) -> None:
    page = visit().open()
    give(page, LIBRARY)
    expect_words(page, TEXTS[LIBRARY.name])
    page.locator("#options summary").click()
    expect(page.locator("#use-model")).not_to_be_checked()
    page.locator("#use-model").check()
    page.locator("#again").click()
    expect(page.locator("#again")).to_be_hidden()
    expect(page.locator(".word").first).to_be_visible()
    expected = demo.transcribe(LIBRARY, lang="KR", language_model="true").json()["text"]
    assert expected != TEXTS[LIBRARY.name]
    expect_words(page, expected)
    page.locator("#hotwords").fill("책")
    expect(page.locator("#again")).to_have_text("Transcribe again")
    page.locator("#hotwords").fill(" ,")
    expect(page.locator("#again")).to_be_hidden()
    page.reload()
    expect(page.locator("#use-model")).to_be_checked()


def test_the_written_form_is_chosen_for_korean(visit: Open, demo: Server) -> None:
    page = visit().open()
    page.locator("#options summary").click()
    page.locator("#write").check()
    give(page, CLASS)
    expect_words(page, "수업은 오전 9시에 시작합니다")
    line = page.locator("#curl").inner_text()
    answer = subprocess.run(line, shell=True, cwd=SAMPLES, capture_output=True, check=True)
    assert json.loads(answer.stdout)["text"] == words(page)
    page.locator("#write").uncheck()
    page.locator("#again").click()
    expect(page.locator("#again")).to_be_hidden()
    expect(page.locator(".word").first).to_be_visible()
    expect(page.locator("#transcript")).to_contain_text("아홉")
    expect_words(page, TEXTS[CLASS.name])
    page.locator("#write").check()
    page.reload()
    expect(page.locator("#write")).to_be_checked()
    assert live_config(page) == {"sample_rate": 16000, "words": True, "written": True}
    page.locator("#lang").select_option("EN")
    expect(page.locator("#write")).not_to_be_checked()


def test_spaces_are_restored_for_korean(visit: Open, demo: Server) -> None:
    page = visit().open()
    page.locator("#options summary").click()
    page.locator("#space").check()
    give(page, CLASS)
    expected = demo.transcribe(CLASS, lang="KR", spacing="restored").json()["text"]
    expect_words(page, expected)
    assert "-F spacing=restored" in page.locator("#curl").inner_text()
    page.reload()
    expect(page.locator("#space")).to_be_checked()
    assert live_config(page) == {"sample_rate": 16000, "words": True, "spacing": "restored"}
    page.locator("#lang").select_option("EN")
    expect(page.locator("#space")).to_be_hidden()


def test_the_switch_is_there_if_the_language_has_a_model(visit: Open) -> None:
    visitor = visit()

    def switch(route: Route) -> None:
        body = route.fetch().json()
        for entry, usual in zip(body["languages"], ("on", "none"), strict=True):
            entry["language_model"] = usual
        route.fulfill(json=body)

    visitor.page.route("**/languages", switch)
    page = visitor.open()
    page.locator("#options summary").click()
    expect(page.locator("#use-model")).to_be_checked()
    page.locator("#use-model").uncheck()
    fill(page, "판교")
    assert live_config(page) == {
        "sample_rate": 16000, "words": True, "hotwords": "판교", "language_model": False,
    }  # fmt: skip
    page.locator("#lang").select_option("EN")
    expect(page.locator("#use-model")).to_be_hidden()


def test_hotwords_that_cannot_be_used_are_explained(visit: Open, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.flac", np.zeros(61 * 8000), 8000)  # is sent to be streamed
    visitor = visit()
    page = visitor.open()
    fill(page, "Zara")
    page.locator("#file").set_input_files(tmp_path / "long.flac")
    expect(page.locator("#problem-title")).to_have_text("The hotwords cannot be used")
    expect(page.locator("#problem-detail")).to_contain_text("of the hotword 'Zara'")
    page.locator("#hotwords").fill("자라")
    page.locator("#retry").click()
    expect(page.locator("#tools")).to_be_visible()
    assert [complaint for complaint in visitor.complaints if "400" not in complaint] == []
    visitor.complaints.clear()


def fill(page: Page, hotwords: str) -> None:
    if not page.locator("#hotwords").is_visible():
        page.locator("#options summary").click()
    page.locator("#hotwords").fill(hotwords)


def live_config(page: Page) -> dict[str, Any]:
    """Start a recording; returns its configuration."""
    configs: list[dict[str, Any]] = []

    def receive(message: str | bytes) -> None:
        if isinstance(message, str):
            configs.append(json.loads(message)["config"])

    def accept(socket: WebSocketRoute) -> None:
        socket.on_message(receive)

    page.route_web_socket("**/stream?*", accept)
    page.locator("#record").click()
    expect(page.locator("#recording-time")).not_to_have_text("0:00")
    page.locator("#discard").click()
    return configs[0]


def test_speakers_on_channels_are_shown_as_turns(visit: Open, demo: Server, tmp_path: Path) -> None:
    call = tmp_path / "call.wav"
    first, second = (read(name) for name in ("ko-hello.wav", "ko-weather.flac"))
    channels = np.zeros((len(first) + len(second), 2), np.float32)
    channels[: len(first), 0], channels[len(first) :, 1] = first, second
    soundfile.write(call, channels, 16_000)
    page = visit().open()
    page.locator("#options summary").click()
    page.locator("#split").check()
    give(page, call)
    rows = page.locator(".stretch")
    assert rows.locator(".speaker").all_inner_texts() == ["Channel 1", "Channel 2"]
    turns = [" ".join(row.locator(".word").all_inner_texts()) for row in rows.all()]
    assert turns == [TEXTS["ko-hello.wav"], TEXTS["ko-weather.flac"]]
    assert (
        len({row.evaluate("row => getComputedStyle(row).borderColor") for row in rows.all()}) == 2
    )
    line = page.locator("#curl").inner_text()
    answer = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(answer.stdout)["channels"] == 2
    page.reload()
    expect(page.locator("#split")).to_be_checked()
