"""Spoken texts on disk: per set, a file of 16 kHz samples and a file that describes them."""

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
"""Of all stored audio and of the models, in samples per second."""
_SILENCE = 1e-4
_CLIPS_PER_PROCESS = 500
_MARGIN_BEFORE_SAMPLES, _MARGIN_AFTER_SAMPLES = 160, 320


@dataclass(frozen=True)
class Delivery:
    """Ranges of the random manner of speaking of each clip."""

    voices: tuple[str, ...]
    """A repeated voice is used more often."""
    words_per_minute: tuple[int, int] = (90, 185)
    pitch: tuple[int, int] = (20, 80)
    word_gap: tuple[int, int] = (0, 6)
    stretch: float = 0.08
    """Three clips in ten are played faster or slower by up to this share (pitch changes too)."""

    def draw(self, rng: random.Random) -> tuple[Voice, float]:
        """Draw a voice and the factor by which its speech is sped up."""
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
    """One spoken text and the position of its samples in the file."""

    text: str
    voice: str
    words_per_minute: int
    word_gap: int
    first_sample: int
    n_samples: int
    phoneme_samples: list[int]
    """Start of each phoneme in samples from the start of the clip."""
    phonemes: list[str]


class Corpus:
    """The clips of one set, read from disk on demand."""

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
    """Speak ``text``: ``[n_samples] float32`` at 16 kHz, trimmed; phoneme starts and names."""
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
    """Render a clip, with ``first_sample`` 0. Equal jobs give equal clips."""
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
    """Yield the clip of every job in order, independent of the number of processes.

    espeak-ng carries state (vibrato, breath noise) from clip to clip, so each chunk of jobs gets a
    new process, forked because the caller may have imported a lot.
    """
    with multiprocessing.get_context("fork").Pool(n_processes, maxtasksperchild=1) as pool:
        yield from pool.imap(_render, jobs, chunksize=_CLIPS_PER_PROCESS)


def write_corpus(
    stem: Path,
    texts: Sequence[str],
    delivery: Delivery,
    seed: int,
    *,
    spoken: Sequence[str] | None = None,
    lower_case: bool = False,
    n_processes: int = 1,
) -> Corpus:
    """Speak ``texts`` into ``stem``.pcm and ``stem``.json, or read them if they exist.

    espeak-ng gets ``spoken`` instead if given: the same words with pauses, say. With ``lower_case``
    it gets lower-case text, since it spells out capitals.
    """
    if stem.with_suffix(".json").exists():
        return Corpus(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    set_seed = seed * 1_000_003 + zlib.crc32(stem.name.encode())
    jobs = [
        (text, heard.lower() if lower_case else heard, delivery, set_seed + position)
        for position, (text, heard) in enumerate(zip(texts, spoken or texts, strict=True))
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
