"""The alignment of the same recording and a text that differs from it."""

from dataclasses import replace

from stt.alignment.words import (
    AlignedCharacter,
    AlignedSegment,
    AlignedWord,
    Alignment,
    Status,
)
from stt.formats import alignment
from stt.formats.base import JSON
from stt.notices import Code, Notice, Report
from stt.server.openapi.examples import KOREAN, SPOKEN, Answers
from stt.server.openapi.transcripts import rendered

ALIGNMENTS = ("/align", "/v1/audio/alignments")
"""Paths whose requests have a text."""


def _aligned(text: str, start: float, middle: float, end: float) -> AlignedWord:
    """A word of two syllables."""
    characters = (
        AlignedCharacter(text[:1], start, middle, 0.9931),
        AlignedCharacter(text[1:], middle, end, 0.9931),
    )
    return AlignedWord(text, start, end, 0.9931, Status.SPOKEN, characters)


ALIGNED = Alignment(
    tuple(
        AlignedSegment(words, (" ".join(word.text for word in words),))
        for words in (
            (
                _aligned("내일", 0.16, 0.4, 0.66),
                AlignedWord("아침", 0.66, 0.66, 0.0, Status.NOT_SPOKEN),
            ),
            (_aligned("비가", 1.44, 1.6, 1.85), _aligned("와요.", 1.96, 2.2, 2.43)),
        )
    ),
    score=0.7448,
    duration_seconds=SPOKEN.duration_seconds,
    report=Report(
        (Notice(Code.TEXT_NOT_SPOKEN, "1 of 4 words of the text were not found in the recording."),)
    ),
)


def answers() -> dict[str, Answers]:
    """Examples by path."""
    answer = alignment.Answer(ALIGNED, KOREAN.code, KOREAN.model.name)
    examples = rendered(alignment.FORMATS.values(), answer)
    with_characters = replace(answer, with_characters=True)
    characters = rendered([alignment.FORMATS["json"]], with_characters, ", characters=true")
    examples[200, JSON] += characters[200, JSON]
    return dict.fromkeys(ALIGNMENTS, examples)
