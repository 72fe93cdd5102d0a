"""The page in a real browser: waiting, cancelling, and what goes wrong."""

import json
import re
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Route, expect

from stt.languages import BUNDLED_FOLDER
from tests.audio_files import with_libsndfile
from tests.e2e.browser import expect_words, give, words
from tests.e2e.conftest import Open
from tests.e2e.samples import SAMPLES, TEXTS
from tests.e2e.server import Server
from tests.hub import FakeHub


def test_cancel_aborts_the_request(visit: Open, demo: Server, tmp_path: Path) -> None:
    long = tmp_path / "long.flac"
    speech, rate = soundfile.read(SAMPLES / "ko-hello.wav", dtype="float32")
    speech = np.tile(speech, 240 * rate // len(speech))[:, None]
    long.write_bytes(with_libsndfile(speech, rate, "FLAC"))
    page = visit().open()
    failures: dict[str, str | None] = {}
    page.on("requestfailed", lambda request: failures.update({request.url: request.failure}))
    page.locator("#file").set_input_files(long)
    expect(page.locator("#work-title")).to_have_text("Transcribing…")
    expect(page.locator("#record")).to_be_disabled()
    page.locator("#cancel").click()
    expect(page.locator("#done")).to_have_text("Cancelled.")
    expect(page.locator("#work")).to_be_hidden()
    expect(page.locator("#again")).to_be_visible()
    # The recording's blob for the player may be aborted as well.
    served = {url: why for url, why in failures.items() if url.startswith(demo.url)}
    assert served == {demo.url + "/v1/audio/transcriptions": "net::ERR_ABORTED"}
    give(page, SAMPLES / "ko-hello.wav")
    expect_words(page, TEXTS["ko-hello.wav"])


def test_a_problem_is_shown_with_the_services_detail(
    visit: Open, demo: Server, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not audio")
    visitor = visit(locale="ko-KR")
    page = visitor.open()
    page.locator("#file").set_input_files(text)
    expect(page.locator("#problem-title")).to_have_text("지원하지 않는 형식입니다")
    expect(page.locator("#problem-advice")).to_contain_text("WAV, MP3, M4A")
    detail = demo.transcribe(text).json()["detail"]
    expect(page.locator("#problem-detail")).to_have_text(detail)
    expect(page.locator("#problem-detail")).to_have_attribute("lang", "en")
    assert len(visitor.complaints) == 1
    assert "415" in visitor.complaints.pop()


def test_a_busy_service_is_retried_after_its_retry_after(visit: Open) -> None:
    visitor = visit()
    page = visitor.open()
    refusals = [429, 503]

    def refuse_at_first(route: Route) -> None:
        if not refusals:
            return route.continue_()
        body = json.dumps({"detail": "Too much waits.", "code": "overloaded"})
        return route.fulfill(status=refusals.pop(0), headers={"Retry-After": "2"}, body=body)

    page.route("**/transcribe", refuse_at_first)
    page.locator("#file").set_input_files(SAMPLES / "ko-hello.wav")
    expect(page.locator("#work-title")).to_have_text(
        re.compile(r"The service is busy. Retrying in [12] s.")
    )
    expect(page.locator("#tools")).to_be_visible()
    expect_words(page, TEXTS["ko-hello.wav"])
    assert not refusals
    visitor.complaints.clear()


def test_an_unreachable_service_can_be_retried(visit: Open) -> None:
    visitor = visit()
    page = visitor.open()
    page.route("**/transcribe", lambda route: route.abort())
    page.locator("#file").set_input_files(SAMPLES / "ko-hello.wav")
    expect(page.locator("#problem-title")).to_have_text("The service does not respond")
    page.unroute("**/transcribe")
    page.locator("#retry").click()
    expect(page.locator("#tools")).to_be_visible()
    expect_words(page, TEXTS["ko-hello.wav"])
    visitor.complaints.clear()


def test_a_recording_waits_while_the_model_loads(visit: Open, tmp_path: Path) -> None:
    hub = FakeHub({"kresnik/wav2vec2-large-xlsr-korean": BUNDLED_FOLDER / "ko-mini"})
    hub.bytes_per_second = 200_000
    env = {"HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.endpoint}
    with hub, Server("--port", "0", env=env) as server:
        visitor = visit(server.url)
        page = visitor.page
        page.goto(server.url)
        expect(page.locator("#loading-text")).to_have_text(
            re.compile(r"kresnik/.+: downloaded [\d.]+ \w?B of [\d.]+ MB"), timeout=60_000
        )
        expect(page.locator("#state")).to_have_text("Loading")
        page.locator("#file").set_input_files(SAMPLES / "ko-hello.wav")
        expect(page.locator("#work-title")).to_have_text("Waiting for the model…")
        hub.bytes_per_second = None
        expect(page.locator("#tools")).to_be_visible(timeout=120_000)
        expect(page.locator("#loading")).to_be_hidden()
        assert words(page)
    # The browser logs every 503 of /health.
    assert all("503" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
