"""The settings of jobs, and of the calls that the service makes for them."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from stt.settings.groups import ServiceGroup, mapping, split_list
from stt.settings.hosts import HostPattern, parse_hosts
from stt.settings.signing import parse_secret


class JobSettings(ServiceGroup):
    """Jobs: recordings that are transcribed later."""

    jobs: bool = True
    """Whether `POST /v1/jobs` accepts recordings."""
    state_dir: Path | None = None
    """Folder for the jobs' database and recordings; replicas share it. Default:
    `$XDG_STATE_HOME/stt-ctc`, else `~/.local/state/stt-ctc`."""
    jobs_database: SecretStr | None = None
    """URL of a PostgreSQL database for jobs, for replicas on several machines:
    `postgresql://USER:PASSWORD@HOST/NAME`. Needs the extra `postgres`. Default: SQLite in
    `state_dir`."""
    jobs_at_once: int = Field(default=2, ge=0, le=256)
    """Jobs that a replica runs at the same time. With 0 it only accepts jobs, and others run
    them."""
    jobs_keep_hours: float = Field(default=72.0, gt=0, le=87_600)
    """How long results are kept after the end of a job. Its recording is removed at once."""
    jobs_per_key: int = Field(default=1000, ge=1, le=1_000_000)
    """Jobs of one key that may be queued or running; beyond that, new ones get 429. Without keys,
    all clients share this limit."""
    jobs_mb_per_key: float = Field(default=20_000.0, gt=0, le=1e9)
    """Limit on the total size of the recordings of those jobs, in MB (10^6 bytes)."""
    jobs_lease_seconds: float = Field(default=15.0, ge=1, le=3600)
    """When a replica has not been heard of for this long, others take over its jobs."""
    jobs_attempts: int = Field(default=30, ge=1, le=1000)
    """How often a job may take the service down without completing another window; after that it
    fails."""


class OutboundSettings(ServiceGroup):
    """Calls that the service makes for jobs: only to these hosts, and only to public addresses."""

    fetch_hosts: Annotated[tuple[HostPattern, ...], NoDecode, mapping(parse_hosts)] = ()
    """Hosts from which jobs may fetch recordings (`url`), comma-separated: `media.example.org`,
    `*.example.org` for every name below it, `*` for every name. They are called over HTTPS at port
    443, unless the entry names a scheme and a port (`http://nas.example.org:8080`);
    `*@media.example.org` also allows URLs with a password. Default: none, and `url` is refused."""
    fetch_timeout_seconds: float = Field(default=600.0, gt=0, le=86_400)
    """Time limit for fetching a recording. Its size limit is `max_upload_mb`."""
    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_list)] = ()
    """Secrets that sign webhooks, comma-separated: `whsec_` and 24 to 64 bytes in Base64 (`echo
    whsec_$(openssl rand -base64 32)`). Every message is signed with all of them, so that a new one
    can be introduced before the old one is removed."""
    webhook_hosts: Annotated[tuple[HostPattern, ...], NoDecode, mapping(parse_hosts)] = ()
    """Hosts to which jobs may report their end (`webhook_url`), written like `fetch_hosts`; needs
    `webhook_secrets`. Default: none, and `webhook_url` is refused."""
    webhook_timeout_seconds: float = Field(default=15.0, gt=0, le=300)
    """Time limit for one attempt to deliver a webhook."""

    @field_validator("webhook_secrets")
    @classmethod
    def _check_secrets(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in value:
            parse_secret(secret.get_secret_value())
        return value

    @field_validator("webhook_hosts")
    @classmethod
    def _sign_all_webhooks(
        cls, value: tuple[HostPattern, ...], info: ValidationInfo
    ) -> tuple[HostPattern, ...]:
        if value and info.data.get("webhook_secrets") == ():
            raise ValueError("webhooks are always signed, so STT_WEBHOOK_SECRETS is needed too")
        return value
