"""``stt transcribe --url URL --job`` against a stand-in over real sockets."""

import io
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from stt.asked import Asked
from stt.commands import transcribe
from stt.commands.following import Following
from stt.commands.inputs import find_recordings
from stt.commands.jobs import (
    PATIENCE_SECONDS,
    JobGone,
    JobService,
    JobState,
    ServiceBusy,
    read_job,
)
from stt.commands.recognition import RecognitionFailed
from stt.commands.submitted import Submitted
from stt.errors import ConfigurationError
from stt.jobs import records as stored
from stt.jobs.records import Fault, Job, Order, State
from stt.server.job_bodies import JobBody, JobSummary
from tests.unit.commands.job_service import JobStandIn, openai_error


@pytest.fixture
def service() -> Iterator[JobStandIn]:
    with JobStandIn().listening() as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the notes about jobs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "stt-ctc" / "submitted"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.wav").write_text(f"text of {name}")
    return folder


def run(service: JobStandIn, *arguments: str | Path) -> int:
    return transcribe.main([*map(str, arguments), "--url", service.url, "--job"])


def test_recordings_are_transcribed_and_their_jobs_removed(
    service: JobStandIn, folder: Path, tmp_path: Path, notes: Path
) -> None:
    out = tmp_path / "texts"
    assert run(service, folder, "--output-dir", out, "--lang", "ko", "--track", "2") == 0
    assert {file.name: file.read_text() for file in out.iterdir()} == {
        f"{name}.wav.txt": f"text of {name}\n" for name in "abc"
    }
    assert service.n_submitted == 3
    assert service.jobs == {}
    assert list(notes.iterdir()) == []


def test_the_wanted_format_and_the_form(
    service: JobStandIn, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--format", "json", "--lang", "ko", "--keep-jobs", "--written", "--track", "2")
    assert run(service, folder / "a.wav", *flags) == 0
    entry = json.loads(capsys.readouterr().out)
    assert (entry["text"], entry["words"][0]["end"]) == ("text of a", 1.9)
    (job,) = service.jobs.values()
    assert job.name == "a.wav"
    assert job.form == {"lang": "ko", "written": "true", "track": "2"}


def test_no_more_jobs_are_there_than_wanted(service: JobStandIn, folder: Path) -> None:
    seen: list[int] = []

    def count(request: Request) -> None:
        seen.append(len(service.jobs))

    service.before = count
    assert run(service, folder, "--jobs-at-once", "2") == 0
    assert max(seen) == 2


def test_a_job_that_fails_is_reported_and_the_others_continue(
    service: JobStandIn, folder: Path, capsys: pytest.CaptureFixture[str], notes: Path,
) -> None:  # fmt: skip
    service.fails = {"b.wav"}
    assert run(service, folder) == 1
    out, err = capsys.readouterr()
    assert f"{folder}/b.wav: It is no audio." in err
    assert "text of a" in out
    assert "text of c" in out
    assert service.jobs == {}
    assert list(notes.iterdir()) == []


def test_after_an_interruption_the_same_command_goes_on(
    service: JobStandIn, folder: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def interrupt(request: Request) -> None:
        if "GET /v1/jobs/job2" in service.requests:
            service.before = lambda request: None
            os.kill(os.getpid(), signal.SIGINT)

    service.before, service.looks_until_end = interrupt, 6
    with pytest.raises(KeyboardInterrupt):
        run(service, folder, "--jobs-at-once", "2")
    first = capsys.readouterr()
    assert f"These jobs continue at {service.url}:" in first.err
    for line in (f"job1  {folder}/a.wav", f"job2  {folder}/b.wav", "Run the same command again"):
        assert line in first.err
    assert set(service.jobs) == {"job1", "job2"}
    assert run(service, folder, "--jobs-at-once", "2") == 0
    assert service.n_submitted == 3
    assert service.jobs == {}
    assert (first.out + capsys.readouterr().out).count("text of") == 3


def test_standard_input_is_named_with_a_way_to_its_result(
    service: JobStandIn, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"piped")))
    jobs = JobService(service.url)
    following = Following(jobs, Submitted(Path("unused"), jobs.url, {}), at_once=1, sleep=interrupt)
    with pytest.raises(KeyboardInterrupt):
        following.run(find_recordings(["-"]), lambda *_: None)
    assert f"curl {service.url}v1/jobs/ID/result" in caplog.text


def test_a_recording_that_has_changed_or_is_asked_otherwise_is_sent_again(
    tmp_path: Path,
) -> None:
    clip = tmp_path / "a.wav"
    clip.write_text("one")
    (recording,) = find_recordings([str(clip)])
    notes = Submitted(tmp_path / "notes", "http://a/", {"lang": "ko"})
    assert notes.add(recording, None, "j1")
    assert notes.find(recording, None) == "j1"
    assert notes.find(recording, 2) is None
    assert Submitted(notes.folder, "http://b/", notes.fields).find(recording, None) is None
    assert Submitted(notes.folder, "http://a/", {}).find(recording, None) is None
    clip.write_text("other")
    assert notes.find(recording, None) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", "\0"])
def test_a_damaged_note_counts_as_none(tmp_path: Path, content: str) -> None:
    clip = tmp_path / "a.wav"
    clip.write_text("one")
    (recording,) = find_recordings([str(clip)])
    notes = Submitted(tmp_path / "notes", "http://a/", {})
    notes.add(recording, None, "j1")
    (note,) = notes.folder.iterdir()
    note.write_text(content)
    assert notes.find(recording, None) is None


def test_a_job_that_the_service_has_forgotten_is_sent_again(
    service: JobStandIn, folder: Path, notes: Path
) -> None:
    assert run(service, folder / "a.wav", "--keep-jobs") == 0
    jobs = JobService(service.url)
    (recording,) = find_recordings([str(folder / "a.wav")])
    Submitted(notes, jobs.url, jobs.fields).add(recording, None, "lapsed")
    assert run(service, folder / "a.wav") == 0
    assert service.n_submitted == 2


def test_a_restart_of_the_service_is_waited_for(folder: Path) -> None:
    stand_in = JobStandIn(looks_until_end=3)
    pauses: list[float] = []
    with stand_in.listening():
        service = JobService(stand_in.url, sleep=pauses.append)
        with (folder / "a.wav").open("rb") as file:
            job = service.submit(file, "a.wav")
    again = stand_in.listening()

    def come_back(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            again.__enter__()

    service._sleep = come_back
    assert service.look(job.id, "a.wav").state == "running"
    again.__exit__(None, None, None)
    assert [round(pause) for pause in pauses] == pytest.approx([1, 2, 4], abs=2)
    assert pauses == sorted(pauses)


@pytest.mark.parametrize("status", [502, 504, 429, 503, 408])
def test_requests_are_sent_again_whole(service: JobStandIn, status: int) -> None:
    n_left = 2

    def fail(request: Request) -> Response | None:
        nonlocal n_left
        n_left -= 1
        return openai_error(status, "Not now.", Retry_After="7") if n_left >= 0 else None

    pauses: list[float] = []
    jobs = JobService(service.url, sleep=pauses.append)
    service.before = fail
    job = jobs.submit(io.BytesIO(b"whole"), "a.wav")
    assert service.jobs[job.id].content == b"whole"
    assert pauses == [7.0, 7.0]


def test_a_service_that_stays_away_is_given_up_once_for_all(service: JobStandIn) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    service.before = lambda request: Response("<html>", 502)
    jobs = JobService(service.url, sleep=sleep, clock=lambda: now)
    with pytest.raises(RecognitionFailed, match="answered 502 without a reason"):
        jobs.look("j1", "a")
    assert PATIENCE_SECONDS - 100 < now <= PATIENCE_SECONDS
    before = now
    with pytest.raises(RecognitionFailed):
        jobs.look("j2", "b")
    assert now - before < 100


def test_a_503_that_a_retry_does_not_help_is_reported_at_once(service: JobStandIn) -> None:
    service.before = lambda request: openai_error(503, "The model is broken.")
    jobs = JobService(service.url, sleep=lambda seconds: pytest.fail("it waits"))
    with pytest.raises(RecognitionFailed, match="The model is broken"):
        jobs.submit(io.BytesIO(b"x"), "a")


def test_a_full_service_gets_the_next_recording_when_one_has_ended(
    service: JobStandIn, folder: Path
) -> None:
    service.most = 1
    jobs = JobService(service.url)
    jobs.submit(io.BytesIO(b"x"), "other")
    with pytest.raises(ServiceBusy):
        jobs.submit(io.BytesIO(b"x"), "a", wait=False)
    service.jobs.clear()
    assert run(service, folder) == 0
    assert service.jobs == {}


def test_a_result_that_cannot_be_written_stays_at_the_service(
    service: JobStandIn, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "texts"
    (out / "a.wav.txt").mkdir(parents=True)
    assert run(service, folder / "a.wav", "--output-dir", out, "--force") == 1
    assert "run the same command again to look for job job1" in capsys.readouterr().err
    assert set(service.jobs) == {"job1"}
    (out / "a.wav.txt").rmdir()
    assert run(service, folder / "a.wav", "--output-dir", out) == 0
    assert (out / "a.wav.txt").read_text() == "text of a\n"
    assert service.n_submitted == 1


def test_a_job_that_vanishes_is_a_failure(
    service: JobStandIn, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def lose(request: Request) -> None:
        if request.method == "GET" and service.jobs:
            service.jobs.clear()

    service.before = lose
    assert run(service, folder / "a.wav") == 1
    assert "Job job1 is no longer at the service" in capsys.readouterr().err


def test_a_service_without_jobs_is_said_once(service: JobStandIn, folder: Path) -> None:
    service.before = lambda request: (
        openai_error(404, "No route.") if request.method == "POST" else None
    )
    with pytest.raises(ConfigurationError, match="Leave out --job"):
        run(service, folder)
    assert service.requests.count("POST /v1/jobs") == 1


def test_a_job_needs_a_service(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="--job needs --url"):
        transcribe.main([str(folder), "--job"])


@pytest.mark.parametrize("number", ["0", "101", "many"])
def test_the_number_of_jobs_has_bounds(folder: Path, number: str) -> None:
    with pytest.raises(SystemExit):
        transcribe.main([str(folder), "--url", "http://a", "--job", "--jobs-at-once", number])


def test_an_unknown_job_is_told_apart(service: JobStandIn) -> None:
    with pytest.raises(JobGone):
        JobService(service.url, asked=Asked()).look("unknown", "a")


def test_what_is_no_job_is_reported(service: JobStandIn) -> None:
    service.before = lambda request: Response("<html>")
    with pytest.raises(RecognitionFailed, match="not of the expected form"):
        JobService(service.url).look("j", "a")


@pytest.mark.parametrize("body", [JobBody, JobSummary])
def test_the_service_s_own_description_is_read(body: type[JobSummary]) -> None:
    fault = Fault("unsupported_format", "It is no audio.")
    progress = stored.Progress(done_seconds=15.0, expected_seconds=60.0)
    job = Job("j1", "", State.RUNNING, Order("KR", Asked()), 0.0, progress=progress)
    read = read_job(body.of(job).model_dump_json().encode())
    assert read == JobState("j1", "running", 0.25, None)
    failed = read_job(
        body.of(replace(job, state=State.FAILED, fault=fault)).model_dump_json().encode()
    )
    assert failed == JobState("j1", "failed", 0.25, "It is no audio.")
    assert {state for state in State if JobState("j", state, 0, None).is_final} == {
        state for state in State if state.is_final
    }
