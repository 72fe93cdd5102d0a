import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from stt.audio.reading import read_audio
from stt.evaluation.html_report.sources import embed, link
from tests.unit.evaluation.html_report.results import result
from tests.unit.evaluation.manifests.layouts import HELLO, samples, write


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/set/a.wav", "./a.wav"),
        ("/set/clips/가 #1?.mp3", "./clips/%EA%B0%80%20%231%3F.mp3"),
        ("/other/a.flac", "./../other/a.flac"),
        ("/set/javascript:alert(1).wav", "./javascript%3Aalert%281%29.wav"),
        ("/set/a\udcff.wav", "./a%FF.wav"),
        ("/set/a.pcm", ""),
        ("/set/a.amr", ""),
    ],
)
def test_addresses_are_relative_to_the_page(path: str, address: str) -> None:
    assert link(Path(path), Path("/set/report.html")) == address


def test_copies_are_what_the_model_heard_and_stop_when_full(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, HELLO) for name in ("a.pcm", "b.wav")]
    heard = [result(name=str(path), seconds=3.42) for path in (*paths, tmp_path / "gone.wav")]
    assert list(embed(heard)) == [0, 1]
    copy = embed(heard, most_bytes=40_000)
    assert list(copy) == [0]
    content = base64.b64decode(copy[0].removeprefix("data:audio/mpeg;base64,"))
    played = np.concatenate(list(read_audio(BytesIO(content), max_seconds=60)))
    original = samples(HELLO)
    n = len(original)
    # MP3 begins late.
    best = max(
        np.corrcoef(played[late : late + n - 2000], original[: n - 2000])[0, 1]
        for late in range(0, 1800, 1)
        if late + n - 2000 <= len(played)
    )
    assert best > 0.98
