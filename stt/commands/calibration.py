"""Recordings for ``stt optimize``: to calibrate int8 with, and to compare models on."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stt.audio.containers import AUDIO_SUFFIXES
from stt.audio.reading import read_audio
from stt.commands.scoring import read_manifest
from stt.errors import AudioError, ConfigurationError
from stt.languages import Language, samples_folder
from stt.types import SAMPLE_RATE, FrameGrid, Waveform

FEWEST_CLIPS = 24
"""With fewer, each is heard again in noise, so that ranges are not those of a few clean voices."""


@dataclass(frozen=True)
class Clip:
    """A recording to calibrate and compare with."""

    name: str
    waveform: Waveform
    text: str | None
    """What is said, where that is known."""


def read_clips(
    folder: Path | None, language: Language, limit: int, max_seconds: float
) -> list[Clip]:
    """The user's recordings, or else those of the package that are in the language.

    Of each only the beginning is taken, ``max_seconds``: as much as the service's windows hold.

    Raises:
        ConfigurationError: there are none, or none can be decoded.
    """
    texts: dict[Path, str] = {}
    if folder is None:
        folder = samples_folder()
        print(
            "No --calibration: taking the package's few samples, which are a synthetic voice. "
            "Recordings like yours make a better model.",
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
            print(f"{path.name} is left out: {error}", file=sys.stderr)
            continue
        if len(waveform) < SAMPLE_RATE // 2:
            continue
        name = str(path.relative_to(folder))
        whole = len(waveform) < max_seconds * SAMPLE_RATE
        clips.append(Clip(name, waveform, texts.get(path.resolve()) if whole else None))
    if not clips:
        raise ConfigurationError(
            f"There is no recording to calibrate with in {folder}. Expected audio files of speech."
        )
    return clips


def beginning_of(path: Path, max_seconds: float) -> Waveform:
    """The first seconds of a recording."""
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
    """The waveforms; if they are few, again in white noise of 20, 10 and 5 dB below them."""
    heard = list(waveforms)
    if len(waveforms) < FEWEST_CLIPS:
        for ratio_db in (20, 10, 5):
            heard += in_noise(waveforms, ratio_db)
    return heard


def in_noise(waveforms: Sequence[Waveform], ratio_db: float) -> list[Waveform]:
    """Each with white noise that is so many decibels below it; the same noise every time."""
    random = np.random.default_rng(int(ratio_db))
    noisy = []
    for waveform in waveforms:
        level = np.sqrt(np.mean(waveform**2)) * 10 ** (-ratio_db / 20)
        noise = random.standard_normal(len(waveform), np.float32)
        noisy.append(waveform + np.float32(level) * noise)
    return noisy


def heard_again(clips: Sequence[Clip], grid: FrameGrid) -> list[Clip]:
    """The clips; if they are few, each at eight offsets within a frame, clean and in faint noise.

    A few clips have a hundred characters, of which one is 1 %. Where two symbols are nearly equal,
    int8 picks the other one now here, now there; over the offsets that averages out.
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
