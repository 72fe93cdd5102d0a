"""``stt transcribe --job`` against the real service, which dies in between."""

import socket
import threading
from pathlib import Path

import pytest

from stt.commands.following import Following
from stt.commands.inputs import Recording, find_recordings
from stt.commands.jobs import JobService
from stt.commands.progress import Progress
from stt.commands.recognition import Recognition
from stt.commands.submitted import Submitted
from tests.e2e.server import ROOT, Server

TEXTS = {"ko-hello.wav": "안녕하세요 만나서 반가워요", "ko-thanks-44k-stereo.wav": "고마워요"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.slow
def test_jobs_are_followed_through_a_crash_of_the_service(
    tmp_path: Path,
) -> None:
    flags = ("--demo", "--port", str(free_port()))
    environment = {"STT_STATE_DIR": str(tmp_path / "state")}
    files = [ROOT / "samples" / name for name in TEXTS]
    (broken := tmp_path / "not-audio.wav").write_bytes(b"no audio at all")
    texts: dict[str, str] = {}
    submitted, crashed = threading.Event(), threading.Event()

    def wait(seconds: float) -> None:
        submitted.set()  # all three are there before the first pause
        assert crashed.wait(120)
        threading.Event().wait(seconds)

    def deliver(recording: Recording, recognition: Recognition, progress: Progress) -> None:
        texts[recording.relative.name] = recognition.text

    with Server(*flags, env=environment) as server:
        jobs = JobService(server.url, "ko", sleep=wait)
        notes = Submitted(tmp_path / "notes", jobs.url, jobs.fields)
        following = Following(jobs, notes, at_once=4, sleep=wait)
        found: list[Progress] = []
        recordings = find_recordings([*map(str, files), str(broken)])
        thread = threading.Thread(target=lambda: found.append(following.run(recordings, deliver)))
        thread.start()
        assert submitted.wait(60)
    # Leaving the block kills the process.
    with Server(*flags, env=environment) as server:
        crashed.set()
        thread.join(120)
        (progress,) = found
        assert texts == TEXTS
        assert (progress.n_done, progress.n_failed) == (2, 1)
        assert server.get("/v1/jobs").json()["data"] == []
    assert list(notes.folder.iterdir()) == []
