"""Recordings that ``stt optimize`` calibrates int8 with and compares models on."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stt.audio.containers import AUDIO_SUFFIXES
from stt.audio.reading import read_audio
from stt.errors import AudioError, ConfigurationError
from stt.evaluation.manifests import read_manifest
from stt.languages import Language, samples_folder
from stt.normalisation import compose
from stt.types import SAMPLE_RATE, FrameGrid, Waveform

FEWEST_CLIPS = 24
"""Below this, clips are also used with noise, so that a few clean voices do not set the ranges."""


@dataclass(frozen=True)
class Clip:
    """The beginning of a recording."""

    name: str
    waveform: Waveform
    text: str | None
    """The reference text, if known and the clip is the whole recording."""


def read_clips(
    folder: Path | None, language: Language, limit: int, max_seconds: float
) -> list[Clip]:
    """Read the user's recordings, or by default the package's samples of the language.

    Each is cut to its first ``max_seconds``, which is as much as a window of the service holds.

    Raises:
        ConfigurationError: there is none that can be decoded.
    """
    texts: dict[Path, str] = {}
    if folder is None:
        folder = samples_folder()
        print(
            "No --calibration: using the package's few samples of a synthetic voice. "
            "Recordings like those you will transcribe give a better model.",
            file=sys.stderr,
        )
        paths = sorted(folder.glob(f"{language.iso_639_1}-*")) or sorted(folder.glob("*-*"))
    else:
        paths = sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
        )
    manifest = folder / "texts.tsv"
    if manifest.is_file():
        texts = {each.path.resolve(): each.reference for each in read_manifest(manifest)}
    clips = []
    for path in paths[:limit]:
        try:
            waveform = beginning_of(path, max_seconds)
        except (AudioError, OSError) as error:
            print(f"Skipping {path.name}: {error}", file=sys.stderr)
            continue
        if len(waveform) < SAMPLE_RATE // 2:
            continue
        name = compose(str(path.relative_to(folder)))
        whole = len(waveform) < max_seconds * SAMPLE_RATE
        clips.append(Clip(name, waveform, texts.get(path.resolve()) if whole else None))
    if not clips:
        raise ConfigurationError(
            f"{folder} has no recordings to calibrate with. Expected audio files of speech."
        )
    return clips


def beginning_of(path: Path, max_seconds: float) -> Waveform:
    """Decode the first seconds of a recording."""
    n_wanted = int(max_seconds * SAMPLE_RATE)
    blocks, n_samples = [], 0
    with path.open("rb") as file:
        for block in read_audio(file, max_seconds=1e6):
            blocks.append(block)
            n_samples += len(block)
            if n_samples >= n_wanted:
                break
    return np.concatenate(blocks)[:n_wanted] if blocks else np.zeros(0, np.float32)


def with_noise(waveforms: Sequence[Waveform]) -> list[Waveform]:
    """Return the waveforms; if few, also each with white noise at an SNR of 20, 10 and 5 dB."""
    augmented = list(waveforms)
    if len(waveforms) < FEWEST_CLIPS:
        for ratio_db in (20, 10, 5):
            augmented += in_noise(waveforms, ratio_db)
    return augmented


def in_noise(waveforms: Sequence[Waveform], ratio_db: float) -> list[Waveform]:
    """Add white noise at this signal-to-noise ratio in dB; the noise is reproducible."""
    random = np.random.default_rng(int(ratio_db))
    noisy = []
    for waveform in waveforms:
        level = np.sqrt(np.mean(waveform**2)) * 10 ** (-ratio_db / 20)
        noise = random.standard_normal(len(waveform), np.float32)
        noisy.append(waveform + np.float32(level) * noise)
    return noisy


def augment(clips: Sequence[Clip], grid: FrameGrid) -> list[Clip]:
    """Return the clips; if few, each at eight offsets within a frame, clean and with faint noise.

    A few clips have about a hundred characters, so one character is 1 %. Where two symbols score
    nearly the same, int8 may pick either; averaging over offsets evens that out.
    """
    if len(clips) >= FEWEST_CLIPS:
        return list(clips)
    step = grid.stride_samples // 8
    shifted = [
        replace(clip, waveform=np.pad(clip.waveform, (offset, 0)))
        for offset in range(0, grid.stride_samples, step)
        for clip in clips
    ]
    noisy = in_noise([clip.waveform for clip in shifted], ratio_db=20)
    again = [replace(clip, waveform=wave) for clip, wave in zip(shifted, noisy, strict=True)]
    return shifted + again
