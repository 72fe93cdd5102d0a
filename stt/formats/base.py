"""What a response format is: a name, a media type and a function that renders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from stt.formats.layout import Layout
from stt.types import Transcript

JSON = "application/json"


class HasTranscript(Protocol):
    """What text formats render: anything that holds a transcript and a layout."""

    @property
    def transcript(self) -> Transcript:
        """The words."""
        ...

    @property
    def layout(self) -> Layout:
        """How large subtitles may be."""
        ...


AnswerT = TypeVar("AnswerT", bound=HasTranscript)
AnswerT_contra = TypeVar("AnswerT_contra", bound=HasTranscript, contravariant=True)


@dataclass(frozen=True)
class Format(Generic[AnswerT_contra]):
    """One response format."""

    name: str
    """What a request calls it."""
    media_type: str
    """Without parameters; see `content_type`."""
    render: Callable[[AnswerT_contra], str]
    """Do not call it in the event loop: hours of speech take a second."""

    @property
    def content_type(self) -> str:
        """The HTTP header. JSON is always UTF-8 (RFC 8259), the rest has to say so."""
        return self.media_type if self.media_type == JSON else f"{self.media_type}; charset=utf-8"


def by_name(*formats: Format[AnswerT]) -> Mapping[str, Format[AnswerT]]:
    """A table of formats."""
    return {each.name: each for each in formats}


class Granularity(StrEnum):
    """What `verbose_json` gives times for."""

    WORD = "word"
    SEGMENT = "segment"


def to_json(body: BaseModel) -> str:
    """A model as JSON, without the keys that are None."""
    return body.model_dump_json(exclude_none=True)
