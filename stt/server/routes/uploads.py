"""Form fields and answers that the upload routes share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BeforeValidator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from stt.formats.base import JSON, AnswerT, Format, Granularity


@dataclass(frozen=True)
class OneOf:
    """Annotation of a field: accepts only these names."""

    names: Iterable[str]

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        """The type that pydantic validates and OpenAPI shows."""
        return core_schema.literal_schema(list(self.names))


def parse_granularities(values: list[Any]) -> list[Granularity]:
    """Granularities as forms send them: repeated, separated by commas, or both.

    Raises:
        PydanticCustomError: a name is unknown.
    """
    names = [name.strip() for value in values for name in str(value).split(",")]
    try:
        return [Granularity(name) for name in names if name]
    except ValueError:
        allowed = " or ".join(repr(each.value) for each in Granularity)
        raise PydanticCustomError("enum", f"Input should be {allowed}") from None


Granularities = Annotated[list[Granularity], BeforeValidator(parse_granularities)]


def requested_granularities(
    granularities: Annotated[
        Granularities,
        Form(
            alias="timestamp_granularities",
            default_factory=list,
            description="Times in `verbose_json`, repeated or separated by commas. Segments are "
            "always included, words if `word` or nothing is requested. "
            "`timestamp_granularities[]` is the same.",
        ),
    ],
) -> frozenset[Granularity]:
    """FastAPI dependency: the granularities; empty if the form has none."""
    return frozenset(granularities)


async def respond(response_format: Format[AnswerT], answer: AnswerT) -> Response:
    """Render the answer outside the event loop."""
    content = await run_in_threadpool(response_format.render, answer)
    return Response(content, media_type=response_format.content_type)


def document(formats: Iterable[Format[AnswerT]]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry for the formats other than JSON."""
    media_types = dict.fromkeys(each.media_type for each in formats if each.media_type != JSON)
    return {
        200: {
            "description": "The transcript in the requested format.",
            "content": {each: {"schema": {"type": "string"}} for each in media_types},
        }
    }
