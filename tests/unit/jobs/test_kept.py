"""A run that finds what another has computed gives the same words, and computes only the rest."""

import asyncio
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from stt.asked import Asked
from stt.decoding.factory import Decoding
from stt.decoding.hotwords import Hotword
from stt.engines.wants import BEST, F, Top, Want
from stt.frames import AnyFrames
from stt.inference.batcher import Batcher
from stt.jobs.database import open_database
from stt.jobs.kept import KeptWindows, fingerprint, from_bytes, to_bytes
from stt.jobs.leases import Claimed, LeaseLost, Leases
from stt.jobs.records import Job, Lease, Order, Quota, State
from stt.jobs.store import Store
from stt.recognition.chunking import Window
from stt.recognition.pipeline import Transcriber
from stt.recognition.plan import Plan
from stt.settings import load_settings
from stt.types import Transcript, Waveform
from tests.audio_files import with_libsndfile
from tests.fakes import EchoEngine, say

SAID = "ab c ba |ca b  cc|a bb " * 40
FLAGS = ["--window-seconds", "2", "--context-seconds", "0.2", "--cut-search-seconds", "0.2"]


class Crash(Exception):
    """The end of a process."""


class Fragile(EchoEngine):
    """Computes some windows, then none."""

    def __init__(self, n_windows: int) -> None:
        super().__init__()
        self._left = n_windows

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self._left -= len(waveforms)
        if self._left < 0:
            raise Crash
        return super().forward(waveforms, want)


def claim(leases: Leases) -> Claimed:
    claimed = leases.claim({"KR": True})
    assert claimed is not None
    return claimed


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    database = open_database(tmp_path, None)
    job = Job("a", "", State.QUEUED, Order("KR", Asked()), 0.0)
    Store(database).accept(job, Quota(1, 1))
    return Leases(database, lease_seconds=1000, most_attempts=10)


async def transcribe(
    engine: EchoEngine, plan: Plan, leases: Leases | None = None
) -> tuple[Transcript, KeptWindows | None]:
    settings = load_settings(["--vad", "off", *FLAGS])
    transcriber = Transcriber(Batcher(), settings)
    source = io.BytesIO(with_libsndfile(say(SAID), 16_000, "WAV", "FLOAT"))
    kept = None
    if leases is not None:
        kept = KeptWindows(leases, claim(leases).lease, ThreadPoolExecutor(2), "echo", engine.grid)
    words = transcriber.words(source, engine, plan, earlier=kept)
    spoken = tuple([word async for word in words])
    return Transcript(spoken, words.duration_seconds, words.report), kept


PLANS = {"best path": Plan(), "beam": Plan(Decoding((Hotword("cab"),)))}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_a_resumed_run_says_the_same_and_computes_only_the_rest(leases: Leases, plan: Plan) -> None:
    whole = EchoEngine()
    undisturbed, _ = asyncio.run(transcribe(whole, plan))
    with pytest.raises(Exception, match="model failed"):
        asyncio.run(transcribe(Fragile(5), plan, leases))
    leases.release(Lease("a", 1), 0)  # of the run that has crashed
    again = EchoEngine()
    resumed, kept = asyncio.run(transcribe(again, plan, leases))
    assert resumed == undisturbed
    assert kept is not None and 0 < kept.n_found <= 5
    assert len(again.lengths) == len(whole.lengths) - kept.n_found
    assert kept.done_seconds == pytest.approx(undisturbed.duration_seconds, abs=0.05)


def window(level: float = 0.5) -> Window:
    return Window(np.full(640, level, np.float32), slice(0, 2), 0)


def test_frames_of_something_else_are_not_used() -> None:
    mine = fingerprint(window(), BEST, "model fp32")
    assert fingerprint(window(), BEST, "model fp32") == mine
    others = {
        fingerprint(window(0.6), BEST, "model fp32"),
        fingerprint(window(), Top(blank=0), "model fp32"),
        fingerprint(window(), BEST, "model bf16"),
        fingerprint(Window(window().waveform, slice(0, 2), 5), BEST, "model fp32"),
        fingerprint(Window(window().waveform, slice(0, 1), 0), BEST, "model fp32"),
    }
    assert len(others) == 5 and mine not in others


@pytest.mark.parametrize("want", [BEST, Top(blank=0, n=3)])
def test_frames_are_stored_bit_for_bit(want: Want[AnyFrames]) -> None:
    rng = np.random.default_rng(0)
    frames = want.reduce(np.log(rng.dirichlet(np.ones(5), 7)).astype(np.float32), 1.3)
    back = from_bytes(to_bytes(frames), want)
    for ours, theirs in zip(back.arrays(), frames.arrays(), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_has_lost_its_lease_ends_at_its_next_window(leases: Leases) -> None:
    claimed = claim(leases)
    kept = KeptWindows(leases, claimed.lease, ThreadPoolExecutor(1), "echo", EchoEngine.grid)
    frames = BEST.reduce(np.zeros((2, 5), np.float32))
    asyncio.run(kept.keep(window(), BEST, frames))
    leases.release(claimed.lease, 0)
    with pytest.raises(LeaseLost):
        asyncio.run(kept.keep(window(0.1), BEST, frames))
