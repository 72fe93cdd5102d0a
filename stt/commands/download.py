"""``stt download``: fetch models into the cache, so that a service starts without the hub."""

import argparse
import logging
import sys
from collections.abc import Sequence

from stt.commands.arguments import add_languages, add_settings, begin
from stt.commands.recognition import find_checkpoint
from stt.errors import ModelBroken, ModelUnreachable
from stt.languages import Language, choose_languages
from stt.settings import Settings

logger = logging.getLogger(__name__)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt download",
        allow_abbrev=False,
        description="Download the models of the served languages into the cache, and print the "
        "folder of each. Complete models are not downloaded again; interrupted downloads resume. "
        "Exit status: 0 all models are in the cache, 1 some download failed, 2 wrong usage or "
        "settings.",
    )
    add_languages(parser)
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        ConfigurationError: a setting is invalid, or a language unknown.
    """
    _options, settings = begin(make_parser(), arguments)
    languages = choose_languages(
        settings.languages, settings.models, demo=settings.demo, conventions=settings.conventions
    )
    n_missing = sum(not _fetch(each, settings) for each in languages)
    return 1 if n_missing else 0


def _fetch(language: Language, settings: Settings) -> bool:
    """Download one model; log a failure and return False, so that the others still download."""
    try:
        folder = find_checkpoint(language.model, settings)
    except (ModelBroken, ModelUnreachable) as error:
        logger.error("%s", error.message, extra={"language": language.code})
        return False
    sys.stdout.write(f"{language.code}\t{language.model.name}\t{folder}\n")
    return True
