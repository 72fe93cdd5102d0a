"""Models that nobody uses are unloaded, and loaded again for the next request."""

import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stt.engines.base import Engine
from stt.errors import ConfigurationError, ModelBroken, ModelLoading
from stt.languages import Language, choose_languages
from stt.models.loader import EngineLoader
from stt.models.state import Status
from stt.models.usage import Usage, lease_notices, leasing
from stt.settings import load_settings
from tests.fakes import FakeEngine, save_random_checkpoint

TTL_SECONDS = 1.0


async def ready_at_once(language: Language, engine: Engine) -> None:
    """Warms nothing."""


class Loads:
    """Counts what a loader says."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool]] = []

    def __call__(self, code: str, loaded: bool) -> None:
        self.seen.append((code, loaded))


@asynccontextmanager
async def running(
    *flags: str,
    engine: Engine | None = None,
    loads: Loads | None = None,
    warm: Callable[[Language, Engine], Awaitable[None]] = ready_at_once,
) -> AsyncIterator[EngineLoader]:
    """A loader that has loaded everything, and unloads what is not used."""
    settings = load_settings(["--model-ttl-seconds", str(TTL_SECONDS), *flags])
    languages = choose_languages(settings.languages, settings.models, demo=False)
    loader = EngineLoader(languages, settings, warm, engine, loads or Loads())
    run = asyncio.create_task(loader.run())
    try:
        await until(lambda: loader.status is not Status.LOADING)
        yield loader
    finally:
        run.cancel()
        await asyncio.wait([run])


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_usage_counts_from_the_end_of_the_last_user() -> None:
    now = 100.0
    usage = Usage(lambda: now)
    usage.touch("KR")
    now = 103.0
    assert usage.unused_seconds("KR") == 3
    with usage.using("KR"):
        now = 200.0
        with usage.using("KR"):
            assert usage.unused_seconds("KR") == 0
        assert usage.unused_seconds("KR") == 0
        now = 300.0
    assert usage.unused_seconds("KR") == 0
    now = 301.0
    assert usage.unused_seconds("KR") == 1


def test_an_idle_model_is_gone_and_one_load_serves_all_that_come(tmp_path: Path) -> None:
    checkpoint = save_random_checkpoint(tmp_path / "checkpoint", norm="layer")
    loads = Loads()

    async def scenario() -> None:
        flags = ("--models", f"KR={checkpoint},EN={checkpoint}", "--languages", "KR,EN")
        async with running(*flags, "--device", "cpu", loads=loads) as loader:
            korean, english = loader._languages
            with leasing():
                kept = await loader.acquire(english)
                gone = weakref.ref(loader.engine(korean))
                assert lease_notices() == ()
                await until(lambda: loader.state(korean).status is Status.IDLE)
                assert loader.status is Status.READY
                assert loader.find_engine(korean) is None
                with pytest.raises(ModelLoading):
                    loader.engine(korean)

                async def request() -> tuple[Engine, str]:
                    with leasing():
                        engine = await loader.acquire(korean)
                        (notice,) = lease_notices()
                        return engine, notice.code

                # While its memory is still being returned.
                engines = await asyncio.gather(*[request() for _ in range(5)])
                assert len({id(engine) for engine, _ in engines}) == 1
                assert {code for _, code in engines} == {"model_loaded"}
                assert gone() is None, "nothing keeps the old engine"
                assert loader.state(korean).status is Status.READY
                assert loader.engine(english) is kept
            await until(lambda: loader.find_engine(english) is None)

    asyncio.run(scenario())
    assert loads.seen[:4] == [("KR", True), ("EN", True), ("KR", False), ("KR", True)] or (
        loads.seen[:4] == [("EN", True), ("KR", True), ("KR", False), ("KR", True)]
    )
    gc.unfreeze()


def test_a_load_that_fails_says_why_and_is_tried_again(tmp_path: Path) -> None:
    checkpoint = save_random_checkpoint(tmp_path / "checkpoint", norm="layer")
    weights, aside = checkpoint / "model.safetensors", tmp_path / "aside"

    async def scenario() -> None:
        async with running("--models", f"KR={checkpoint}", "--device", "cpu") as loader:
            (korean,) = loader._languages
            await until(lambda: loader.state(korean).status is Status.IDLE)
            weights.rename(aside)
            for _ in range(2):
                with leasing(), pytest.raises(ModelBroken, match=r"has no model\.safetensors"):
                    await loader.acquire(korean)
                state = loader.state(korean)
                assert (state.status, loader.status) == (Status.IDLE, Status.READY)
                assert "has no model.safetensors" in str(state.reason)
            aside.rename(weights)
            with leasing():
                assert (await loader.acquire(korean)).device == "cpu"
            assert loader.state(korean).reason is None

    asyncio.run(scenario())


def test_a_request_waits_as_long_as_it_may_and_the_load_goes_on() -> None:
    async def scenario() -> None:
        go_on = asyncio.Event()
        go_on.set()

        async def warm(language: Language, engine: Engine) -> None:
            await go_on.wait()

        async with running(engine=FakeEngine(), warm=warm) as loader:
            (korean,) = loader._languages
            await until(lambda: loader.state(korean).status is Status.IDLE)
            go_on.clear()
            with leasing(0.05), pytest.raises(ModelLoading, match="longer than this request"):
                await loader.acquire(korean)
            waiting = asyncio.create_task(loader.acquire(korean))
            await asyncio.sleep(0)
            leaving = asyncio.create_task(loader.acquire(korean))
            await asyncio.sleep(0)
            leaving.cancel()  # its client has gone; the others still wait
            assert loader.state(korean).step == "warming"
            assert loader.status is Status.READY
            go_on.set()
            assert (await waiting).backend == "fake"

    asyncio.run(scenario())


def test_replicas_of_a_cluster_keep_their_models() -> None:
    with pytest.raises(ConfigurationError, match="STT_MODEL_TTL_SECONDS"):
        load_settings(["--cluster", "--model-ttl-seconds", "60"])
