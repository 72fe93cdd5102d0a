"""The formats of alignments: `json`, captions and TextGrid."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from pydantic import BaseModel, Field

from stt.alignment.words import AlignedSegment, AlignedWord, Alignment, Status
from stt.formats.base import JSON, Format, by_name, to_json
from stt.formats.captions import MIN_CUE_MS, Cue, cut_cues
from stt.formats.findings import Findings, finding_fields
from stt.formats.layout import LAYOUT, Layout
from stt.formats.srt import SRT, write_srt
from stt.formats.textgrid import to_textgrid
from stt.formats.vtt import VTT, write_vtt
from stt.types import Transcript, Word

_ESCAPED_STYLE = re.compile(r"&lt;(/?[biu])&gt;")
"""Tags that SubRip and WebVTT share."""


class CharacterTime(BaseModel):
    """A character with its marks and punctuation, or a number."""

    character: str
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")
    score: float = Field(description="How well it fits, 0 to 1.")


class WordTime(BaseModel):
    """A word of the text."""

    word: str = Field(description="As in the text, in NFC, with its punctuation.")
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Equal to `start` for words that are not spoken.")
    score: float = Field(description="How well it fits, 0 to 1; 0 unless it is spoken.")
    status: Status = Field(
        description="`spoken`; `not_spoken`: not found in the recording; `not_spelled`: the model "
        "cannot spell it; `silent`: punctuation."
    )
    characters: list[CharacterTime] | None = Field(None, description="If `characters` is true.")
    space_before: Literal[False] | None = Field(
        None, description="`false` if no space separates the word from the one before."
    )


class SegmentTime(BaseModel):
    """A line, a paragraph or a cue of the text."""

    id: int = Field(description="Counts from 0.")
    start: float = Field(description="Start of its first word that is spoken.")
    end: float = Field(description="End of its last word that is spoken.")
    text: str
    first_word: int = Field(description="Index of its first word in `words`.")
    n_words: int


class Stretch(BaseModel):
    """A stretch of the recording."""

    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")


class AlignmentResponse(Findings):
    """`json`: when each word of the text is spoken."""

    task: Literal["align"] = "align"
    language: str = Field(description="Code of the language.")
    model: str = Field(description="Id of the model.")
    duration: float = Field(description="Seconds of decoded audio.")
    score: float = Field(
        description="How well text and recording match, 0 to 1: the mean of the words' scores, "
        "weighted by length. Texts of other recordings score near 0."
    )
    words: list[WordTime] = Field(description="Every word of the text, in order.")
    segments: list[SegmentTime] = Field(description="The text's lines, paragraphs or cues.")
    not_in_text: list[Stretch] = Field(description="Speech that the text does not have.")


@dataclass(frozen=True)
class Answer:
    """Everything that the formats need."""

    alignment: Alignment
    language: str
    """Code of the language."""
    model: str
    with_characters: bool = False

    @property
    def transcript(self) -> Transcript:
        """See `stt.formats.base.HasTranscript`."""
        return self.alignment.transcript

    @property
    def layout(self) -> Layout:
        """See `stt.formats.base.HasTranscript`."""
        return LAYOUT


def word_time(word: AlignedWord, *, with_characters: bool) -> WordTime:
    """A word; times to the millisecond."""
    characters = [
        CharacterTime(
            character=each.text,
            start=round(each.start, 3),
            end=round(each.end, 3),
            score=round(each.score, 4),
        )
        for each in word.characters
    ]
    return WordTime(
        word=word.text,
        start=round(word.start, 3),
        end=round(word.end, 3),
        score=round(word.score, 4),
        status=word.status,
        characters=characters if with_characters else None,
        space_before=None if word.space_before else False,
    )


def _segment_times(alignment: Alignment) -> Iterator[SegmentTime]:
    first_word = 0
    for index, segment in enumerate(alignment.segments):
        yield SegmentTime(
            id=index,
            start=round(segment.start, 3),
            end=round(segment.end, 3),
            text=segment.text,
            first_word=first_word,
            n_words=len(segment.words),
        )
        first_word += len(segment.words)


def _render_json(answer: Answer) -> str:
    alignment = answer.alignment
    return to_json(
        AlignmentResponse(
            language=answer.language,
            model=answer.model,
            duration=round(alignment.duration_seconds, 3),
            score=round(alignment.score, 4),
            words=[
                word_time(word, with_characters=answer.with_characters) for word in alignment.words
            ],
            segments=list(_segment_times(alignment)),
            not_in_text=[
                Stretch(start=round(each.start, 3), end=round(each.end, 3))
                for each in alignment.not_in_text
            ],
            **finding_fields(alignment.report),
        )
    )


def _cues(alignment: Alignment) -> list[Cue]:
    """The cues that were given, or those of each segment; in order, without overlap."""
    spoken = [segment for segment in alignment.segments if segment.is_spoken]
    ends = [*(segment.start for segment in spoken[1:]), alignment.duration_seconds]
    cut = _given_cue if alignment.is_captions else _cut_cues
    return list(chain.from_iterable(map(cut, spoken, ends)))


def _given_cue(segment: AlignedSegment, room_until: float) -> Iterator[Cue]:
    start, limit = round(segment.start * 1000), round(room_until * 1000)
    end = min(max(round(segment.end * 1000), start + MIN_CUE_MS), max(limit, start + 1))
    yield Cue(start, end, segment.lines)


def _cut_cues(segment: AlignedSegment, room_until: float) -> list[Cue]:
    words = tuple(
        Word(each.text, each.start, each.end, each.score, (), each.space_before)
        for each in segment.words
    )
    return cut_cues(Transcript(words, room_until))


def _render_vtt(answer: Answer) -> str:
    return _ESCAPED_STYLE.sub(r"<\1>", write_vtt(_cues(answer.alignment)))


FORMATS = by_name(
    Format("json", JSON, _render_json),
    Format("srt", SRT.media_type, lambda answer: write_srt(_cues(answer.alignment))),
    Format("vtt", VTT.media_type, _render_vtt),
    Format[Answer](
        "textgrid",
        "text/plain",
        lambda answer: to_textgrid(answer.alignment, with_characters=answer.with_characters),
    ),
)
"""Every value of `response_format`."""
