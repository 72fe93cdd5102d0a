"""Locates optimised models, next to the model cache.

A folder's name depends on the checkpoint, the precision, OpenVINO's version and our graph's, so an
outdated model is never served.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from stt.languages import ModelSource
from stt.settings.folders import beside_cache
from stt.types import FrameGrid, Vocabulary

GRAPH_VERSION = 8
"""To be raised when `stt.engines.openvino_export` changes results."""
ENCODER, CONTEXT = "encoder.xml", "context.xml"
"""OpenVINO's graphs of our own forward: waveform to features, features to logits. Checkpoints that
transformers computes have only the second, which takes all of the model's inputs. Weights are
stored next to them."""
PRECISIONS = ("int8", "bf16")
"""Available precisions, preferred first."""


@dataclass(frozen=True)
class Place:
    """An optimised model's folder, which exists only if the model passed its comparison."""

    folder: Path
    precision: str

    @property
    def model(self) -> Path:
        """The graph that shows whether the model exists."""
        return self.folder / CONTEXT

    @property
    def report(self) -> Path:
        """What the optimisation cost in accuracy, as JSON."""
        return self.folder / "report.json"


@dataclass(frozen=True)
class ExportManifest:
    """What an engine needs from the checkpoint besides the graph."""

    vocabulary: Vocabulary
    grid: FrameGrid
    normalises: bool
    """Whether waveforms are scaled to zero mean and unit variance."""
    piece_frames: int | None
    """Frames that the encoder computes at once; None means all, for group norm over time."""
    is_split: bool = True
    """Whether there are two graphs."""
    takes_log_mel: bool = False
    """Whether the graph takes log-mel features; the feature extractor's files lie beside it."""
    min_samples: int = 0
    """Shorter waveforms are filled with zeros."""

    def save(self, folder: Path) -> None:
        """Write the manifest next to the graph."""
        fields = asdict(self)
        fields["vocabulary"]["special"] = sorted(self.vocabulary.special)
        text = json.dumps(fields, ensure_ascii=False)
        (folder / "checkpoint.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ExportManifest":
        """Read what `save` wrote; raises ValueError, TypeError or KeyError if it is
        invalid."""
        fields = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
        vocabulary = fields["vocabulary"]
        vocabulary["symbols"] = tuple(vocabulary["symbols"])
        vocabulary["special"] = frozenset(vocabulary["special"])
        return cls(
            **{
                **fields,
                "vocabulary": Vocabulary(**vocabulary),
                "grid": FrameGrid(**fields["grid"]),
            }
        )


def place_of(source: ModelSource, checkpoint: Path, precision: str, cache: Path | None) -> Place:
    """The place of a checkpoint's optimised model, whether it exists or not.

    Args:
        source: The configured model.
        checkpoint: Its folder, as `stt.models.source.find_model` returns it.
        precision: One of `PRECISIONS`.
        cache: ``cache_dir`` of the settings; None means the hub client's default.
    """
    facts = [_identity(source, checkpoint), precision, str(GRAPH_VERSION), _openvino_version()]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9._-]+", "--", source.name)
    return Place(beside_cache(cache, "stt-optimized") / f"{name}-{precision}-{digest}", precision)


def find_optimized(
    source: ModelSource, checkpoint: Path, cache: Path | None, precision: str = "auto"
) -> Place | None:
    """The optimised model to serve, or None."""
    for each in PRECISIONS if precision == "auto" else (precision,):
        place = place_of(source, checkpoint, each, cache)
        if place.model.is_file():
            return place
    return None


def _identity(source: ModelSource, checkpoint: Path) -> str:
    """Identifies a checkpoint without reading its weights."""
    if source.folder is None:
        return f"{source.name}@{checkpoint.name}"  # the hub's cache names snapshots by commit
    files = sorted(checkpoint.glob("*.safetensors")) + sorted(checkpoint.glob("*.bin"))
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{source.name} {stats}"


def _openvino_version() -> str:
    try:
        return version("openvino")
    except PackageNotFoundError:
        return "none"
