"""What the service says of itself on the wire, and problem details for errors."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from stt.errors import AudioError, UnknownModel, UnsupportedLanguage, errors_by_code


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
    warning: str | None = Field(
        description="Why a ready model is slower than it could be, and what to do."
    )


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
    tag: str = Field(description="BCP 47 tag, such as ko-KR.")
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


CANCELLED = "cancelled"
"""The failure of a request whose client has gone; no answer has this code."""


def note_failure(scope: Scope, code: str) -> None:
    """Say what became of a request, for its log line and the metrics."""
    scope.setdefault("state", {})["failure"] = code


def noted_failure(scope: Scope) -> str | None:
    """What became of a request; None if all went well."""
    failure: str | None = scope.get("state", {}).get("failure")
    return failure


OPENAI_PATHS = "/v1/"
"""What lies below is OpenAI's API, and its errors have OpenAI's shape."""

UPLOAD_TOO_LARGE = "upload_too_large"
"""The code of a 413 from `stt.server.middleware.BodyLimit`."""

PARAMS = {
    UnsupportedLanguage.code: "language",
    UnknownModel.code: "model",
    **dict.fromkeys([*errors_by_code(AudioError), UPLOAD_TOO_LARGE], "file"),
}
"""The field of OpenAI's form that an error is about, by its code."""


class OpenAIErrorDetails(BaseModel):
    """What went wrong, in OpenAI's words."""

    message: str = Field(description="What was wrong, what was expected, what to do.")
    type: str = Field(description="`invalid_request_error`, `rate_limit_error`, `server_error`.")
    param: str | None = Field(description="The field that it is about, where it is about one.")
    code: str = Field(description="Stable name of the kind of error, as in problem details.")

    @classmethod
    def of(
        cls, status: int, code: str, message: str, param: str | None = None
    ) -> "OpenAIErrorDetails":
        """An error that has, or would have, this status."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        if status == 429:
            kind = "rate_limit_error"
        return cls(message=message, type=kind, param=param or PARAMS.get(code), code=code)


class OpenAIError(BaseModel):
    """An error as OpenAI's API has it."""

    error: OpenAIErrorDetails


class ProblemResponse(JSONResponse):
    """``application/problem+json``; below `OPENAI_PATHS` an `OpenAIError`."""

    media_type = "application/problem+json"

    def __init__(
        self,
        content: dict[str, Any],
        status_code: int,
        headers: dict[str, str] | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(content, status_code, headers)
        self._content, self._given_headers, self._param = content, headers, param

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        code, detail = self._content["code"], self._content["detail"]
        note_failure(scope, code)
        if not scope["path"].startswith(OPENAI_PATHS):
            await super().__call__(scope, receive, send)
            return
        details = OpenAIErrorDetails.of(self.status_code, code, detail, self._param)
        # For OpenAI a field with a wrong value is a bad request like any other.
        status = 400 if self.status_code == 422 else self.status_code
        answer = JSONResponse(OpenAIError(error=details).model_dump(), status, self._given_headers)
        await answer(scope, receive, send)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "`unsupported_language`, `invalid_audio`, `bad_request`: the request or the audio "
        "is wrong.",
        401: "`invalid_api_key`: the service needs a key.",
        408: "`upload_too_slow`: it was not there in time.",
        413: "`upload_too_large`, `audio_too_long`.",
        415: "`unsupported_format`: not audio, or a format that is not accepted.",
        422: "`invalid_parameter`: a field is missing or malformed.",
        429: "`overloaded`: too much waits; ask again after `Retry-After` seconds.",
        500: "`inference_failed`, `internal_error`: our fault; the log has it under the "
        "request's id.",
        504: "`deadline_exceeded`: it took too long.",
        503: "`model_loading`, `draining`, `queue_timeout`, `engine_died` (ask again after "
        "`Retry-After` seconds), `model_failed`, `out_of_memory`.",
    }.items()
}
"""For the OpenAPI page."""

OPENAI_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIError, "description": entry["description"]}
    for status, entry in PROBLEMS.items()
    if status != 422
}
"""The same for routes below `OPENAI_PATHS`."""
