"""JSON bodies of the routes about the service, and of errors."""

from pydantic import BaseModel, Field

from stt.conventions import Convention
from stt.decoding.decodings import Switch
from stt.models.card import Evaluation


class ModelHealth(BaseModel):
    """The state of one model."""

    language: str
    model_id: str
    revision: str
    status: str = Field(description="`loading`, `ready`, `idle` or `failed`.")
    step: str = Field(
        description="`waiting`, `fetching`, `reading`, `warming`, `ready`, `idle` or `failed`."
    )
    bytes_done: int = Field(description="Bytes downloaded so far; 0 if none are needed.")
    bytes_total: int = Field(description="Bytes to download.")
    retry_in_seconds: float | None = Field(
        description="Seconds until the next attempt to reach the hub."
    )
    reason: str | None = Field(description="What failed and how to fix it.")
    warning: str | None = Field(description="Why a ready model is slow and how to fix it.")


class HealthResponse(BaseModel):
    """The state of the service. The model's fields are those of the default language."""

    status: str = Field(description="`ok`, `loading`, `failed` or `draining`.")
    model_loaded: bool
    processor_loaded: bool
    device: str | None = Field(description="null while the model is not loaded.")
    model_id: str
    cpu_threads: int
    cpu_cores: int
    memory_mb: float = Field(description="Resident memory of the process, in MB.")
    demo: bool = Field(description="Whether the small demo models are served.")
    models: list[ModelHealth]


class LanguageEntry(BaseModel):
    """One served language."""

    code: str
    name: str
    native_name: str
    tag: str = Field(description="BCP 47 tag, such as ko-KR.")
    aliases: list[str] = Field(description="Other accepted spellings; case does not matter.")
    model_id: str
    revision: str
    status: str = Field(description="Its model's state: `loading`, `ready`, `idle` or `failed`.")
    default: bool = Field(description="Whether requests without a language get it.")
    language_model: Switch = Field(
        description="Whether requests use a language model unless they send `language_model`."
    )
    written: bool = Field(description="Whether requests can send `written=true`.")
    spacing: bool = Field(description="Whether requests can send `spacing=restored`.")
    convention: Convention | None = Field(
        description="How the model writes numbers and names: `spoken` (세 시), `written` (3시) or "
        "`mixed`; null if that is unknown."
    )
    evaluations: list[Evaluation] = Field(
        description="Error rates that `stt evaluate --save-card` has stored with the model."
    )


class LanguagesResponse(BaseModel):
    """The served languages."""

    languages: list[LanguageEntry]


class SummaryResponse(BaseModel):
    """A summary of the service."""

    name: str
    version: str
    status: str
    demo: bool
    languages: list[str]
    endpoints: dict[str, str]


class Problem(BaseModel):
    """An error, as RFC 9457 problem details. ``detail`` is always a string."""

    type: str = "about:blank"
    title: str = Field(description="Name of the HTTP status.")
    status: int
    detail: str = Field(description="What was wrong, what was expected, and what to do.")
    code: str = Field(description="Stable name of the error, for programs.")
    request_id: str | None = Field(description="The X-Request-ID, also in the log.")


class OpenAIErrorDetails(BaseModel):
    """An error in OpenAI's keys."""

    message: str = Field(description="What was wrong, what was expected, and what to do.")
    type: str = Field(description="`invalid_request_error`, `rate_limit_error`, `server_error`.")
    param: str | None = Field(description="The form field that caused it, if any.")
    code: str = Field(description="Stable name of the error, as in problem details.")


class OpenAIError(BaseModel):
    """The body of an error in OpenAI's API."""

    error: OpenAIErrorDetails
