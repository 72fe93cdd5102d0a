"""Flags of the commands that work in the process: their own, and the settings as they are."""

import argparse
from collections.abc import Sequence

from stt.engines.device import prepare_process
from stt.observability.logs import configure_logging
from stt.settings import Settings, load_settings

SERVICE_ONLY = frozenset(
    {
        "host",
        "port",
        "languages",
        "load_retry_seconds",
        "max_upload_mb",
        "body_timeout_seconds",
        "request_timeout_seconds",
        "max_queue_seconds",
        "max_queue_requests",
        "decode_threads",
        "api_keys",
        "api_keys_file",
        "metrics_open",
        "cors_origins",
        "otel",
        "drain_delay_seconds",
        "drain_timeout_seconds",
        "keep_alive_seconds",
        "live_step_seconds",
        "live_idle_seconds",
        "max_live_sessions",
        "max_live_message_bytes",
        "cluster",
        "cluster_engines",
        "cluster_ingresses",
        "cluster_ingress_cpus",
        "cluster_queue_seconds",
    }
)
"""Settings without meaning for one process that works through a list of files."""


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Give the parser a flag for each setting that is not in `SERVICE_ONLY`."""
    group = parser.add_argument_group(
        "settings", "As for `stt serve`; each is also read from STT_... and from the file .env."
    )
    for name, field in Settings.model_fields.items():
        if name in SERVICE_ONLY:
            continue
        flag = f"--{name.replace('_', '-')}"
        text = (field.description or "").replace("%", "%%")
        default = field.get_default(call_default_factory=True)
        if field.annotation is bool:
            group.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text
            )
        else:
            shown = "" if default in (None, (), {}) else f" [{default}]"
            metavar = name.rsplit("_", 1)[-1].upper()
            group.add_argument(flag, metavar=metavar, default=argparse.SUPPRESS, help=text + shown)


def read_settings(options: argparse.Namespace) -> Settings:
    """The settings: flags over environment over ``.env``; validated where they always are.

    Raises:
        ConfigurationError: a setting is out of bounds.
    """
    given = {name: value for name, value in vars(options).items() if name in Settings.model_fields}
    return load_settings(**given)


def begin(
    parser: argparse.ArgumentParser, arguments: Sequence[str]
) -> tuple[argparse.Namespace, Settings]:
    """Parse, and set the process up: environment for torch, and the log.

    Raises:
        ConfigurationError: a setting is out of bounds.
        SystemExit: 2 for wrong usage, 0 after ``--help``.
    """
    options = parser.parse_args(arguments)
    prepare_process()
    settings = read_settings(options)
    # A command is run by a person, or by a script whose author reads what it said: `auto` is text
    # here even where standard error is a file. The service's `auto` is JSON there.
    style = "text" if settings.log_format == "auto" else settings.log_format
    configure_logging(settings.log_level, style)
    return options, settings
