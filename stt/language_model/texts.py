"""Texts for a language model: normalised, cut into units, partly held out."""

import gzip
import io
import re
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from stt.errors import ConfigurationError
from stt.language_model.ngram import END, SPACES, SPECIAL, START, UNKNOWN
from stt.normalisation import normalise_basic

SPACE = SPACES[0]
STANDARD_INPUT = Path("-")
HELD_OUT_ONE_IN = 10
APOSTROPHES = re.compile(r"(?<=\w)[’ʼ](?=\w)")
LOOSE_APOSTROPHES = re.compile(r"(?<!\w)'+|'+(?!\w)")


def normalise(text: str, *, lower_case: bool = True) -> str:
    """Normalise as `normalise_basic` does, but keep apostrophes within words.

    English checkpoints spell ``don't`` with one.
    """
    text = normalise_basic(
        APOSTROPHES.sub("'", text.replace(SPACE, " ")), lower_case=lower_case, kept="'"
    )
    return " ".join(LOOSE_APOSTROPHES.sub("", text).split())


def is_held_out(text: str) -> bool:
    """Whether a text belongs to the held-out tenth: by its content, so copies stay together."""
    return zlib.crc32(text.encode()) % HELD_OUT_ONE_IN == 0


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word not in SPECIAL]


def _syllables(text: str) -> list[str]:
    return [SPACE if char == " " else char for char in text]


CUTS: Mapping[str, Callable[[str], list[str]]] = MappingProxyType(
    {"syllable": _syllables, "word": _words}
)
"""How a normalised text is cut. A syllable is one character: of Korean a syllable, else a letter;
the space between words is a unit too."""


@dataclass(frozen=True, eq=False)
class Sentences:
    """Texts as units, each between ``<s>`` and ``</s>``."""

    units: tuple[str, ...]
    """The vocabulary: ``<unk>``, ``<s>``, ``</s>``, then the units as they first occur."""
    tokens: NDArray[np.int32]
    """``[n_tokens]``: all texts, one after the other."""

    @classmethod
    def of(cls, texts: Iterable[str], unit: str) -> "Sentences":
        """Cut normalised texts; empty ones are skipped.

        Args:
            texts: Normalised; each is a sentence, or what is spoken in one go.
            unit: A key of `CUTS`.
        """
        index = {special: number for number, special in enumerate((UNKNOWN, START, END))}
        tokens = array("i")
        for text in texts:
            if units := CUTS[unit](text):
                tokens.append(index[START])
                tokens.extend([index.setdefault(each, len(index)) for each in units])
                tokens.append(index[END])
        return cls(tuple(index), np.array(tokens, np.int32))

    def __len__(self) -> int:
        """Number of texts."""
        return int((self.tokens == self.units.index(START)).sum())


def read_lines(path: Path, report: Callable[[int], object] = lambda n_bytes: None) -> Iterator[str]:
    """The lines of a UTF-8 text, plain or compressed by gzip; ``-`` is standard input.

    Args:
        path: The file.
        report: Receives the number of bytes read since it was last called.

    Raises:
        ConfigurationError: the file cannot be read, or is not UTF-8; the message names the line.
    """
    name = "standard input" if path == STANDARD_INPUT else str(path)
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(_unpacked(file), start=1):
                report(len(line))
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{name}, line {number}: this is not UTF-8. Convert the text first, for example with "
            "iconv."
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ConfigurationError(f"{name} is damaged: gzip cannot read it.") from None
    except OSError as error:
        raise ConfigurationError(f"{name} cannot be read: {error.strerror}.") from None


def _open(path: Path) -> io.BufferedReader:
    return cast(io.BufferedReader, sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb")


def _unpacked(file: io.BufferedReader) -> Iterable[bytes]:
    is_packed = file.peek(2)[:2] == b"\x1f\x8b"
    return gzip.GzipFile(fileobj=file) if is_packed else file
