"""Reads and writes ARPA files, plain or compressed by gzip.

The format is SRILM's, as KenLM writes it too: fields are separated by tabs or spaces, numbers are
logarithms to base 10, and a back-off weight that is missing is 0.
"""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from stt.errors import ConfigurationError, ModelBroken
from stt.language_model.ngram import LEAST_LOG_PROB, LOG_10, START, UNKNOWN
from stt.language_model.tables import Ngrams

GZIP = b"\x1f\x8b"
KENLM_BINARY = b"mmap lm "
OTHER_UNKNOWN = b"<UNK>"
"""How some of SRILM's models spell ``<unk>``."""
MAX_PREFACE_LINES = 1000
"""Lines before ``\\data\\``, which are comments."""
MAX_RATIO, ALWAYS_ALLOWED = 100, 1 << 26
"""A compressed file may have this many times its size, or this many bytes. Models have 3 to 15
times their size; a few kilobytes of zeros are a thousand times as much."""
MAX_BACKOFF = 99
"""Logarithm to base 10; larger ones would overflow sums of scores."""
MAX_DIGITS = 18
"""Of a count in the header."""
BATCH_LINES = 50_000
DECIMALS = 4
"""Of the written logarithms: probabilities are within 0.02 % of the estimated ones."""


def read_arpa(path: Path) -> tuple[tuple[str, ...], list[Ngrams]]:
    """Read the vocabulary and the n-grams of each order, for `NgramModel.of`.

    Raises:
        ConfigurationError: the file cannot be opened.
        ModelBroken: it is not an ARPA file, or malformed; the message names the line.
    """
    try:
        with _open(path) as file:
            return _read(_Lines(path.name, file))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ModelBroken(f"{path.name} is cut off or damaged: gzip cannot read it.") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as raw:
        start = raw.read(len(KENLM_BINARY))
        raw.seek(0)
        if start == KENLM_BINARY:
            raise ModelBroken(
                f"{path.name} is a binary of KenLM, which cannot be read here. Give the ARPA file "
                "that it was built from."
            )
        if not start.startswith(GZIP):
            yield raw
            return
        most = max(ALWAYS_ALLOWED, MAX_RATIO * path.stat().st_size)
        with gzip.GzipFile(fileobj=raw) as unpacked:
            bounded = _Bounded(path.name, cast(BinaryIO, unpacked), most)
            yield cast(BinaryIO, io.BufferedReader(bounded, 1 << 20))


class _Bounded(io.RawIOBase):
    """A compressed file that may not grow beyond a bound."""

    def __init__(self, name: str, file: BinaryIO, most: int) -> None:
        super().__init__()
        self._name, self._file, self._left = name, file, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        n_bytes: int = self._file.readinto(buffer)  # type: ignore[attr-defined]
        self._left -= n_bytes
        if self._left < 0:
            raise ModelBroken(
                f"{self._name} unpacks to more than {MAX_RATIO} times its size, which no language "
                "model does. Unpack it first if you trust it."
            )
        return n_bytes


class _Lines:
    """The lines of a file, counted for messages."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self._name, self._file = name, file
        self.number = 0
        """Of the last line read, from 1."""

    def filled(self, most: int | None = None) -> bytes:
        """The next line that is not empty, stripped; b"" at the end or after ``most`` lines."""
        for line in islice(self._file, most):
            self.number += 1
            if text := line.strip():
                return text
        return b""

    def batch(self, n_lines: int) -> list[list[bytes]]:
        """The fields of the next lines."""
        rows = [line.split() for line in islice(self._file, n_lines)]
        self.number += len(rows)
        return rows

    def broken(self, problem: str, number: int | None = None) -> NoReturn:
        raise ModelBroken(f"{self._name}, line {number or self.number}: {problem}.")


def _read(lines: _Lines) -> tuple[tuple[str, ...], list[Ngrams]]:
    counts = _read_header(lines)
    index: dict[bytes, int] = {}
    ngrams = []
    for order, count in enumerate(counts, start=1):
        expected = b"\\%d-grams:" % order
        # The first of these lines ended the header.
        found = lines.filled() if order > 1 else expected
        if found != expected:
            lines.broken(
                f"expected {expected.decode()} after the {order - 1}-grams that the header counts, "
                f"got {_shown(found)}"
            )
        ngrams.append(_read_section(lines, order, count, index, is_last=order == len(counts)))
    if (found := lines.filled()) != b"\\end\\":
        lines.broken(f"expected \\end\\ after the last n-gram, got {_shown(found)}")
    units = [UNKNOWN if unit == OTHER_UNKNOWN else unit.decode() for unit in index]
    return tuple(units), ngrams


def _read_header(lines: _Lines) -> list[int]:
    r"""The counts, up to and with the line ``\1-grams:``."""
    while lines.number < MAX_PREFACE_LINES and (line := lines.filled(MAX_PREFACE_LINES)):
        if line == b"\\data\\":
            break
    else:
        lines.broken("this is no ARPA file; expected \\data\\ at its start")
    counts: list[int] = []
    while (line := lines.filled()).startswith(b"ngram"):
        order, equals, count = line.removeprefix(b"ngram").partition(b"=")
        is_right = equals and order.strip() == b"%d" % (len(counts) + 1)
        if not is_right or not count.strip().isdigit() or len(count) > MAX_DIGITS:
            lines.broken(f"expected ngram {len(counts) + 1}=COUNT, got {_shown(line)}")
        counts.append(int(count))
    if not counts or line != b"\\1-grams:":
        lines.broken(f"expected the counts and \\1-grams:, got {_shown(line)}")
    return counts


def _read_section(
    lines: _Lines, order: int, count: int, index: dict[bytes, int], *, is_last: bool
) -> Ngrams:
    """The n-grams of one order. Unigrams extend the index."""
    parts = []
    while count > 0:
        before = lines.number
        rows = lines.batch(min(count, BATCH_LINES))
        _check_fields(lines, rows, order, before)
        if not rows:
            lines.broken(f"the file ends, but {count} more {order}-grams are counted in the header")
        columns = list(zip(*rows, strict=True))
        if order == 1:
            _add_units(lines, columns[1], index, before)
        parts.append(
            (
                np.stack([_indices(lines, each, index, before) for each in columns[1:-1]], axis=1),
                _numbers(lines, columns[0], before, is_log_prob=True),
                _numbers(lines, columns[-1], before, is_log_prob=False),
            )
        )
        count -= len(rows)
    if not parts:
        return Ngrams(np.zeros((0, order), np.int32), *np.zeros((2, 0), np.float32))
    units, log_probs, backoffs = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Ngrams(units, log_probs, np.zeros_like(backoffs) if is_last else backoffs)


def _check_fields(lines: _Lines, rows: list[list[bytes]], order: int, before: int) -> None:
    """Give every row a back-off weight, or say which has too many fields or too few."""
    for number, row in enumerate(rows, start=before + 1):
        if len(row) == order + 1:
            row.append(b"0")
        elif len(row) != order + 2:
            lines.broken(
                f"expected a logarithm, {order} unit{'s' * (order > 1)} and perhaps a back-off "
                f"weight, got {_shown(b' '.join(row))}",
                number,
            )


def _add_units(
    lines: _Lines, column: Iterable[bytes], index: dict[bytes, int], before: int
) -> None:
    for number, unit in enumerate(column, start=before + 1):
        try:
            unit.decode()
        except UnicodeDecodeError:
            lines.broken(f"{_shown(unit)} is not UTF-8", number)
        if unit in index:
            lines.broken(f"the 1-gram {_shown(unit)} is listed twice", number)
        index[unit] = len(index)


def _indices(
    lines: _Lines, column: Sequence[bytes], index: dict[bytes, int], before: int
) -> NDArray[np.int32]:
    try:
        return np.fromiter(map(index.__getitem__, column), np.int32, len(column))
    except KeyError as error:
        number = before + 1 + [*column].index(error.args[0])
        lines.broken(f"{_shown(error.args[0])} has no 1-gram", number)


def _numbers(
    lines: _Lines, column: Sequence[bytes], before: int, *, is_log_prob: bool
) -> NDArray[np.float32]:
    """Logarithms to base 10 as natural ones; those of zero as `LEAST_LOG_PROB`."""
    try:
        values = np.fromiter(map(float, column), np.float64, len(column))
    except ValueError:
        values = np.array([_number_or_nan(text) for text in column])
    is_wrong = np.isnan(values) | (values > (0 if is_log_prob else MAX_BACKOFF))
    if is_wrong.any():
        place = int(is_wrong.argmax())
        kind = "a logarithm of a probability" if is_log_prob else "a back-off weight"
        lines.broken(f"{_shown(column[place])} is not {kind}", before + 1 + place)
    return np.maximum(values * LOG_10, LEAST_LOG_PROB).astype(np.float32)


def _number_or_nan(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _shown(text: bytes) -> str:
    """A piece of the file for a message."""
    return repr(text[:60].decode(errors="replace")) if text else "nothing"


def write_arpa(path: Path, units: Sequence[str], ngrams: Sequence[Ngrams]) -> None:
    """Write an ARPA file, compressed if its name ends with ``.gz``.

    The same model gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            raw.writelines(_arpa_lines(units, ngrams))
            return
        with gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed:
            packed.writelines(_arpa_lines(units, ngrams))


def _arpa_lines(units: Sequence[str], ngrams: Sequence[Ngrams]) -> Iterator[bytes]:
    yield b"\\data\\\n"
    for order, each in enumerate(ngrams, start=1):
        yield b"ngram %d=%d\n" % (order, len(each))
    spelled = np.array(units, object)
    for order, each in enumerate(ngrams, start=1):
        yield b"\n\\%d-grams:\n" % order
        texts = [" ".join(row) for row in spelled[each.units]]
        for text, log_prob, backoff in zip(
            texts,
            (each.log_probs / LOG_10).tolist(),
            (each.backoffs / LOG_10).tolist(),
            strict=True,
        ):
            # The start is never predicted; both SRILM and KenLM list it so.
            number = "-99" if text == START else f"{log_prob:.{DECIMALS}f}"
            weight = f"\t{backoff:.{DECIMALS}f}" if backoff else ""
            yield f"{number}\t{text}{weight}\n".encode()
    yield b"\n\\end\\\n"
