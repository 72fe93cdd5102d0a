"""Two services that share a state folder, one of which is killed while both run jobs."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from tests.e2e.kills import FLAGS, HOTWORDS, recording
from tests.e2e.server import Server

END_SECONDS = 120


def states(server: Server) -> dict[str, str]:
    return {job["id"]: job["state"] for job in server.get("/v1/jobs").json()["data"]}


def form(index: int) -> dict[str, str]:
    """Every other job has hotwords: beam search, whose state depends on everything before."""
    return {"hotwords": HOTWORDS} if index % 2 else {}


def wait_for(server: Server, n_ended: int) -> None:
    deadline = time.monotonic() + END_SECONDS
    while list(states(server).values()).count("succeeded") < n_ended:
        assert time.monotonic() < deadline, states(server)
        time.sleep(0.05)


@pytest.mark.slow
def test_a_replica_finishes_the_jobs_of_one_that_was_killed(tmp_path: Path) -> None:
    environment = {"STT_STATE_DIR": str(tmp_path / "state"), "STT_LOG_FORMAT": "json"}
    files = [recording(tmp_path, index, n_samples=8) for index in range(8)]
    with Server(*FLAGS, env=environment) as first, Server(*FLAGS, env=environment) as second:
        first.wait_until_ready()
        second.wait_until_ready()
        jobs = []
        for index, path in enumerate(files):
            url = (first, second)[index % 2].url
            with path.open("rb") as file:
                answer = requests.post(
                    f"{url}/v1/jobs", files={"file": file}, data=form(index), timeout=60
                )
            assert answer.status_code == 202
            jobs.append(answer.json()["id"])
        wait_for(second, 2)
        assert "running" in states(second).values()
        first.process.kill()
        first.process.wait(30)
        wait_for(second, len(jobs))
        for index, (job, path) in enumerate(zip(jobs, files, strict=True)):
            later = second.get(f"/v1/jobs/{job}/result").json()["text"]
            assert later == second.transcribe(path, **form(index)).json()["text"]
            assert later
    lines = [*first.log, *second.log]
    ends = Counter(json.loads(line)["job"] for line in lines if '"job succeeded"' in line)
    assert ends == dict.fromkeys(jobs, 1)
