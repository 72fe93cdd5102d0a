"""A text as people have it -> its words and segments: plain lines, paragraphs, SubRip or WebVTT."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stt.decoding import scripts
from stt.normalisation import compose

_CUE_TIMES = re.compile(r"^\s*(?:\d+:)?\d+:\d\d[.,]\d+\s*-->\s*(?:\d+:)?\d+:\d\d[.,]\d+", re.M)
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_TAGS = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
"""``<i>`` and ``{\\an8}`` of captions; they are not spoken."""


@dataclass(frozen=True)
class GivenWord:
    """A word of the text. In scripts without spaces, every character is a word."""

    text: str
    """As written, in NFC, with its punctuation; not empty, without white space."""
    space_before: bool
    """Whether white space separates it from the word before."""


@dataclass(frozen=True)
class GivenSegment:
    """A cue, a paragraph or a line of the text; at least one word."""

    first_word: int
    """Index of its first word in the text."""
    n_words: int
    lines: tuple[str, ...]
    """As written, in NFC."""


@dataclass(frozen=True)
class GivenText:
    """A text to align."""

    words: tuple[GivenWord, ...]
    segments: tuple[GivenSegment, ...]
    is_captions: bool = False
    """Whether the segments are cues, whose lines are to stay as they are."""

    @classmethod
    def parse(cls, text: str) -> "GivenText":
        """Split a text.

        Segments are the cues of SubRip and WebVTT; else the paragraphs if a blank line separates
        any; else the lines.
        """
        text = compose(text.removeprefix("\ufeff"))
        text = "\n".join(text.splitlines())
        is_captions = _CUE_TIMES.search(text) is not None
        words: list[GivenWord] = []
        segments = []
        for lines in _cues(text) if is_captions else _passages(text):
            spoken = [_TAGS.sub("", line) for line in lines] if is_captions else lines
            found = list(_words(spoken))
            if found:
                segments.append(GivenSegment(len(words), len(found), tuple(lines)))
                words += found
        return cls(tuple(words), tuple(segments), is_captions)


def _cues(text: str) -> Iterator[list[str]]:
    """The lines of each cue; numbers, names, notes and styles are left out."""
    for block in _BLANK_LINES.split(text):
        lines = block.strip("\n").split("\n")
        at = next((i for i, line in enumerate(lines) if _CUE_TIMES.match(line)), None)
        if at is not None:
            yield [line.strip() for line in lines[at + 1 :] if line.strip()]


def _passages(text: str) -> Iterator[list[str]]:
    """The lines of each paragraph, or each line if there are no paragraphs."""
    passages = _BLANK_LINES.split(text.strip())
    if len(passages) == 1:
        passages = passages[0].split("\n")
    for passage in passages:
        if lines := [line.strip() for line in passage.split("\n") if line.strip()]:
            yield lines


def _words(lines: Sequence[str]) -> Iterator[GivenWord]:
    for line in lines:
        for index, part in enumerate(line.split()):
            for number, word in enumerate(_divide(part)):
                # A line may break anywhere in a script without spaces: no space was meant.
                is_broken = index == 0 and scripts.has_unspaced(word)
                yield GivenWord(word, space_before=number == 0 and not is_broken)


def _divide(part: str) -> Iterator[str]:
    """Cut text without white space where scripts without spaces divide it."""
    word = ""
    for character in part:
        if word and _begins_word(word, character):
            yield word
            word = ""
        word += character
    yield word


def _begins_word(before: str, character: str) -> bool:
    if scripts.leans_back(character) or scripts.leans_forward(before[-1]):
        return False
    if scripts.closes(character) or scripts.opens(before[-1]):
        return False
    return scripts.is_unspaced(character) or scripts.has_unspaced(before)
