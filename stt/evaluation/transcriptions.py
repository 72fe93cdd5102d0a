"""Reference texts as corpora write them: plain, or KsponSpeech's dual transcription.

KsponSpeech and other corpora of AI Hub transcribe words twice if spelling and sound differ,
``(3시)/(세 시)``, and have marks (Bang et al., 2020, https://doi.org/10.3390/app10196936):

=========  =======================================================
``b/``     breath; ``l/`` laughter, ``o/`` other voices, ``n/`` noise, ``u/`` not understood
``아/``    a filler: the mark goes, the word stays
``그+``    a word that is repeated or broken off: likewise
``그*``    a word that is not clear: likewise
=========  =======================================================

Everything else stays as it is, also a pair that lacks a parenthesis.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_NOISE = re.compile(r"(?<![A-Za-z0-9])[blonu]/(?=[\s가-힣()*+.,?!]|[blonu]/|$)")
_AFTER_WORD = re.compile(r"(?:(?<=[가-힣])[/*+]+|(?<=\))[*+]+)(?=[\s.,?!)]|$)")
_BEFORE_WORD = re.compile(r"(?<![^\s(])[*+]+(?=[가-힣])")
_BETWEEN = re.compile(r"\s*/\s*(?=\()")
_IS_WRITTEN = re.compile(r"[0-9A-Za-z%℃]")


@dataclass(frozen=True)
class Passage:
    """A part of a reference: a word, or words that are transcribed twice and what touches them."""

    written: str
    spoken: str


@dataclass(frozen=True)
class Reference:
    """What was said in a recording."""

    passages: tuple[Passage, ...]
    is_spoken: bool = True
    """Whether `text` has the spoken forms."""

    @property
    def text(self) -> str:
        """One of the forms of each passage."""
        return " ".join(each.spoken if self.is_spoken else each.written for each in self.passages)


def plain(text: str) -> Reference:
    """A text without marks: unchanged."""
    return Reference((Passage(text, text),))


def dual(text: str, *, is_spoken: bool) -> Reference:
    """A text in KsponSpeech's notation.

    Of a pair, the form with digits or Latin letters is the written one; else the first.
    """
    passages = []
    for words in _at_spaces(_parts(_without_marks(text))):
        written, spoken = (" ".join("".join(form).split()) for form in zip(*words, strict=True))
        if written or spoken:
            passages.append(Passage(written, spoken))
    return Reference(tuple(passages), is_spoken)


def looks_dual(text: str) -> bool:
    """Whether a text has a passage that is transcribed twice."""
    return any(written != spoken for written, spoken in _parts(text))


TRANSCRIPTIONS: Mapping[str, Callable[[str], Reference]] = MappingProxyType(
    {
        "plain": plain,
        "dual-spoken": lambda text: dual(text, is_spoken=True),
        "dual-written": lambda text: dual(text, is_spoken=False),
    }
)
"""How references are read, by name."""
DEFAULT_TRANSCRIPTION = "plain"


def _without_marks(text: str) -> str:
    text = _NOISE.sub(" ", text)
    return _BEFORE_WORD.sub("", _AFTER_WORD.sub("", text))


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Written and spoken form of each pair and of the text between two, in order."""
    position = plain_from = 0
    while (begin := text.find("(", position)) >= 0:
        end = _closing(text, begin)
        between = _BETWEEN.match(text, end) if end else None
        last = _closing(text, between.end()) if between else None
        if end is None or between is None or last is None:
            position = begin + 1
            continue
        if plain_from < begin:
            yield text[plain_from:begin], text[plain_from:begin]
        yield _forms(text[begin + 1 : end - 1], text[between.end() + 1 : last - 1])
        position = plain_from = last
    if plain_from < len(text):
        yield text[plain_from:], text[plain_from:]


def _forms(first: str, second: str) -> tuple[str, str]:
    """Which form is which; a pair within a pair has its own."""
    written = "".join(form for form, _ in _parts(first))
    spoken = "".join(form for _, form in _parts(second))
    if _IS_WRITTEN.search(spoken) and not _IS_WRITTEN.search(written):
        return spoken, written
    return written, spoken


def _closing(text: str, begin: int) -> int | None:
    """Where the parenthesis that opens at ``begin`` ends, exclusive."""
    depth = 0
    for position in range(begin, min(len(text), begin + _LONGEST)):
        depth += (text[position] == "(") - (text[position] == ")")
        if depth == 0:
            return position + 1
    return None


_LONGEST = 200
"""Characters of one form. A limit, since each parenthesis that never closes costs a search."""


def _at_spaces(parts: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Cut where words end; spaces within a pair cut nothing."""
    words: list[tuple[str, str]] = []
    for written, spoken in parts:
        if written != spoken:
            words.append((written, spoken))
            continue
        for piece in re.findall(r"\s+|\S+", written):
            if piece.isspace():
                yield words or [("", "")]
                words = []
            else:
                words.append((piece, piece))
    yield words or [("", "")]
