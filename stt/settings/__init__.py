"""Every setting of the service. `stt.settings.groups` and `stt.settings.jobs` declare them.

A setting is read from the flag (``--port 8400``), the environment (``STT_PORT=8400``) or the file
``.env`` in the working directory, in that order.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from stt.errors import ConfigurationError
from stt.settings.groups import (
    AccessSettings,
    AudioSettings,
    ClusterSettings,
    InferenceSettings,
    LimitSettings,
    LiveSettings,
    LoggingSettings,
    ModelSettings,
    ServerSettings,
    ServiceGroup,
    TracingSettings,
)
from stt.settings.jobs import JobSettings, OutboundSettings

SECRETS = frozenset({"api_keys", "client_secret_key", "jobs_database", "webhook_secrets"})
"""Never shown, not even in the message that rejects them."""


class Settings(
    # pydantic takes the fields of the last base first: read upwards.
    LoggingSettings,
    TracingSettings,
    ClusterSettings,
    JobSettings,
    OutboundSettings,
    LiveSettings,
    InferenceSettings,
    AudioSettings,
    ModelSettings,
    LimitSettings,
    AccessSettings,
    ServerSettings,
    BaseSettings,
):
    """Immutable; the entry point reads them once and passes them on."""

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


SERVICE_ONLY = frozenset(
    name
    for group in Settings.__bases__
    if issubclass(group, ServiceGroup)
    for name in group.model_fields
)
"""Settings that have no effect outside the service."""


def load_settings(arguments: Sequence[str] | None = None, **values: Any) -> Settings:
    """Read the settings; ``arguments`` are command-line flags, None for none.

    Raises:
        ConfigurationError: some value is invalid; the message names each one.
        SystemExit: after ``--help``, or for an unknown flag.
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
