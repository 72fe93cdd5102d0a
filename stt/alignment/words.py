"""What an alignment says: each word and segment of the text, and when it is spoken."""

from dataclasses import dataclass, field
from enum import StrEnum

from stt.notices import Report
from stt.types import Transcript, Word


class Status(StrEnum):
    """Whether a word of the text has a time of its own."""

    SPOKEN = "spoken"
    NOT_SPOKEN = "not_spoken"
    """The recording does not have it."""
    NOT_SPELLED = "not_spelled"
    """The checkpoint cannot spell it. Its time is that of the speech between its neighbours."""
    SILENT = "silent"
    """It is punctuation, or other signs that are not read."""


@dataclass(frozen=True)
class AlignedCharacter:
    """A character of a word, with its marks and punctuation; or a number."""

    text: str
    start: float
    """Seconds from the start of the recording."""
    end: float
    score: float
    """As of `AlignedWord`."""


@dataclass(frozen=True)
class AlignedWord:
    """A word of the text."""

    text: str
    """As written, in NFC."""
    start: float
    """Seconds from the start of the recording; not before the end of the word before."""
    end: float
    """Not before ``start``. A word that is not spoken has no length."""
    score: float
    """How well it fits, 0 to 1: the geometric mean of its symbols' posteriors, less what the model
    hears between them. 0 unless it is spoken."""
    status: Status = Status.SPOKEN
    characters: tuple[AlignedCharacter, ...] = ()
    """Joined they are ``text``; none unless it is spoken."""
    space_before: bool = True
    """Whether white space separates it from the word before."""


@dataclass(frozen=True)
class AlignedSegment:
    """A cue, a paragraph or a line of the text."""

    words: tuple[AlignedWord, ...]
    """At least one."""
    lines: tuple[str, ...]
    """As written, in NFC."""

    @property
    def spoken(self) -> tuple[AlignedWord, ...]:
        """The words that are spoken; all if none is."""
        return tuple(word for word in self.words if word.status == Status.SPOKEN) or self.words

    @property
    def start(self) -> float:
        """Start of the first word that is spoken."""
        return self.spoken[0].start

    @property
    def end(self) -> float:
        """End of the last word that is spoken."""
        return self.spoken[-1].end

    @property
    def is_spoken(self) -> bool:
        """Whether any of its words is."""
        return any(word.status == Status.SPOKEN for word in self.words)

    @property
    def text(self) -> str:
        """Its words, joined."""
        return "".join(
            f" {word.text}" if word.space_before and index else word.text
            for index, word in enumerate(self.words)
        )


@dataclass(frozen=True)
class Span:
    """A stretch of the recording, in seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class Alignment:
    """A text and when it is spoken."""

    segments: tuple[AlignedSegment, ...]
    score: float
    """The mean of the words' scores, each weighted by its symbols; words that are not spoken count
    as 0. A text of another recording scores near 0."""
    duration_seconds: float
    """Length of the audio."""
    not_in_text: tuple[Span, ...] = ()
    """Speech that is not in the text."""
    is_captions: bool = False
    """Whether the text was SubRip or WebVTT."""
    report: Report = field(default_factory=Report)

    @property
    def words(self) -> tuple[AlignedWord, ...]:
        """All words of the text, in order."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def transcript(self) -> Transcript:
        """The words that are spoken, as a transcript."""
        spoken = (word for word in self.words if word.status == Status.SPOKEN)
        return Transcript(
            tuple(
                Word(each.text, each.start, each.end, each.score, (), each.space_before)
                for each in spoken
            ),
            self.duration_seconds,
            self.report,
        )
