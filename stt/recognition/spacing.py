"""Adds the spaces that a model left out, with the times and the confidence of the new words.

Each word is split by itself, so no word waits for later ones, and a live session's partial texts
have the same spaces as its final ones.
"""

import importlib.util
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from stt.errors import NotSupported
from stt.korean.spacing import Analyse, find_breaks, open_analyser
from stt.languages import Language
from stt.recognition.writer import OpenWriter
from stt.types import Token, Word


class KoreanSpacer:
    """A `Writer` that adds missing spaces to Korean; see `stt.korean.spacing`."""

    is_slow = True

    def __init__(self, analyse: Analyse) -> None:
        self._analyse = analyse

    def feed(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.feed`."""
        return [
            part for word in words for part in split(word, find_breaks(word.text, self._analyse))
        ]

    def finish(self) -> list[Word]:
        """See `Writer.finish`."""
        return []

    def preview(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.preview`."""
        return self.feed(words)


def split(word: Word, breaks: Sequence[int]) -> list[Word]:
    """The parts of a word, each with the times and the confidence of its tokens.

    Args:
        word: As it was spoken.
        breaks: Indices of its text, ascending; no part is empty.
    """
    if not breaks:
        return [word]
    pieces = list(_pieces(word, breaks))
    parts = [
        [piece for piece in pieces if first <= piece.at < last]
        for first, last in pairwise([0, *breaks, len(word.text)])
    ]
    ends = [*(part[0].start for part in parts[1:]), word.end]
    return [
        replace(
            word,
            text="".join(piece.token.text for piece in part),
            start=part[0].start,
            end=min(part[-1].end, end),
            confidence=min(1.0, math.exp(sum(piece.token.log_posterior for piece in part))),
            tokens=tuple(piece.token for piece in part),
            space_before=word.space_before or part is not parts[0],
        )
        for part, end in zip(parts, ends, strict=True)
    ]


@dataclass(frozen=True)
class _Piece:
    """A token, or a part of one, and its place in the word and in the recording."""

    token: Token
    at: int
    """Index of its first character."""
    start: float
    """Seconds."""
    end: float


def _pieces(word: Word, breaks: Sequence[int]) -> Iterator[_Piece]:
    """The tokens of a word, cut at the breaks; nearly all are single syllables and are not cut."""
    tokens = _timed_tokens(word)
    starts = [start for _, (start, _) in tokens]
    at = 0
    for (token, (start, end)), following in zip(tokens, [*starts[1:], word.end], strict=True):
        n = len(token.text)
        cuts = [each - at for each in breaks if at < each < at + n]
        if cuts:
            end = min(end, following)
        for first, last in pairwise([0, *cuts, n]):
            times = start + (end - start) * first / n, start + (end - start) * last / n
            logs = token.log_posterior * ((last - first) / n)
            yield _Piece(Token(token.text[first:last], logs, times), at + first, *times)
        at += n


def _timed_tokens(word: Word) -> list[tuple[Token, tuple[float, float]]]:
    """Its tokens with their times, or the word as one if no decoder made them."""
    tokens = [(token, token.times) for token in word.tokens if token.times]
    if "".join(token.text for token, _ in tokens) == word.text:
        return tokens
    log_posterior = math.log(word.confidence) if word.confidence else -math.inf
    return [(Token(word.text, log_posterior), (word.start, word.end))]


class Spacings:
    """Makes the writers that add missing spaces; loads the analyser at its first use."""

    def __init__(self) -> None:
        self._analyse: Analyse | None = None
        self._loading = threading.Lock()

    def has(self, language: Language) -> bool:
        """Whether requests can ask for it."""
        return language.iso_639_1 == "ko" and importlib.util.find_spec("kiwipiepy") is not None

    def choose(self, language: Language) -> OpenWriter:
        """The writer that adds missing spaces; blocks while the analyser is loaded.

        Raises:
            NotSupported: it is not for this language, or the extra is not installed.
        """
        if language.iso_639_1 != "ko":
            raise NotSupported(
                f"spacing=restored is only for Korean, not for {language.name}. Leave spacing out."
            )
        return partial(KoreanSpacer, self.load())

    def load(self) -> Analyse:
        """The analyser, loaded at the first call. Loading holds Python's GIL for a second or more.

        Raises:
            NotSupported: the extra is not installed.
        """
        with self._loading:
            if self._analyse is None:
                self._analyse = _load()
            return self._analyse


def _load() -> Analyse:
    try:
        return open_analyser()
    except ImportError as error:
        raise NotSupported(
            "spacing=restored needs the package kiwipiepy, which is not installed here: "
            "pip install 'stt-ctc[spacing]'. Or leave spacing out."
        ) from error
