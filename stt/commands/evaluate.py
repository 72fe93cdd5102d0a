"""``stt evaluate``: measure a model's error rates on recordings with reference texts."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from stt.abbreviations import abbreviations
from stt.audio.noise import NoiseMeter
from stt.commands.arguments import (
    add_decoding,
    add_language,
    add_settings,
    begin,
    given_path,
    read_asked,
)
from stt.commands.card import name_of_set, save_card
from stt.commands.inputs import Recording
from stt.commands.outputs import write_whole
from stt.commands.progress import Progress
from stt.commands.recognition import (
    LocalRecognizer,
    choose_language,
    open_recognizer,
    with_language_model,
)
from stt.errors import ConfigurationError
from stt.evaluation.comparison import Comparison, choose_comparison
from stt.evaluation.html_report import render_html
from stt.evaluation.json_report import to_json
from stt.evaluation.manifests import FORMATS, Utterance, find_format, read_manifest
from stt.evaluation.normalisers import DEFAULT_NORMALISER, NORMALISERS
from stt.evaluation.report import Conditions, Report, report
from stt.evaluation.text_report import render_text
from stt.evaluation.transcriptions import DEFAULT_TRANSCRIPTION, TRANSCRIPTIONS, looks_dual

logger = logging.getLogger(__name__)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt evaluate",
        allow_abbrev=False,
        description="Transcribe the recordings of a manifest and compare the results with their "
        "reference texts. Exit status: 0 all transcribed, 1 some recording failed, 2 wrong usage "
        "or settings, 130 interrupted.",
    )
    _add_manifest(parser)
    add_language(parser)
    parser.add_argument(
        "--worst", type=int, default=10, metavar="N", help="show the N worst recordings [10]"
    )
    _add_scoring(parser)
    add_decoding(parser)
    parser.add_argument(
        "--tune",
        action="store_true",
        help="try weights of the language model and print the best ones, instead of a report",
    )
    _add_outputs(parser)
    add_settings(parser)
    return parser


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--normaliser",
        choices=NORMALISERS,
        default=DEFAULT_NORMALISER,
        help="what to compare; basic: texts in NFC and lower case, without punctuation; reading: "
        "how they are said, so that 3시 is 세 시 (only Korean); none: texts unchanged "
        f"[{DEFAULT_NORMALISER}]",
    )
    parser.add_argument(
        "--transcription",
        choices=TRANSCRIPTIONS,
        help="how references are written; dual-spoken, dual-written: KsponSpeech's notation, with "
        "marks and pairs such as (3시)/(세 시) [dual-spoken for ksponspeech and aihub, else plain]",
    )


def _add_manifest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "manifest",
        type=given_path,
        metavar="MANIFEST",
        help="a list of recordings with their texts, or the folder of a data set: .tsv with the "
        "columns path (or file) and text, .jsonl with these keys, Zeroth-Korean, KsponSpeech, "
        "ClovaCall, FLEURS, Common Voice, LibriSpeech, AI Hub, Kaldi",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="the manifest's format [found by its content]"
    )
    parser.add_argument(
        "--audio",
        type=given_path,
        metavar="FOLDER",
        help="where the recordings are [where the format has them]",
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all results to FILE")
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="also write a page with all results"
    )
    parser.add_argument(
        "--embed-audio",
        action="store_true",
        help="put copies of the worst recordings into the page of --report",
    )
    parser.add_argument(
        "--save-card",
        nargs="?",
        const="",
        metavar="SET",
        help="store the error rates with the model, as those of this set [the manifest's name]; "
        "/languages and /v1/models show them",
    )


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        SttError: the evaluation could not start.
        ConfigurationError: the results could not be written.
    """
    options, settings = begin(make_parser(), arguments)
    if options.tune and (options.save_card is not None or options.report or options.json):
        raise ConfigurationError(
            "--tune prints weights, not error rates: leave out --save-card, --report and --json."
        )
    if options.embed_audio and not options.report:
        raise ConfigurationError("--embed-audio puts copies into a page: add --report FILE.html.")
    name = None if options.save_card is None else name_of_set(options.save_card, options.manifest)
    found_format = find_format(options.manifest, options.format)
    utterances = read_manifest(options.manifest, found_format.name, options.audio)
    comparison = choose_comparison(
        choose_language(options.lang, settings),
        options.normaliser,
        options.transcription or found_format.transcription,
        abbreviations(settings.abbreviations),
    )
    _warn_of_marks(utterances, comparison)
    settings = with_language_model(settings, options.lang, options.lm)
    with open_recognizer(options.lang, settings, read_asked(options)) as recognizer:
        if options.tune:
            from stt.commands.tuning import tune

            sys.stdout.write(tune(utterances, recognizer, comparison))
            return 0
        found = evaluate(utterances, recognizer, comparison)
    sys.stdout.write(render_text(found, options.worst))
    if options.json:
        _write("--json", options.json, json.dumps(to_json(found), ensure_ascii=False, indent=1))
    if options.report:
        html = render_html(found, options.report, embed_audio=options.embed_audio)
        _write("--report", options.report, html)
    if name is not None:
        save_card(found, name, recognizer, settings, written=options.written)
    return 1 if found.n_failed else 0


def evaluate(
    utterances: Sequence[Utterance],
    recognizer: LocalRecognizer,
    comparison: Comparison,
    today: date | None = None,
) -> Report:
    """Transcribe and score; failed recordings are logged and excluded from the scores."""
    recordings = [Recording(each.path, Path(each.name)) for each in utterances]
    heard: list[tuple[Utterance, str, float, float | None]] = []
    with Progress(len(recordings), sum(each.size for each in recordings)) as progress:
        for utterance, recording in zip(utterances, recordings, strict=True):
            with progress.recording(recording.name, recording.size) as counted:
                noise = NoiseMeter()
                with recording.open() as file:
                    recognition = recognizer.recognize(
                        counted(file), recording.name, listen=noise.feed
                    )
                seconds = recognition.transcript.duration_seconds
                heard.append((utterance, recognition.text, seconds, noise.snr_db))
                progress.count(seconds)
    conditions = Conditions(
        model=recognizer.language.model.name,
        revision=recognizer.revision,
        language=recognizer.language.code,
        backend=recognizer.backend,
        precision=recognizer.precision,
        device=recognizer.device,
        normaliser=comparison.normaliser,
        transcription=comparison.transcription,
        date=(today or datetime.now(UTC).date()).isoformat(),
    )
    return report(
        conditions,
        [comparison.compare(*each) for each in heard],
        n_failed=progress.n_failed,
        audio_seconds=progress.audio_seconds,
        work_seconds=progress.work_seconds,
    )


def _write(flag: str, file: Path, text: str) -> None:
    try:
        write_whole(file, text)
    except OSError as error:
        raise ConfigurationError(f"{flag} {file}: {error.strerror}.") from None


def _warn_of_marks(utterances: Sequence[Utterance], comparison: Comparison) -> None:
    """References in a notation that nobody named would count as errors of the model."""
    if comparison.transcription != DEFAULT_TRANSCRIPTION:
        return
    marked = [each.name for each in utterances if looks_dual(each.reference)]
    if marked:
        logger.warning(
            "References with pairs such as (3시)/(세 시): %d, first %s. Read them with "
            "--transcription dual-spoken or dual-written",
            len(marked),
            marked[0],
        )
