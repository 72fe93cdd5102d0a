"""The settings by group: name, default, bounds and meaning of each.

To add a setting, add a field to its group and a row to ``docs/settings.md``.
"""

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import NoDecode

from stt.conventions import Convention
from stt.errors import ConfigurationError
from stt.languages import ModelSource
from stt.settings.parsing import parse_conventions, parse_files, parse_models


class Group(BaseModel):
    """Settings that belong together; a function that needs no others takes only its group."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ServiceGroup(Group):
    """A group that only the service reads: the other commands have no flags for it."""


def split_list(value: Any) -> Any:
    """Split ``a, b`` into ``("a", "b")``; any other type passes through."""
    if not isinstance(value, str):
        return value
    return tuple(entry.strip() for entry in value.split(",") if entry.strip())


T = TypeVar("T")


def mapping(parse: Callable[[str], T]) -> BeforeValidator:
    """A validator that parses ``CODE=VALUE,CODE=VALUE``; any other type passes through."""

    def read(value: Any) -> Any:
        try:
            return parse(value) if isinstance(value, str) else value
        except ConfigurationError as error:
            raise ValueError(error.message) from None

    return BeforeValidator(read)


class ServerSettings(ServiceGroup):
    """Address, languages, startup and shutdown."""

    host: str = "0.0.0.0"  # noqa: S104
    """Address to listen on."""
    port: int = Field(default=8400, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""
    root_path: str = Field(default="", pattern=r"^((/[A-Za-z0-9._~-]+)+)?$")
    """Prefix of all paths behind a reverse proxy (/stt), whether or not the proxy strips it."""
    languages: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)] = ()
    """Languages to serve, as comma-separated codes; all are loaded at start. Default: KR, or KR,EN
    with `demo`."""
    hotword_files: Annotated[dict[str, Path], NoDecode, mapping(parse_files)] = Field(
        default_factory=dict
    )
    """Hotwords of all requests: CODE=/etc/stt/ko.txt, comma-separated. A file has a `word` or
    `word:weight` on each line."""
    load_retry_seconds: float = Field(default=60.0, gt=0, le=3600)
    """Longest pause between attempts to reach the hub. The first pause is 1 s; each further one is
    twice as long."""
    model_ttl_seconds: float | None = Field(default=None, ge=1, le=31_536_000)
    """Unload a model that nobody has used for this long, in seconds. The next request loads it
    again and waits for it. Default: never."""
    drain_delay_seconds: float = Field(default=5.0, ge=0, le=3600)
    """After SIGTERM, keep accepting requests for this long while probes return 503, so that load
    balancers notice in time."""
    drain_timeout_seconds: float = Field(default=20.0, ge=0, le=86_400)
    """After that delay, time for requests in progress to finish."""
    keep_alive_seconds: float = Field(default=15.0, gt=0, le=86_400)
    """Streamed responses: send a comment after this long without a word."""
    idle_connection_seconds: int = Field(default=75, ge=1, le=86_400)
    """Close a connection after this long without a request. Set it above the idle time-out of a
    load balancer, which would otherwise reuse connections that are being closed."""
    preload_spacing: bool = False
    """Load what `spacing=restored` needs when the service starts, not at the first request that
    asks for it. Needs the extra `spacing`."""


class AccessSettings(ServiceGroup):
    """Who may use the service."""

    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Accepted API keys, comma-separated; every request must send one. Default: none, open to
    everyone. Keys in a file (below) do not show in the process list."""
    api_keys_file: Path | None = None
    """File with further keys, one per line, each with optional limits; read again when it
    changes."""
    client_secret_key: SecretStr | None = Field(default=None, min_length=16, max_length=1000)
    """Key that signs the secrets of `POST /v1/realtime/client_secrets`; processes behind one
    address need the same one. Default: a new one at each start."""
    metrics_open: bool = False
    """Serve `/metrics` without a key even if keys are set."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins (https://example.org) whose pages may use the service, by HTTP or WebSocket,
    comma-separated; `*` allows all. Default: only the service's own page."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)] = ()
    """Host names of the service, comma-separated; `*.example.org` allows every name below it, `*`
    any name. Addresses and localhost are always allowed. Default: any name, except in requests from
    this machine, where public names are refused unless a reverse proxy passes them on (DNS
    rebinding)."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)] = ()
    """Addresses or networks (10.0.0.0/8) of reverse proxies, comma-separated; `*` trusts all. The
    service believes their `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Prefix`. Default:
    none, so that clients are told apart by the address that connects."""

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            if network != "*":
                ip_network(network)  # its error names the fault
        return value

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def _split_lists(cls, value: Any, info: ValidationInfo) -> Any:
        entries = split_list(value)
        if not entries and isinstance(value, str) and info.field_name == "api_keys":
            # Whoever set it, if only to blanks, did not mean to open the service to everyone.
            raise ValueError("expected at least one key")
        return entries

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin):
                raise ValueError(f"{origin!r} is not an origin; expected https://example.org")
        return value


class LimitSettings(ServiceGroup):
    """What one request may cost, and how much may be queued."""

    max_upload_mb: float = Field(default=200.0, gt=0, le=100_000)
    """Largest request body, in MB (10^6 bytes)."""
    head_timeout_seconds: float = Field(default=20.0, gt=0, le=3600)
    """Time limit for the request line and headers."""
    body_timeout_seconds: float = Field(default=300.0, gt=0, le=86_400)
    """Time limit for an upload."""
    upload_grace_seconds: float = Field(default=10.0, gt=0, le=86_400)
    """Time before an upload has to keep the minimum rate."""
    upload_min_bytes_per_second: float = Field(default=1000.0, ge=0, le=1e9)
    """Minimum mean rate of an upload; slower ones get 408. 0 means any rate."""
    request_timeout_seconds: float = Field(default=3600.0, gt=0, le=86_400)
    """Time limit for a whole request, including upload and queueing."""
    max_uploads: int = Field(default=256, ge=1, le=100_000)
    """Requests that may be uploading at once; beyond that, new requests get 429 before their upload
    is read."""
    max_queue_requests: int = Field(default=128, ge=1, le=100_000)
    """Recordings that may be queued or in progress at once; beyond that, new requests get 429.
    Clients have equal shares of this limit, and of `max_uploads` and `max_queue_seconds`."""
    max_queue_seconds: float | None = Field(default=None, gt=0, le=1e6)
    """Seconds of audio that may be queued; beyond that, new requests get 429. Default: 600 on a
    CPU, 12,800 on a GPU."""
    queue_timeout_seconds: float = Field(default=600.0, gt=0, le=86_400)
    """Longest time that a window may wait for its batch before the request fails with 503."""
    stall_seconds: float = Field(default=300.0, gt=0, le=86_400)
    """A batch that runs longer than this counts as stuck, and `/livez` returns 503."""
    decode_threads: int = Field(default=4, ge=1, le=256)
    """Uploads that are decoded at the same time. Those whose decoder hangs do not count."""
    decode_memory_mb: float = Field(default=1000.0, ge=200, le=1_000_000)
    """Memory of all decoders together, in MB (10^6 bytes), beyond their libraries. When it is used
    up, uploads wait for it, then get 429."""


class ModelSettings(Group):
    """Checkpoints, and what runs them."""

    demo: bool = False
    """Serve Korean and English with the small bundled models; needs no network."""
    models: Annotated[dict[str, ModelSource], NoDecode, mapping(parse_models)] = Field(
        default_factory=dict
    )
    """Checkpoints to use instead of the built-in ones: CODE=owner/name, CODE=owner/name@revision or
    CODE=/folder, comma-separated. `#kor` at the end chooses that language of an MMS
    checkpoint. A new code adds a language."""
    conventions: Annotated[dict[str, Convention], NoDecode, mapping(parse_conventions)] = Field(
        default_factory=dict
    )
    """How checkpoints write numbers and names, for those that the service does not know: KR=spoken,
    KR=written or KR=mixed, comma-separated. `/languages` shows it."""
    lms: Annotated[dict[str, Path], NoDecode, mapping(parse_files)] = Field(default_factory=dict)
    """n-gram language models: CODE=/models/ko.arpa.gz, comma-separated. Default: the checkpoint's
    own, in its folder `language_model/`, if it has one."""
    abbreviations: Path | None = None
    """File of abbreviations for the written form of Korean, besides the built-in ones: a
    spoken and a written form on each line, `엘엘엠 LLM`."""
    speaker_segmentation: Path | None = None
    """Model that says who speaks when, for `diarize=true`: pyannote's segmentation in ONNX. Needs
    the extra `speakers`."""
    speaker_embedding: Path | None = None
    """Model that tells voices apart, for `diarize=true`: one of 3D-Speaker, WeSpeaker or NeMo, in
    ONNX."""
    device: str = "auto"
    """`auto` (the first GPU that works and has 2 GB free, else the CPU), `cpu`, `cuda` or
    `cuda:N`."""
    backend: Literal["auto", "torch", "openvino"] = "auto"
    """Inference library. `auto`: OpenVINO on a CPU for checkpoints converted by `stt optimize`,
    else torch."""
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8"] = "auto"
    """Arithmetic of the model. `auto`: what `stt optimize` produced, else bf16 if the hardware has
    it, else fp32 on a CPU and fp16 on a GPU that is fast in it."""
    cpu_threads: int = Field(default=0, ge=0, le=1024)
    """CPU threads per forward pass; 0: one per core."""
    cache_dir: Path | None = None
    """Folder for downloaded models. Default: the Hugging Face cache (`HF_HOME`, else
    `~/.cache/huggingface`)."""

    @field_validator("device")
    @classmethod
    def _check_device(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value.strip().lower()):
            raise ValueError("expected auto, cpu, cuda or cuda:N")
        return value.strip().lower()


class AudioSettings(Group):
    """Decoding of recordings."""

    max_audio_seconds: float = Field(default=4 * 3600.0, gt=0, le=1e6)
    """Longest recording, in seconds of audio."""
    max_speaker_seconds: float = Field(default=3600.0, gt=0, le=4 * 3600.0)
    """Longest recording in which speakers are told apart (`diarize=true`), in seconds: all voices
    are compared with one another, so memory grows with the square of the length."""
    decode_timeout_seconds: float = Field(default=20.0, gt=0, le=3600)
    """Time limit for decoding the next second of a recording; after that, the decoder counts as
    hung and is killed."""


class InferenceSettings(Group):
    """Windows and batches."""

    window_seconds: float = Field(default=20.0, ge=2, le=120)
    """Length of audio that the model sees in one forward pass."""
    context_seconds: float = Field(default=1.3, ge=0, le=30)
    """Seconds at each inner edge of a window that serve only as context. Wav2Vec2's positional
    convolution sees 1.28 s to either side."""
    cut_search_seconds: float = Field(default=1.0, ge=0, le=30)
    """Cut windows at the quietest moment within this span; 0 cuts at the full length."""
    vad: Literal["auto", "off"] = "auto"
    """Whether pauses are left out. `auto`: those that a voice activity detector is sure of on a
    CPU, digital silence on a GPU; `off`: every second is computed."""
    windows_in_flight: int | None = Field(default=None, ge=1, le=1024)
    """Windows of one recording that may be queued at once, so that a long recording does not starve
    short ones. Default: 2 on a CPU, 8 on a GPU."""
    batch_seconds: float | None = Field(default=None, gt=0, le=100_000)
    """Largest batch, in seconds of padded audio (the longest window x the number of windows).
    Default: 30 on a CPU, 160 on a GPU."""

    cuda_graphs: bool = False
    """Compute full windows on a GPU as CUDA graphs: fewer launches, more memory. Not tried on a GPU
    yet."""

    @field_validator("cut_search_seconds")
    @classmethod
    def _leave_a_core(cls, value: float, info: ValidationInfo) -> float:
        window, context = (info.data.get(f"{name}_seconds") for name in ("window", "context"))
        if window is not None and context is not None and 2 * context + value > 0.8 * window:
            raise ValueError(
                f"twice the context ({context:g} s) and the search ({value:g} s) must leave at "
                f"least a fifth of the window ({window:g} s)"
            )
        return value


class LiveSettings(ServiceGroup):
    """Live streams, over WebSocket and Wyoming."""

    live_step_seconds: float = Field(default=0.4, ge=0.1, le=0.5)
    """Live streams: audio between two updates. A slow model lengthens the step automatically."""
    live_idle_seconds: float = Field(default=60.0, gt=0, le=86_400)
    """Live streams: close the connection after this long without audio."""
    max_live_sessions: int = Field(default=32, ge=0, le=100_000)
    """Live streams that may be open at once."""
    max_live_message_bytes: int = Field(default=1_000_000, ge=1000, le=8_000_000)
    """Live streams: largest message, in bytes."""
    wyoming_port: int | None = Field(default=None, ge=0, le=65535)
    """Port for Wyoming, the voice protocol of Home Assistant; 0 picks a free one. Default: Wyoming
    is off."""
    wyoming_host: str = "127.0.0.1"
    """Address to listen on for Wyoming, which has neither keys nor encryption: beyond loopback,
    everybody who reaches the port may use the service."""
    wyoming_without_keys: bool = False
    """Let Wyoming listen beyond this machine although API keys are set."""


class ClusterSettings(ServiceGroup):
    """Replicas in Ray Serve."""

    cluster: bool = False
    """Serve through Ray Serve; needs the extra `cluster`."""

    @field_validator("cluster")
    @classmethod
    def _check_single(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("wyoming_port") is not None:
            raise ValueError("Wyoming (STT_WYOMING_PORT) needs a service of one process")
        if value and info.data.get("model_ttl_seconds") is not None:
            raise ValueError(
                "engine replicas do not unload models (STT_MODEL_TTL_SECONDS); STT_CLUSTER_ENGINES "
                "scales them"
            )
        return value

    cluster_engines: str = Field(default="auto", pattern=r"^(auto|[1-9]\d*(-[1-9]\d*)?)$")
    """Engine replicas: `2`, or `1-8` scaled by the queue; `auto`: from one up to the number of
    GPUs."""
    cluster_ingresses: str = Field(default="1-4", pattern=r"^[1-9]\d*(-[1-9]\d*)?$")
    """Ingress replicas: `2`, or `1-4` scaled by the requests in progress."""
    cluster_ingress_cpus: float = Field(default=0, ge=0, le=64)
    """CPU cores that Ray reserves for each ingress replica."""
    cluster_queue_seconds: float = Field(default=60, gt=0, le=1e6)
    """Seconds of queued audio per engine that trigger one more engine."""
    cluster_shrink_seconds: float = Field(default=600, ge=1, le=86_400)
    """How long the load must be low enough for one engine fewer before an engine is removed."""


class TracingSettings(ServiceGroup):
    """OpenTelemetry."""

    otel: bool = False
    """Export OpenTelemetry spans; the standard `OTEL_...` variables configure where. Needs the
    extra `otel`. Also on if `OTEL_EXPORTER_OTLP_ENDPOINT` is set."""


class LoggingSettings(Group):
    """The log."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest severity to log."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """`json` lines, `text`, or `auto`: text on a terminal, else JSON."""
