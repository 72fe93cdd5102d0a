"""What examples are, and what they are examples of: a recording and its languages."""

from typing import Any, TypeAlias

from stt.languages import choose_languages
from stt.types import Token, Transcript, Word

Examples: TypeAlias = list[tuple[str, Any]]
"""Their names and values."""
Answers: TypeAlias = dict[tuple[int, str], Examples]
"""Those of a path, by status and media type."""

LANGUAGES = choose_languages((), {}, demo=True)
KOREAN = LANGUAGES.default
SPOKEN = Transcript(
    tuple(
        Word(text, start, end, confidence, tuple(Token(letter, -0.02) for letter in text))
        for text, start, end, confidence in (
            ("내일", 0.189, 0.677, 0.9893),
            ("서울에", 0.689, 1.297, 0.8265),
            ("비가", 1.449, 1.857, 0.6218),
            ("와요", 1.969, 2.437, 0.9745),
        )
    ),
    duration_seconds=2.686,
)
"""The speech in ``samples/ko-weather.flac``."""
