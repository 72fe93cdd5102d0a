"""``stt download``: the models into the cache, so that a service starts without the hub."""

import argparse
import logging
import sys
from collections.abc import Sequence

from stt.commands.arguments import add_settings, begin
from stt.commands.recognition import find_checkpoint
from stt.errors import ModelBroken, ModelUnreachable
from stt.languages import Language, choose_languages
from stt.settings import Settings

logger = logging.getLogger(__name__)


def make_parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    parser = argparse.ArgumentParser(
        prog="stt download",
        allow_abbrev=False,
        description="Fetch the models of the served languages into the cache, and print the folder "
        "of each. What is there whole is not fetched again, and what was cut off is gone on with. "
        "Exit status: 0 all are there, 1 some model could not be fetched, 2 wrong usage or "
        "settings.",
    )
    parser.add_argument(
        "--languages",
        metavar="CODES",
        default=argparse.SUPPRESS,
        help="codes or aliases, comma-separated [STT_LANGUAGES, else KR]",
    )
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status.

    Raises:
        ConfigurationError: wrong settings, or no such language.
    """
    _options, settings = begin(make_parser(), arguments)
    languages = choose_languages(settings.languages, settings.models, demo=settings.demo)
    n_missing = sum(not _fetch(each, settings) for each in languages)
    return 1 if n_missing else 0


def _fetch(language: Language, settings: Settings) -> bool:
    """Whether the model is there now; one that is not does not keep the others from coming."""
    try:
        folder = find_checkpoint(language.model, settings)
    except (ModelBroken, ModelUnreachable) as error:
        logger.error("%s", error.message, extra={"language": language.code})
        return False
    sys.stdout.write(f"{language.code}\t{language.model.id}\t{folder}\n")
    return True
