from io import BytesIO

import numpy as np
import pytest

from stt.audio.headerless import with_header
from stt.audio.reading import read_audio
from tests.audio_files import tones, with_libsndfile


@pytest.mark.parametrize("half_a_sample", [b"", b"\x01"])
def test_samples_get_a_header_and_lose_half_a_sample(half_a_sample: bytes) -> None:
    samples = np.arange(-8000, 8000, dtype="<i2")
    with with_header(BytesIO(samples.tobytes() + half_a_sample)) as recording:
        blocks = read_audio(recording, max_seconds=60)
        assert np.array_equal(np.concatenate(list(blocks)) * 32768, samples)
    assert blocks.report.warnings == ()


def test_a_file_with_a_header_stays_as_it_is() -> None:
    wav = with_libsndfile(tones(1, 16_000), 16_000, "WAV")
    with with_header(BytesIO(wav)) as recording:
        assert recording.read() == wav
