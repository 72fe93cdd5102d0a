"""Held-out speech of a bundled model's recipe: what accuracy and live latency are measured on.

The clips are synthesised with the training seed by espeak-ng (Debian's libespeak-ng1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stt.engines.device import prepare_process
from stt.engines.torch import TorchEngine, load_torch_engine
from stt.languages import BUNDLED_FOLDER, BUNDLED_MODELS
from stt.types import Calibration
from training.corpus import SAMPLE_RATE, Clip, Corpus, write_corpus
from training.recipe import RECIPES
from training.splits import everyday_splits

SEED = 1
"""The training seed; it decides which texts are held out."""


@dataclass(frozen=True)
class Subject:
    """A model to measure, and the folder that keeps its synthesised speech."""

    name: str
    """Of its recipe."""
    folder: Path
    work_dir: Path
    seed: int = SEED

    @classmethod
    def bundled(cls, name: str) -> "Subject":
        """A model of the package."""
        return cls(name, BUNDLED_FOLDER / name, Path("runs") / name)

    @property
    def calibration(self) -> Calibration:
        """The calibration registered in `stt.languages`."""
        return BUNDLED_MODELS[self.name].calibration

    def load(self, threads: int = 1, precision: str = "fp32") -> TorchEngine:
        """Load the model as the service does on a CPU without extras."""
        prepare_process()
        import torch

        torch.set_num_threads(threads)
        return load_torch_engine(
            self.folder, device="cpu", precision=precision, calibration=self.calibration
        )

    def speak(self, split: str, set_name: str, **delivery: object) -> Corpus:
        """Synthesise a held-out split, or read it if an earlier run did."""
        recipe = RECIPES[self.name]
        splits = recipe.make_splits(recipe.n_train_texts, self.seed)
        return self.speak_texts(set_name, getattr(splits, split), **delivery)

    def unheard_words(self, n: int) -> list[str]:
        """The longest words of the test sets that training has in no form."""
        recipe = RECIPES[self.name]
        splits = recipe.make_splits(recipe.n_train_texts, self.seed)
        heard = " ".join([*splits.train, *splits.dev, *splits.test_sentences])
        words = {word for text in splits.test_words for word in text.split() if word not in heard}
        of_each_stem = {word[:5]: word for word in sorted(words, reverse=True)}
        return sorted(of_each_stem.values(), key=lambda word: (-len(word), word))[:n]

    def speak_texts(self, set_name: str, texts: Sequence[str], **delivery: object) -> Corpus:
        """Synthesise texts in the manner of the recipe, or read them if an earlier run did."""
        recipe = RECIPES[self.name]
        return write_corpus(
            self.work_dir / "benchmarks" / set_name,
            list(texts),
            replace(recipe.delivery, **delivery),  # type: ignore[arg-type]
            self.seed,
            lower_case=recipe.speaks_lower_case,
        )


@dataclass(frozen=True)
class SpokenWord:
    """A word and its true position in the clip, in seconds."""

    text: str
    start: float
    end: float


def everyday_sentences(path: Path) -> list[str]:
    """Those that no model of ours may see in training; see `everyday_splits`."""
    return everyday_splits(path).held_out


def true_words(clip: Clip) -> list[SpokenWord] | None:
    """The true position of each word of a clip, from espeak-ng's phoneme events.

    Words spoken with a gap are separated by a pause event, ``_``. (Word events would be simpler,
    but espeak-ng omits them before nasal consonants.) None if the pauses do not separate the words.
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
    """Add white noise at a signal-to-noise ratio."""
    level = np.sqrt(np.mean(waveform**2)) * 10 ** (-ratio_db / 20)
    return (waveform + level * random.standard_normal(len(waveform))).astype(np.float32)


def concatenations(
    corpus: Corpus,
    seconds: float,
    count: int,
    seed: int = 0,
    pauses: tuple[float, float] = (0.1, 0.8),
) -> Iterator[tuple[np.ndarray, list[int]]]:
    """Join clips at equal loudness, with pauses of so many seconds, into recordings of ``seconds``.

    Yields each waveform and the indices of its clips.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        pieces: list[np.ndarray] = []
        indices: list[int] = []
        length = 0
        while length < seconds * SAMPLE_RATE:
            index = int(random.integers(len(corpus)))
            clip = corpus.waveform(index)
            clip = clip * (0.1 / max(1e-4, float(np.sqrt(np.mean(clip**2)))))
            pause = np.zeros(round(random.uniform(*pauses) * SAMPLE_RATE))
            pieces += [clip, pause]
            indices.append(index)
            length += len(clip) + len(pause)
        yield np.concatenate(pieces).astype(np.float32), indices
