"""The abbreviations of Korean that a service knows: those built in, and those of its operator."""

import re
from collections.abc import Mapping
from pathlib import Path

from stt.errors import ConfigurationError
from stt.korean import latin
from stt.normalisation import compose

_SPOKEN = re.compile("[가-힣]{2,40}")


def abbreviations(path: Path | None) -> Mapping[str, str]:
    """Written forms by spoken ones.

    Args:
        path: ``abbreviations`` of the settings.

    Raises:
        ConfigurationError: the file is missing or malformed.
    """
    return (
        latin.ABBREVIATIONS if path is None else {**latin.ABBREVIATIONS, **read_abbreviations(path)}
    )


def read_abbreviations(path: Path) -> dict[str, str]:
    """Read a file of abbreviations: on each line a spoken and a written form, ``에이아이 AI``.

    Raises:
        ConfigurationError: it cannot be read; the message names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"The abbreviations in {path} cannot be read: {reason}.") from None
    found = {}
    for number, line in enumerate(lines, 1):
        fields = compose(line).split()
        if not fields:
            continue
        if len(fields) != 2 or not _SPOKEN.fullmatch(fields[0]):
            raise ConfigurationError(
                f"{path}, line {number}: {line[:80]!r} is not an abbreviation; expected two words, "
                "the first in 2 to 40 syllables of Hangul, such as 에이아이 AI."
            )
        found[fields[0]] = fields[1]
    return found
