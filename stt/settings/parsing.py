"""Parses settings that map languages to something: ``CODE=VALUE,CODE=VALUE``."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

from stt.conventions import Convention
from stt.errors import ConfigurationError
from stt.languages import ModelSource
from stt.normalisation import find_path


def parse_models(text: str) -> dict[str, ModelSource]:
    """Parse ``CODE=MODEL,CODE=MODEL``.

    Raises:
        ConfigurationError: an entry is malformed.
    """
    return {code: ModelSource.parse(model) for code, model in _entries(text, "MODEL")}


def parse_files(text: str) -> dict[str, Path]:
    """Parse ``CODE=FILE,CODE=FILE``.

    Raises:
        ConfigurationError: an entry is malformed.
    """
    return {
        code: find_path(Path(file).expanduser().absolute())
        for code, file in _entries(text, "FILE", ", such as KR=/models/ko.arpa.gz")
    }


def parse_conventions(text: str) -> dict[str, Convention]:
    """Parse ``CODE=CONVENTION,CODE=CONVENTION``.

    Raises:
        ConfigurationError: an entry is malformed.
    """
    found: dict[str, Convention] = {}
    for code, convention in _entries(text, "CONVENTION", ", such as KR=written"):
        if convention not in get_args(Convention):
            raise ConfigurationError(
                f"{convention!r} is not a convention; expected {', '.join(get_args(Convention))}"
            )
        found[code] = cast(Convention, convention)
    return found


def _entries(text: str, what: str, example: str = "") -> Iterator[tuple[str, str]]:
    """The codes and what they are mapped to."""
    for entry in filter(None, (part.strip() for part in text.split(","))):
        code, _, value = (part.strip() for part in entry.partition("="))
        if not (code and value):
            raise ConfigurationError(f"{entry!r} is not of the form CODE={what}{example}")
        yield code, value
