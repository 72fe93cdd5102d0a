import re
from io import BytesIO
from pathlib import Path

import pytest

from stt.audio.containers import (
    ACCEPTED,
    AUDIO_SUFFIXES,
    CONTAINERS,
    LABELS,
    Container,
    identify,
)
from stt.audio.span import Span
from tests.hostile import originals

ROOT = Path(__file__).parents[3]
LIST = r"WAV(?:(?:,|/| and| or)\s*[A-Z0-9]\w+(?: \(Vorbis, Opus\))?)+"
NAMES = {label.partition(" (")[0] for label in LABELS}


def test_the_test_recordings_cover_every_container() -> None:
    assert {container_of(data) for data in originals().values()} == set(CONTAINERS)


def container_of(data: bytes) -> Container | None:
    found = identify(Span(BytesIO(data), 0, len(data)))
    return found and found.container


def test_the_sentence_in_error_messages() -> None:
    expected = (
        "WAV, FLAC, OGG (Vorbis, Opus), MP3, M4A, MP4, MOV, 3GP, AAC, WebM, MKV"
        ", AMR, AIFF, CAF, AU, WMA, AVI and TS"
    )
    assert expected == ACCEPTED


@pytest.mark.parametrize(
    "file",
    [
        "README.md",
        "README.ko.md",
        "docs/api.md",
        "docs/troubleshooting.md",
        "stt/server/routes/transcribe.py",
    ],
)
def test_documents_list_every_container(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    found = re.search(LIST, text)
    assert found
    assert set(re.split(r"\W+(?:and |or )?", found[0].replace(" (Vorbis, Opus)", ""))) == NAMES


def test_the_page_offers_every_suffix() -> None:
    page = (ROOT / "stt/server/static/index.html").read_text(encoding="utf-8")
    accept = re.search(r'accept="(.+?)"', page)
    assert accept
    assert set(accept[1].split(",")) == {"audio/*", "video/*", *AUDIO_SUFFIXES}


@pytest.mark.parametrize("name", ["flac", "wav", "m4a", "webm", "aac", "mp3"])
def test_an_id3_tag_may_come_before_anything(name: str) -> None:
    data = originals()[name]
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    assert container_of(tag + data) is container_of(data)
