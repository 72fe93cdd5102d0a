"""Jobs within the service: opens their desk, and transcribes them as any other recording."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import BinaryIO

from stt.jobs.database import postgres_engine
from stt.jobs.desk import Desk
from stt.jobs.fetching import HttpFetcher
from stt.jobs.outbound import Outbound
from stt.jobs.records import Job, Quota
from stt.jobs.runner import Begun, OpenEarlier
from stt.jobs.webhooks import Webhooks
from stt.models.state import Status
from stt.models.usage import leasing
from stt.observability.metrics import Metrics
from stt.recognition.pipeline import Transcriber
from stt.server.keys import KeyRing, current_usage
from stt.server.state import Service
from stt.settings import Settings
from stt.settings.folders import state_folder
from stt.settings.signing import parse_secret

USABLE = (Status.READY, Status.IDLE)
"""An idle model is loaded for the job."""
LOADING_SECONDS = 1800.0
"""How long a job waits for that; then it is given back."""


def open_desk(settings: Settings, metrics: Metrics) -> Desk:
    """The desk of the settings; call it in the event loop."""
    url = settings.jobs_database
    return Desk(
        state_folder(settings.state_dir),
        url.get_secret_value() if url else None,
        is_on=settings.jobs,
        lease_seconds=settings.jobs_lease_seconds,
        most_attempts=settings.jobs_attempts,
        keep_seconds=settings.jobs_keep_hours * 3600,
        quota=Quota(settings.jobs_per_key, int(settings.jobs_mb_per_key * 1e6)),
        fetcher=HttpFetcher(
            Outbound(settings.fetch_hosts, setting="STT_FETCH_HOSTS"),
            max_bytes=int(settings.max_upload_mb * 1e6),
            timeout_seconds=settings.fetch_timeout_seconds,
        ),
        webhooks=Webhooks(
            Outbound(settings.webhook_hosts, setting="STT_WEBHOOK_HOSTS"),
            [parse_secret(each.get_secret_value()) for each in settings.webhook_secrets],
            timeout_seconds=settings.webhook_timeout_seconds,
        ),
        counted=metrics.count_jobs,
    )


def check_jobs(settings: Settings) -> None:
    """
    Raises:
        ConfigurationError: the URL of the database is not PostgreSQL's, or an extra is missing.
    """
    if settings.jobs and settings.jobs_database:
        postgres_engine(settings.jobs_database.get_secret_value())


class JobRecogniser:
    """A `stt.jobs.runner.Recognise`."""

    def __init__(self, service: Service, transcriber: Transcriber, keys: KeyRing) -> None:
        """
        Args:
            service: Has the languages, their engines and what requests may ask.
            transcriber: One whose audio does not count towards what requests wait for.
            keys: Their limits on audio hold for jobs too.
        """
        self._service, self._transcriber, self._keys = service, transcriber, keys

    def languages(self) -> Mapping[str, bool]:
        """See `stt.jobs.runner.Recognise`."""
        state = self._service.engines.state
        return {each.code: state(each).status in USABLE for each in self._service.languages}

    @asynccontextmanager
    async def __call__(
        self, job: Job, source: BinaryIO, earlier: OpenEarlier
    ) -> AsyncIterator[Begun]:
        """See `stt.jobs.runner.Recognise`.

        Raises:
            RateLimited: the key has used up its audio for now.
            SttError: as for any recording.
        """
        usage = self._keys.usage_of(job.owner)
        current_usage.set(usage)  # of the job's own task
        if usage is not None:
            usage.check_audio()
        language = self._service.languages.resolve(job.order.language)
        with leasing(LOADING_SECONDS):
            engine = await self._service.engines.acquire(language)
            plan = await self._service.plan(language, engine, job.order.asked)
            model = language.model
            made_by = f"{model.name} {model.revision} {engine.backend} {engine.precision}"
            words = self._transcriber.words(
                source, engine, plan, job.order.track, earlier=earlier(made_by, engine.grid)
            )
            yield Begun(words, model.name, engine.device, self._service.cpu_threads)
