"""Maps errors to HTTP statuses and renders them as answers."""

import logging
import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from stt import errors
from stt.observability import logs
from stt.server.failures import note_failure
from stt.server.paths import route_path
from stt.server.schemas import OpenAIError, OpenAIErrorDetails, Problem

logger = logging.getLogger(__name__)

STATUSES: dict[type[errors.SttError], int] = {
    errors.InvalidKey: 401,
    errors.ForbiddenHost: 403,
    errors.ForbiddenOrigin: 403,
    errors.UnsupportedLanguage: 400,
    errors.UnknownModel: 404,
    errors.InvalidParameter: 400,
    errors.InvalidHotwords: 422,
    errors.InvalidText: 422,
    errors.AlignmentFailed: 422,
    errors.UrlNotAllowed: 403,
    errors.UrlUnreachable: 422,
    errors.UploadTooLarge: 413,
    errors.NotSupported: 400,
    errors.JobNotFound: 404,
    errors.NoResult: 409,
    errors.JobsUnavailable: 503,
    errors.JobQuotaReached: 429,
    errors.JobAbandoned: 500,
    errors.UnsupportedFormat: 415,
    errors.InvalidAudio: 400,
    errors.DecodeFailed: 400,
    errors.AudioTooLong: 413,
    errors.ModelUnreachable: 503,
    errors.ModelLoading: 503,
    errors.ModelBroken: 503,
    errors.Overloaded: 429,
    errors.RateLimited: 429,
    errors.Draining: 503,
    errors.DeadlineExceeded: 504,
    errors.QueueTimeout: 503,
    errors.OutOfMemory: 503,
    errors.OutOfStorage: 507,
    errors.InferenceDied: 503,
    errors.ClusterUnavailable: 503,
    errors.InferenceFailed: 500,
    errors.ConfigurationError: 500,
}
"""HTTP status of each error that a client can receive."""

UPLOAD_TOO_LARGE = errors.UploadTooLarge.code
"""The code of a 413 from `stt.server.middleware.BodyLimit` too."""

CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "upload_too_slow",
    413: UPLOAD_TOO_LARGE,
    431: "head_too_large",
}
"""Codes of the framework's own errors, by status."""

OPENAI_PATHS = "/v1/"
"""Prefix of OpenAI's API, whose errors have OpenAI's shape."""

PARAMS = {
    errors.UnsupportedLanguage.code: "language",
    errors.UnknownModel.code: "model",
    errors.InvalidHotwords.code: "hotwords",
    **dict.fromkeys((errors.UrlNotAllowed.code, errors.UrlUnreachable.code), "url"),
    **dict.fromkeys((errors.InvalidText.code, errors.AlignmentFailed.code), "text"),
    **dict.fromkeys([*errors.errors_by_code(errors.AudioError), UPLOAD_TOO_LARGE], "file"),
}
"""The field of OpenAI's form that causes an error, by its code."""

MAX_FIELDS, MAX_FIELD_BYTES = 64, 16 * 1024
"""Of a form, besides its file. They are held in memory."""
NOT_A_FORM = (
    "The body is not valid multipart/form-data. Send it as `curl -F file=@clip.wav` does. Each "
    f"part needs a name; besides the file there are at most {MAX_FIELDS} fields, of at most "
    f"{MAX_FIELD_BYTES // 1024} KiB each."
)
BUG = (errors.SttError.code, errors.BUG_MESSAGE)
"""Code and message of an unexpected error; the status is 500."""


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "`unsupported_language`, `invalid_audio`, `bad_request`: the request or the audio "
        "is invalid.",
        401: "`invalid_api_key`: the API key is missing or wrong.",
        403: "`origin_not_allowed`, `host_not_allowed`: a web page of another site sent it.",
        408: "`upload_too_slow`: the upload exceeded the time limit or was too slow.",
        413: "`upload_too_large`, `audio_too_long`.",
        415: "`unsupported_format`: not audio, or an unsupported format.",
        422: "`invalid_parameter`: a field is missing or malformed.",
        429: "`overloaded`: the queue is full; `rate_limited`: the key has reached its limit. "
        "Retry after `Retry-After` seconds.",
        500: "`inference_failed`, `internal_error`: a fault of the service; the log has it "
        "under the request id.",
        504: "`deadline_exceeded`: the request exceeded the time limit.",
        507: "`out_of_storage`: the service cannot store the upload.",
        503: "`model_loading`, `draining`, `queue_timeout`, `engine_died` (retry after "
        "`Retry-After` seconds), `model_failed`, `out_of_memory`.",
    }.items()
}
"""OpenAPI entries of errors, by status."""

OPENAI_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIError, "description": entry["description"]}
    for status, entry in PROBLEMS.items()
    if status != 422
}
"""The same for `OPENAI_PATHS`."""


def openai_error(status: int, code: str, message: str, param: str | None = None) -> OpenAIError:
    """The body of an error that has, or would have, this status."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    if status == 429:
        kind = "rate_limit_error"
    details = OpenAIErrorDetails(
        message=message, type=kind, param=param or PARAMS.get(code), code=code
    )
    return OpenAIError(error=details)


class ProblemResponse(JSONResponse):
    """``application/problem+json``; for `OPENAI_PATHS` an `OpenAIError`."""

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
        if not route_path(scope).startswith(OPENAI_PATHS):
            await super().__call__(scope, receive, send)
            return
        body = openai_error(self.status_code, code, detail, self._param)
        # OpenAI answers 400 to a field with a wrong value.
        status = 400 if self.status_code == 422 else self.status_code
        answer = JSONResponse(body.model_dump(), status, self._given_headers)
        await answer(scope, receive, send)


def problem_body(status: int, code: str, detail: str, request_id: str | None) -> Problem:
    """The body of an error that has, or would have, this status."""
    title = HTTPStatus(status).phrase
    return Problem(title=title, status=status, detail=detail, code=code, request_id=request_id)


def problem(
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
    param: str | None = None,
) -> ProblemResponse:
    """An error answer; ``param`` is the form field that caused it, if any."""
    body = problem_body(status, code, detail, logs.request_id.get())
    return ProblemResponse(body.model_dump(), status, headers, param)


def problem_of(error: errors.SttError) -> ProblemResponse:
    """The answer to an `SttError`."""
    headers = {}
    if isinstance(error, errors.InvalidKey):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.RetryLater) and math.isfinite(error.retry_after_seconds):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    return problem(STATUSES[type(error)], error.code, error.message, headers)


async def refuse(answer: ProblemResponse, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a refusal; a WebSocket is refused before it is accepted."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope["extensions"]:
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    await answer(scope, receive, send)


def answer_errors(app: FastAPI) -> None:
    """Register the handlers that answer every error as a problem."""
    app.add_exception_handler(errors.SttError, _on_stt_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_stt_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, errors.SttError)  # noqa: S101
    if STATUSES[type(error)] >= 500:
        logger.error("%s: %s", error.code, error.message, exc_info=error.__cause__)
    return problem_of(error)


async def _on_invalid_request(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = []
    for fault in error.errors():
        field = str(fault["loc"][-1])
        if field in ("file", "audio_file"):
            faults.append(
                f"The part '{field}' is missing or not a file. Send the recording as "
                f"multipart/form-data (curl -F {field}=@clip.wav), or as the body with an audio "
                "content type"
            )
        else:
            faults.append(f"{field}: {fault['msg']}")
    first = str(error.errors()[0]["loc"][-1])
    return problem(422, errors.InvalidParameter.code, "; ".join(faults) + ".", param=first)


async def _on_http_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    details = {
        400: NOT_A_FORM,
        404: f"No route matches {request.url.path[:100]!r}. GET / lists the routes.",
        405: f"{request.url.path[:100]!r} does not support {request.method}.",
    }
    code = CODES.get(error.status_code, "http_error")
    detail = details.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return problem(error.status_code, code, detail, headers)


def _methods(request: Request) -> set[str]:
    """All methods of a path; the framework knows those of one of its routes only."""
    path = route_path(request.scope)
    return {
        method
        for context in iter_route_contexts(request.app.routes)
        if context.path_regex is not None and context.path_regex.match(path)
        for method in context.methods or ()
    }
