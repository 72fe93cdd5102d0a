"""What goes over the wire: the models of the answers, and problem details for errors."""

from typing import Any, Literal

from fastapi.responses import JSONResponse
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


class ModelHealth(BaseModel):
    """One model, and how far it is."""

    language: str
    model_id: str
    revision: str
    status: str = Field(description="`loading`, `ready` or `failed`.")
    step: str = Field(
        description="`waiting`, `fetching`, `reading`, `warming`, `ready` or `failed`."
    )
    bytes_done: int = Field(description="Bytes fetched so far; 0 where none have to be.")
    bytes_total: int = Field(description="Bytes to fetch.")
    retry_in_seconds: float | None = Field(
        description="When the hub is tried again, where that is due."
    )
    reason: str | None = Field(description="What went wrong, and what to do.")


class HealthResponse(BaseModel):
    """The state of the service. The flat fields speak of the default language's model."""

    status: str = Field(description="`ok`, `loading`, `failed` or `draining`.")
    model_loaded: bool
    processor_loaded: bool
    device: str | None = Field(description="null until the model is loaded.")
    model_id: str
    cpu_threads: int
    cpu_cores: int
    memory_mb: float = Field(description="Resident memory of the process, in MB.")
    demo: bool = Field(description="Whether the small demo models are served.")
    models: list[ModelHealth]


class LanguageEntry(BaseModel):
    """One language that can be asked for."""

    code: str
    name: str
    native_name: str
    aliases: list[str] = Field(description="Other accepted spellings; case does not matter.")
    model_id: str
    revision: str
    default: bool = Field(description="Taken where a request names none.")


class LanguagesResponse(BaseModel):
    """The languages that this service was started with."""

    languages: list[LanguageEntry]


class SummaryResponse(BaseModel):
    """What this service is, for programs."""

    name: str
    version: str
    status: str
    demo: bool
    languages: list[str]
    endpoints: dict[str, str]


class Problem(BaseModel):
    """An error, as RFC 9457 problem details. ``detail`` is always a string."""

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What was wrong, what was expected, what to do.")
    code: str = Field(description="Stable name of the kind of error, for programs.")
    request_id: str | None = Field(description="As in X-Request-ID and in the log.")


class ProblemResponse(JSONResponse):
    """``application/problem+json``."""

    media_type = "application/problem+json"


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "`unsupported_language`, `invalid_audio`, `bad_request`: the request or the audio "
        "is wrong.",
        413: "`upload_too_large`, `audio_too_long`.",
        415: "`unsupported_format`: not audio, or a format that is not accepted.",
        422: "`invalid_parameter`: a field is missing or malformed.",
        429: "`overloaded`: too much waits; ask again after `Retry-After` seconds.",
        500: "`inference_failed`, `internal_error`: our fault; the log has it under the "
        "request's id.",
        503: "`model_loading` (ask again after `Retry-After` seconds), `model_failed`.",
    }.items()
}
"""For the OpenAPI page."""
