"""OpenAI's transcription API on the wire: its answers, what its events hold, its models.

The shapes are those of https://platform.openai.com/docs/api-reference/audio. Errors are in
`stt.server.schemas`, since every path has them.
"""

import math
import sys
from collections.abc import Iterable, Set
from typing import Annotated, Literal

from fastapi import Form, Response
from pydantic import BaseModel, Field

from stt.formats.native import (
    TEXTS,
    Granularity,
    ResponseFormat,
    json_response,
    segment_entries,
    text_response,
    word_entries,
)
from stt.formats.schemas import SegmentEntry, VerboseTranscription, WordEntry
from stt.languages import Language
from stt.types import Token, Transcript, Word

LOGPROBS = "logprobs"
"""What `include[]` may ask for; anything else that it asks for is not there."""


class Usage(BaseModel):
    """What OpenAI would bill."""

    type: Literal["duration"] = "duration"
    seconds: float = Field(description="Length of the audio that was decoded.")


class Logprob(BaseModel):
    """One piece of the text, and how sure the model is of it."""

    token: str = Field(description="Joined, the tokens are the text.")
    bytes: list[int] = Field(description="The token in UTF-8.")
    logprob: float = Field(description="Natural logarithm of the model's probability; 0 is sure.")


class Transcription(BaseModel):
    """`json`: what was said."""

    text: str = Field(description='The words, with single spaces; "" where nothing was said.')
    logprobs: list[Logprob] | None = Field(None, description="Where `include[]` asks for it.")
    usage: Usage


class TranscriptionVerbose(VerboseTranscription):
    """`verbose_json`: what was said, and when."""

    usage: Usage


class TextDelta(BaseModel):
    """Event: the next word, which no later event changes."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str = Field(description="Joined, the deltas are the text.")
    logprobs: list[Logprob] | None = None


class TextDone(BaseModel):
    """Event: the end, with the whole text. What OpenAI's has not, its clients ignore."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | None = None
    duration: float | None = Field(
        None, description="Our own: seconds of audio, where a granularity was asked for."
    )
    segments: list[SegmentEntry] | None = Field(
        None, description="Our own: where the granularity `segment` was asked for."
    )
    words: list[WordEntry] | None = Field(
        None, description="Our own: where the granularity `word` was asked for."
    )


class Model(BaseModel):
    """One model that is served."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Always 0: checkpoints have no such date.")
    owned_by: str = Field(description="Owner on the hub, or `local`.")
    language: str = Field(description="Registry code of the language that it understands.")

    @classmethod
    def of(cls, language: Language) -> "Model":
        """The model behind a language."""
        owner, slash, _ = language.model.id.partition("/")
        return cls(
            id=language.model.id,
            created=0,
            owned_by=owner if slash else "local",
            language=language.code,
        )


class ModelList(BaseModel):
    """All models that are served."""

    object: Literal["list"] = "list"
    data: list[Model]


def asked_logprobs(
    bare: Annotated[
        list[str],
        Form(alias="include", default_factory=list, description="`logprobs`, for `json`."),
    ],
    bracketed: Annotated[
        list[str],
        Form(
            alias="include[]",
            default_factory=list,
            description="The same, as OpenAI's clients call it.",
        ),
    ],
) -> bool:
    """FastAPI dependency: whether log-probs were asked for, under either name."""
    return LOGPROBS in {name.strip() for value in bare + bracketed for name in value.split(",")}


def logprob_entries(words: Iterable[Word], *, begin_text: bool = True) -> list[Logprob]:
    """The tokens of consecutive words, the space between two words with the second one.

    ``begin_text`` is whether the first of them begins the text and so has no space before it.
    """
    entries = []
    for word in words:
        space = "" if begin_text else " "
        begin_text = False
        least = sys.float_info.min  # JSON has no infinity
        whole = Token(word.text, math.log(max(word.confidence, least)))
        for token in word.tokens or (whole,):
            text = space + token.text
            # The calibrated logarithm of a sure symbol is 0 to the last bit but one.
            logprob = round(min(0.0, token.log_posterior), 6)
            entries.append(Logprob(token=text, bytes=list(text.encode()), logprob=logprob))
            space = ""
    return entries


def render(
    transcript: Transcript,
    language: Language,
    response_format: ResponseFormat,
    granularities: Set[Granularity],
    with_logprobs: bool,
) -> Response:
    """The answer of the route. Takes a second for hours of speech: not for the event loop."""
    if response_format in TEXTS:
        return text_response(transcript, response_format)
    duration = round(transcript.duration_seconds, 3)
    usage = Usage(seconds=duration)
    if response_format is ResponseFormat.VERBOSE_JSON:
        return json_response(
            TranscriptionVerbose(
                language=language.name.lower(),
                duration=duration,
                text=transcript.text,
                segments=segment_entries(transcript),
                words=word_entries(transcript) if Granularity.WORD in granularities else None,
                usage=usage,
            )
        )
    logprobs = logprob_entries(transcript.words) if with_logprobs else None
    return json_response(Transcription(text=transcript.text, logprobs=logprobs, usage=usage))
