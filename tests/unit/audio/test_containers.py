import re
from io import BytesIO
from pathlib import Path

import pytest

from stt.audio.containers import ACCEPTED, AUDIO_SUFFIXES, CONTAINERS, LABELS, sniff
from tests.audio_files import tones, with_libsndfile
from tests.hostile import flac_silence, originals

ROOT = Path(__file__).parents[3]
LIST = r"WAV(?:(?:,|/| and| or)\s*[A-Z0-9]\w+(?: \(Vorbis, Opus\))?)+"
NAMES = {label.partition(" (")[0] for label in LABELS}


def test_each_container_has_one_library_to_open_it() -> None:
    for each in CONTAINERS:
        assert bool(each.libsndfile_formats) != bool(each.demuxer), each.name


def test_the_test_recordings_cover_every_container() -> None:
    files = [*originals().values(), flac_silence(0.5, claim=0)]
    assert {sniff(BytesIO(data)) for data in files} == set(CONTAINERS)


def test_the_sentence_in_error_messages() -> None:
    expected = "WAV, FLAC, OGG (Vorbis, Opus), MP3, M4A, MP4, 3GP, AAC, WebM and AMR"
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


@pytest.mark.parametrize("claim", [-1, 0])
def test_flac_behind_an_id3_tag(claim: int) -> None:
    flac = flac_silence(0.5, claim=claim)
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    assert sniff(BytesIO(tag + flac)) is sniff(BytesIO(flac))
    wav = with_libsndfile(tones(0.1, 16_000), 16_000, "WAV")
    behind_tag = sniff(BytesIO(tag + wav))
    assert behind_tag is not None
    assert behind_tag.name == "MP3"
