"""A job at several points in time, and what is said of it."""

import json
from dataclasses import replace

from stt.asked import Asked
from stt.formats.base import JSON
from stt.jobs.records import Fault, Job, Order, Progress, State
from stt.server.job_bodies import JobBody, JobList, JobSummary
from stt.server.openapi.errors import DETAILS
from stt.server.openapi.examples import KOREAN, SPOKEN, Answers, Examples
from stt.server.openapi.transcripts import native_answers
from stt.server.paths import JOBS_PATH
from stt.server.sse import EventStream


def _jobs() -> Examples:
    order = Order(KOREAN.code, Asked())
    job = Job("0f8e7e5c9d6b4a3f8c1d2e3f4a5b6c7d", "", State.QUEUED, order, 1_795_780_800.0)
    job = replace(job, request_id="91e60443446e483cb622c72620561d5d")
    running = replace(
        job,
        state=State.RUNNING,
        started=job.created + 2,
        progress=Progress(1260.0, 5400.0, 207.0, SPOKEN.text),
    )
    ended = replace(running, ended=job.created + 272)
    fault = Fault("unsupported_format", DETAILS["unsupported_format"])
    return [
        (each.state, JobBody.of(each).model_dump(mode="json"))
        for each in (
            job,
            running,
            replace(
                ended, state=State.SUCCEEDED, progress=Progress(5400.0, 5400.0, None, SPOKEN.text)
            ),
            replace(ended, state=State.FAILED, progress=Progress(), fault=fault),
        )
    ]


def answers() -> dict[str, Answers]:
    """Examples by path."""
    examples = _jobs()
    summaries = [JobSummary(**job).model_dump(mode="json") for _, job in examples]
    page = JobList(data=[JobSummary(**job) for job in summaries], next_cursor=None)
    events = "".join(f"data: {json.dumps(job, ensure_ascii=False)}\n\n" for job in summaries[:3])
    one = f"{JOBS_PATH}/{{job_id}}"
    return {
        JOBS_PATH: {
            (202, JSON): examples[:1],
            (200, JSON): [("page", page.model_dump(mode="json"))],
        },
        one: {(200, JSON): examples},
        f"{one}/result": native_answers(),
        f"{one}/events": {(200, EventStream.media_type): [("events", events)]},
    }
