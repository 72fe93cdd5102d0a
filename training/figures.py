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
class TimeErrors:
    """How far one end of words is from where it really is, in seconds."""

    median: float
    """Signed: what the correction of a constant lag has left."""
    median_absolute: float
    high_absolute: float
    """95th percentile."""


@dataclass(frozen=True)
class WordTimes:
    """Times of recognised words against espeak-ng's phoneme events."""

    date: str
    n_clips: int
    n_words: int
    start_lag: float
    """Seconds that were taken off every start: the registry's `stt.types.Calibration`."""
    end_lag: float
    starts: TimeErrors
    ends: TimeErrors
    target_median: float = 0.060
    """Of absolute errors, at most."""
    target_high: float = 0.150


@dataclass(frozen=True)
class ConfidenceFigure:
    """Confidences of words, of which some are right, in noise."""

    date: str
    n_words: int
    share_right: float
    mean_confidence: float
    temperature: float
    """The registry's."""
    calibration_error: float
    """Expected calibration error, ten bins, at that temperature."""
    error_without: float
    """The same at temperature 1."""
    target: float = 0.05


@dataclass(frozen=True)
class PrecisionFigure:
    """The same clips and weights, computed otherwise."""

    backend: str
    precision: str
    cer: float
    """Against the truth."""
    difference: float
    """Character error rate against what fp32 reads."""
    same: float
    """Share of clips that read as in fp32."""
    target: float | None = None
    """Largest CER beyond fp32's that was aimed at."""


@dataclass(frozen=True)
class Precisions:
    """`PrecisionFigure` of each way to compute; the first is fp32."""

    date: str
    libraries: str
    n_clips: int
    n_calibration_clips: int
    """Development clips from which int8's ranges were taken."""
    rows: list[PrecisionFigure]


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
    weights: str = ""
    """SHA-256 of the weights' file, so that figures are not taken for another model's."""
    words: WordTimes | None = None
    confidence: ConfidenceFigure | None = None
    precision: Precisions | None = None

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
        if words := fields.get("words"):
            ends = {name: TimeErrors(**words[name]) for name in ("starts", "ends")}
            fields["words"] = WordTimes(**{**words, **ends})
        if confidence := fields.get("confidence"):
            fields["confidence"] = ConfidenceFigure(**confidence)
        if precision := fields.get("precision"):
            rows = [PrecisionFigure(**row) for row in precision["rows"]]
            fields["precision"] = Precisions(**{**precision, "rows": rows})
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
