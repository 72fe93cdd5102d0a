"""Every setting of the service, once: name, default, bound and meaning.

A setting is read from the flag (``--port 8400``), the environment (``STT_PORT=8400``) or the file
``.env`` in the working directory, in that order. ``docs/settings.md`` has the same list for
people, and a test holds the two against each other.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from stt.errors import ConfigurationError
from stt.languages import ModelSource


class Settings(BaseSettings):
    """Immutable; read once, in the entry point, and handed to whoever needs it."""

    model_config = SettingsConfigDict(
        env_prefix="STT_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        cli_prog_name="server_stt.py",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    host: str = Field(default="0.0.0.0", description="Address to listen on.")  # noqa: S104
    port: int = Field(default=8400, ge=0, le=65535, description="Port to listen on; 0: any free.")
    demo: bool = Field(
        default=False,
        description="Serve Korean and English from the small bundled models; needs no network.",
    )
    languages: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Codes to serve, comma-separated. Default: KR, or KR,EN with `demo`. "
        "All are loaded at start.",
    )
    models: Annotated[dict[str, ModelSource], NoDecode] = Field(
        default_factory=dict,
        description="Other checkpoints: CODE=owner/name, CODE=owner/name@revision or "
        "CODE=/folder, comma-separated. A new code adds a language.",
    )
    device: str = Field(
        default="auto",
        description="`auto` (CUDA where there is one, else CPU), `cpu`, `cuda` or `cuda:N`.",
    )
    cpu_threads: int = Field(
        default=0, ge=0, le=1024, description="Threads of one forward on CPU; 0: one per core."
    )
    cache_dir: Path | None = Field(
        default=None,
        description="Where downloaded models are kept. Default: the hub client's own "
        "(`HF_HOME`, else `~/.cache/huggingface`).",
    )
    load_retry_seconds: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="Longest pause between two tries to reach the hub; the first is 1 s, "
        "then twice as long each.",
    )
    max_upload_mb: float = Field(
        default=200.0, gt=0, le=100_000, description="Largest request body, in MB (10^6 bytes)."
    )
    max_audio_seconds: float = Field(
        default=4 * 3600.0, gt=0, le=1e6, description="Longest recording, in seconds of audio."
    )
    window_seconds: float = Field(
        default=20.0, ge=2, le=120, description="Length of what the model sees in one forward."
    )
    context_seconds: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="Part of a window at each inner edge that serves as context only.",
    )
    cut_search_seconds: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="Windows are cut at the quietest moment of so many seconds; 0: anywhere.",
    )
    windows_in_flight: int = Field(
        default=2,
        ge=1,
        le=1024,
        description="Windows of one recording that are in the queue at a time, so that a long "
        "recording does not starve a short one. More feed a GPU better.",
    )
    batch_seconds: float = Field(
        default=30.0,
        gt=0,
        le=100_000,
        description="Largest batch, in seconds of audio once padded (longest x rows).",
    )
    max_queue_seconds: float = Field(
        default=600.0,
        gt=0,
        le=1e6,
        description="Seconds of audio that may wait; beyond that newcomers get 429.",
    )
    decode_threads: int = Field(
        default=4, ge=1, le=256, description="Uploads that are decoded at the same time."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe message to log."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="`json` lines, `text`, or `auto`: text on a terminal."
    )

    @field_validator("languages", mode="before")
    @classmethod
    def _split_languages(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(code.strip() for code in value.split(",") if code.strip())
        return value

    @field_validator("models", mode="before")
    @classmethod
    def _parse_models(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        models = {}
        for entry in filter(None, (part.strip() for part in value.split(","))):
            code, equals, source = entry.partition("=")
            if not equals or not code.strip():
                raise ValueError(f"{entry!r} is not of the form CODE=MODEL")
            try:
                models[code.strip()] = ModelSource.parse(source)
            except ConfigurationError as error:
                raise ValueError(error.message) from None
        return models

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value.strip().lower()):
            raise ValueError("expected auto, cpu, cuda or cuda:N")
        return value.strip().lower()

    @field_validator("cut_search_seconds")
    @classmethod
    def _leave_a_core(cls, value: float, info: Any) -> float:
        window, context = (info.data.get(f"{name}_seconds") for name in ("window", "context"))
        if window is not None and context is not None and 2 * context + value > 0.8 * window:
            raise ValueError(
                f"twice the context ({context:g} s) and the search ({value:g} s) must leave at "
                f"least a fifth of the window ({window:g} s)"
            )
        return value


def load_settings(arguments: Sequence[str] | None = None, **values: Any) -> Settings:
    """Read the settings; ``arguments`` are command-line flags, ``None`` reads none.

    Raises:
        ConfigurationError: one sentence for each setting that is out of bounds.
        SystemExit: after ``--help``, or for a flag that does not exist.
    """
    sources: dict[str, Any] = {}
    if arguments is not None:
        sources["_cli_parse_args"] = list(arguments)
    try:
        return Settings(**sources, **values)
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            name = str(fault["loc"][0]) if fault["loc"] else "settings"
            message = fault["msg"].removeprefix("Value error, ")
            lines.append(f"STT_{name.upper()}={fault['input']!r}: {message}")
        raise ConfigurationError("; ".join(lines)) from None
