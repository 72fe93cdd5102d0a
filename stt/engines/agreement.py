"""Checks that an engine agrees with fp32 on this processor.

A model may be converted on one machine and served on another, and libraries pick kernels by
processor and input length. OpenVINO 2026.4's int8 grouped convolution, for example, is wrong on AMX
at some lengths (docs/library-faults.md). So a converted model carries a `Reference`: real speech at
a dozen lengths, with fp32's best symbol of each frame. Loading compares the engine with it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from stt.errors import ModelBroken
from stt.types import SAMPLE_RATE, FrameGrid, LogProbs, Waveform

REFERENCE_FRAMES = (112, 48, 1, 176, 17, 96, 192, 250, 333, 500, 720, 999)
"""Lengths to compare, most telling first, since large models reach only the first few in time:
kernels differ with the remainders of 16, 32 and 64 frames."""
REFERENCE_FILE = "reference.npz"
MAX_SHIFT = 0.15
"""Largest mean change of probability over the frames of one length. int8 shifts the bundled models
by 0.002 to 0.07 (5 frames), bf16 by 0.005, a wrong kernel by 0.4 to 0.5."""
MAX_CHECK_SECONDS = 1.0
"""Time limit of the comparison while loading. At least one length is always compared."""


class ComputesLogProbs(Protocol):
    """The part of an engine that is checked."""

    @property
    def grid(self) -> FrameGrid:
        """See `stt.engines.base.Engine`."""
        ...

    def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """``[n_frames, n_vocab] float32``, natural log, for each waveform."""
        ...


@dataclass(frozen=True, eq=False)
class Clip:
    """Speech of one length, and its result in fp32."""

    waveform: Waveform
    columns: NDArray[np.int32]
    """``[n_frames] int32``: each frame's best symbol."""
    log_probs: NDArray[np.float32]
    """``[n_frames] float32``: its log-prob, natural log."""


@dataclass(frozen=True)
class Agreement:
    """How an engine compares with fp32, over all compared lengths."""

    n_lengths: int
    n_frames: int
    equal: float
    """Share of frames with the same best symbol, 0 to 1."""
    shift: float
    """Mean change in probability of fp32's best symbol, at the length where it is largest."""
    shift_frames: int
    """That length, in frames."""
    seconds: float
    """Wall time of the engine's forwards, over `audio_seconds` of speech."""
    audio_seconds: float

    @property
    def holds(self) -> bool:
        """Whether the engine may be used."""
        return self.shift <= MAX_SHIFT

    def __str__(self) -> str:
        return (
            f"{self.equal:.2%} of {self.n_frames} frames equal fp32's at {self.n_lengths} lengths; "
            f"at {self.shift_frames} frames probabilities shift by {self.shift:.3f} "
            f"(limit {MAX_SHIFT:g})"
        )


@dataclass(frozen=True)
class Reference:
    """Speech at several lengths, with the checkpoint's fp32 results."""

    clips: tuple[Clip, ...]

    @classmethod
    def of(
        cls,
        exact: ComputesLogProbs,
        speech: Sequence[Waveform],
        lengths: Iterable[int] = REFERENCE_FRAMES,
    ) -> "Reference":
        """Cut speech to each length and compute it in fp32.

        Args:
            exact: The checkpoint in fp32.
            speech: Recordings, which are joined and repeated as needed.
            lengths: In frames.
        """
        joined: Waveform = np.concatenate(list(speech))
        # `save` stores 16 bits, so round before computing.
        joined = np.round(joined.clip(-1, 1) * 32767).astype(np.float32) / np.float32(32767)
        clips = []
        start = 0
        for n_frames in lengths:
            waveform: Waveform = np.resize(np.roll(joined, -start), exact.grid.n_samples(n_frames))
            [rows] = exact.log_probs([waveform])
            columns = rows.argmax(axis=1).astype(np.int32)
            clips.append(Clip(waveform, columns, _at(rows, columns)))
            start = (start + len(waveform)) % len(joined)
        return cls(tuple(clips))

    def compare(
        self,
        engine: ComputesLogProbs,
        *,
        max_seconds: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> Agreement:
        """Compare an engine's results for the same speech.

        Args:
            engine: The engine to check.
            max_seconds: Time limit, after which the remaining lengths are skipped.
            clock: Returns seconds; replaced in tests.
        """
        started = clock()
        n_equal = n_frames = n_samples = n_lengths = 0
        worst = (0.0, self.clips[0].columns.size)
        for clip in self.clips:
            [rows] = engine.log_probs([clip.waveform])
            shifts = np.abs(np.exp(_at(rows, clip.columns)) - np.exp(clip.log_probs))
            # NaN would compare as no shift, so count it as the largest.
            shift = float(np.nan_to_num(shifts, nan=1.0).mean())
            worst = max(worst, (shift, len(rows)))
            n_equal += int((rows.argmax(axis=1) == clip.columns).sum())
            n_frames += len(rows)
            n_samples += len(clip.waveform)
            n_lengths += 1
            if clock() - started >= max_seconds:
                break
        return Agreement(
            n_lengths, n_frames, n_equal / n_frames, *worst,
            seconds=clock() - started, audio_seconds=n_samples / SAMPLE_RATE,
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write the reference next to its graph."""
        arrays: dict[str, NDArray[Any]] = {}
        for index, clip in enumerate(self.clips):
            arrays[f"waveform{index}"] = np.round(clip.waveform * 32767).astype(np.int16)
            arrays[f"columns{index}"] = clip.columns
            arrays[f"log_probs{index}"] = clip.log_probs
        np.savez_compressed(folder / REFERENCE_FILE, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path) -> "Reference":
        """Read what `save` wrote.

        Raises:
            ModelBroken: the file is missing or invalid.
        """
        try:
            with np.load(folder / REFERENCE_FILE, allow_pickle=False) as arrays:
                clips = tuple(
                    Clip(
                        arrays[f"waveform{index}"].astype(np.float32) / 32767,
                        arrays[f"columns{index}"],
                        arrays[f"log_probs{index}"],
                    )
                    for index in range(len(arrays.files) // 3)
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise ModelBroken(
                "The optimised model cannot be checked on this machine: it has no readable "
                f"{REFERENCE_FILE}. Convert it again with `stt optimize`, or set STT_BACKEND=torch."
            ) from error
        return cls(clips)


def _at(rows: LogProbs, columns: NDArray[np.int32]) -> NDArray[np.float32]:
    """``[n_frames]``: each row's value in its column."""
    taken: NDArray[np.float32] = rows[np.arange(len(rows)), columns]
    return taken
