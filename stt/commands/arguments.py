"""Flags for the settings, shared by the commands that run models in their own process."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

from stt.asked import MAX_SPEAKERS, Asked, Spacing
from stt.audio.channels import Channels
from stt.engines.device import prepare_process
from stt.errors import ConfigurationError
from stt.formats.layout import (
    LINE_COLUMNS,
    LINES,
    MAX_LINE_COLUMNS,
    MAX_LINES,
    MIN_LINE_COLUMNS,
)
from stt.normalisation import find_path
from stt.observability.logs import configure_logging
from stt.recognition.written_forms import names
from stt.settings import SERVICE_ONLY, Settings, load_settings


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each setting that is not in `SERVICE_ONLY`."""
    group = parser.add_argument_group(
        "settings", "The same as for `stt serve`; also read from STT_... and the file .env."
    )
    for name, field in Settings.model_fields.items():
        if name in SERVICE_ONLY:
            continue
        flag = f"--{name.replace('_', '-')}"
        text = (field.description or "").replace("%", "%%")
        default = field.get_default(call_default_factory=True)
        if field.annotation is bool:
            group.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text
            )
        else:
            shown = "" if default in (None, (), {}) else f" [{default}]"
            metavar = name.rsplit("_", 1)[-1].upper()
            group.add_argument(flag, metavar=metavar, default=argparse.SUPPRESS, help=text + shown)


def given_path(text: str) -> Path:
    """The file or folder that a flag names, in any normal form; see `find_path`."""
    return find_path(Path(text))


def add_decoding(parser: argparse.ArgumentParser) -> None:
    """Add the flags of commands that choose how to decode."""
    parser.add_argument(
        "--hotwords",
        type=given_path,
        metavar="FILE",
        help="words and names to expect: one `word` or `word:weight` per line",
    )
    parser.add_argument(
        "--lm",
        type=given_path,
        metavar="FILE",
        help="language model (.arpa or .arpa.gz) of the language",
    )
    parser.add_argument(
        "--language-model",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="use the language model, or do not [yes, if --lm names one or the checkpoint has one]",
    )
    parser.add_argument(
        "--written",
        action="store_true",
        help=f"write numbers as people do: 3시, 1999 (only {names()})",
    )
    parser.add_argument(
        "--spacing",
        choices=get_args(Spacing),
        default="model",
        help="`restored` splits long words where the model left out spaces (only Korean; needs the "
        "extra `spacing`) [model]",
    )


def read_asked(options: argparse.Namespace) -> Asked:
    """What the flags of `add_decoding` ask.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    asked = Asked(
        "",
        options.language_model,
        written=options.written,
        # A setting too; a service is asked for it with each recording.
        vad=getattr(options, "vad", None),
        spacing=options.spacing,
        channels=getattr(options, "channels", "mix"),
        diarize=getattr(options, "diarize", False),
        num_speakers=getattr(options, "num_speakers", None),
    )
    if options.hotwords is None:
        return asked
    try:
        return replace(asked, hotwords=options.hotwords.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"--hotwords {options.hotwords}: {reason}.") from None


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add the flag of the commands that transcribe one language."""
    parser.add_argument("--lang", metavar="CODE", help="spoken language: code or alias [KR]")


def add_track(parser: argparse.ArgumentParser) -> None:
    """Add the flag of the commands that read recordings as people have them."""
    parser.add_argument(
        "--track",
        type=track_number,
        metavar="N",
        help="audio track, from 1 [the default one, or the first with sound]",
    )


def add_channels(parser: argparse.ArgumentParser) -> None:
    """Add the flag that keeps channels apart."""
    parser.add_argument(
        "--channels",
        choices=get_args(Channels),
        default="mix",
        help="`split` transcribes each channel separately, for calls with a speaker on each [mix]",
    )


def add_speakers(parser: argparse.ArgumentParser) -> None:
    """Add the flags that tell speakers apart."""
    parser.add_argument(
        "--diarize",
        action="store_true",
        help="tell speakers on one channel apart; needs --speaker-segmentation and "
        "--speaker-embedding, or a service that has them",
    )
    parser.add_argument(
        "--num-speakers",
        type=partial(whole_number, low=1, high=MAX_SPEAKERS),
        metavar="N",
        help=f"how many speakers there are, 1 to {MAX_SPEAKERS} [estimated]",
    )


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Add the flags of subtitles."""
    for name, low, high, default, text in (
        ("--max-line-width", MIN_LINE_COLUMNS, MAX_LINE_COLUMNS, LINE_COLUMNS,
         "columns of a line in srt and vtt; a Hangul syllable takes two"),
        ("--max-line-count", 1, MAX_LINES, LINES, "lines of a cue in srt and vtt"),
    ):  # fmt: skip
        parser.add_argument(
            name,
            type=partial(whole_number, low=low, high=high),
            metavar="N",
            default=default,
            help=f"{text}, {low} to {high} [{default}]",
        )


def whole_number(text: str, *, low: int, high: int) -> int:
    """A number within bounds.

    Raises:
        ArgumentTypeError: it is none, or out of them.
    """
    if not text.isdecimal() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def track_number(text: str) -> int:
    """A number from 1 on.

    Raises:
        ArgumentTypeError: it is less.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a track; they count from 1")
    return number


def add_languages(parser: argparse.ArgumentParser) -> None:
    """Add the flag of the commands that handle several languages."""
    parser.add_argument(
        "--languages",
        metavar="CODES",
        default=argparse.SUPPRESS,
        help="codes or aliases, comma-separated [STT_LANGUAGES, else KR]",
    )


def read_settings(options: argparse.Namespace) -> Settings:
    """Load the settings; flags override the environment, which overrides ``.env``.

    Raises:
        ConfigurationError: a setting is invalid.
    """
    given = {name: value for name, value in vars(options).items() if name in Settings.model_fields}
    return load_settings(**given)


def begin(
    parser: argparse.ArgumentParser, arguments: Sequence[str]
) -> tuple[argparse.Namespace, Settings]:
    """Parse the flags, then prepare the process: torch's environment, and the log.

    Raises:
        ConfigurationError: a setting is invalid.
        SystemExit: 2 for wrong usage, 0 after ``--help``.
    """
    options = parser.parse_args(arguments)
    prepare_process()
    settings = read_settings(options)
    # People read the log of a command, even from a file, so `auto` always means text here.
    # For the service, `auto` means JSON unless standard error is a terminal.
    style = "text" if settings.log_format == "auto" else settings.log_format
    configure_logging(settings.log_level, style)
    return options, settings
