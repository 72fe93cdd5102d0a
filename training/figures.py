"""What was measured, as ``figures.json`` holds it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Score:
    """Error rates of one set; the whole set's edits by the whole set's length."""

    n_clips: int
    cer: float
    cer_without_spaces: float
    wer: float
    exact: float
    """Share of clips without any error."""
    target: float | None = None
    """Largest character error rate that was aimed at."""


@dataclass(frozen=True)
class EmptyFigure:
    """Clips in which nobody speaks."""

    n_clips: int
    written: dict[str, str]
    """What was written all the same, by clip."""


@dataclass(frozen=True)
class PaddingFigure:
    """Clips in a padded batch against the same clips alone."""

    n_clips: int
    n_same_texts: int
    largest_logit_difference: float


@dataclass(frozen=True)
class Machine:
    processor: str
    python: str
    torch: str
    transformers: str


@dataclass(frozen=True)
class TrainingRun:
    """How the weights came about."""

    date: str
    command: str
    seed: int
    device: str
    threads: int
    n_texts: int
    corpus_hours: float
    audio_hours: float
    """Audio heard in all, padding included."""
    minutes: float
    """Wall clock, on a machine that had other work too."""
    note: str = ""
    """What was done otherwise than the command would do it."""


@dataclass(frozen=True)
class Figures:
    model: str
    date: str
    command: str
    seed: int
    machine: Machine
    training: TrainingRun
    n_parameters: int
    n_bytes: int
    scores: dict[str, Score]
    empty: EmptyFigure
    padding: PaddingFigure | None

    def save(self, path: Path) -> None:
        text = json.dumps(_rounded(asdict(self)), ensure_ascii=False, indent=1)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Figures":
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["machine"] = Machine(**fields["machine"])
        fields["training"] = TrainingRun(**fields["training"])
        fields["scores"] = {name: Score(**score) for name, score in fields["scores"].items()}
        fields["empty"] = EmptyFigure(**fields["empty"])
        fields["padding"] = PaddingFigure(**fields["padding"]) if fields["padding"] else None
        return cls(**fields)


def _rounded(value: object) -> object:
    """Floats to four significant digits, so that a file differs only where a figure does."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
