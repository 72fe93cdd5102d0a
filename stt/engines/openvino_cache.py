"""Where optimised models lie: beside the model cache, under a name that tells what made them.

A new checkpoint, a new OpenVINO or a new graph of ours gets a new name, so that what is served is
never an optimisation of something else.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from stt.languages import ModelSource
from stt.types import FrameGrid, Vocabulary

GRAPH_VERSION = 6
"""Of `stt.engines.openvino_export`; a change there that changes results raises it."""
ENCODER, CONTEXT = "encoder.xml", "context.xml"
"""OpenVINO's graphs, from waveform to features to logits; their weights lie beside them."""
PRECISIONS = ("int8", "bf16")
"""What can be made, the preferred one first."""


@dataclass(frozen=True)
class Place:
    """One optimised model's folder; it exists only if the model passed its comparison."""

    folder: Path
    precision: str

    @property
    def model(self) -> Path:
        """A graph, which is there if anything is."""
        return self.folder / CONTEXT

    @property
    def report(self) -> Path:
        """What the optimisation cost, as JSON."""
        return self.folder / "report.json"


@dataclass(frozen=True)
class ExportManifest:
    """What an engine needs to know of the checkpoint besides the graph."""

    vocabulary: Vocabulary
    grid: FrameGrid
    normalises: bool
    """Whether a waveform is brought to zero mean and unit variance."""
    piece_frames: int | None
    """That the encoder computes at once; None is all, where its norm is over the whole of time."""

    def save(self, folder: Path) -> None:
        """Write it beside the graph."""
        text = json.dumps(asdict(self), ensure_ascii=False)
        (folder / "checkpoint.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ExportManifest":
        """Read what `save` has written; ValueError or KeyError if it is something else."""
        fields = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
        vocabulary = fields["vocabulary"]
        return cls(
            Vocabulary(**{**vocabulary, "symbols": tuple(vocabulary["symbols"])}),
            FrameGrid(**fields["grid"]),
            fields["normalises"],
            fields["piece_frames"],
        )


def place_of(source: ModelSource, checkpoint: Path, precision: str, cache: Path | None) -> Place:
    """Where the optimised model of a checkpoint is or would be.

    Args:
        source: The model as it is configured.
        checkpoint: Its folder, as `stt.models.source.find_model` returns it.
        precision: One of `PRECISIONS`.
        cache: As ``cache_dir`` in the settings; None is the hub client's own.
    """
    facts = [_identity(source, checkpoint), precision, str(GRAPH_VERSION), _openvino_version()]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9._-]+", "--", source.id)
    return Place(_root(cache) / f"{name}-{precision}-{digest}", precision)


def find_optimized(
    source: ModelSource, checkpoint: Path, cache: Path | None, precision: str = "auto"
) -> Place | None:
    """The optimised model to serve, where there is one."""
    for each in PRECISIONS if precision == "auto" else (precision,):
        place = place_of(source, checkpoint, each, cache)
        if place.model.is_file():
            return place
    return None


def _root(cache: Path | None) -> Path:
    if cache is not None:
        return cache / "stt-optimized"
    from huggingface_hub.constants import HF_HOME

    return Path(HF_HOME) / "stt-optimized"


def _identity(source: ModelSource, checkpoint: Path) -> str:
    """What tells one checkpoint from another without reading it all."""
    if source.folder is None:
        return f"{source.id}@{checkpoint.name}"  # the hub's cache names snapshots by commit
    files = sorted(checkpoint.glob("*.safetensors")) + sorted(checkpoint.glob("*.bin"))
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{source.id} {stats}"


def _openvino_version() -> str:
    try:
        return version("openvino")
    except PackageNotFoundError:
        return "none"
