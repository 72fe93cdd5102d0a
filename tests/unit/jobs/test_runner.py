"""Runs of jobs: what fails them, what makes them wait, and what they leave behind."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import update
from sqlalchemy.event import listen

from stt.asked import Asked
from stt.errors import InferenceFailed, InvalidAudio, OutOfStorage, QueueTimeout
from stt.jobs import results
from stt.jobs.desk import Desk
from stt.jobs.fetching import Fetcher
from stt.jobs.leases import UNSERVED_SECONDS
from stt.jobs.outbound import Outbound
from stt.jobs.records import Job, Order, Quota, State
from stt.jobs.runner import Begun, OpenEarlier, Runner
from stt.jobs.tables import JOBS
from stt.jobs.webhooks import Webhooks
from stt.notices import Report
from stt.types import Transcript, Word
from tests.fakes import WAV2VEC2_GRID

WORD = Word("ab", 0.1, 0.2, 0.9)
ORDER = Order("KR", Asked())


class NoFetcher:
    """Allows one URL, and writes a file for it."""

    n_calls = 0

    def check(self, url: str) -> None:
        pass

    async def __call__(self, url: str, into: Path) -> None:
        self.n_calls += 1
        into.write_bytes(url.encode())


class SomeWords:
    """The `Words` of a recording that says "ab", or raises."""

    duration_seconds = expected_seconds = 1.0
    report = Report()

    def __init__(self, error: Exception | None) -> None:
        self._words = self._say(error)

    def transcript(self, spoken: Sequence[Word]) -> Transcript:
        return Transcript(tuple(spoken), self.duration_seconds, self.report)

    async def _say(self, error: Exception | None) -> AsyncGenerator[Word]:
        yield WORD
        if error is not None:
            raise error

    def __aiter__(self) -> AsyncIterator[Word]:
        return self._words

    async def aclose(self) -> None:
        await self._words.aclose()


class Recogniser:
    """Raises each of these errors in turn, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.heard: list[bytes] = []

    def languages(self) -> Mapping[str, bool]:
        return {"KR": True}

    @asynccontextmanager
    async def __call__(
        self, job: Job, source: BinaryIO, earlier: OpenEarlier
    ) -> AsyncIterator[Begun]:
        self.heard.append(source.read())
        earlier("model", WAV2VEC2_GRID)
        words = SomeWords(self._errors.pop(0) if self._errors else None)
        yield Begun(words, "model", "cpu", 1)  # type: ignore[arg-type]


def run(
    folder: Path,
    recogniser: Recogniser,
    scenario: Callable[[Desk], Awaitable[None]],
    fetcher: Fetcher | None = None,
    **settings: float,
) -> None:
    async def main() -> None:
        desk = Desk(
            folder, None, lease_seconds=settings.get("lease_seconds", 15), most_attempts=3,
            keep_seconds=1000, quota=Quota(100, 10**9), fetcher=fetcher or NoFetcher(),
            webhooks=Webhooks(Outbound((), setting="X"), [], timeout_seconds=1),
        )  # fmt: skip
        desk.start()
        runner = Runner(desk, recogniser, at_once=1)
        runner.start()
        try:
            await asyncio.wait_for(scenario(desk), 60)
        finally:
            await runner.close()
            await desk.close()

    asyncio.run(main())


async def hand_in(desk: Desk, order: Order = ORDER, data: bytes | None = b"abc") -> Job:
    source = None if data is None else io.BytesIO(data)
    return await desk.accept("", order, source, "request-1")


async def until(desk: Desk, job: Job, is_so: Callable[[Job], bool]) -> Job:
    while not is_so(found := await desk.call(lambda: desk.store.find("", job.id))):
        await asyncio.sleep(0.01)
    return found


def test_a_job_leaves_its_result_and_no_recording(tmp_path: Path) -> None:
    recogniser = Recogniser()

    async def scenario(desk: Desk) -> None:
        job = await hand_in(desk)
        ended = await until(desk, job, lambda job: job.state.is_final)
        assert ended.state is State.SUCCEEDED and ended.progress.text == "ab"
        data = await desk.call(lambda: desk.store.result(job.id))
        assert data is not None
        assert results.from_bytes(data).transcript == Transcript((WORD,), 1.0)

    run(tmp_path, recogniser, scenario)
    assert recogniser.heard == [b"abc"]
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidAudio("no"), "invalid_audio"),
        (InferenceFailed("no"), "inference_failed"),
        (ZeroDivisionError("secret"), "internal_error"),
    ],
)
def test_an_error_fails_the_job_with_its_code(tmp_path: Path, error: Exception, code: str) -> None:
    async def scenario(desk: Desk) -> None:
        ended = await until(desk, await hand_in(desk), lambda job: job.state.is_final)
        assert ended.state is State.FAILED
        assert ended.fault is not None and ended.fault.code == code
        assert "secret" not in ended.fault.message

    run(tmp_path, Recogniser(error), scenario)


def test_a_job_fails_if_its_language_is_no_longer_served(tmp_path: Path) -> None:
    recogniser = Recogniser()

    async def scenario(desk: Desk) -> None:
        order = replace(ORDER, language="JA", url="https://example.org/a")
        job, other = await hand_in(desk, order, None), await hand_in(desk)
        await until(desk, other, lambda job: job.state is State.SUCCEEDED)
        waiting = await desk.call(lambda: desk.store.find("", job.id))
        assert waiting.state is State.QUEUED  # another replica may serve it

        def age() -> None:
            with desk.store._database.writing() as connection:
                connection.execute(update(JOBS).values(created=JOBS.c.created - UNSERVED_SECONDS))

        await desk.call(age)
        ended = await until(desk, job, lambda job: job.state.is_final)
        assert ended.state is State.FAILED and ended.fault is not None
        assert ended.fault.code == "unsupported_language"
        assert "GET /languages" in ended.fault.message

    fetcher = NoFetcher()
    run(tmp_path, recogniser, scenario, fetcher)
    assert recogniser.heard == [b"abc"]
    assert fetcher.n_calls == 0


def test_a_job_waits_for_what_passes(tmp_path: Path) -> None:
    recogniser = Recogniser(QueueTimeout("later", 0.01), QueueTimeout("later", 0.01))

    async def scenario(desk: Desk) -> None:
        ended = await until(desk, await hand_in(desk), lambda job: job.state.is_final)
        assert ended.state is State.SUCCEEDED

    run(tmp_path, recogniser, scenario)
    assert len(recogniser.heard) == 3


def test_a_job_waits_while_the_disk_is_full(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        job = await hand_in(desk)
        waiting = await until(desk, job, lambda job: job.started is not None)
        waiting = await until(desk, job, lambda job: job.state is State.QUEUED)
        assert waiting.fault is None
        other = await hand_in(desk)  # the runner lives
        await until(desk, other, lambda job: job.state is State.SUCCEEDED)

    run(tmp_path, Recogniser(OutOfStorage("full")), scenario)


def test_a_full_database_accepts_no_half_of_a_job(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        def fill() -> None:
            """Give the file no room, on whichever connection is used."""
            database = desk.store._database
            with database.reading() as connection:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            limit = f"PRAGMA max_page_count={pages}"
            listen(database._engine, "checkout", lambda each, *_: each.execute(limit))

        long = replace(ORDER, asked=Asked(hotwords="x" * 100_000))
        await desk.call(fill)
        with pytest.raises(OutOfStorage):
            await hand_in(desk, long)
        assert list((tmp_path / "uploads").iterdir()) == []

    recogniser = Recogniser()
    recogniser.languages = lambda: {}  # type: ignore[method-assign]
    run(tmp_path, recogniser, scenario)


def test_a_recording_is_fetched_once(tmp_path: Path) -> None:
    fetcher, recogniser = NoFetcher(), Recogniser(QueueTimeout("later", 0.01))

    async def scenario(desk: Desk) -> None:
        job = await hand_in(desk, replace(ORDER, url="https://example.org/a"), None)
        await until(desk, job, lambda job: job.state is State.SUCCEEDED)

    run(tmp_path, recogniser, scenario, fetcher)
    assert recogniser.heard == [b"https://example.org/a"] * 2
    assert fetcher.n_calls == 1
