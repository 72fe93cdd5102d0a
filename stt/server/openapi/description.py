"""Completes the description that FastAPI makes."""

from itertools import chain
from typing import Any

from fastapi import FastAPI

from stt.formats.base import JSON
from stt.server.openapi import alignments, client_secrets, jobs, service, transcripts
from stt.server.openapi.errors import error_examples
from stt.server.openapi.examples import Answers, Examples
from stt.server.problems import OPENAI_PATHS, ProblemResponse

CONCEPTS = (transcripts, alignments, jobs, client_secrets, service)
"""Modules with the examples of some paths."""


def describe(app: FastAPI) -> None:
    """Complete FastAPI's own description. Call it after adding all routes."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            answers = dict(chain.from_iterable(each.answers().items() for each in CONCEPTS))
            for path, item in made()["paths"].items():
                for operation in item.values():
                    _complete(path, operation, answers.get(path, {}))
            for schema in made()["components"]["schemas"].values():
                _mark_files(schema)
        return made()  # FastAPI caches it

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(path: str, operation: dict[str, Any], answers: Answers) -> None:
    responses = operation["responses"]
    if path.startswith(OPENAI_PATHS) or "requestBody" not in operation:
        responses.pop("422", None)  # FastAPI adds it everywhere; OpenAI uses 400
    for status, response in responses.items():
        if status == "204":
            continue  # it has no body
        content = response.setdefault("content", {})
        if int(status) >= 400 and (int(status), JSON) not in answers:
            media_type = JSON if path.startswith(OPENAI_PATHS) else ProblemResponse.media_type
            of_errors = content.setdefault(media_type, content.pop(JSON, {}))
            of_errors["examples"] = _named(error_examples(path, operation, int(status)))
            continue
        for media_type, body in content.items():
            body["examples"] = _named(answers[int(status), media_type])


def _mark_files(schema: dict[str, Any]) -> None:
    """Mark the files of a form as generators of clients expect, in OpenAPI 3.0's way too."""
    for field in schema.get("properties", {}).values():
        if "contentMediaType" in field:
            field["format"] = "binary"


def _named(examples: Examples) -> dict[str, Any]:
    return {name: {"value": value} for name, value in examples}
