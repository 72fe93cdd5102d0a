"""The figures of a model, stored in ``figures.json``."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Score:
    """Error rates of one set: all edits divided by the total length."""

    n_clips: int
    cer: float
    cer_without_spaces: float
    wer: float
    exact: float
    """Share of clips without errors."""
    target: float | None = None
    """Target: the largest acceptable character error rate."""


@dataclass(frozen=True)
class EmptyFigure:
    """Clips without speech."""

    n_clips: int
    written: dict[str, str]
    """Texts that are not empty, by clip."""


@dataclass(frozen=True)
class PaddingFigure:
    """Clips in a padded batch compared with the same clips alone."""

    n_clips: int
    n_same_texts: int
    largest_logit_difference: float


@dataclass(frozen=True)
class TimeErrors:
    """Errors of word starts or ends, in seconds."""

    median: float
    """Signed: what remains after a constant lag is subtracted."""
    median_absolute: float
    high_absolute: float
    """95th percentile."""


@dataclass(frozen=True)
class WordTimes:
    """Times of recognised words compared with espeak-ng's phoneme events."""

    date: str
    n_clips: int
    n_words: int
    start_lag: float
    """Seconds subtracted from every start, by the registered `stt.types.Calibration`."""
    end_lag: float
    starts: TimeErrors
    ends: TimeErrors
    target_median: float = 0.060
    """The largest acceptable median of absolute errors."""
    target_high: float = 0.150


@dataclass(frozen=True)
class ConfidenceFigure:
    """Confidences of words in noise, and how many words are right."""

    date: str
    n_words: int
    share_right: float
    mean_confidence: float
    temperature: float
    """The registered temperature."""
    calibration_error: float
    """Expected calibration error, ten bins, at that temperature."""
    error_without: float
    """The same at temperature 1."""
    target: float = 0.05


@dataclass(frozen=True)
class PrecisionFigure:
    """The same clips and weights in another engine or precision."""

    backend: str
    precision: str
    cer: float
    """Compared with the truth."""
    difference: float
    """Character error rate compared with the text of fp32."""
    same: float
    """Share of clips with the same text as fp32."""
    target: float | None = None
    """Target: the largest acceptable CER above that of fp32."""


@dataclass(frozen=True)
class Precisions:
    """One `PrecisionFigure` per engine and precision; the first is fp32."""

    date: str
    libraries: str
    n_clips: int
    n_calibration_clips: int
    """Development clips used to calibrate int8."""
    rows: list[PrecisionFigure]


@dataclass(frozen=True)
class HeldOutText:
    """How well the language model predicts a set of texts that it has not seen."""

    n_texts: int
    perplexity: float
    """Per unit, with the end of each text, without unknown units."""
    bits_per_character: float
    unknown: float
    """Share of units that are not in its vocabulary."""


@dataclass(frozen=True)
class LanguageModelFigure:
    """The n-gram model in ``language_model/``."""

    date: str
    command: str
    unit: str
    order: int
    n_texts: int
    """From the grammar."""
    n_chat_texts: int
    """From songys/Chatbot_data."""
    n_ngrams: list[int]
    """Of each order."""
    n_bytes: int
    held_out: dict[str, HeldOutText]


@dataclass(frozen=True)
class Machine:
    processor: str
    python: str
    torch: str
    transformers: str


@dataclass(frozen=True)
class TrainingRun:
    """How the weights were trained."""

    date: str
    command: str
    seed: int
    device: str
    threads: int
    n_texts: int
    corpus_hours: float
    audio_hours: float
    """Total audio in training, padding included."""
    minutes: float
    """Wall time, on a machine shared with other work."""
    note: str = ""
    """Any difference from what the command does."""


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
    """SHA-256 of the weights file, to detect figures of another model."""
    words: WordTimes | None = None
    confidence: ConfidenceFigure | None = None
    precision: Precisions | None = None
    language_model: LanguageModelFigure | None = None

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
        if model := fields.get("language_model"):
            texts = {name: HeldOutText(**each) for name, each in model["held_out"].items()}
            fields["language_model"] = LanguageModelFigure(**{**model, "held_out": texts})
        return cls(**fields)


def _rounded(value: object) -> object:
    """Round floats to four significant digits, so that files differ only where figures do."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
