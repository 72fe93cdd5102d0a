"""Channels of one recording: their windows, their cost, and the conversation."""

import asyncio
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray

from stt.errors import AudioTooLong
from stt.inference.batcher import Batcher
from stt.notices import Code
from stt.recognition.channels import ChannelCutters
from stt.recognition.chunking import Window, WindowCutter
from stt.recognition.pipeline import Transcriber
from stt.recognition.plan import Plan
from stt.settings import load_settings
from stt.types import SAMPLE_RATE, Transcript
from tests.audio_files import with_libsndfile
from tests.fakes import WAV2VEC2_GRID, EchoEngine, FakeEngine, say
from tests.unit.activity.clips import clip

SPLIT = Plan(channels="split")


def cutters(max_seconds: float = 100.0) -> ChannelCutters:
    def open_cutter() -> WindowCutter:
        return WindowCutter(WAV2VEC2_GRID, window_seconds=5, context_seconds=1)

    return ChannelCutters(open_cutter, WAV2VEC2_GRID, max_seconds)


def cut(cutter: ChannelCutters, *blocks: NDArray[np.float32]) -> list[Window]:
    windows = [window for block in blocks for window in cutter.feed(block)]
    return [*windows, *cutter.finish()]


def noise(seconds: float, n_channels: int) -> NDArray[np.float32]:
    shape = (n_channels, round(seconds * SAMPLE_RATE))
    return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)


def transcribe(
    wav: bytes, engine: FakeEngine, *flags: str, charged: list[float] | None = None
) -> Transcript:
    class Meter:
        def stage(self, *_: object) -> None: ...
        def batch(self, *_: object) -> None: ...
        def transcribed(self, audio_seconds: float, _: float) -> None:
            if charged is not None:
                charged.append(audio_seconds)

    async def main() -> Transcript:
        batcher = Batcher()
        transcriber = Transcriber(batcher, load_settings(flags), observer=Meter())  # type: ignore[arg-type]
        try:
            return await transcriber.transcribe(BytesIO(wav), engine, SPLIT)
        finally:
            transcriber.close()
            batcher.close()

    return asyncio.run(main())


def wav_of(*channels: NDArray[np.float32]) -> bytes:
    longest = max(map(len, channels))
    rows = [np.pad(each, (0, longest - len(each))) for each in channels]
    return with_libsndfile(np.stack(rows, 1), SAMPLE_RATE, "WAV", "FLOAT")


def test_each_channel_has_the_windows_that_it_has_alone() -> None:
    block = noise(12, 2)
    both = cut(cutters(), *np.split(block, 12, axis=1))
    for number, samples in enumerate(block, 1):
        mine = [each for each in both if each.channel == number]
        alone = cut(cutters(), *np.split(samples, 12))
        assert [each.core for each in mine] == [each.core for each in alone]
        assert all(np.array_equal(a.waveform, b.waveform) for a, b in zip(mine, alone, strict=True))
        assert {each.channel for each in alone} == {0}


def test_a_channel_begins_with_its_first_sound_and_may_end_early() -> None:
    one, two = noise(3, 1), noise(2, 2)
    two[1] = 0
    cutter = cutters()
    windows = cut(cutter, two, np.concatenate([one, one]), one)
    assert cutter.begins == {1: 0, 2: 2 * SAMPLE_RATE}
    assert cutter.n_samples == 8 * SAMPLE_RATE
    ends = {each.channel: each.first_frame + each.core.stop - each.core.start for each in windows}
    # The second begins 2 s later, and is silent to the end of a third recording without it.
    n_frames = WAV2VEC2_GRID.n_frames
    assert ends == {1: n_frames(8 * SAMPLE_RATE), 2: n_frames(6 * SAMPLE_RATE)}


def test_what_all_channels_have_to_compute_is_limited() -> None:
    assert cut(cutters(31), *[noise(1, 3)] * 10)
    with pytest.raises(AudioTooLong, match="more than 28 s"):
        cut(cutters(28), *[noise(1, 3)] * 10)


def test_a_conversation_is_in_order_and_every_word_has_its_channel() -> None:
    first = say("|a|b|" + " " * 100 + "|c|" + " " * 50)
    second = say(" " * 50 + "|c|a|" + " " * 40 + "|b|")
    heard = transcribe(wav_of(first, second), EchoEngine(), "--vad", "off")
    assert heard.text == "a b\nc a b\nc"
    assert [(word.text, word.channel) for word in heard.words] == [
        ("a", 1), ("b", 1), ("c", 2), ("a", 2), ("b", 2), ("c", 1),
    ]  # fmt: skip
    assert [word.start for word in heard.words] == sorted(word.start for word in heard.words)
    assert heard.words[2].start == pytest.approx(51 * 0.02)
    assert heard.report.n_channels == 2


def test_two_at_once_are_not_mixed_up() -> None:
    first, second = say("|a|b|a|b|" + " " * 50), say("  |c|c|c|" + " " * 50)
    heard = transcribe(wav_of(first, second), EchoEngine(), "--vad", "off")
    assert heard.turns is not None
    assert [(turn.channel, turn.text) for turn in heard.turns] == [(1, "a b a b"), (2, "c c c")]
    assert "".join(word.text for word in heard.words) == "abcacbc"


def test_the_same_on_both_channels_is_written_once() -> None:
    said = np.concatenate([say("|a|b|" + " " * 60)] * 3)
    charged: list[float] = []
    engine = EchoEngine()
    heard = transcribe(wav_of(said, said), engine, "--vad", "off", charged=charged)
    assert heard.text == "a b a b a b"
    assert [each.code for each in heard.report.warnings] == [Code.SAME_CHANNELS]
    assert len(engine.lengths) == 1  # nothing of the copy is computed
    assert charged == [heard.duration_seconds]


def conversation() -> tuple[NDArray[np.float32], float]:
    """Four turns on two channels of quiet lines, and their length in seconds."""
    names = ("ko-library.m4a", "ko-weather.flac"), ("ko-coffee.ogg", "ko-hello.wav")
    turns = [np.concatenate([clip(name) for name in pair]) for pair in names] * 2
    call = np.random.default_rng(0).normal(0, 3e-4, (2, sum(map(len, turns)))).astype(np.float32)
    begin = 0
    for index, turn in enumerate(turns):
        call[index % 2, begin : begin + len(turn)] += turn
        begin += len(turn)
    return call, begin / SAMPLE_RATE


def test_a_call_costs_its_speech_and_not_its_channels() -> None:
    call, speech_seconds = conversation()
    engine, charged = FakeEngine(), list[float]()
    heard = transcribe(wav_of(*call), engine, charged=charged)
    computed = sum(engine.lengths) / SAMPLE_RATE
    assert heard.duration_seconds == pytest.approx(speech_seconds)
    assert 0.95 * speech_seconds < computed <= 1.15 * speech_seconds
    # It is charged so too, and not less than its length.
    assert charged == [pytest.approx(max(computed, speech_seconds), abs=0.5)]
    engine.lengths.clear()
    transcribe(wav_of(*call), engine, "--vad", "off")
    assert sum(engine.lengths) / SAMPLE_RATE > 2 * speech_seconds
