"""Everything that can go wrong here, as one tree; no HTTP in it.

::

    SttError
    ├── ConfigurationError          the service was set up in a way that cannot work
    ├── RequestError                the caller asked for something that is not there
    │   ├── InvalidKey
    │   ├── UnsupportedLanguage
    │   ├── UnknownModel
    │   ├── InvalidParameter
    │   └── NotSupported            nor ever will be
    ├── AudioError                  the bytes are not audio that can be transcribed
    │   ├── UnsupportedFormat
    │   ├── InvalidAudio
    │   ├── DecodeFailed
    │   ├── AudioTooLong
    │   └── UploadTooLarge
    ├── ModelError                  a model cannot be used
    │   ├── ModelUnreachable        now; trying again may help
    │   ├── ModelLoading            not yet; it is being fetched or read
    │   └── ModelBroken             ever, until somebody changes something
    ├── RetryLater                  not now, and when (ModelLoading is one, too)
    │   ├── Draining                the service is stopping
    │   ├── Overloaded              too much waits; later there will be room
    │   ├── QueueTimeout            it waited too long for the model
    │   ├── ClusterUnavailable      no engine of the cluster can be reached
    │   └── InferenceDied           the thread that runs the models ended
    ├── DeadlineExceeded            it took longer than anybody waits
    ├── OutOfMemory                 the model cannot take it with the memory that there is
    └── InferenceFailed             the model raised while it ran

A message says what was wrong, what was expected and what to do. It goes to the client as it is, so
it names no path, no host of ours and no library's own words; those belong into the log, by
``raise ... from error``. ``code`` is what programs compare: it never changes.
"""

from typing import ClassVar


class SttError(Exception):
    """Base of everything that this package raises on purpose."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RetryLater(SttError):
    """Not now; ``retry_after_seconds`` is when asking again makes sense."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ConfigurationError(SttError):
    """A setting, or several together, that cannot work; found when the app starts."""

    code = "configuration_error"


class RequestError(SttError):
    """The request names something that does not exist."""


class InvalidKey(RequestError):
    """The service wants an API key and got none, or none of its own."""

    code = "invalid_api_key"


class UnsupportedLanguage(RequestError):
    """No language of that code is served."""

    code = "unsupported_language"


class UnknownModel(RequestError):
    """No model of that name is served."""

    code = "model_not_found"


class InvalidParameter(RequestError):
    """A form or query field has a value outside its domain."""

    code = "invalid_parameter"


class NotSupported(RequestError):
    """Something that a neighbour's API has and that CTC models cannot do."""

    code = "not_supported"


class AudioError(SttError):
    """The upload cannot be transcribed."""


class UnsupportedFormat(AudioError):
    """The content is of no container that is decoded here, whatever its name says."""

    code = "unsupported_format"


class InvalidAudio(AudioError):
    """The container is known but what is in it is broken or out of bounds."""

    code = "invalid_audio"


class DecodeFailed(AudioError):
    """The decoder hung, crashed or took too much memory over it."""

    code = "decode_failed"


class AudioTooLong(AudioError):
    """More audio than ``max_audio_seconds``, claimed by the header or counted while decoding."""

    code = "audio_too_long"


class UploadTooLarge(AudioError):
    """More bytes than ``max_upload_mb``, declared or counted while reading."""

    code = "upload_too_large"


class ModelError(SttError):
    """A model cannot be used at present, or at all."""


class ModelUnreachable(ModelError):
    """The hub did not answer, or not well; the loader tries again."""

    code = "model_unreachable"


class ModelLoading(ModelError, RetryLater):
    """The model is not ready yet."""

    code = "model_loading"


class ModelBroken(ModelError):
    """The checkpoint cannot be used and trying again would not help."""

    code = "model_failed"


class DeadlineExceeded(SttError):
    """No answer within ``request_timeout_seconds``; the work was dropped."""

    code = "deadline_exceeded"


class Draining(RetryLater):
    """The service is stopping and takes nothing new.

    ``retry_after_seconds`` is when another instance should have heard of it.
    """

    code = "draining"


class Overloaded(RetryLater):
    """The queue is full.

    ``retry_after_seconds`` is when there will be room, by the speed measured lately.
    """

    code = "overloaded"


class QueueTimeout(RetryLater):
    """A part of the recording waited longer than ``queue_timeout_seconds``, and was not computed.

    ``retry_after_seconds`` is when there will be less to do, by the speed measured lately.
    """

    code = "queue_timeout"


class OutOfMemory(SttError):
    """The device's memory, or the machine's, does not hold a forward of this recording alone."""

    code = "out_of_memory"


class InferenceDied(RetryLater):
    """The inference thread ended; it is started once more, and then the process has to be."""

    code = "engine_died"


class ClusterUnavailable(RetryLater):
    """A window was sent to several engines of the cluster and each ended, or none was there."""

    code = "cluster_unavailable"


class InferenceFailed(SttError):
    """The engine raised; the cause is in the log, under the request's id."""

    code = "inference_failed"
