"""``stt align``: find when each word of a text is spoken in its recording."""

import argparse
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stt.commands.arguments import add_language, add_settings, add_track, begin
from stt.commands.inputs import Recording, find_recordings
from stt.commands.outputs import write_whole
from stt.commands.progress import Progress
from stt.commands.recognition import LocalRecognizer, open_recognizer
from stt.errors import ConfigurationError, InvalidText
from stt.formats.alignment import FORMATS, Answer
from stt.normalisation import PathFinder, find_path

logger = logging.getLogger(__name__)

TEXT_SUFFIXES = (".txt", ".srt", ".vtt")
"""Of the texts in a folder; of several for one recording, the first counts."""
SUFFIXES = {name: name for name in FORMATS} | {"textgrid": "TextGrid"}
"""The suffix of results, by their format."""


@dataclass(frozen=True)
class Pair:
    """A recording and its text."""

    recording: Recording
    text: Path
    target: Path | None
    """The file of the result; None for standard output."""


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt align",
        allow_abbrev=False,
        description="Find when each word of a text is spoken in its recording, with a model in "
        "this process. Exit status: 0 success, 1 some recording failed, 2 wrong usage or "
        "settings, 130 interrupted.",
    )
    parser.add_argument("audio", metavar="AUDIO", help="a recording, or a folder of recordings")
    parser.add_argument(
        "text",
        type=Path,
        metavar="TEXT",
        help="its text in UTF-8: lines, paragraphs, SubRip or WebVTT; or the folder of the texts, "
        "which are named like the recordings",
    )
    add_language(parser)
    add_track(parser)
    parser.add_argument(
        "-f", "--format", choices=FORMATS, default="json", help="output format [json]"
    )
    parser.add_argument(
        "--characters", action="store_true", help="times of characters too, in json and textgrid"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help="the file of the result, or the folder of the results; default for a single "
        "recording: standard output",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace results in a folder; default: skip them"
    )
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        SttError: the run could not start.
    """
    options, settings = begin(make_parser(), arguments)
    pairs = find_pairs(options.audio, options.text, options.output, SUFFIXES[options.format])
    is_folder = find_path(Path(options.audio)).is_dir()
    pending = [
        each
        for each in pairs
        if options.force or not is_folder or not (each.target and find_path(each.target).exists())
    ]
    if n_skipped := len(pairs) - len(pending):
        logger.info("%d skipped, as their results exist (--force replaces them)", n_skipped)
    if not pending:
        return 0
    with open_recognizer(options.lang, settings) as recognizer:
        progress = align_all(
            pending, recognizer, options.format, with_characters=options.characters,
            track=options.track,
        )  # fmt: skip
    return 1 if progress.n_failed else 0


def find_pairs(audio: str, text: Path, output: Path | None, suffix: str) -> list[Pair]:
    """Find the recordings, the text of each, and the file of its result.

    Raises:
        ConfigurationError: there is no pair, or no folder for the results of several.
    """
    recordings = find_recordings([audio])
    text = find_path(text)
    if not find_path(Path(audio)).is_dir():
        if text.is_dir():
            raise ConfigurationError(f"{text} is a folder, but {audio} is a single recording.")
        return [Pair(recordings[0], text, output)]
    if output is None:
        raise ConfigurationError("The results of a folder need one too: name it with --output.")
    if not text.is_dir():
        raise ConfigurationError(f"{audio} is a folder, but {text} is not.")
    pairs, finder = [], PathFinder()
    for recording in recordings:
        stem = text / recording.relative
        named = (finder.find(stem.with_suffix(suffix)) for suffix in TEXT_SUFFIXES)
        texts = [each for each in named if each.is_file()]
        if texts:
            target = output / f"{recording.relative}.{suffix}"
            pairs.append(Pair(recording, texts[0], target))
        else:
            logger.warning("%s: skipped, as there is no text %s", recording.name, stem.stem)
    if not pairs:
        raise ConfigurationError(
            f"No recording in {audio} has a text in {text}. Looked for the recordings' names with "
            f"{', '.join(TEXT_SUFFIXES)}."
        )
    return pairs


def align_all(
    pairs: Sequence[Pair],
    recognizer: LocalRecognizer,
    format: str,
    *,
    with_characters: bool = False,
    track: int | None = None,
) -> Progress:
    """Align recordings one by one; failures are logged and the run continues."""
    render = FORMATS[format].render
    language = recognizer.language
    with Progress(len(pairs), sum(each.recording.size for each in pairs)) as progress:
        for pair in pairs:
            recording = pair.recording
            with progress.recording(recording.name, recording.size) as counted:
                text = read_text(pair.text)
                with recording.open() as file:
                    alignment = recognizer.align(counted(file), text, track)
                for warning in alignment.report.warnings:
                    logger.warning("%s: %s", recording.name, warning.message)
                logger.info("%s: score %.2f", recording.name, alignment.score)
                answer = Answer(alignment, language.code, language.model.name, with_characters)
                result = render(answer)
                if pair.target:
                    write_whole(pair.target, result)
                else:
                    progress.write(result if result.endswith("\n") else f"{result}\n")
                progress.count(alignment.duration_seconds)
    return progress


def read_text(file: Path) -> str:
    """Read a text in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        InvalidText: it is in another encoding.
        OSError: it cannot be read.
    """
    content = file.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with suppress(UnicodeDecodeError):
        return content.decode(encoding)
    raise InvalidText(f"{file} is not in UTF-8. Save it so, for example with `iconv -t utf-8`.")
