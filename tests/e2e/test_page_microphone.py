"""The page in a real browser, whose microphone plays a sample."""

import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from tests.e2e.browser import LATER, expect_words, live_words, resembles, words
from tests.e2e.conftest import Open
from tests.e2e.samples import TEXTS
from tests.e2e.server import Server

HELLO = TEXTS["ko-hello.wav"]


def test_words_appear_during_speech(visit: Open) -> None:
    page = visit().open()
    sent: list[str | bytes] = []
    requests: list[str] = []

    def note(socket: WebSocket) -> None:
        requests.append(socket.url)
        socket.on("framesent", lambda frame: sent.append(frame))

    page.on("websocket", note)
    answered = live_words(page)
    page.on("request", lambda request: request.method == "POST" and requests.append(request.url))
    page.locator("#record").click()
    expect(page.locator("#live")).to_have_text(re.compile(r"\S"))
    expect(page.locator("#recording-time")).to_have_text(LATER)
    page.locator("#stop").click()
    expect(page.locator("#tools")).to_be_visible()
    assert resembles(" ".join(answered), HELLO)
    assert words(page).split() == answered
    assert page.locator(".word[style*='--doubt']").count() == len(answered)

    assert [url.partition("/stream")[2] for url in requests] == ["?lang=KR"]  # and no upload
    config, *frames, last, end = sent
    assert json.loads(config) == {"config": {"sample_rate": 16000, "words": True}}
    assert {len(frame) for frame in frames} == {3200}  # 100 ms
    assert json.loads(end) == {"eof": 1}

    # The recording stays on the page, to play, download and highlight.
    page.locator(".word").nth(1).click()
    expect(page.locator(".word.now")).to_have_text(answered[1])
    samples, rate = soundfile.read(BytesIO(keep(page, "wav")), dtype="int16")
    assert (rate, samples.ndim) == (16000, 1)
    assert len(samples) / rate > 5
    assert samples.tobytes() == b"".join(map(as_bytes, [*frames, last]))  # nothing was left out
    assert " ".join(answered).encode() in keep(page, "srt")


def test_a_refused_connection_loses_nothing(visit: Open, demo: Server, tmp_path: Path) -> None:
    page = visit().open()
    page.route_web_socket("**/stream?*", lambda socket: socket.close(code=1008))
    record_hello(page, "Live text is not available. The recording is transcribed when you stop.")
    expect_text_of_the_recording(page, demo, tmp_path)


def test_a_lost_connection_loses_nothing(visit: Open, demo: Server, tmp_path: Path) -> None:
    page = visit().open()

    def hang_up(socket: WebSocketRoute) -> None:
        heard = 0

        def receive(message: str | bytes) -> None:
            nonlocal heard
            heard += isinstance(message, bytes)
            if heard == 10:
                socket.close(code=1011)
            elif isinstance(message, bytes):
                socket.send('{"partial": "안녕"}')

        socket.on_message(receive)

    page.route_web_socket("**/stream?*", hang_up)
    record_hello(page, "Live text is not available. The recording is transcribed when you stop.")
    expect_text_of_the_recording(page, demo, tmp_path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "The browser blocks the microphone."),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "The microphone cannot be used."),
    ],
)
def test_a_missing_microphone_is_explained(visit: Open, name: str, sentence: str) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => "
        f"{{ throw new DOMException('', '{name}'); }};"
    )
    page = visitor.open()
    page.locator("#record").click()
    expect(page.locator("#problem-title")).to_have_text("Cannot record")
    expect(page.locator("#problem-detail")).to_contain_text(sentence)
    expect(page.locator("#record")).to_be_enabled()


def test_a_discarded_recording_is_gone(visit: Open) -> None:
    page = visit().open()
    page.route_web_socket("**/stream?*", lambda socket: None)
    page.locator("#record").click()
    expect(page.locator("#recording-time")).not_to_have_text("0:00")
    page.locator("#discard").click()
    expect(page.locator("#recording")).to_be_hidden()
    expect(page.locator("#result")).to_be_hidden()
    expect(page.locator("#record")).to_be_focused()


def test_the_audio_thread_resamples_cleanly(visit: Open) -> None:
    page = visit().open()
    for rate in (48_000, 44_100, 16_000, 8_000):
        time = np.arange(rate) / rate
        for pitch in (440.0, 3_000.0, 10_000.0):
            if pitch >= rate / 2:
                continue
            wave = 0.5 * np.sin(2 * np.pi * pitch * time)
            output = np.array(resampled(page, wave, rate))
            assert len(output) == pytest.approx(16_000, abs=40)
            expected = 0.5 * np.sin(2 * np.pi * pitch * np.arange(len(output)) / 16_000)
            if pitch > 8_000:
                expected[:] = 0  # Would alias to another tone.
            middle = slice(200, -200)
            assert np.abs(output - expected)[middle].max() < 0.001, (rate, pitch)


def resampled(page: Page, wave: np.ndarray, rate: int) -> list[float]:
    """Feed blocks of 128 samples, as the browser's audio thread does."""
    result: list[float] = page.evaluate(
        """async ([wave, rate]) => {
            const {Resampler} = await import("/static/resampler.js");
            const resampler = new Resampler(rate, 16000);
            const output = [];
            for (let at = 0; at < wave.length; at += 128) {
                output.push(...resampler.feed(Float32Array.from(wave.slice(at, at + 128))));
            }
            return [...output, ...resampler.finish()];
        }""",
        [wave.tolist(), rate],
    )
    return result


def record_hello(page: Page, note: str) -> None:
    page.locator("#record").click()
    expect(page.locator("#recording-note")).to_have_text(note)
    expect(page.locator("#recording-time")).to_have_text(LATER)
    page.locator("#stop").click()
    expect(page.locator("#tools")).to_be_visible()


def expect_text_of_the_recording(page: Page, demo: Server, folder: Path) -> None:
    recorded = folder / "recorded.wav"
    recorded.write_bytes(keep(page, "wav"))
    text = demo.transcribe(recorded, lang="KR").json()["text"]
    assert resembles(text, HELLO)
    expect_words(page, text)


def as_bytes(frame: str | bytes) -> bytes:
    assert isinstance(frame, bytes)
    return frame


def keep(page: Page, ending: str) -> bytes:
    with page.expect_download() as download:
        page.locator(f"[data-format={ending}]").click()
    return Path(download.value.path()).read_bytes()
