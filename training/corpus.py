"""Spoken texts on disk: one file of 16 kHz samples and one of what they are, per set."""

import json
import multiprocessing
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soxr

from training.espeak import Espeak, Voice

SAMPLE_RATE = 16_000
"""Of everything stored here and of the models, in samples a second."""
_SILENCE = 1e-4
_CLIPS_PER_PROCESS = 500
_MARGIN_BEFORE_SAMPLES, _MARGIN_AFTER_SAMPLES = 160, 320


@dataclass(frozen=True)
class Delivery:
    """The ranges from which each clip's manner of speaking is drawn."""

    voices: tuple[str, ...]
    """Repeat a voice to hear it more often."""
    words_per_minute: tuple[int, int] = (90, 185)
    pitch: tuple[int, int] = (20, 80)
    word_gap: tuple[int, int] = (0, 6)
    stretch: float = 0.08
    """Three clips in ten are played up to this much faster or slower (pitch moves too)."""

    def draw(self, rng: random.Random) -> tuple[Voice, float]:
        """A voice and the factor by which its sound is sped up."""
        default = rng.random() < 0.1
        voice = Voice(
            name=rng.choice(self.voices),
            words_per_minute=rng.randint(*self.words_per_minute),
            pitch=50 if default else rng.randint(*self.pitch),
            pitch_range=50 if default or rng.random() < 0.6 else rng.randint(20, 80),
            volume=rng.randint(40, 130),
            word_gap=rng.randint(*self.word_gap),
        )
        stretched = self.stretch and rng.random() < 0.3
        return voice, rng.uniform(1 - self.stretch, 1 + self.stretch) if stretched else 1.0


@dataclass(frozen=True)
class Clip:
    """One spoken text, by where its samples lie in the set's file."""

    text: str
    voice: str
    words_per_minute: int
    word_gap: int
    first_sample: int
    n_samples: int
    phoneme_samples: list[int]
    """Where each phoneme begins, counted from the clip's first sample at 16 kHz."""
    phonemes: list[str]


class Corpus:
    """The clips of one set, read from disk as they are asked for."""

    def __init__(self, stem: Path):
        rows = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        self.clips = [Clip(**row) for row in rows]
        self._samples = np.memmap(stem.with_suffix(".pcm"), dtype=np.int16, mode="r")

    def __len__(self) -> int:
        return len(self.clips)

    def waveform(self, index: int) -> np.ndarray:
        """``[n_samples] float32`` in -1..1 at 16 kHz."""
        clip = self.clips[index]
        samples = self._samples[clip.first_sample : clip.first_sample + clip.n_samples]
        return samples.astype(np.float32) / 32_768

    def waveforms(self) -> list[np.ndarray]:
        return [self.waveform(index) for index in range(len(self))]

    @property
    def texts(self) -> list[str]:
        return [clip.text for clip in self.clips]

    @property
    def total_seconds(self) -> float:
        return sum(clip.n_samples for clip in self.clips) / SAMPLE_RATE


@cache
def _espeak() -> Espeak:
    return Espeak()


def synthesise(text: str, voice: Voice, speedup: float = 1.0) -> tuple[np.ndarray, list, list]:
    """``text`` as ``[n_samples] float32`` at 16 kHz, trimmed; its phonemes' starts and names."""
    speech = _espeak().speak(text, voice)
    source_rate = _espeak().sample_rate * speedup
    waveform = soxr.resample(speech.waveform.astype(np.float32) / 32_768, source_rate, SAMPLE_RATE)
    audible = np.flatnonzero(np.abs(waveform) > _SILENCE)
    if len(audible) == 0:
        return np.zeros(0, np.float32), [], []
    start = max(0, int(audible[0]) - _MARGIN_BEFORE_SAMPLES)
    end = min(len(waveform), int(audible[-1]) + _MARGIN_AFTER_SAMPLES)
    starts, names = [], []
    for sample, name in speech.phonemes:
        position = round(sample * SAMPLE_RATE / source_rate) - start
        if position < end - start:
            starts.append(max(0, position))
            names.append(name)
    return waveform[start:end], starts, names


def _render(job: tuple[str, str, Delivery, int]) -> tuple[np.ndarray, Clip]:
    """One clip, its ``first_sample`` still to be set; the same for the same job."""
    text, spoken, delivery, seed = job
    rng = random.Random(seed)
    voice, speedup = delivery.draw(rng)
    closing = rng.choice(("", "", ".", "?", "!"))
    waveform, starts, names = synthesise(spoken + closing, voice, speedup)
    samples = np.clip(np.round(waveform * 32_767), -32_768, 32_767).astype(np.int16)
    clip = Clip(
        text, voice.name, voice.words_per_minute, voice.word_gap, 0, len(samples), starts, names
    )
    return samples, clip


def _rendered(jobs: Sequence, n_processes: int) -> Iterator[tuple[np.ndarray, Clip]]:
    """Every job's clip, in order; the same ones whatever the number of processes.

    espeak-ng carries state (vibrato, breath noise) from one clip to the next, so each chunk of
    jobs has a process of its own. Forked, for the caller may have imported a lot.
    """
    with multiprocessing.get_context("fork").Pool(n_processes, maxtasksperchild=1) as pool:
        yield from pool.imap(_render, jobs, chunksize=_CLIPS_PER_PROCESS)


def write_corpus(
    stem: Path,
    texts: Sequence[str],
    delivery: Delivery,
    seed: int,
    *,
    lower_case: bool = False,
    n_processes: int = 1,
) -> Corpus:
    """Speak ``texts`` into ``stem``.pcm and ``stem``.json; a finished set is read, not remade.

    ``lower_case``: what espeak-ng is given, where the model's own spelling is in capitals (which
    it would spell out).
    """
    if stem.with_suffix(".json").exists():
        return Corpus(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    set_seed = seed * 1_000_003 + zlib.crc32(stem.name.encode())
    jobs = [
        (text, text.lower() if lower_case else text, delivery, set_seed + position)
        for position, text in enumerate(texts)
    ]
    rows, first_sample = [], 0
    with stem.with_suffix(".pcm").open("wb") as file:
        for samples, clip in _rendered(jobs, n_processes):
            if len(samples) == 0:
                continue
            file.write(samples.tobytes())
            rows.append({**asdict(clip), "first_sample": first_sample})
            first_sample += len(samples)
    stem.with_suffix(".json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return Corpus(stem)
