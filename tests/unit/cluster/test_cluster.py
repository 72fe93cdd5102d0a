"""The parts of a cluster without Ray: resending, reports, aggregated metrics."""

import asyncio
import pickle
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TypeVar

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric

from stt import errors
from stt.cluster import loopback
from stt.cluster.dispatcher import MAX_SENDS, Call, CallRefused, Dispatcher, ReplicaLost
from stt.cluster.engines import ClusterEngines
from stt.cluster.ledger import Ledger, merge, registry_of
from stt.cluster.replica import EngineReplica
from stt.cluster.scaling import wanted_engines
from stt.cluster.wire import EngineReport, Failure, IngressReport, RemoteEngine, Reply, View
from stt.engines.wants import BEST, Want
from stt.frames import AnyFrames, Frames
from stt.inference.fairness import LIVE, current_client
from stt.inference.observer import NoObserver, Stage
from stt.languages import Language, choose_languages
from stt.models.state import LoadState, Status
from stt.server.problems import STATUSES
from stt.settings import load_settings
from stt.types import SAMPLE_RATE, Waveform
from tests.fakes import FakeEngine, spell

T = TypeVar("T")
REMOTE_ENGINE = RemoteEngine.of("KR", FakeEngine())
READY = LoadState(Status.READY, step="ready", load_seconds=1.0)
SECOND = np.zeros(SAMPLE_RATE, np.float32)


class Fixed:
    """A `Membership` with a fixed view."""

    def __init__(self, **known: float) -> None:
        self.view = View({}, {}, **known)  # type: ignore[arg-type]


class Stages(NoObserver):
    def __init__(self) -> None:
        self.busy: dict[Stage, float] = {}

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        self.busy[stage] = busy_seconds
        assert ended - started == pytest.approx(busy_seconds)


def run(scenario: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(scenario(), 30)  # type: ignore[arg-type]

    return asyncio.run(bounded())


def dispatcher(
    call: Call,
    membership: Fixed | None = None,
    observer: NoObserver | None = None,
    queue_timeout_seconds: float = 20.0,
    on_resend: Callable[[], None] = lambda: None,
) -> Dispatcher:
    return Dispatcher(
        call, membership or Fixed(), observer or NoObserver(), on_resend, max_queue_seconds=10,
        queue_timeout_seconds=queue_timeout_seconds, stall_seconds=0,
    )  # fmt: skip


def script(*outcomes: Reply | Failure | Exception):  # type: ignore[no-untyped-def]
    """A call with these outcomes in turn, and the list of its arguments."""
    calls: list[tuple[str, Waveform]] = []

    async def call(
        language: str, waveform: Waveform, want: Want[AnyFrames], client: str
    ) -> Reply | Failure:
        calls.append((language, waveform))
        outcome = outcomes[len(calls) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return call, calls


REPLY = Reply.of(spell([0, 2, 3]), 0.25, 0.5)


def test_frames_are_packed_exactly_and_small() -> None:
    frames = BEST.reduce(
        np.log(np.random.default_rng(0).dirichlet(np.ones(1205), 999)).astype("f4")
    )
    packed = pickle.dumps(Reply.of(frames, 0.1, 0.2), protocol=5)
    again = pickle.loads(packed).frames(BEST)
    for name in ("columns", "log_probs", "log_posteriors"):
        assert getattr(again, name).dtype == getattr(frames, name).dtype
        assert np.array_equal(getattr(again, name), getattr(frames, name))
    assert len(packed) < 999 * 10 + 1000  # 20 s of audio
    wide = Frames(np.array([70_000], np.int32), np.zeros(1, np.float32), np.zeros(1, np.float32))
    assert Reply.of(wide, 0, 0).frames(BEST).columns.tolist() == [70_000]
    none = Frames(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32))
    assert len(Reply.of(none, 0, 0).frames(BEST)) == 0


@pytest.mark.parametrize("kind", list(STATUSES), ids=lambda kind: kind.code)
def test_every_error_survives_packing(kind: type[errors.SttError]) -> None:
    try:
        error = kind("Why.", 7.0)  # type: ignore[call-arg]
    except TypeError:
        error = kind("Why.")
    again = pickle.loads(pickle.dumps(Failure.of(error))).error()
    assert type(again) is kind
    assert again.message == "Why."
    assert getattr(again, "retry_after_seconds", 7.0) == 7.0


def test_a_window_is_resent_when_its_replica_dies() -> None:
    call, calls = script(
        ReplicaLost("killed"), Failure("engine_died", "Its thread ended.", 1.0), REPLY
    )
    observer, resent = Stages(), []
    sender = dispatcher(call, observer=observer, on_resend=lambda: resent.append(len(calls)))
    frames = run(lambda: sender.submit(REMOTE_ENGINE, SECOND, BEST))
    assert frames.columns.tolist() == [0, 2, 3]
    assert [language for language, _ in calls] == ["KR"] * 3
    assert resent == [1, 2]
    assert all(waveform is SECOND for _, waveform in calls)
    assert observer.busy == {Stage.QUEUE: 0.25, Stage.FORWARD: 0.5}


def test_a_window_that_kills_every_replica_is_given_up() -> None:
    call, calls = script(*[ReplicaLost("killed")] * 9)
    with pytest.raises(errors.ClusterUnavailable, match=f"{MAX_SENDS} engines"):
        run(lambda: dispatcher(call).submit(REMOTE_ENGINE, SECOND, BEST))
    assert len(calls) == MAX_SENDS


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Failure("out_of_memory", "Too little."), errors.OutOfMemory),
        (Failure("queue_timeout", "Too long.", 3.0), errors.QueueTimeout),
        (CallRefused("no replicas"), errors.ClusterUnavailable),
        (KeyError("a bug"), errors.InferenceFailed),
    ],
)
def test_only_a_dead_replica_is_retried(
    outcome: Failure | Exception, kind: type[Exception]
) -> None:
    call, calls = script(outcome, REPLY)
    sender = dispatcher(call)
    with pytest.raises(kind):
        run(lambda: sender.submit(REMOTE_ENGINE, SECOND, BEST))
    assert len(calls) == 1
    assert (sender.n_queued, sender.queued_seconds) == (0, 0)


def test_waiting_for_an_engine_times_out() -> None:
    async def never(
        language: str, waveform: Waveform, want: Want[AnyFrames], client: str
    ) -> Reply | Failure:
        await asyncio.sleep(100)
        raise AssertionError

    sender = dispatcher(never, queue_timeout_seconds=0.05)
    with pytest.raises(errors.QueueTimeout, match=r"0\.05 s"):
        run(lambda: sender.submit(REMOTE_ENGINE, SECOND, BEST))
    assert sender.queued_seconds == 0


def test_cancelling_the_caller_cancels_its_window() -> None:
    gone = []

    async def call(
        language: str, waveform: Waveform, want: Want[AnyFrames], client: str
    ) -> Reply | Failure:
        try:
            await asyncio.sleep(100)
        finally:
            gone.append(language)
        raise AssertionError

    async def scenario() -> None:
        sender = dispatcher(call)
        task = asyncio.create_task(sender.submit(REMOTE_ENGINE, SECOND, BEST))
        await asyncio.sleep(0.01)
        assert (sender.n_queued, sender.queued_seconds) == (1, 1.0)
        task.cancel()
        await asyncio.wait([task])
        assert (gone, sender.n_queued, sender.queued_seconds) == (["KR"], 0, 0)

    run(scenario)


def test_the_queue_limit_scales_with_engines_and_counts_other_ingresses() -> None:
    call, _ = script()
    dispatcher(call, Fixed(n_engines=2, outstanding={"": 19.0})).check_room()
    full = dispatcher(call, Fixed(n_engines=2, outstanding={"": 20.0}, rtfx=5.0))
    with pytest.raises(errors.Overloaded, match=r"20 s of audio wait.*the limit is 20 s") as caught:
        full.check_room()
    assert caught.value.retry_after_seconds == 4.0
    with pytest.raises(errors.Overloaded):
        dispatcher(call, Fixed(outstanding={"": 10.0})).check_room()  # no engine yet counts as one


def families_of(count: float, waiting: float, seconds: float) -> list[Metric]:
    registry = CollectorRegistry()
    Counter("stt_audio_seconds", "Sum.", registry=registry).inc(count)
    Gauge("stt_queue_size", "Sum.", registry=registry).set(waiting)
    Gauge("stt_model_ready", "Most.", ("language",), registry=registry).labels("KR").set(waiting)
    Histogram("stt_rtfx", "Sum.", buckets=(1, 2), registry=registry).observe(seconds)
    return list(registry.collect())


def lines(families: list[Metric]) -> dict[str, float]:
    text = generate_latest(registry_of(families)).decode()
    pairs = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in pairs if "_created" not in name}


def engine_report(state: LoadState = READY) -> EngineReport:
    ready = {"KR": REMOTE_ENGINE} if state.status is Status.READY else {}
    return EngineReport({"KR": state}, ready, queued_seconds=0, rtfx=50.0)


def test_counters_are_summed_and_model_states_are_not() -> None:
    assert lines(merge([families_of(1, 1, 0.5), families_of(10, 0, 1.5)])) == {
        "stt_audio_seconds_total": 11.0,
        "stt_queue_size": 1.0,
        'stt_model_ready{language="KR"}': 1.0,
        'stt_rtfx_bucket{le="1.0"}': 1.0,
        'stt_rtfx_bucket{le="2.0"}': 2.0,
        'stt_rtfx_bucket{le="+Inf"}': 2.0,
        "stt_rtfx_count": 2.0,
        "stt_rtfx_sum": 2.0,
    }


def test_counters_do_not_fall_when_a_replica_ends() -> None:
    now = 0.0
    ledger = Ledger(lambda: now)
    ledger.report("a", engine_report(), families_of(1, 5, 0.5))
    ledger.report("b", engine_report(), families_of(10, 7, 0.5))
    assert ledger.view().n_engines == 2
    now = 4.0
    ledger.report("b", engine_report(), families_of(10, 7, 0.5))
    now = 6.0  # "a" has missed its reports
    after = lines(ledger.metrics())
    assert after["stt_audio_seconds_total"] == 11
    assert after["stt_rtfx_count"] == 2
    assert after["stt_queue_size"] == 7  # the queue of "a" is gone
    assert ledger.view().n_engines == 1
    ledger.leave("b")
    ledger.leave("b")
    assert lines(ledger.metrics())["stt_audio_seconds_total"] == 11


def test_an_ingress_sees_the_other_replicas_and_the_shutdown() -> None:
    ledger = Ledger(lambda: 0.0)
    ledger.report("i1", IngressReport({"a": 3.0, "b": 2.0}, n_inside=2), [])
    ledger.report("e1", engine_report(LoadState(Status.FAILED, reason="Broken.")), [])
    view = ledger.report("i2", IngressReport({"a": 7.0}, n_inside=1), [])
    assert (view.outstanding, view.n_inside, view.n_engines) == ({"a": 3.0, "b": 2.0}, 3, 0)
    assert view.states["KR"].status is Status.FAILED
    ledger.report("e2", engine_report(), [])
    view = ledger.view("i1")
    assert view.states["KR"] == READY  # one ready engine is enough
    assert (view.outstanding, view.rtfx) == ({"a": 7.0}, 50.0)
    ledger.drain()
    assert (ledger.view().draining, ledger.view().closed) == (True, False)
    ledger.close()
    assert ledger.view().closed


def test_a_thousand_replicas_report_less_often() -> None:
    ledger = Ledger(lambda: 0.0)
    for number in range(1000):
        view = ledger.report(f"e{number}", engine_report(), [])
    assert view.next_report_seconds == 5.0
    assert view.n_engines == 1000


KOREAN = choose_languages(("KR",), {}, demo=False)


def korean() -> Language:
    return KOREAN.default


def test_a_language_is_ready_once_it_is_warmed_through_the_cluster() -> None:
    loading = LoadState(step="waiting", reason="No hub.", next_try=9.0)
    views = [View({}, {}), View({"KR": loading}, {}), View({"KR": READY}, {"KR": REMOTE_ENGINE})]
    views += [View({"KR": LoadState(step="reading")}, {}, next_report_seconds=0.01)]
    seen: list[tuple[Status, str]] = []
    released = asyncio.Event()

    async def scenario() -> None:
        async def send_report() -> View:
            seen.append((engines.state(korean()).status, engines.state(korean()).step))
            return views.pop(0) if len(views) > 1 else views[0]

        async def warm(_: object, engine: object) -> None:
            assert engine is REMOTE_ENGINE
            seen.append((engines.status, "warmed"))
            released.set()

        engines = ClusterEngines(KOREAN, send_report, warm)
        with pytest.raises(errors.ModelLoading):
            engines.engine(korean())
        running = asyncio.create_task(engines.run())
        await released.wait()
        await asyncio.sleep(0.7)
        assert engines.engine(korean()) is REMOTE_ENGINE
        assert engines.status is Status.READY  # while its only engine is replaced
        running.cancel()

    run(scenario)
    assert seen[:2] == [(Status.LOADING, "waiting")] * 2
    assert (Status.LOADING, "warmed") in seen


@pytest.mark.parametrize("status", [Status.READY, Status.LOADING])
def test_a_new_ingress_waits_until_ready_languages_are_warm(
    status: Status,
) -> None:
    async def scenario() -> None:
        warm_now = asyncio.Event()

        async def send_report() -> View:
            await asyncio.sleep(0.1)
            ready = status is Status.READY
            return View({"KR": LoadState(status)}, {"KR": REMOTE_ENGINE} if ready else {})

        async def warm(_: object, engine: object) -> None:
            await warm_now.wait()

        engines = ClusterEngines(KOREAN, send_report, warm)
        joining = asyncio.create_task(engines.join())
        running = asyncio.create_task(engines.run())
        await asyncio.sleep(0.02)
        assert not joining.done(), "the ledger has not answered yet"
        await asyncio.sleep(0.4)
        assert joining.done() is (status is Status.LOADING)
        warm_now.set()
        await joining
        assert engines.status is status
        running.cancel()

    run(scenario)


def test_the_next_try_is_converted_between_clocks() -> None:
    async def scenario() -> None:
        async def send_report() -> View:
            return View({"KR": LoadState(reason="No hub.", next_try=30.0)}, {})

        async def warm(_: object, engine: object) -> None:
            raise AssertionError

        engines = ClusterEngines(KOREAN, send_report, warm)
        running = asyncio.create_task(engines.run())
        await asyncio.sleep(0.01)
        running.cancel()
        wait = engines.state(korean()).retry_in_seconds
        assert wait is not None
        assert 29 < wait <= 30

    run(scenario)


def test_an_ingress_keeps_its_view_while_the_ledger_is_down() -> None:
    async def scenario() -> None:
        answers: list[View | Exception] = [View({"KR": READY}, {"KR": REMOTE_ENGINE})]

        async def send_report() -> View:
            if not answers:
                raise TimeoutError
            return answers.pop()  # type: ignore[return-value]

        async def warm(_: object, engine: object) -> None:
            pass

        engines = ClusterEngines(KOREAN, send_report, warm)
        running = asyncio.create_task(engines.run())
        await asyncio.sleep(1.2)
        assert not running.done()
        assert engines.engine(korean()) is REMOTE_ENGINE
        running.cancel()

    run(scenario)


def test_an_engine_replica_reports_progress_and_returns_failures_as_values() -> None:
    reports: list[EngineReport] = []

    async def send_report(report: EngineReport, families: list[Metric]) -> View:
        reports.append(report)
        return View({}, {}, next_report_seconds=0.01)

    def check() -> None:
        nonlocal poison
        if poison:
            raise ValueError("poison")

    async def scenario() -> None:
        nonlocal poison
        replica = EngineReplica(load_settings([]), send_report, FakeEngine(check))
        early = await replica.submit("KR", SECOND, BEST, "")
        await replica.load()
        replica.check()
        samples = SECOND.copy()
        samples.flags.writeable = False  # as in Ray's shared memory
        reply = await replica.submit("KR", samples, BEST, "")
        poison = True
        failure = await replica.submit("KR", SECOND, BEST, "")
        replica.close()
        assert isinstance(early, Failure)
        assert early.code == "model_loading"
        assert isinstance(reply, Reply)
        assert len(reply.frames(BEST)) == 49
        assert reply.forward_seconds > 0
        assert isinstance(failure, Failure)
        assert failure.code == "inference_failed"

    poison = False
    run(scenario)
    assert reports[0].engines == {}
    assert reports[-1].states["KR"].status is Status.READY
    assert reports[-1].engines["KR"].vocabulary == FakeEngine.vocabulary
    with pytest.raises(TypeError, match="submit"):
        reports[-1].engines["KR"].forward([SECOND], BEST)


@pytest.mark.parametrize(
    ("queued", "n", "wanted"),
    [(0, 1, 0), (59, 1, 1), (61, 1, 2), (600, 2, 10), (50, 2, 2), (20, 2, 1), (0, 8, 7)],
)
def test_engines_scale_with_the_queued_seconds(queued: float, n: int, wanted: int) -> None:
    assert wanted_engines(queued, n, target_seconds=60) == wanted


def test_without_ray_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from stt.commands.serve import serve; serve(['--cluster'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == (
        "error: A cluster needs Ray Serve, which is not installed: pip install "
        "'stt-ctc[cluster]'.\n"
    )


def test_a_local_cluster_gets_a_token_of_its_own_and_a_joined_one_keeps_its() -> None:
    local: dict[str, str] = {}
    loopback.prepare(local)
    other: dict[str, str] = {}
    loopback.prepare(other)
    assert local["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
    assert len(local["RAY_AUTH_TOKEN"]) == 64
    assert local["RAY_AUTH_TOKEN"] != other["RAY_AUTH_TOKEN"]
    joined = {"RAY_ADDRESS": "10.0.0.1:6379"}
    loopback.prepare(joined)
    assert joined == {"RAY_ADDRESS": "10.0.0.1:6379", "RAY_AUTH_MODE": "token"}
    without = {"RAY_AUTH_MODE": "disabled"}
    loopback.prepare(without)
    assert "RAY_AUTH_TOKEN" not in without


def test_live_windows_and_files_alternate_in_an_engine_replica() -> None:
    may_end = threading.Semaphore(1)  # the warm-up
    engine = FakeEngine(lambda: may_end.acquire(timeout=20) and None)

    async def send_report(report: EngineReport, families: list[Metric]) -> View:
        return View({}, {}, next_report_seconds=0.01)

    async def scenario() -> None:
        replica = EngineReplica(load_settings(["--batch-seconds", "1"]), send_report, engine)
        await replica.load()

        async def call(
            language: str, waveform: Waveform, want: Want[AnyFrames], client: str
        ) -> Reply | Failure:
            computing = replica.submit(language, waveform, want, client)
            return await asyncio.create_task(computing, context=Context())

        sender = dispatcher(call)

        def submit(client: str, n_samples: int) -> asyncio.Task[Frames]:
            current_client.set(client)
            window = np.zeros(n_samples, np.float32)
            return asyncio.create_task(sender.submit(REMOTE_ENGINE, window, BEST))

        tasks = [submit("192.0.2.1", 16_000 + n) for n in range(4)]
        tasks += [submit("192.0.2.1" + LIVE, 32_000 + n) for n in range(2)]
        while replica.queued_seconds < 5:
            await asyncio.sleep(0)
        may_end.release(99)
        await asyncio.gather(*tasks)
        replica.close()

    run(scenario)
    assert engine.lengths[1:] == [32_000, 16_000, 32_001, 16_001, 16_002, 16_003]
