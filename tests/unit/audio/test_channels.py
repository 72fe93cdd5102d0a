"""Channels that are kept apart; test_pool has them in another process."""

from io import BytesIO

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from stt.audio.channels import originals_of
from stt.audio.reading import read_audio
from stt.errors import AudioTooLong, InvalidAudio
from stt.notices import Code, Report
from tests.audio_files import tones, with_ffmpeg, with_libsndfile
from tests.unit.activity.clips import clip

RATE = 44_100


def read(data: bytes, *, split: bool = True) -> tuple[NDArray[np.float32], Report]:
    blocks = read_audio(BytesIO(data), max_seconds=100, split=split)
    return np.concatenate(list(blocks), axis=-1), blocks.report


def codes(report: Report) -> list[str]:
    return [each.code for each in report.warnings]


@pytest.mark.parametrize("rate", [8_000, 16_000, RATE])
@pytest.mark.parametrize("n_channels", [2, 3, 8])
def test_each_channel_is_what_it_is_alone(rate: int, n_channels: int) -> None:
    samples = tones(2.3, rate, n_channels)
    together, report = read(with_libsndfile(samples, rate, "WAV"))
    assert (report.n_channels, report.warnings) == (n_channels, ())
    for index, channel in enumerate(together):
        alone, _ = read(with_libsndfile(samples[:, [index]], rate, "WAV"), split=False)
        assert np.array_equal(channel, alone)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_copy_is_silent_and_said_to_be(sign: int) -> None:
    first, other = tones(3.0, RATE, 2).T
    both, report = read(with_libsndfile(np.stack([first, other, sign * first], 1), RATE, "WAV"))
    assert both[0].any() and both[1].any() and not both[2].any()
    assert codes(report) == [Code.SAME_CHANNELS]
    assert "channel 3 is the same as channel 1 for 3.0 s" in report.warnings[0].message


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("webm", "libopus")])
def test_a_codec_leaves_a_copy_one(container: str, codec: str) -> None:
    said = soxr.resample(clip("ko-library.m4a"), 16_000, 48_000)
    both, report = read(with_ffmpeg(np.stack([said, said], 1), 48_000, container, codec))
    assert codes(report) == [Code.SAME_CHANNELS]
    assert both[0].any() and not both[1].any()


def test_what_is_said_over_a_copy_is_kept() -> None:
    first, other = tones(1.0, RATE, 2).T
    faint = first + 0.03 * other  # 30 dB below
    assert originals_of(np.stack([first, faint])) == {}
    assert originals_of(np.stack([first, first + 0.003 * other])) == {1: 0}
    silence = np.zeros_like(first)
    assert originals_of(np.stack([silence, first, silence, first])) == {3: 1}


def test_a_mono_file_has_one_channel_and_a_notice() -> None:
    one, report = read(with_libsndfile(tones(1.0, RATE), RATE, "WAV"))
    assert one.shape == (1, 16_000)
    assert (codes(report), report.n_channels) == ([Code.ONE_CHANNEL], 1)


def test_joined_recordings_may_have_other_numbers_of_channels() -> None:
    parts = (with_libsndfile(tones(1.0, RATE, n), RATE, "WAV") for n in (1, 2))
    blocks = list(read_audio(BytesIO(b"".join(parts)), max_seconds=100, split=True))
    shapes = [block.shape for block in blocks]
    assert {shape[0] for shape in shapes} == {1, 2}
    assert sum(shape[1] for shape in shapes) == 32_000


def test_limits_are_those_of_mixed_channels() -> None:
    with pytest.raises(InvalidAudio, match="9 channels; expected 1 to 8"):
        read(with_libsndfile(np.zeros((100, 9), np.float32), RATE, "WAV"))
    blocks = read_audio(
        BytesIO(with_libsndfile(tones(3.0, 8_000, 2), 8_000, "WAV")), max_seconds=2, split=True
    )
    with pytest.raises(AudioTooLong):
        list(blocks)
