"""Everything that can go wrong here, as one tree; no HTTP in it.

::

    SttError
    ├── ConfigurationError          the service was set up in a way that cannot work
    ├── RequestError                the caller asked for something that is not there
    │   ├── UnsupportedLanguage
    │   └── InvalidParameter
    ├── AudioError                  the bytes are not audio that can be transcribed
    │   ├── UnsupportedFormat
    │   ├── InvalidAudio
    │   ├── AudioTooLong
    │   └── UploadTooLarge
    ├── ModelError                  a model cannot be used
    │   ├── ModelUnreachable        now; trying again may help
    │   ├── ModelLoading            not yet; it is being fetched or read
    │   └── ModelBroken             ever, until somebody changes something
    ├── Overloaded                  too much waits; later there will be room
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


class ConfigurationError(SttError):
    """A setting, or several together, that cannot work; found when the app starts."""

    code = "configuration_error"


class RequestError(SttError):
    """The request names something that does not exist."""


class UnsupportedLanguage(RequestError):
    """No language of that code is served."""

    code = "unsupported_language"


class InvalidParameter(RequestError):
    """A form or query field has a value outside its domain."""

    code = "invalid_parameter"


class AudioError(SttError):
    """The upload cannot be transcribed."""


class UnsupportedFormat(AudioError):
    """The content is of no container that is decoded here, whatever its name says."""

    code = "unsupported_format"


class InvalidAudio(AudioError):
    """The container is known but what is in it is broken or out of bounds."""

    code = "invalid_audio"


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


class ModelLoading(ModelError):
    """The model is not ready yet.

    ``retry_after_seconds`` is when asking again makes sense.
    """

    code = "model_loading"

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ModelBroken(ModelError):
    """The checkpoint cannot be used and trying again would not help."""

    code = "model_failed"


class Overloaded(SttError):
    """The queue is full.

    ``retry_after_seconds`` is when there will be room, by the speed measured lately.
    """

    code = "overloaded"

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class InferenceFailed(SttError):
    """The engine raised; the cause is in the log, under the request's id."""

    code = "inference_failed"
