"""The comparison with fp32, on engines with known faults."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stt.engines.agreement import REFERENCE_FILE, Agreement, Reference
from stt.engines.self_check import compare_precision, doubt_of
from stt.errors import ModelBroken
from stt.types import LogProbs, Waveform
from tests.fakes import WAV2VEC2_GRID, say, spell_log_probs

LENGTHS = (48, 16, 5)


class Scribe:
    """Transcribes `say`'s sounds; at ``wrong_at`` frames it gives the letter before each."""

    grid = WAV2VEC2_GRID

    def __init__(self, wrong_at: int | None = None) -> None:
        self.wrong_at = wrong_at
        self.lengths: list[int] = []

    def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        results = []
        for waveform in waveforms:
            n_frames = self.grid.n_frames(len(waveform))
            self.lengths.append(n_frames)
            levels = waveform[: n_frames * 320].reshape(n_frames, 320).mean(axis=1)
            columns = np.round(levels * 10).astype(int) - 1
            if n_frames == self.wrong_at:
                columns = (columns - 1) % 5
            results.append(spell_log_probs(columns.tolist()))
        return results


SPEECH = [say("a b c "), say("cab ")]


def test_an_engine_agrees_with_itself_at_every_length() -> None:
    agreement = Reference.of(Scribe(), SPEECH, LENGTHS).compare(Scribe())
    assert (agreement.n_lengths, agreement.n_frames) == (3, sum(LENGTHS))
    assert (agreement.equal, agreement.shift, agreement.holds) == (1.0, 0.0, True)
    assert agreement.audio_seconds == pytest.approx(sum(LENGTHS) / 50, abs=0.02)


def test_one_wrong_length_is_a_disagreement() -> None:
    agreement = Reference.of(Scribe(), SPEECH, LENGTHS).compare(Scribe(wrong_at=16))
    assert not agreement.holds
    assert (agreement.shift_frames, agreement.equal) == (16, 1 - 16 / sum(LENGTHS))
    # The right symbol falls from 0.9 to 0.025, the probability of each other one.
    assert agreement.shift == pytest.approx(0.875)
    assert "at 16 frames probabilities shift by 0.875 (limit 0.15)" in str(agreement)


def test_output_that_is_not_finite_is_a_disagreement() -> None:
    class Broken(Scribe):
        def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
            return [np.full_like(rows, np.nan) for rows in super().log_probs(waveforms)]

    agreement = Reference.of(Scribe(), SPEECH, LENGTHS).compare(Broken())
    assert (agreement.shift, agreement.holds) == (1.0, False)


def test_the_time_limit_allows_at_least_one_length() -> None:
    reference = Reference.of(Scribe(), SPEECH, LENGTHS)
    ticks = iter(np.arange(0.0, 10.0, 0.4))
    engine = Scribe()
    agreement = reference.compare(engine, max_seconds=0.5, clock=lambda: next(ticks))
    assert engine.lengths == [48, 16]
    assert agreement.n_lengths == 2
    engine = Scribe()
    assert reference.compare(engine, max_seconds=0.0).n_lengths == 1
    assert engine.lengths == [48]


def test_a_saved_reference_loads_unchanged(tmp_path: Path) -> None:
    reference = Reference.of(Scribe(), SPEECH, LENGTHS)
    reference.save(tmp_path)
    loaded = Reference.load(tmp_path)
    for ours, theirs in zip(loaded.clips, reference.clips, strict=True):
        np.testing.assert_array_equal(ours.columns, theirs.columns)
        np.testing.assert_array_equal(ours.log_probs, theirs.log_probs)
        np.testing.assert_allclose(ours.waveform, theirs.waveform, atol=1e-7)
    assert loaded.compare(Scribe()).equal == 1.0


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"\x80\x04K\x01."])
def test_an_unreadable_reference_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / REFERENCE_FILE).write_bytes(content)
    with pytest.raises(ModelBroken, match="Convert it again with `stt optimize`"):
        Reference.load(tmp_path)


@pytest.mark.kernels
def test_bf16_agrees_with_fp32_on_this_machine() -> None:
    """If this fails, the service falls back to fp32 on this machine."""
    agreement = compare_precision("cpu", "bf16", 2)
    assert agreement.holds, agreement
    assert agreement.n_lengths == 4
    assert compare_precision("cpu", "fp32", 2).shift < 1e-3


def test_a_precision_that_disagrees_gives_a_warning() -> None:
    right = Agreement(1, 100, 1.0, 0.01, 48, 0.1, 2.0)
    wrong = Agreement(1, 100, 0.5, 0.4, 48, 0.1, 2.0)
    assert doubt_of("bf16", right) is None
    doubt = doubt_of("bf16", wrong)
    assert doubt is not None
    assert "torch's bf16 disagrees with fp32" in doubt
    assert "Set STT_PRECISION=fp32." in doubt
