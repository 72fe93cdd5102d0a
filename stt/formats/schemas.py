"""What a transcript looks like on the wire, as JSON."""

from typing import Literal

from pydantic import BaseModel, Field


class TranscriptionResponse(BaseModel):
    """What was said. ``text``, ``language`` and ``model`` are there in every version."""

    text: str = Field(description='The words, with single spaces; "" where nothing was said.')
    language: str = Field(description="Registry code of the language that was taken.")
    model: str = Field(description="Checkpoint that was used.")
    processing_time_seconds: float = Field(
        description="From the arrival of the whole upload to the text."
    )
    device: str = Field(description="`cpu` or `cuda:N`.")
    cpu_threads: int = Field(description="Threads of one forward on CPU.")
    duration_seconds: float = Field(description="Length of the audio that was decoded.")


class WordEntry(BaseModel):
    """One word and where it stands."""

    word: str
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")
    confidence: float = Field(
        description="The model's probability that every symbol of the word is right, 0 to 1; the "
        "longer the word, the lower."
    )


class SegmentEntry(BaseModel):
    """What is said between two pauses. The keys are those of OpenAI's API."""

    id: int = Field(description="0 for the first segment.")
    seek: int = Field(description="Always 0: these models do not seek through the recording.")
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")
    text: str
    tokens: list[int] = Field(description="Always empty: a CTC model has no text tokens.")
    temperature: float = Field(description="Always 0: nothing is sampled.")
    avg_logprob: float = Field(
        description="Mean of the natural logarithms of the words' confidences; 0 is certain. Not "
        "comparable with Whisper's, which is a mean over tokens."
    )
    compression_ratio: float = Field(
        description="Bytes of the text over bytes of it compressed with zlib, as Whisper computes "
        "it; a high one means repetition, and a short text has one under 1."
    )
    no_speech_prob: float = Field(
        description="Always 0: CTC has no such probability. No words means that none were found."
    )


class VerboseTranscription(BaseModel):
    """`verbose_json` as OpenAI's API has it: what was said, and when."""

    task: Literal["transcribe"] = "transcribe"
    language: str = Field(description="Language that was taken.")
    duration: float = Field(description="Seconds of audio that were decoded.")
    text: str = Field(description='The words, with single spaces; "" where nothing was said.')
    segments: list[SegmentEntry] = Field(description="All words, cut at pauses.")
    words: list[WordEntry] | None = Field(
        None, description="Left out where only the granularity `segment` was asked for."
    )


class VerboseTranscriptionResponse(VerboseTranscription, TranscriptionResponse):
    """`verbose_json` of `/transcribe`: everything that `json` has, and OpenAI's keys."""
