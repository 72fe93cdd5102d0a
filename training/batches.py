"""Which clips are trained together, in which order and layout.

Everything follows from the seed and the position, so a resumed run hears the same as an
uninterrupted one. Batches are planned block by block; the plan of a block depends on the hours of
audio before it, never on the clock.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.augment import Augmenter, normalise
from training.corpus import SAMPLE_RATE, Corpus
from training.recipe import FRAME_STRIDE, Curriculum, Recipe, n_output_frames

_BLOCK_CLIPS = 3000
_RECEPTIVE_FIELD_SAMPLES = 400
_JOINED_LEVEL = 0.1
"""Root mean square of clips before they are joined, varied by up to 4 dB."""
NO_PHONEME = -100


@dataclass(frozen=True)
class Position:
    """The progress of a run, to resume from."""

    block: int = 0
    batch: int = 0
    """Completed batches of this block."""
    block_start_seconds: float = 0.0
    seconds: float = 0.0
    """Audio so far, padding included."""


@dataclass(frozen=True)
class Unit:
    """One row of a batch: joined clips, or none."""

    clips: tuple[int, ...]
    n_samples: int
    """Padded length."""


@dataclass(frozen=True)
class Batch:
    waveforms: Tensor
    """``[n, n_samples] float32``, each of zero mean and unit variance, zeros after its end."""
    attention_mask: Tensor
    """``[n, n_samples] int64``."""
    labels: Tensor
    """``[n_labels] int64``, the token ids of all rows, concatenated."""
    label_lengths: Tensor
    """``[n] int64``."""
    phonemes: Tensor
    """``[n, n_frames] int64``, ``NO_PHONEME`` for unknown frames."""
    position: Position
    """The position after this batch."""

    @property
    def seconds(self) -> float:
        return self.waveforms.numel() / SAMPLE_RATE


def padded_samples(n_samples: float) -> int:
    """Round up to one of a few lengths, since oneDNN compiles kernels for each new shape."""
    seconds = n_samples / SAMPLE_RATE
    step = 0.4 if seconds <= 6.4 else 1.6 if seconds <= 20.8 else 8.0
    return round(math.ceil(seconds / step - 1e-9) * step * SAMPLE_RATE)


class BatchStream:
    """An endless stream of batches over one corpus."""

    def __init__(self, recipe: Recipe, corpus: Corpus, seed: int):
        self._recipe, self._corpus, self._seed = recipe, corpus, seed
        self._lengths = np.array([clip.n_samples for clip in corpus.clips])
        self._labels = [recipe.vocabulary.encode(clip.text) for clip in corpus.clips]
        names = sorted({name for clip in corpus.clips for name in clip.phonemes})
        self._phoneme_ids = {name: position for position, name in enumerate(names)}
        self._augmenter = Augmenter(seed)

    @property
    def n_phonemes(self) -> int:
        return len(self._phoneme_ids)

    def starting_at(self, position: Position) -> Iterator[Batch]:
        block, skipped = position.block, position.batch
        block_start = seconds = position.block_start_seconds
        while True:
            for number, units in enumerate(self._plan(block, block_start)):
                start_seconds = seconds
                seconds += len(units) * units[0].n_samples / SAMPLE_RATE
                if number < skipped:
                    continue
                rng = np.random.default_rng((self._seed, block, number))
                done = Position(block, number + 1, block_start, seconds)
                yield self._render(units, rng, start_seconds / 3600, done)
            block, skipped, block_start = block + 1, 0, seconds

    def _plan(self, block: int, start_seconds: float) -> list[list[Unit]]:
        """Plan the batches of a block; all units of a batch have the same padded length."""
        hours, curriculum = start_seconds / 3600, self._recipe.curriculum
        rng = np.random.default_rng((self._seed, block))
        candidates = np.arange(len(self._lengths))
        if hours < curriculum.short_until_hours:
            candidates = candidates[self._lengths < curriculum.short_seconds * SAMPLE_RATE]
        chosen = rng.permutation(candidates)[:_BLOCK_CLIPS]
        waiting: dict[int, list[Unit]] = {}
        batches = []
        for unit in self._units(chosen, hours, curriculum, rng):
            row = waiting.setdefault(unit.n_samples, [])
            row.append(unit)
            n_rows = int(self._recipe.batch_seconds * SAMPLE_RATE / unit.n_samples)
            if len(row) >= max(1, n_rows):
                batches.append(waiting.pop(unit.n_samples))
        rng.shuffle(batches)  # units left in `waiting` are dropped: their clips come again later
        return batches

    def _units(
        self, chosen: np.ndarray, hours: float, curriculum: Curriculum, rng: np.random.Generator
    ) -> Iterator[Unit]:
        queue = [int(index) for index in chosen]
        while queue:
            draw = rng.random()
            if hours >= curriculum.empty_from_hours and draw < curriculum.empty_share:
                longest = 6.4 if rng.random() < 0.85 else 20.0
                yield Unit((), padded_samples(rng.uniform(0.5, longest) * SAMPLE_RATE))
                continue
            clips = [queue.pop()]
            total = self._lengths[clips[0]] + rng.uniform(0.05, 0.5) * SAMPLE_RATE
            if rng.random() < 0.06:
                total += rng.uniform(0.5, 2.5) * SAMPLE_RATE  # a pause before speech
            goal, longest_pause = self._goal(draw, hours, curriculum, rng)
            while goal and queue and total < goal * SAMPLE_RATE:
                clips.append(queue.pop())
                total += self._lengths[clips[-1]] + rng.uniform(0.1, longest_pause) * SAMPLE_RATE
            yield Unit(tuple(clips), padded_samples(total))

    @staticmethod
    def _goal(
        draw: float, hours: float, curriculum: Curriculum, rng: np.random.Generator
    ) -> tuple[float, float]:
        """Target seconds of joined clips (0: one clip alone), and the longest pause."""
        if hours < curriculum.long_from_hours:
            return 0.0, 0.0
        if draw > 1 - curriculum.longest_share:
            return rng.uniform(20, 58), 0.6
        if hours >= curriculum.windows_from_hours:
            in_window = draw > 1 - curriculum.longest_share - curriculum.window_share
            return (rng.uniform(6.5, 22.5), 1.3) if in_window else (0.0, 0.0)
        is_long = draw > 1 - curriculum.longest_share - curriculum.long_share
        return (rng.uniform(6.5, 18.5), 0.6) if is_long else (0.0, 0.0)

    def _render(
        self, units: list[Unit], rng: np.random.Generator, hours: float, done: Position
    ) -> Batch:
        n_samples = units[0].n_samples
        n_frames = n_output_frames(n_samples)
        waveforms = np.zeros((len(units), n_samples), np.float32)
        mask = np.zeros((len(units), n_samples), np.int64)
        phonemes = np.full((len(units), n_frames), NO_PHONEME, np.int64)
        labels: list[int] = []
        label_lengths = []
        for row, unit in enumerate(units):
            if unit.clips:
                waveform, ids = self._speech(unit, rng, phonemes[row])
                if hours >= self._recipe.curriculum.noise_from_hours:
                    waveform = self._augmenter.noisy(waveform, rng)
            else:
                length = rng.integers(max(8_000, n_samples - 6_000), n_samples + 1)
                waveform, ids = self._augmenter.empty(int(length), rng), []
            waveforms[row, : len(waveform)] = normalise(waveform)
            mask[row, : len(waveform)] = 1
            labels += ids
            label_lengths.append(len(ids))
        return Batch(
            torch.from_numpy(waveforms),
            torch.from_numpy(mask),
            torch.tensor(labels, dtype=torch.int64),
            torch.tensor(label_lengths, dtype=torch.int64),
            torch.from_numpy(phonemes),
            done,
        )

    def _speech(
        self, unit: Unit, rng: np.random.Generator, phonemes: np.ndarray
    ) -> tuple[np.ndarray, list[int]]:
        """Join clips with silence around and between them; return their token ids too.

        Fills ``phonemes`` (``[n_frames]``) with the phoneme of each frame. Three rows in ten end
        before the padded length, so that the model learns padding too.
        """
        spare = unit.n_samples - int(self._lengths[list(unit.clips)].sum())
        shares = rng.dirichlet(np.ones(len(unit.clips) + 1)) * rng.uniform(0.3, 1.0)
        if rng.random() < 0.15:
            shares[0] = 0.0
        pauses = (shares * max(0, spare)).astype(int)
        ends_early = rng.random() < 0.3
        parts, ids, cursor = [np.zeros(pauses[0], np.float32)], [], int(pauses[0])
        for number, index in enumerate(unit.clips):
            waveform = self._corpus.waveform(index)
            if len(unit.clips) > 1:
                level = math.sqrt(float(np.mean(waveform**2))) + 1e-6
                waveform *= np.float32(_JOINED_LEVEL / level * 10 ** rng.uniform(-0.2, 0.2))
            if number:
                ids.append(self._recipe.vocabulary.encode(" ")[0])
            ids += self._labels[index]
            self._mark_phonemes(index, cursor, phonemes)
            parts += [waveform, np.zeros(pauses[number + 1], np.float32)]
            cursor += len(waveform) + int(pauses[number + 1])
        if not ends_early:
            parts.append(np.zeros(max(0, unit.n_samples - cursor), np.float32))
        return np.concatenate(parts)[: unit.n_samples], ids

    def _mark_phonemes(self, index: int, offset_samples: int, phonemes: np.ndarray) -> None:
        clip = self._corpus.clips[index]
        starts = [*clip.phoneme_samples, clip.n_samples]
        half_field = _RECEPTIVE_FIELD_SAMPLES // 2
        frames = [
            max(0, round((start + offset_samples - half_field) / FRAME_STRIDE)) for start in starts
        ]
        for name, first, last in zip(clip.phonemes, frames[:-1], frames[1:], strict=True):
            phonemes[first:last] = self._phoneme_ids[name]
