"""The one table from errors to statuses, and how an error becomes an answer."""

import logging
import math
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from stt import errors
from stt.observability import logs
from stt.server.schemas import UPLOAD_TOO_LARGE, Problem, ProblemResponse

logger = logging.getLogger(__name__)

STATUSES: dict[type[errors.SttError], int] = {
    errors.InvalidKey: 401,
    errors.UnsupportedLanguage: 400,
    errors.UnknownModel: 404,
    errors.InvalidParameter: 400,
    errors.NotSupported: 400,
    errors.UnsupportedFormat: 415,
    errors.InvalidAudio: 400,
    errors.DecodeFailed: 400,
    errors.AudioTooLong: 413,
    errors.ModelUnreachable: 503,
    errors.ModelLoading: 503,
    errors.ModelBroken: 503,
    errors.Overloaded: 429,
    errors.Draining: 503,
    errors.DeadlineExceeded: 504,
    errors.QueueTimeout: 503,
    errors.OutOfMemory: 503,
    errors.InferenceDied: 503,
    errors.ClusterUnavailable: 503,
    errors.InferenceFailed: 500,
    errors.ConfigurationError: 500,
}
"""The status of each error that can reach a client."""

CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "upload_too_slow",
    413: UPLOAD_TOO_LARGE,
}
"""Codes of what the framework itself refuses."""

BUG = ("internal_error", "The service made a mistake. The log has it under the request id.")
"""Code and words for what nobody foresaw; the status is 500."""


def problem(
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
    param: str | None = None,
) -> ProblemResponse:
    """An error answer; ``param`` is the field that it is about, where it is about one."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=logs.request_id.get(),
    )
    return ProblemResponse(body.model_dump(), status, headers, param)


def problem_of(error: errors.SttError) -> ProblemResponse:
    """The answer to one of our own errors."""
    headers = {}
    if isinstance(error, errors.InvalidKey):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.RetryLater):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    return problem(STATUSES[type(error)], error.code, error.message, headers)


def answer_errors(app: FastAPI) -> None:
    """Have every error of the application answered as a problem."""
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
                f"The part '{field}' is missing or is no file; send the recording as "
                f"multipart/form-data (curl -F {field}=@clip.wav)"
            )
        else:
            faults.append(f"{field}: {fault['msg']}")
    first = str(error.errors()[0]["loc"][-1])
    return problem(422, errors.InvalidParameter.code, "; ".join(faults) + ".", param=first)


async def _on_http_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    details = {
        400: "The body is no proper form. Send multipart/form-data as `curl -F file=@clip.wav` "
        "does; each part has a name, and a field that is no file has at most 1 MB.",
        404: f"There is nothing at {request.url.path[:100]!r}. GET / lists the routes.",
        405: f"{request.method} is not possible at {request.url.path[:100]!r}.",
    }
    code = CODES.get(error.status_code, "http_error")
    detail = details.get(error.status_code, str(error.detail))
    return problem(error.status_code, code, detail, dict(error.headers or {}))
