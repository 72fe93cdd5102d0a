"""What a family of checkpoints is: front end, frames, forward."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from stt.types import FrameGrid, Vocabulary


class Input(Enum):
    """What a model's forward takes."""

    WAVEFORM = "waveform"
    """Waveforms ``[n, n_samples]`` and their lengths ``[n]``, or None if nothing is padded."""
    LOG_MEL = "log-mel"
    """transformers' features ``[n, n_mel_frames, n_mel]`` and their mask ``[n, n_mel_frames]``."""


Layers: TypeAlias = MutableMapping[tuple[Path, str], Any]
"""Layers that several languages share, by checkpoint folder and torch dtype."""


@dataclass(frozen=True)
class Family:
    """One family. All functions but ``load`` get transformers' configuration of the checkpoint."""

    name: str
    architecture: str
    """The class that config.json names."""
    grid: Callable[[Any, Any], FrameGrid]
    """Frames from the configuration and the feature extractor; exact for every length."""
    is_padding_safe: Callable[[Any], bool]
    """Whether padding, under a mask, leaves the log-probs of a batch's rows unchanged.

    Only then may windows of different lengths share a batch. A test compares log-probs.
    """
    load: "Callable[[Checkpoint, Any, Layers], Any]"
    """The model in a torch dtype: a module from the inputs of `Input` to logits. See
    `stt.engines.torch.load_model` for the errors."""
    input: Input = Input.WAVEFORM
    min_samples: Callable[[Any], int] = lambda config: 0
    """Shorter waveforms are filled with zeros before the forward."""
    can_optimize: Callable[[Any], bool] = lambda config: True
    """Whether `stt optimize` can convert it to OpenVINO's graphs."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder in transformers' layout, read except for its weights."""

    folder: Path
    family: Family
    config: Any
    """transformers' configuration."""
    feature_extractor: Any
    vocabulary: Vocabulary
    grid: FrameGrid
    language: str | None = None
    """The language of the adapter to load, for checkpoints that have several (MMS)."""

    @property
    def normalises(self) -> bool:
        """Whether waveforms are scaled to zero mean and unit variance."""
        return self.family.input is Input.WAVEFORM and bool(self.feature_extractor.do_normalize)
