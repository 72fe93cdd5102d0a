"""Every setting of the service, once: name, default, bound and meaning.

A setting is read from the flag (``--port 8400``), the environment (``STT_PORT=8400``) or the file
``.env`` in the working directory, in that order. ``docs/settings.md`` has the same list for
people, and a test holds the two against each other.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from stt.errors import ConfigurationError
from stt.languages import ModelSource, parse_models

SECRETS = frozenset({"api_keys"})
"""Never shown, not even where they are wrong."""


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
    backend: Literal["auto", "torch", "openvino"] = Field(
        default="auto",
        description="What computes the model. `auto`: OpenVINO on a CPU for checkpoints that "
        "`stt optimize` has converted, else torch.",
    )
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8"] = Field(
        default="auto",
        description="What the model computes with. `auto`: what `stt optimize` made; else bf16 "
        "where the processor or the GPU has it, fp32 on other CPUs and fp16 on other GPUs.",
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
    body_timeout_seconds: float = Field(
        default=300.0, gt=0, le=86_400, description="Longest time that an upload may take."
    )
    request_timeout_seconds: float = Field(
        default=3600.0,
        gt=0,
        le=86_400,
        description="Longest time from a request to its answer, upload and waiting included.",
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
    windows_in_flight: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Windows of one recording that are in the queue at a time, so that a long "
        "recording does not starve a short one. Default: 2 on a CPU, 8 on a GPU.",
    )
    batch_seconds: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        description="Largest batch, in seconds of audio once padded (longest x rows). Default: 30 "
        "on a CPU, 640 on a GPU.",
    )
    max_queue_seconds: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="Seconds of audio that may wait; beyond that newcomers get 429. Default: 600 "
        "on a CPU, 12,800 on a GPU.",
    )
    max_queue_requests: int = Field(
        default=128,
        ge=1,
        le=100_000,
        description="Recordings that may be uploaded, wait and be computed at a time; beyond that "
        "newcomers get 429 before their upload is read.",
    )
    queue_timeout_seconds: float = Field(
        default=600.0,
        gt=0,
        le=86_400,
        description="Longest time that a window waits for its batch; then 503.",
    )
    stall_seconds: float = Field(
        default=300.0,
        gt=0,
        le=86_400,
        description="A batch that computes longer than this is taken for stuck, and `/livez` is "
        "503.",
    )
    decode_threads: int = Field(
        default=4, ge=1, le=256, description="Uploads that are decoded at the same time."
    )
    decode_timeout_seconds: float = Field(
        default=20.0,
        gt=0,
        le=3600,
        description="Longest wait for the next second of a recording to be decoded; then the "
        "decoder counts as hung and is killed.",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Keys of which a request must bring one, comma-separated. Default: none, "
        "everybody may. In a file (below) they are not seen in the process list.",
    )
    api_keys_file: Path | None = Field(
        default=None, description="File with further keys, one a line; read at the start."
    )
    metrics_open: bool = Field(
        default=False, description="Whether `/metrics` needs no key where there are keys."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins (https://example.org) whose pages may use the service, "
        "comma-separated; `*`: all. Default: none but its own page.",
    )
    otel: bool = Field(
        default=False,
        description="Export spans as OpenTelemetry's own variables say (`OTEL_...`); needs the "
        "extra `otel`. Also where `OTEL_EXPORTER_OTLP_ENDPOINT` is set.",
    )
    drain_delay_seconds: float = Field(
        default=5.0,
        ge=0,
        le=3600,
        description="After SIGTERM: how long requests are still taken while probes say 503, so "
        "that load balancers hear of it in time.",
    )
    drain_timeout_seconds: float = Field(
        default=20.0,
        ge=0,
        le=86_400,
        description="After that: how long what is being uploaded, waits or is computed has to end.",
    )
    keep_alive_seconds: float = Field(
        default=15.0, gt=0, le=86_400, description="Streamed answers: silence before a comment."
    )
    live_step_seconds: float = Field(
        default=0.4,
        ge=0.1,
        le=0.5,
        description="Live streams: audio between two looks at what is being said. A slow model "
        "makes them rarer by itself.",
    )
    live_idle_seconds: float = Field(
        default=60.0,
        gt=0,
        le=86_400,
        description="Live streams: longest time without a message before the connection is closed.",
    )
    max_live_sessions: int = Field(
        default=32, ge=0, le=100_000, description="Live streams that may be open at a time."
    )
    max_live_message_bytes: int = Field(
        default=1_000_000, ge=1000, le=8_000_000, description="Live streams: largest message."
    )
    cluster: bool = Field(
        default=False, description="Serve through Ray Serve; needs the extra `cluster`."
    )
    cluster_engines: str = Field(
        default="auto",
        pattern=r"^(auto|[1-9]\d*(-[1-9]\d*)?)$",
        description="Engine replicas: `2`, or `1-8` by what waits; `auto`: 1 to one per GPU.",
    )
    cluster_ingresses: str = Field(
        default="1-4",
        pattern=r"^[1-9]\d*(-[1-9]\d*)?$",
        description="Ingress replicas: `2`, or `1-4` by the requests that are inside.",
    )
    cluster_ingress_cpus: float = Field(
        default=0, ge=0, le=64, description="Cores that Ray keeps for each ingress replica."
    )
    cluster_queue_seconds: float = Field(
        default=60, gt=0, le=1e6, description="Audio waiting per engine that calls for another."
    )
    cluster_shrink_seconds: float = Field(
        default=600,
        ge=1,
        le=86_400,
        description="How long one engine fewer must suffice before one goes.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe message to log."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="`json` lines, `text`, or `auto`: text on a terminal."
    )

    @field_validator("languages", "api_keys", "cors_origins", mode="before")
    @classmethod
    def _split_list(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        entries = tuple(entry.strip() for entry in value.split(",") if entry.strip())
        if not entries and info.field_name == "api_keys":
            # Set, but to nothing: whoever did that did not mean "everybody may".
            raise ValueError("expected at least one key")
        return entries

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin):
                raise ValueError(f"{origin!r} is no origin; expected https://example.org")
        return value

    @field_validator("models", mode="before")
    @classmethod
    def _parse_models(cls, value: Any) -> Any:
        try:
            return parse_models(value) if isinstance(value, str) else value
        except ConfigurationError as error:
            raise ValueError(error.message) from None

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
            given = "..." if name in SECRETS else repr(fault["input"])
            lines.append(f"STT_{name.upper()}={given}: {message}")
        raise ConfigurationError("; ".join(lines)) from None
