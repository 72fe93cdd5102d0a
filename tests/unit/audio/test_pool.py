import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile, SpooledTemporaryFile
from typing import BinaryIO

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from stt.audio.pool import ReaderPool
from stt.audio.reading import read_audio
from stt.errors import (
    AudioError,
    AudioTooLong,
    DecodeFailed,
    InvalidAudio,
    Overloaded,
    UnsupportedFormat,
)
from stt.settings import load_settings
from tests.audio_files import tones, with_ffmpeg, with_libsndfile
from tests.hostile import index_bomb

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="worker processes need Linux")

BAD = "tests.faulty_reader:read_audio"
REAL = "stt.audio.reading:read_audio"
SOON = 20.0
"""Seconds; a limit that no step reaches even on a slow machine."""


@contextmanager
def open_pool(*flags: str, target: str = BAD, **options: float) -> Iterator[ReaderPool]:
    pool = ReaderPool(load_settings(flags), target=target, **options)
    try:
        yield pool
    finally:
        pool.close()


@pytest.fixture(scope="module")
def real() -> Iterator[ReaderPool]:
    with open_pool(target=REAL) as pool:
        pool.start()
        yield pool


@pytest.fixture
def bad() -> Iterator[ReaderPool]:
    with open_pool("--decode-timeout-seconds", "1") as pool:
        yield pool


def read(
    pool: ReaderPool, source: BinaryIO | bytes, max_seconds: float = 100
) -> NDArray[np.float32]:
    source = BytesIO(source) if isinstance(source, bytes) else source
    blocks = list(pool.read(source, max_seconds=max_seconds))
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def in_process(data: bytes) -> NDArray[np.float32]:
    return np.concatenate(list(read_audio(BytesIO(data), max_seconds=100)))


def serves(pool: ReaderPool) -> bool:
    return bytes(read(pool, b"echo\nstill here").astype(np.uint8)) == b"still here"


def templates(target: str = BAD) -> list[psutil.Process]:
    """The template processes of this process's pools."""
    return [each for each in psutil.Process().children() if target in each.cmdline()]


def workers(target: str = BAD) -> list[psutil.Process]:
    return [
        worker
        for template in templates(target)
        for worker in template.children()
        if worker.status() != psutil.STATUS_ZOMBIE
    ]


def wait_until_gone(processes: list[psutil.Process]) -> None:
    def is_there(process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    deadline = time.monotonic() + SOON
    while any(is_there(process) for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.01)


RECORDINGS = {
    "wav": with_libsndfile(tones(2.3, 44100, 2), 44100, "WAV"),
    "flac": with_libsndfile(tones(2.3, 16000), 16000, "FLAC"),
    "ogg": with_libsndfile(tones(2.3, 22050), 22050, "OGG", "VORBIS"),
    "m4a": with_ffmpeg(tones(2.3, 44100, 2), 44100, "mp4", "aac"),
    "webm": with_ffmpeg(tones(2.3, 48000), 48000, "webm", "libopus"),
    "nothing": with_libsndfile(tones(0, 16000), 16000, "WAV"),
}


@pytest.mark.parametrize("data", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_samples_equal_those_read_in_this_process(real: ReaderPool, data: bytes) -> None:
    there = read(real, data)
    here = np.concatenate([np.zeros(0, np.float32), *read_audio(BytesIO(data), max_seconds=100)])
    assert np.array_equal(there, here)
    assert there.dtype == np.float32


def test_channels_are_kept_apart_as_in_this_process(real: ReaderPool) -> None:
    for split in (True, False, True):  # one kind of request after the other
        for name in ("wav", "m4a", "flac"):
            data = RECORDINGS[name]
            there = real.read(BytesIO(data), max_seconds=100, split=split)
            here = read_audio(BytesIO(data), max_seconds=100, split=split)
            found, expected = (np.concatenate(list(each), axis=-1) for each in (there, here))
            assert found.shape == expected.shape
            assert np.array_equal(found, expected)
            assert there.report == here.report


def test_any_kind_of_file_object_works(real: ReaderPool, tmp_path: Path) -> None:
    data = RECORDINGS["wav"]
    expected = in_process(data)
    path = tmp_path / "clip"
    path.write_bytes(data)
    with path.open("rb") as buffered, path.open("rb", buffering=0) as raw:
        assert np.array_equal(read(real, buffered), expected)
        assert np.array_equal(read(real, raw), expected)
    for limit in (10**9, 1000):  # in memory, and rolled over to a file
        with SpooledTemporaryFile(limit) as spooled:
            spooled.write(data)  # not flushed, and not at its start
            assert np.array_equal(read(real, spooled), expected)  # type: ignore[arg-type]
            assert np.array_equal(read(real, spooled), expected)  # type: ignore[arg-type]
    with NamedTemporaryFile() as named:
        named.write(data)
        assert np.array_equal(read(real, named), expected)  # type: ignore[arg-type]


def test_gzip_files_are_read_decompressed(real: ReaderPool, tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "clip.gz"
    path.write_bytes(gzip.compress(RECORDINGS["wav"]))
    with gzip.open(path) as file:
        assert np.array_equal(read(real, file), in_process(RECORDINGS["wav"]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        (b"no audio at all", UnsupportedFormat, "Send one of WAV"),
        (b"", InvalidAudio, "0 bytes"),
        (with_libsndfile(tones(3.0, 16000), 16000, "WAV"), AudioTooLong, "longer than 2 s"),
    ],
)
def test_errors_keep_their_type_and_message(
    real: ReaderPool, data: bytes, error: type[AudioError], sentence: str
) -> None:
    for _ in range(2):
        with pytest.raises(error, match=sentence):
            read(real, data, max_seconds=2)


def test_no_process_starts_before_the_first_block_is_requested(bad: ReaderPool) -> None:
    bad.read(BytesIO(b"abort\n"), max_seconds=1)
    assert not templates()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (b"sleep\n", "no block within 1 s"),
        (b"sleep later\n", "no block within 1 s"),
        (b"abort\n", "died of SIGABRT"),
        (b"segfault\n", "died of SIGSEGV"),
        (b"exit\n", "exit status 3"),
        (b"swallow\n", "Unable to allocate"),
        (b"raise\n", r"a bug\\n\\x1b\[31min red"),
        (b"lie\n" + struct.pack("<BI", 0, 2**31), "2147483648 bytes"),
        (b"lie\n" + struct.pack("<BI", 2, 4) + b"[{}]", "list indices"),
        (b"lie\n" + struct.pack("<BI", 2, 2) + b"}{", "Expecting value"),
        (b"lie\n" + struct.pack("<BI", 0, 3) + b"abc", "divisor of the total size"),
    ],
)
def test_a_decoder_that_hangs_or_crashes_costs_only_its_own_recording(
    caplog: pytest.LogCaptureFixture, command: bytes, reason: str
) -> None:
    # Filling the memory takes a while on a busy machine.
    seconds = "1" if command.startswith(b"sleep") else "60"
    with open_pool("--decode-timeout-seconds", seconds) as pool:
        others = pool.read(BytesIO(b"endless\n"), max_seconds=1)
        next(others)
        assert serves(pool)
        with pytest.raises(DecodeFailed, match="convert it"):
            read(pool, command)
        assert any(re.search(reason, record.getMessage()) for record in caplog.records)
        assert all("\n" not in record.getMessage() for record in caplog.records)
        assert serves(pool)
        next(others)
        others.close()


def test_failed_workers_end(bad: ReaderPool) -> None:
    for command in (b"sleep\n", b"raise\n", b"exit\n"):
        assert serves(bad)
        before = workers()
        with pytest.raises(DecodeFailed):
            read(bad, command)
        wait_until_gone(before)


def test_a_slow_caller_causes_no_timeout_and_no_buffering(bad: ReaderPool) -> None:
    blocks = bad.read(BytesIO(b"endless\n"), max_seconds=1)
    next(blocks)
    (worker,) = workers()
    time.sleep(1.5)  # longer than the timeout
    busy = worker.cpu_times().user
    memory = worker.memory_info().rss
    time.sleep(0.5)
    assert worker.cpu_times().user == busy  # it waits
    assert worker.memory_info().rss < memory + 2**20
    for _ in range(5):
        assert len(next(blocks)) == 64_000  # four of the reader's blocks at a time
    blocks.close()


def test_closing_early_ends_the_worker_at_once(bad: ReaderPool) -> None:
    for command in (b"endless\n", b"sleep later\n"):
        blocks = bad.read(BytesIO(command), max_seconds=1)
        next(blocks)
        ours = workers()
        started = time.monotonic()
        blocks.close()
        assert time.monotonic() - started < 0.5
        wait_until_gone(ours)
        assert serves(bad)


@pytest.mark.parametrize("command", [b"sleep later\n", b"sleep\n"])
def test_a_caller_that_stops_while_another_thread_waits_ends_the_worker_at_once(
    caplog: pytest.LogCaptureFixture, command: bytes
) -> None:
    with open_pool("--decode-timeout-seconds", "100") as pool:
        assert serves(pool)
        ours = workers()
        blocks = pool.read(BytesIO(command), max_seconds=1)
        waiting = threading.Thread(target=list, args=(blocks,))
        waiting.start()
        time.sleep(0.5)  # until the worker sleeps
        blocks.close()
        waiting.join(SOON)
        assert not waiting.is_alive()
        wait_until_gone(ours)
        assert list(blocks) == []
        blocks.close()
        assert serves(pool)
    assert [record for record in caplog.records if "failed" in record.getMessage()] == []


def test_closing_at_any_moment_leaves_the_pool_usable(bad: ReaderPool) -> None:
    for index in range(60):
        blocks = bad.read(BytesIO(b"echo\n" + bytes(1000)), max_seconds=1)
        waiting = threading.Thread(target=list, args=(blocks,))
        waiting.start()
        time.sleep(0.0001 * index)
        blocks.close()
        waiting.join(SOON)
        assert not waiting.is_alive()
        assert serves(bad)
    assert len(workers()) <= 4


def test_concurrent_recordings_do_not_mix(bad: ReaderPool) -> None:
    texts = [bytes([65 + index]) * 100_000 for index in range(24)]
    with ThreadPoolExecutor(8) as threads:
        results = threads.map(lambda text: read(bad, b"echo\n" + text), texts)
        for text, result in zip(texts, results, strict=True):
            assert bytes(result.astype(np.uint8)) == text


def test_too_many_open_recordings_are_refused() -> None:
    with open_pool("--max-queue-requests", "1") as pool:
        opened = [pool.read(BytesIO(b"endless\n"), max_seconds=1) for _ in range(2)]
        for blocks in opened:
            next(blocks)
        with pytest.raises(Overloaded, match="2 recordings"):
            serves(pool)
        opened[0].close()
        assert serves(pool)
        opened[1].close()


def test_a_decoder_that_computes_without_end_is_ended_by_the_kernel(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with open_pool() as pool:
        assert serves(pool)
        (worker,) = workers()
        before = time.monotonic()
        with pytest.raises(DecodeFailed):
            read(pool, b"spin\n")
        assert "died of SIGXCPU" in caplog.text
        assert time.monotonic() - before < SOON  # the timeout of a block
        assert worker not in workers()


def test_sound_that_takes_too_much_work_is_refused() -> None:
    with open_pool() as pool, pytest.raises(InvalidAudio, match="too much work"):
        read(pool, b"toil\n")


def test_all_decoders_share_one_memory() -> None:
    with open_pool("--decode-memory-mb", "300", "--decode-timeout-seconds", "0.5") as pool:
        # Before its first block, each counts with the 134 MB that it may use.
        opening = [pool.take() for _ in range(2)]
        with pytest.raises(Overloaded, match="all the memory"):
            serves(pool)
        for worker in opening:
            pool.has_opened(worker)
        assert max(worker.allocated_bytes() for worker in opening) < 20e6
        assert serves(pool)
        for worker in opening:
            pool.put_back(worker)


def test_files_that_take_long_to_open_keep_nobody_waiting() -> None:
    with open_pool("--decode-memory-mb", "300") as pool:
        opening = [pool.take() for _ in range(2)]
        started = time.monotonic()
        assert serves(pool)
        assert time.monotonic() - started < SOON / 2
        for worker in opening:
            pool.put_back(worker)


def test_a_recording_waits_until_there_is_memory() -> None:
    with open_pool("--decode-memory-mb", "200") as pool, ThreadPoolExecutor(1) as threads:
        opening = pool.take()
        waiting = threads.submit(serves, pool)
        time.sleep(0.2)
        assert not waiting.done()
        pool.put_back(opening)
        assert waiting.result(SOON)


@pytest.mark.parametrize("n_frames", [100_000, 5_000_000])
def test_millions_of_frames_that_cannot_be_decoded_take_little(
    real: ReaderPool, n_frames: int
) -> None:
    bomb = index_bomb(n_frames, 1)
    assert len(bomb) < 20_000
    assert len(read(real, RECORDINGS["wav"])) > 0
    before = {worker: sum(worker.cpu_times()[:2]) for worker in workers(REAL)}
    with pytest.raises(InvalidAudio):
        read(real, bomb, max_seconds=1e6)
    after = {worker: sum(worker.cpu_times()[:2]) for worker in workers(REAL)}
    assert after.keys() == before.keys()
    assert sum(after.values()) - sum(before.values()) < 2


def test_workers_are_reused_a_limited_number_of_times() -> None:
    with open_pool(recordings_per_worker=3) as pool:
        seen = []
        for _ in range(6):
            assert serves(pool)
            seen.append([worker.pid for worker in workers()])
        assert seen[0] == seen[1]
        assert seen[3] == seen[4]
        assert seen[0] != seen[3]


def test_a_worker_that_died_while_idle_is_replaced(bad: ReaderPool) -> None:
    assert serves(bad)
    for worker in (idle := workers()):
        worker.kill()
    wait_until_gone(idle)
    assert serves(bad)


def test_a_template_that_died_is_replaced(bad: ReaderPool) -> None:
    assert serves(bad)
    opened = bad.read(BytesIO(b"endless\n"), max_seconds=1)
    next(opened)
    ours = workers()
    template = ours[0].parent()
    assert template is not None
    template.kill()
    wait_until_gone(ours)  # workers die with it
    with pytest.raises(DecodeFailed):
        list(opened)
    assert serves(bad)


def test_a_template_that_is_stopped_is_replaced_in_seconds() -> None:
    with open_pool(answer_seconds=1) as pool:
        assert serves(pool)  # though the imports take longer than that
        opened = pool.read(BytesIO(b"endless\n"), max_seconds=1)
        next(opened)
        (stopped,) = templates()
        stopped.suspend()
        started = time.monotonic()
        opened.close()
        assert time.monotonic() - started < 0.8, "closing does not wait for the template"
        assert serves(pool)
        wait_until_gone([stopped])


def test_recordings_that_fail_while_the_template_is_stopped_wait_for_it_once() -> None:
    with open_pool(answer_seconds=1) as pool, ThreadPoolExecutor(8) as threads:
        opened = [pool.read(BytesIO(b"endless\n"), max_seconds=1) for _ in range(8)]
        for blocks in opened:
            next(blocks)
        ours, (stopped,) = workers(), templates()
        stopped.suspend()
        for worker in ours:
            worker.kill()
        started = time.monotonic()
        failures = [threads.submit(list, blocks).exception() for blocks in opened]
        assert [type(failure) for failure in failures] == [DecodeFailed] * 8
        assert time.monotonic() - started < 4
        assert serves(pool)


def test_a_template_that_is_stopped_while_it_imports_is_replaced() -> None:
    with open_pool(answer_seconds=1) as pool:
        pool.start()
        (stopped,) = templates()
        stopped.suspend()
        assert serves(pool)
        wait_until_gone([stopped])


def test_workers_ignore_signals_to_the_whole_service(bad: ReaderPool) -> None:
    assert serves(bad)
    (worker,) = workers()
    template = worker.parent()
    assert template is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        worker.send_signal(number)
        template.send_signal(number)
    time.sleep(0.2)
    assert serves(bad)
    assert workers() == [worker]
    # Ctrl+C reaches the foreground process group of a terminal, and workers have their own.
    assert os.getpgid(worker.pid) != os.getpgid(0)


def test_workers_end_when_the_service_is_killed() -> None:
    code = (
        "import sys, time\nfrom io import BytesIO\n"
        "from stt.audio.pool import ReaderPool\nfrom stt.settings import load_settings\n"
        "pool = ReaderPool(load_settings(), target='tests.faulty_reader:read_audio')\n"
        "busy = pool.read(BytesIO(b'sleep later\\n'), max_seconds=1)\nnext(busy)\n"
        "list(pool.read(BytesIO(b'echo\\nx'), max_seconds=1))\n"
        "print('ready', flush=True)\ntime.sleep(3600)\n"
    )
    service = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert service.stdout and service.stdout.readline() == b"ready\n"
    below = psutil.Process(service.pid).children(recursive=True)
    assert len(below) == 3
    service.kill()
    service.wait()
    service.stdout.close()
    wait_until_gone(below)


def test_closing_the_pool_ends_all_processes() -> None:
    with open_pool() as pool:
        blocks = pool.read(BytesIO(b"endless\n"), max_seconds=1)
        next(blocks)
        assert serves(pool)
        below = [*templates(), *workers()]
        assert len(below) == 3
    wait_until_gone(below)
    assert not templates()
    with pytest.raises(DecodeFailed):
        list(blocks)
    with pytest.raises(RuntimeError, match="closed"):
        serves(pool)


def test_closing_does_not_wait_for_a_starting_template() -> None:
    pool = ReaderPool(load_settings(), target=REAL)
    outcome: list[BaseException] = []

    def use() -> None:
        try:
            read(pool, RECORDINGS["wav"])
        except RuntimeError as error:
            outcome.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    while pool._template is None:
        time.sleep(0.01)
    started = time.monotonic()
    pool.close()
    thread.join(SOON)
    assert time.monotonic() - started < 2
    assert len(outcome) == 1


def test_no_descriptors_or_zombies_leak(bad: ReaderPool) -> None:
    def count() -> tuple[int, int, int]:
        (template,) = templates()
        return psutil.Process().num_fds(), template.num_fds(), len(template.children())

    def use() -> None:
        assert serves(bad)
        blocks = bad.read(BytesIO(b"endless\n"), max_seconds=1)
        next(blocks)
        blocks.close()
        for command in (b"abort\n", b"invalid\n", b"raise\n"):
            with pytest.raises(AudioError):
                read(bad, command)
        assert serves(bad)

    use()
    before = count()
    for _ in range(10):
        use()
    deadline = time.monotonic() + SOON
    while count() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert count() == before


def test_workers_have_no_secrets_and_no_torch(
    real: ReaderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STT_API_KEYS", "secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    with open_pool() as pool:
        facts = bytes(read(pool, b"tell\n").astype(np.uint8)).decode().splitlines()
        assert "PATH" in facts
        assert "STT_API_KEYS" not in facts
        assert "HF_TOKEN" not in facts
    read(real, RECORDINGS["m4a"])
    for worker in workers(REAL):
        mapped = {entry.path for entry in worker.memory_maps()}
        assert any("soxr" in path for path in mapped)
        assert not any("torch" in path for path in mapped)


def test_workers_write_neither_files_nor_logs(
    bad: ReaderPool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "written"
    with pytest.raises(DecodeFailed):
        read(bad, b"write\n" + str(path).encode())
    assert not path.exists() or path.stat().st_size == 0
    read(bad, b"shout\nTHIS IS NO LOG LINE")
    assert "THIS IS NO LOG LINE" not in capfd.readouterr().err


def test_workers_use_little_memory() -> None:
    others = {each.pid for each in workers(REAL)}  # of pools that other tests have open
    with open_pool(target=REAL) as pool:
        opened = [pool.read(BytesIO(RECORDINGS["wav"]), max_seconds=100) for _ in range(3)]
        for blocks in opened:
            next(blocks)
        mine = [each for each in workers(REAL) if each.pid not in others]
        assert len(mine) >= 3
        sizes = [each.memory_full_info().uss for each in mine]
        assert max(sizes) < 30e6, sizes
        for blocks in opened:
            blocks.close()
