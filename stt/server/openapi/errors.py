"""An example of every error, and the errors of each path."""

import json
from typing import Any

from stt import errors
from stt.audio.containers import ACCEPTED
from stt.server.openapi.alignments import ALIGNMENTS
from stt.server.openapi.client_secrets import CLIENT_SECRETS
from stt.server.openapi.examples import Examples
from stt.server.paths import JOBS_PATH
from stt.server.problems import (
    BUG,
    CODES,
    NOT_A_FORM,
    OPENAI_PATHS,
    STATUSES,
    openai_error,
    problem,
)

DETAILS = {
    "unsupported_language": "Language 'xx' is not served here. Supported: KR (Korean), EN "
    "(English). GET /languages lists the accepted spellings.",
    "model_not_found": "Model 'whisper-9' is not served. Served: ko-mini, en-mini.",
    "invalid_parameter": "response_format: Input should be 'json', 'text', 'srt', 'vtt', 'rttm' or "
    "'verbose_json'.",
    "invalid_hotwords": "The model cannot write 'Z' of the hotword 'ZARA'. Write hotwords as they "
    "are spoken, with the letters of the language.",
    "invalid_text": "The text is empty. Send the words that are spoken.",
    "alignment_failed": "No word of the text was found in the 2.7 s of the recording. Check that "
    "the text belongs to it, that it has speech, and that the language is right.",
    "not_supported": "task='translate' is not supported: these models cannot translate.",
    "invalid_audio": "The file has no audio track.",
    "decode_failed": "Decoding this file failed. It may be damaged; convert it, for example to "
    "FLAC, and send the result.",
    "bad_request": NOT_A_FORM,
    "invalid_api_key": "The API key is missing or wrong. Send it as "
    "'Authorization: Bearer KEY' or 'X-API-Key: KEY'.",
    "host_not_allowed": "The service does not answer to the name 'stt.example.org'. Use its "
    "address or localhost, or list the name in STT_ALLOWED_HOSTS.",
    "origin_not_allowed": "Pages of 'https://example.org' may not use this service. Its owner can "
    "list the origin in STT_CORS_ORIGINS.",
    "upload_too_slow": "The upload exceeded the 300 s limit.",
    "audio_too_long": "The recording is longer than 14400 s, which is the limit; send it in parts.",
    "upload_too_large": "The upload exceeds the limit of 200 MB.",
    "unsupported_format": f"The file is in no accepted audio format. Send one of {ACCEPTED}.",
    "overloaded": "The queue is full. Try again later.",
    "rate_limited": "This key has reached its limit. Left: 0 of 60 requests a minute. Try again in "
    "1 s.",
    "inference_failed": "The model failed on this recording.",
    "configuration_error": "The settings of the service are invalid.",
    "internal_error": BUG[1],
    "model_loading": "The model for Korean is downloading: 412 of 1270 MB.",
    "model_unreachable": "The model for Korean cannot be downloaded now.",
    "model_failed": "The model for Korean cannot be used. The folder in STT_MODELS has no "
    "model.safetensors.",
    "draining": "The service is stopping. Try again later.",
    "queue_timeout": "The recording waited more than 600 s for the model.",
    "out_of_storage": "The service cannot store the upload: its disk is full.",
    "out_of_memory": "The recording needs more memory than there is.",
    "cluster_unavailable": "No engine of the cluster is reachable.",
    "engine_died": "The inference thread ended. Try again later.",
    "url_not_allowed": "`url` is not available: the service calls no hosts until its operator "
    "lists them in STT_FETCH_HOSTS.",
    "job_not_found": "There is no such job. It may have been removed, or belong to another key. "
    "GET /v1/jobs lists yours.",
    "no_result": "The job is running. GET the job to see how far it is, and its result once it has "
    "succeeded.",
    "jobs_unavailable": "The database of the jobs does not answer. Try again later; the log has "
    "the cause.",
    "job_quota_reached": "1000 jobs are queued or running; the limit is 1000. Wait until one has "
    "ended, or cancel one.",
    "deadline_exceeded": "The request exceeded the limit of 3600 s.",
}
"""An example message of each error, by its code."""
ABOUT = {errors.InvalidParameter.code: "response_format"}
"""The field that causes an error in `DETAILS`, unless `PARAMS` has it."""
TRANSCRIBING = ("/transcribe", "/v1/audio/transcriptions", "/asr")
"""Paths whose requests choose how to decode."""
IN_JOBS = {errors.UrlUnreachable.code, errors.JobAbandoned.code}
"""Errors that only the `error` of a job has."""
HANDING_IN: dict[int, set[str]] = {
    400: {
        CODES[400], errors.InvalidParameter.code, errors.UnsupportedLanguage.code,
        errors.NotSupported.code,
    },
    403: {
        errors.UrlNotAllowed.code, errors.ForbiddenHost.code, errors.ForbiddenOrigin.code,
    },
    413: {CODES[413]},
    429: {errors.Overloaded.code, errors.RateLimited.code, errors.JobQuotaReached.code},
    500: {BUG[0]},
    503: {errors.JobsUnavailable.code, errors.ModelBroken.code, errors.Draining.code},
}  # fmt: skip
"""Errors of a request that submits a job, other than those of any upload."""
ABOUT_JOBS = {
    400: {errors.InvalidParameter.code},
    404: {errors.JobNotFound.code},
    409: {errors.NoResult.code},
    503: {errors.JobsUnavailable.code},
}
"""Errors of a request about jobs."""
OF_JOBS = {
    errors.UrlNotAllowed.code, errors.JobNotFound.code, errors.NoResult.code,
    errors.JobsUnavailable.code, errors.JobQuotaReached.code,
}  # fmt: skip
"""Errors that no other request has."""


def error_examples(path: str, operation: dict[str, Any], status: int) -> Examples:
    """An example of every error of a path with this status, named by its code."""
    codes = _codes(path, status, has_body="requestBody" in operation)
    return [(code, _error(path, status, code)) for code in sorted(codes)]


def _codes(path: str, status: int, *, has_body: bool) -> set[str]:
    codes = {error.code for error, of_error in STATUSES.items() if of_error == status}
    codes |= {CODES[status]} if status in CODES else set()
    if status == 422:
        codes = {errors.InvalidParameter.code}  # of validation
        if path in TRANSCRIBING:
            codes.add(errors.InvalidHotwords.code)
        if path in ALIGNMENTS:
            codes |= {errors.InvalidText.code, errors.AlignmentFailed.code}
    elif status == 500:
        codes.add(BUG[0])
    elif status == 404:
        codes = {errors.UnknownModel.code}
    codes -= IN_JOBS
    if path.startswith(JOBS_PATH):
        return (HANDING_IN if has_body else ABOUT_JOBS).get(status, codes)
    codes -= OF_JOBS
    if path in CLIENT_SECRETS and status in (400, 413):
        given = errors.InvalidParameter, errors.NotSupported, errors.UnsupportedLanguage
        return {each.code for each in given} if status == 400 else {CODES[413]}
    if not has_body and status == 400:
        return {errors.NotSupported.code}  # nothing else can fail
    if path not in (*TRANSCRIBING, *ALIGNMENTS):
        codes.discard(errors.NotSupported.code)
    return codes


def _error(path: str, status: int, code: str) -> dict[str, Any]:
    if path.startswith(OPENAI_PATHS):
        return openai_error(status, code, DETAILS[code], ABOUT.get(code)).model_dump()
    body: dict[str, Any] = json.loads(bytes(problem(status, code, DETAILS[code]).body))
    return body | {"request_id": "91e60443446e483cb622c72620561d5d"}
