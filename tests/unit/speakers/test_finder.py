"""The real library in its process, with models made for the test."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import psutil
import pytest

from stt.errors import AudioTooLong, ConfigurationError, InferenceFailed, NotSupported
from stt.settings import load_settings
from stt.speakers.finder import Speakers
from stt.speakers.recorder import Recorder
from stt.speakers.turns import SpeakerTurn
from stt.types import Waveform
from tests.speaker_models import save_speaker_models, tone

PAUSE = np.zeros(8_000, np.float32)
LOW, HIGH = tone(300, 3), tone(6_000, 3)


@pytest.fixture(scope="module")
def speakers(tmp_path_factory: pytest.TempPathFactory) -> Speakers:
    return Speakers(with_models(tmp_path_factory.mktemp("models")))


def with_models(folder: Path):  # type: ignore[no-untyped-def]
    segmentation, embedding = save_speaker_models(folder)
    flags = ["--speaker-segmentation", str(segmentation), "--speaker-embedding", str(embedding)]
    return load_settings(flags)


def find(speakers: Speakers, *parts: Waveform, n: int | None = None) -> tuple[SpeakerTurn, ...]:
    with Recorder(60) as recorder:
        for part in parts:
            recorder.feed(part)
        return asyncio.run(speakers.choose(n)(recorder.file))


def test_turns_are_those_of_the_voices(speakers: Speakers) -> None:
    turns = find(speakers, LOW, PAUSE, HIGH, PAUSE, LOW)
    first, second, third = turns
    assert first.speaker == third.speaker != second.speaker
    for turn, start in zip(turns, (0, 3.5, 7), strict=True):
        assert turn.start == pytest.approx(start, abs=0.1)
        assert turn.end == pytest.approx(start + 3, abs=0.1)


def test_the_number_of_speakers_is_what_is_asked(speakers: Speakers) -> None:
    # Within ten seconds the segmentation model alone tells voices apart.
    parts = [LOW, PAUSE, HIGH, PAUSE] * 2
    assert [len({turn.speaker for turn in find(speakers, *parts, n=n)}) for n in (1, None)] == [
        1,
        2,
    ]


def test_silence_and_nothing_have_no_speakers(speakers: Speakers) -> None:
    assert find(speakers, PAUSE) == ()
    assert find(speakers) == ()


def test_a_model_that_is_none_fails_the_recording_and_says_why_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = with_models(tmp_path)
    assert settings.speaker_embedding
    settings.speaker_embedding.write_bytes(b"no model")
    with pytest.raises(InferenceFailed, match="tell speakers apart failed"):
        find(Speakers(settings), LOW)
    assert "finding speakers ended with" in caplog.text
    assert "embedding.onnx" in caplog.text or "protobuf" in caplog.text.lower()


def test_cancelling_ends_the_process(speakers: Speakers) -> None:
    async def main(find: Callable[..., Awaitable[object]]) -> None:
        with TemporaryFile() as file:
            file.write(bytes(16_000 * 2 * 600))  # ten minutes take seconds
            file.flush()
            task = asyncio.ensure_future(find(file))
            while not (running := workers()):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not any(each.is_running() for each in running)

    asyncio.run(main(speakers.choose(None)))


def workers() -> list[psutil.Process]:
    return [
        each
        for each in psutil.Process().children()
        if each.status() != psutil.STATUS_ZOMBIE and "stt.speakers.worker" in each.cmdline()
    ]


def test_a_longer_recording_is_refused() -> None:
    with Recorder(1) as recorder, pytest.raises(AudioTooLong, match="up to 1 s"):
        recorder.feed(LOW)


def test_without_models_a_request_learns_what_is_missing() -> None:
    with pytest.raises(NotSupported, match="set STT_SPEAKER_SEGMENTATION and"):
        Speakers(load_settings([])).choose(2)


def test_the_service_does_not_start_with_half_of_it(tmp_path: Path) -> None:
    segmentation, _ = save_speaker_models(tmp_path)
    with pytest.raises(ConfigurationError, match="set both, or neither"):
        Speakers(load_settings(["--speaker-segmentation", str(segmentation)]))
    flags = ["--speaker-segmentation", str(segmentation), "--speaker-embedding", "/nowhere/e.onnx"]
    with pytest.raises(ConfigurationError, match=r"/nowhere/e\.onnx is not a file"):
        Speakers(load_settings(flags))
