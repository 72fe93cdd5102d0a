"""`verbose_json`: segments and words with their times, in OpenAI's keys."""

import math
import sys
import zlib
from typing import Literal

from pydantic import BaseModel, Field

from stt.formats.findings import Findings
from stt.recognition.segments import split_segments
from stt.types import Segment, Transcript

ABOUT_CHANNEL = "Ours: number of its channel, from 1, if channels were kept apart; else omitted."


class WordEntry(BaseModel):
    """One word with its times."""

    word: str
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")
    confidence: float = Field(
        description="Probability that every symbol of the word is right, 0 to 1. Longer words "
        "score lower."
    )
    space_before: Literal[False] | None = Field(
        None,
        description="Ours: `false` if no space separates the word from the one before, as in "
        "Japanese or Chinese; else omitted.",
    )
    spoken: str | None = Field(
        None, description="Ours: what was said, if `word` is its written form; else omitted."
    )
    channel: int | None = Field(None, description=ABOUT_CHANNEL)


class SegmentEntry(BaseModel):
    """The speech between two pauses. The keys are those of OpenAI's API."""

    id: int = Field(description="Counts from 0.")
    seek: int = Field(description="Always 0: these models do not seek.")
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")
    text: str
    tokens: list[int] = Field(description="Always empty: CTC models have no text tokens.")
    temperature: float = Field(description="Always 0: these models do not sample.")
    avg_logprob: float = Field(
        description="Mean natural logarithm of the words' confidences; 0 is certain. Not "
        "comparable with Whisper's, which is a mean over tokens."
    )
    compression_ratio: float = Field(
        description="Size of the text over its size compressed with zlib, as in Whisper. High "
        "values mean repetition; short texts have values below 1."
    )
    no_speech_prob: float = Field(description="Always 0: CTC has no such probability.")
    channel: int | None = Field(None, description=ABOUT_CHANNEL)


class VerboseTranscription(Findings):
    """`verbose_json` as in OpenAI's API."""

    task: Literal["transcribe"] = "transcribe"
    language: str = Field(description="Language of the recording.")
    duration: float = Field(description="Seconds of decoded audio.")
    text: str = Field(description='The words, joined as their script has it; "" without speech.')
    segments: list[SegmentEntry] = Field(description="All words, split at pauses.")
    words: list[WordEntry] | None = Field(
        None, description="Missing if only the granularity `segment` was requested."
    )


def word_entries(transcript: Transcript) -> list[WordEntry]:
    """All words; times to the millisecond."""
    return [
        WordEntry(
            word=word.text,
            start=round(word.start, 3),
            end=round(word.end, 3),
            confidence=round(word.confidence, 4),
            space_before=None if word.space_before else False,
            spoken=word.spoken,
            channel=word.channel,
        )
        for word in transcript.words
    ]


def segment_entries(transcript: Transcript) -> list[SegmentEntry]:
    """All segments; times to the millisecond."""
    return [
        SegmentEntry(
            id=index,
            seek=0,
            start=round(segment.start, 3),
            end=round(segment.end, 3),
            text=segment.text,
            tokens=[],
            temperature=0.0,
            avg_logprob=round(_mean_log(segment), 4),
            compression_ratio=round(_compression_ratio(segment.text), 4),
            no_speech_prob=0.0,
            channel=segment.channel,
        )
        for index, segment in enumerate(split_segments(transcript.words))
    ]


def _mean_log(segment: Segment) -> float:
    """Mean natural logarithm. JSON has no infinity, so 0 counts as the smallest positive float."""
    logs = [math.log(max(word.confidence, sys.float_info.min)) for word in segment.words]
    return sum(logs) / len(logs)


def _compression_ratio(text: str) -> float:
    """As in openai/whisper, ``utils.py``."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))
