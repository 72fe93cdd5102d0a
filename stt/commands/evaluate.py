"""``stt evaluate``: measure a model's error rates on recordings with reference texts."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from stt.commands.arguments import add_decoding, add_language, add_settings, begin, read_asked
from stt.commands.inputs import Recording
from stt.commands.outputs import write_whole
from stt.commands.progress import Progress
from stt.commands.recognition import LocalRecognizer, open_recognizer, with_language_model
from stt.commands.scoring import (
    DEFAULT_NORMALISER,
    NORMALISERS,
    Errors,
    Result,
    Scores,
    Utterance,
    compare,
    read_manifest,
    score,
    worst,
)
from stt.errors import ConfigurationError


@dataclass(frozen=True)
class Conditions:
    """Everything that must match before two evaluations can be compared."""

    model: str
    revision: str
    language: str
    backend: str
    precision: str
    device: str
    normaliser: str
    date: str
    """UTC, ISO 8601."""


@dataclass(frozen=True)
class Report:
    """The outcome of an evaluation."""

    conditions: Conditions
    scores: Scores
    """Over `results`, without the failed recordings."""
    results: tuple[Result, ...]
    n_failed: int
    audio_seconds: float
    work_seconds: float
    """Time to decode, infer and score all `results` one by one, without loading the model."""

    @property
    def rtfx(self) -> float:
        """Audio seconds for each second of work."""
        return self.audio_seconds / self.work_seconds if self.work_seconds else 0.0


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt evaluate",
        allow_abbrev=False,
        description="Transcribe the recordings of a manifest and compare the results with their "
        "reference texts. Exit status: 0 all transcribed, 1 some recording failed, 2 wrong usage "
        "or settings, 130 interrupted.",
    )
    parser.add_argument(
        "manifest",
        type=Path,
        metavar="MANIFEST",
        help=".tsv with the columns path (or file) and text, or .jsonl with these keys; paths are "
        "relative to the manifest",
    )
    add_language(parser)
    parser.add_argument(
        "--worst", type=int, default=10, metavar="N", help="show the N worst recordings [10]"
    )
    parser.add_argument(
        "--normaliser",
        choices=NORMALISERS,
        default=DEFAULT_NORMALISER,
        help="normalise both texts before comparing; basic: NFC, lower case, no punctuation, "
        f"single spaces; none: unchanged [{DEFAULT_NORMALISER}]",
    )
    add_decoding(parser)
    parser.add_argument(
        "--tune",
        action="store_true",
        help="try weights of the language model and print the best ones, instead of a report",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all results to FILE")
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        SttError: the evaluation could not start.
        ConfigurationError: the results could not be written.
    """
    options, settings = begin(make_parser(), arguments)
    utterances = read_manifest(options.manifest)
    settings = with_language_model(settings, options.lang, options.lm)
    with open_recognizer(options.lang, settings, read_asked(options)) as recognizer:
        if options.tune:
            from stt.commands.tuning import tune

            sys.stdout.write(tune(utterances, recognizer, options.normaliser))
            return 0
        report = evaluate(utterances, recognizer, options.normaliser)
    sys.stdout.write(render(report, options.worst))
    if options.json:
        try:
            write_whole(options.json, json.dumps(to_json(report), ensure_ascii=False, indent=1))
        except OSError as error:
            raise ConfigurationError(f"--json {options.json}: {error.strerror}.") from None
    return 1 if report.n_failed else 0


def evaluate(
    utterances: Sequence[Utterance],
    recognizer: LocalRecognizer,
    normaliser: str = DEFAULT_NORMALISER,
    today: date | None = None,
) -> Report:
    """Transcribe and score; failed recordings are logged and excluded from the scores."""
    recordings = [Recording(each.path, Path(each.name)) for each in utterances]
    results = []
    with Progress(len(recordings), sum(each.size for each in recordings)) as progress:
        for utterance, recording in zip(utterances, recordings, strict=True):
            with progress.recording(recording.name, recording.size) as counted:
                with recording.open() as file:
                    recognition = recognizer.recognize(counted(file), recording.name)
                seconds = recognition.transcript.duration_seconds
                results.append(compare(utterance, recognition.text, seconds, normaliser))
                progress.count(seconds)
    conditions = Conditions(
        model=recognizer.language.model.name,
        revision=recognizer.revision,
        language=recognizer.language.code,
        backend=recognizer.backend,
        precision=recognizer.precision,
        device=recognizer.device,
        normaliser=normaliser,
        date=(today or datetime.now(UTC).date()).isoformat(),
    )
    return Report(
        conditions=conditions,
        scores=score(result.compared for result in results),
        results=tuple(results),
        n_failed=progress.n_failed,
        audio_seconds=progress.audio_seconds,
        work_seconds=progress.work_seconds,
    )


def render(report: Report, n_worst: int) -> str:
    """Format the report; its last line is complete in itself, for a table of results."""
    lines = []
    worst_results = worst(report.results, n_worst)
    if worst_results:
        lines += [f"The {len(worst_results)} worst by CER: reference | hypothesis", ""]
    for result in worst_results:
        reference, hypothesis = result.compared
        rate = _percent(result.scores.characters)
        lines.append(f"  {rate:>8}  {result.utterance.name}: {reference} | {hypothesis}")
    lines += [""] if lines else []
    scores, given = report.scores, report.conditions
    for name, errors, unit in (
        ("WER", scores.words, "words"),
        ("CER", scores.characters, "characters"),
        ("CER, no spaces", scores.characters_without_spaces, "characters"),
    ):
        lines.append(
            f"{name:<15} {_percent(errors):>8}   {errors.substitutions} substituted, "
            f"{errors.deletions} deleted, {errors.insertions} inserted; "
            f"{errors.reference_units} {unit} in the references"
        )
    n_empty = sum(not result.compared[0].strip() for result in report.results)
    empty = f", {n_empty} of them with an empty reference" if n_empty else ""
    failed = f"; {report.n_failed} failed and are not scored" if report.n_failed else ""
    lines += [
        f"{'files':<15} {len(report.results):>8}{empty}{failed}",
        f"{'audio':<15} {report.audio_seconds:>8.1f}   s",
        f"{'speed':<15} {report.rtfx:>8.1f}   × real time (RTFx)",
        "",
        f"{given.model}@{given.revision} {given.language}, {given.backend} {given.precision} on "
        f"{given.device}, normaliser {given.normaliser}, {given.date}: "
        f"WER {_percent(scores.words)}, CER {_percent(scores.characters)}, "
        f"CER without spaces {_percent(scores.characters_without_spaces)}, "
        f"{len(report.results)} files{failed}, {report.audio_seconds:.1f} s, "
        f"RTFx {report.rtfx:.1f}",
    ]
    return "\n".join(lines) + "\n"


def to_json(report: Report) -> dict[str, Any]:
    """The whole report as JSON; rates are fractions, null if undefined."""
    return {
        **asdict(report.conditions),
        "wer": report.scores.words.rate,
        "cer": report.scores.characters.rate,
        "cer_without_spaces": report.scores.characters_without_spaces.rate,
        "errors": asdict(report.scores),
        "n_files": len(report.results),
        "n_failed": report.n_failed,
        "audio_seconds": round(report.audio_seconds, 3),
        "work_seconds": round(report.work_seconds, 3),
        "rtfx": round(report.rtfx, 2),
        "files": [
            {
                "file": result.utterance.name,
                "reference": result.utterance.reference,
                "hypothesis": result.hypothesis,
                "audio_seconds": round(result.audio_seconds, 3),
                "wer": result.scores.words.rate,
                "cer": result.scores.characters.rate,
                "cer_without_spaces": result.scores.characters_without_spaces.rate,
            }
            for result in report.results
        ],
    }


def _percent(errors: Errors) -> str:
    return "n/a" if errors.rate is None else f"{100 * errors.rate:.2f} %"
