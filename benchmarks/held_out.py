"""Held-out sentences of a model's recipe, spoken anew."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stt.engines.device import prepare_process
from stt.engines.torch import TorchEngine, load_torch_engine
from stt.languages import BUNDLED_FOLDER, BUNDLED_MODELS
from stt.types import Calibration
from training.corpus import Clip, Corpus, write_corpus
from training.recipe import RECIPES

SEED = 1
"""The training's, which decides what is held out."""
SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Subject:
    """A model of one of the recipes, and where what is spoken for it is kept."""

    name: str
    folder: Path
    work_dir: Path
    seed: int = SEED

    @classmethod
    def bundled(cls, name: str) -> "Subject":
        """A model of the package."""
        return cls(name, BUNDLED_FOLDER / name, Path("runs") / name)

    @property
    def calibration(self) -> Calibration:
        """The registry's."""
        return BUNDLED_MODELS[self.name].calibration

    def load(self, threads: int = 1, precision: str = "fp32") -> TorchEngine:
        """The model as the service runs it without extras."""
        prepare_process()
        import torch

        torch.set_num_threads(threads)
        return load_torch_engine(
            self.folder, device="cpu", precision=precision, calibration=self.calibration
        )

    def speak(self, split: str, set_name: str, **delivery: object) -> Corpus:
        """A held-out split, spoken; kept for the next time."""
        recipe = RECIPES[self.name]
        splits = recipe.make_splits(recipe.n_train_texts, self.seed)
        return write_corpus(
            self.work_dir / "benchmarks" / set_name,
            getattr(splits, split),
            replace(recipe.delivery, **delivery),  # type: ignore[arg-type]
            self.seed,
            lower_case=recipe.speaks_lower_case,
        )


@dataclass(frozen=True)
class SpokenWord:
    """A word with where it really is, in seconds."""

    text: str
    start: float
    end: float


def true_words(clip: Clip) -> list[SpokenWord] | None:
    """Where a clip's words are, by espeak-ng's phoneme events.

    Between words spoken with a gap there is a pause event, ``_``. (Word events would be simpler,
    but are missing before nasal consonants.) None where the pauses do not separate the words.
    """
    words: list[tuple[int, int]] = []
    begin: int | None = None
    for sample, phoneme in zip(clip.phoneme_samples, clip.phonemes, strict=True):
        if phoneme.startswith("_"):
            if begin is not None:
                words.append((begin, sample))
                begin = None
        elif begin is None:
            begin = sample
    if begin is not None:
        words.append((begin, clip.n_samples))
    texts = clip.text.split()
    if len(texts) != len(words):
        return None
    return [
        SpokenWord(text, start / SAMPLE_RATE, end / SAMPLE_RATE)
        for text, (start, end) in zip(texts, words, strict=True)
    ]


def with_noise(waveform: np.ndarray, ratio_db: float, random: np.random.Generator) -> np.ndarray:
    """White noise added at a ratio of powers."""
    level = np.sqrt(np.mean(waveform**2)) * 10 ** (-ratio_db / 20)
    return (waveform + level * random.standard_normal(len(waveform))).astype(np.float32)


def concatenations(
    corpus: Corpus, seconds: float, count: int, seed: int = 0
) -> Iterator[tuple[np.ndarray, list[int], list[int]]]:
    """Clips of a corpus one after the other, evenly loud, with pauses of 0.1 to 0.8 s.

    Yields the waveform, the indices of its clips, and at which sample each begins.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        pieces: list[np.ndarray] = []
        indices: list[int] = []
        starts: list[int] = []
        length = 0
        while length < seconds * SAMPLE_RATE:
            index = int(random.integers(len(corpus)))
            clip = corpus.waveform(index)
            clip = clip * (0.1 / max(1e-4, float(np.sqrt(np.mean(clip**2)))))
            pause = np.zeros(round(random.uniform(0.1, 0.8) * SAMPLE_RATE))
            pieces += [clip, pause]
            indices.append(index)
            starts.append(length)
            length += len(clip) + len(pause)
        yield np.concatenate(pieces).astype(np.float32), indices, starts
