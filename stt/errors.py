"""Every error that this package raises on purpose, as one tree; no HTTP in it.

::

    SttError
    ├── ConfigurationError          the service cannot start with these settings
    ├── RequestError                the caller asked for something that does not exist
    │   ├── InvalidKey
    │   ├── ForbiddenHost           the request names a host that is not ours
    │   ├── ForbiddenOrigin         it comes from a web page of another site
    │   ├── UnsupportedLanguage
    │   ├── UnknownModel
    │   ├── InvalidParameter
    │   ├── InvalidHotwords         they are malformed, or not in the checkpoint's letters
    │   ├── InvalidText             the text cannot be aligned with any recording
    │   ├── AlignmentFailed         the text does not belong to this recording
    │   ├── UrlNotAllowed           the service may not call that address
    │   ├── UrlUnreachable          its host gives no recording
    │   ├── UploadTooLarge          the recording has too many bytes
    │   ├── NotSupported            and never will be
    │   ├── JobNotFound
    │   └── NoResult                the job has none, or not yet
    ├── AudioError                  the upload cannot be transcribed
    │   ├── UnsupportedFormat
    │   ├── InvalidAudio
    │   ├── DecodeFailed
    │   └── AudioTooLong
    ├── ModelError                  the model cannot be used
    │   ├── ModelUnreachable        for now; a retry may help
    │   ├── ModelLoading            yet (also a RetryLater)
    │   └── ModelBroken             until somebody fixes it
    ├── RetryLater                  not now, but after retry_after_seconds
    │   ├── Draining                the service is stopping
    │   ├── Overloaded              the queue is full
    │   ├── RateLimited             the key has reached its limit
    │   ├── QueueTimeout            it waited too long for the model
    │   ├── JobsUnavailable         they cannot be stored here, or not now
    │   ├── JobQuotaReached         the key has too many
    │   ├── ClusterUnavailable      no engine of the cluster can be reached
    │   └── InferenceDied           the thread that runs the models ended
    ├── DeadlineExceeded            the request timed out
    ├── JobAbandoned                it was attempted too often
    ├── OutOfStorage                the disk is full, or no more files can be opened
    ├── OutOfMemory                 the model does not fit into memory with this input
    └── InferenceFailed             the model raised an exception

A message says what was wrong, what was expected and what to do. Clients see it unchanged, so it
contains no paths, hosts or messages of libraries; those go to the log, by ``raise ... from error``.
``code`` is what programs compare: it never changes. To add an error, add a class here, a status to
`stt.server.problems.STATUSES` and a row to docs/api.md.
"""

from typing import ClassVar, TypeVar


class SttError(Exception):
    """Base of all errors of this package."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


BUG_MESSAGE = "Internal error. The log has details under the request id."
"""What clients get of any other exception, with the code of `SttError`."""


class RetryLater(SttError):
    """A later retry may succeed; ``retry_after_seconds`` says when; infinity: not by itself."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ConfigurationError(SttError):
    """A setting, or a combination of settings, cannot work; found at startup."""

    code = "configuration_error"


class RequestError(SttError):
    """The request names something that does not exist."""


class InvalidKey(RequestError):
    """The API key is missing or wrong."""

    code = "invalid_api_key"


class ForbiddenHost(RequestError):
    """The service does not have the name that the request was sent to."""

    code = "host_not_allowed"


class ForbiddenOrigin(RequestError):
    """The request comes from a web page that may not use the service."""

    code = "origin_not_allowed"


class UnsupportedLanguage(RequestError):
    """The service has no such language."""

    code = "unsupported_language"


class UnknownModel(RequestError):
    """The service has no such model."""

    code = "model_not_found"


class InvalidParameter(RequestError):
    """A form or query field has an invalid value."""

    code = "invalid_parameter"


class InvalidHotwords(RequestError):
    """The hotwords are malformed, or the checkpoint cannot write one."""

    code = "invalid_hotwords"


class InvalidText(RequestError):
    """The text to align is empty, too long, or cannot be spelled by the checkpoint."""

    code = "invalid_text"


class AlignmentFailed(RequestError):
    """No word of the text was found in the recording, or it is far too long for it."""

    code = "alignment_failed"


class UrlNotAllowed(RequestError):
    """A URL is malformed, or the operator does not allow its host."""

    code = "url_not_allowed"


class UrlUnreachable(RequestError):
    """The host of a URL cannot be reached, or does not answer with a recording."""

    code = "url_unreachable"


class UploadTooLarge(RequestError):
    """A recording has more bytes than ``max_upload_mb``."""

    code = "upload_too_large"


class NotSupported(RequestError):
    """A feature of a compatible API that CTC models do not have."""

    code = "not_supported"


class JobNotFound(RequestError):
    """There is no such job, or it belongs to another key."""

    code = "job_not_found"


class NoResult(RequestError):
    """The job has not succeeded yet, or never will."""

    code = "no_result"


class AudioError(SttError):
    """The upload cannot be transcribed."""


class UnsupportedFormat(AudioError):
    """The content is in no accepted container, whatever its name says."""

    code = "unsupported_format"


class InvalidAudio(AudioError):
    """The container is known, but its content is damaged or out of bounds."""

    code = "invalid_audio"


class DecodeFailed(AudioError):
    """The audio library hung, crashed or ran out of memory on this file."""

    code = "decode_failed"


class AudioTooLong(AudioError):
    """More audio than ``max_audio_seconds``, by the header or by count."""

    code = "audio_too_long"


class ModelError(SttError):
    """The model cannot be used, now or at all."""


class ModelUnreachable(ModelError):
    """The hub failed to answer; the loader tries again."""

    code = "model_unreachable"


class ModelLoading(ModelError, RetryLater):
    """The model is not ready yet."""

    code = "model_loading"


class ModelBroken(ModelError):
    """The checkpoint cannot be used, and a retry does not help."""

    code = "model_failed"


class DeadlineExceeded(SttError):
    """No answer within ``request_timeout_seconds``; the work was dropped."""

    code = "deadline_exceeded"


class Draining(RetryLater):
    """The service is stopping and accepts nothing new.

    After ``retry_after_seconds`` a load balancer should have switched to another instance.
    """

    code = "draining"


class Overloaded(RetryLater):
    """The queue is full; ``retry_after_seconds`` follows from the speed measured lately."""

    code = "overloaded"


class RateLimited(RetryLater):
    """The API key has reached its limit on requests or audio."""

    code = "rate_limited"


class QueueTimeout(RetryLater):
    """A window waited longer than ``queue_timeout_seconds`` and was not computed.

    ``retry_after_seconds`` follows from the speed measured lately.
    """

    code = "queue_timeout"


class JobsUnavailable(RetryLater):
    """Jobs are off, or cannot be stored."""

    code = "jobs_unavailable"


class JobQuotaReached(RetryLater):
    """The key has as many jobs, or as much of their audio, as it may."""

    code = "job_quota_reached"


class JobAbandoned(SttError):
    """The service ended again and again while it ran the job."""

    code = "job_abandoned"


class OutOfStorage(SttError):
    """An upload cannot be stored: the disk is full, or too many files are open."""

    code = "out_of_storage"


class OutOfMemory(SttError):
    """A forward of this recording alone does not fit into the memory of the device or machine."""

    code = "out_of_memory"


class InferenceDied(RetryLater):
    """The inference thread ended. It is restarted once; after that the process must be."""

    code = "engine_died"


class ClusterUnavailable(RetryLater):
    """The cluster has no engine, or every engine that a window was sent to ended."""

    code = "cluster_unavailable"


class InferenceFailed(SttError):
    """The engine raised an exception; the log has it under the request id."""

    code = "inference_failed"


E = TypeVar("E", bound=SttError)


def errors_by_code(base: type[E]) -> dict[str, type[E]]:
    """Every error below ``base`` that has a code of its own."""
    found = {}
    for error in base.__subclasses__():
        if "code" in vars(error):
            found[error.code] = error
        found |= errors_by_code(error)
    return found
