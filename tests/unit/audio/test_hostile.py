"""The hostile corpus in the reader processes."""

import hashlib
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from stt.audio.pool import ReaderPool
from stt.errors import AudioTooLong, SttError
from stt.settings import load_settings
from tests.audio_files import tones, with_libsndfile
from tests.hostile import corpus, flac_head, flac_silence, opus_silence, originals, packed_silence
from tests.mutations import mutated

MAX_SECONDS = 600.0
CLIP = with_libsndfile(tones(0.5, 16_000), 16_000, "WAV")


@pytest.fixture(scope="module")
def others() -> set[psutil.Process]:
    """Processes that other tests started and keep, such as servers."""
    return set(psutil.Process().children())


@pytest.fixture(scope="module")
def pool(others: set[psutil.Process]) -> Iterator[ReaderPool]:
    pool = ReaderPool(load_settings())
    pool.start()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def template(pool: ReaderPool, others: set[psutil.Process]) -> psutil.Process:
    (template,) = set(psutil.Process().children()) - others
    return template


def outcome(pool: ReaderPool, data: bytes, *, split: bool = False) -> str:
    try:
        blocks = pool.read(BytesIO(data), max_seconds=MAX_SECONDS, split=split)
        n_samples = sum(block.shape[-1] for block in blocks)
    except SttError as error:
        return error.code
    assert n_samples <= MAX_SECONDS * 16_000
    return "ok"


def test_the_corpus_is_large_and_deterministic() -> None:
    files = corpus()
    assert len(files) >= 200
    truncated = [each.name for each in files if each.name.startswith("truncated/")]
    assert len(truncated) == 19 * len(originals())
    code = "from tests.unit.audio.test_hostile import digest; print(digest())"
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert elsewhere.stdout.decode().strip() == digest()


def digest() -> str:
    """Hash of the corpus and of some mutations."""
    files = [*corpus(), *mutated(50, seed=1)]
    return hashlib.sha256(b"".join(each.name.encode() + each.data for each in files)).hexdigest()


def test_every_file_of_the_corpus_has_an_outcome_that_is_right_for_it(pool: ReaderPool) -> None:
    wrong = []
    for index, each in enumerate(corpus()):
        found = outcome(pool, each.data, split=index % 2 == 0)  # the API: the others
        if found not in each.outcomes:
            wrong.append((each.name, found, sorted(each.outcomes)))
    assert wrong == []
    assert outcome(pool, CLIP) == "ok"


def test_a_thousand_mutated_files_cause_no_crash_or_hang(pool: ReaderPool) -> None:
    found = {each.name: outcome(pool, each.data) for each in mutated(1000, seed=2)}
    assert {name for name, code in found.items() if code == "decode_failed"} == set()
    assert len(set(found.values())) >= 3


BOMBS = {
    "an hour in 13 kB of FLAC": (flac_silence(3600), "longer than 600 s"),
    "an hour that is not claimed": (flac_silence(3600, claim=0), "longer than 600 s"),
    "68 billion frames in 99 bytes": (flac_head(2**36 - 1).ljust(99, b"\0"), "longer than"),
    "eight channels at 384 kHz": (flac_silence(500, 384_000, 8, claim=0), "over all channels"),
    "an hour in 96 kB of Opus": (opus_silence(3600), "longer than 600 s"),
    "an hour that zlib has packed": (packed_silence(60), "longer than 600 s"),
}


@pytest.mark.parametrize(("data", "sentence"), BOMBS.values(), ids=BOMBS.keys())
def test_memory_is_flat_under_a_decompression_bomb(
    pool: ReaderPool, template: psutil.Process, data: bytes, sentence: str
) -> None:
    assert len(data) < 200_000
    assert outcome(pool, CLIP) == "ok"
    (worker,) = template.children()
    before = peak_mb(worker), peak_mb(psutil.Process())
    with pytest.raises(AudioTooLong, match=sentence):
        list(map(len, pool.read(BytesIO(data), max_seconds=MAX_SECONDS)))
    after = peak_mb(worker), peak_mb(psutil.Process())
    assert after[0] - before[0] < 100
    assert after[1] - before[1] < 100


def peak_mb(process: psutil.Process) -> float:
    """Peak resident memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found.group(1)) * 1024 / 1e6


def test_an_index_that_grows_to_gigabytes_stops_at_the_limit(
    pool: ReaderPool, template: psutil.Process
) -> None:
    # A count of four bytes makes FFmpeg build an entry for every frame.
    bombs = [each for each in corpus() if "index-bomb" in each.name]
    assert outcome(pool, CLIP) == "ok"
    (worker,) = template.children()
    for each in bombs:
        assert outcome(pool, each.data) in each.outcomes
    assert template.children() == [worker]  # its allocation failed, and it survived
    assert peak_mb(worker) < 700


def test_playlists_are_opened_by_nobody(pool: ReaderPool) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        address = listener.getsockname()
        datagrams.bind(address)
        pointing = [
            each
            for each in corpus(f"http://127.0.0.1:{address[1]}/a.ts")
            if str(address[1]).encode() in each.data or each.name.startswith("playlist/")
        ]
        assert len(pointing) > 40
        for each in pointing:
            assert outcome(pool, each.data) in each.outcomes, each.name
        datagrams.setblocking(False)
        with pytest.raises(BlockingIOError):
            datagrams.recv(1)
        # Connections queue in order, so ours is the first only if there was none before.
        listener.settimeout(10)
        with socket.create_connection(address) as ours:
            caller, peer = listener.accept()
            caller.close()
            assert peer == ours.getsockname()
