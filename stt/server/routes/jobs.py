"""``/v1/jobs``: recordings that are transcribed later."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

from stt.asked import Asked
from stt.errors import InvalidParameter, ModelLoading, NoResult, NotSupported
from stt.formats.base import JSON, Granularity
from stt.formats.layout import Layout
from stt.formats.native import FORMATS, Answer, TranscriptionResponse, VerboseTranscriptionResponse
from stt.jobs import results
from stt.jobs.records import Filter, Job, Order, State
from stt.languages import Language
from stt.observability import logs
from stt.server import clients
from stt.server.job_bodies import JobBody, JobList, JobSummary, cursor_of, parse_cursor
from stt.server.paths import JOBS_PATH
from stt.server.problems import OPENAI_PROBLEMS
from stt.server.routes.forms import UploadRoute
from stt.server.routes.uploads import (
    LINE_COUNT,
    LINE_WIDTH,
    Granularities,
    OneOf,
    check_format,
    document,
    parse_granularities,
    requested_decoding_in_query,
    requested_granularities,
    requested_language,
    requested_layout_in_query,
    requested_track,
    respond,
)
from stt.server.schemas import OpenAIError
from stt.server.sse import EventStream, keep_alive
from stt.server.state import Service, get_service

ABOUT_TIME = "RFC 3339, with an offset."
OF_THE_JOB = "Default: as the job asked."
MAX_NAME = 200
"""Characters of the name of a file that are kept."""


def _written_out(value: object) -> object:
    """Refuses what pydantic would take for seconds since 1970."""
    if not re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", str(value)):
        raise PydanticCustomError("datetime", "Input should be a time such as 2026-11-27T09:30:00Z")
    return value


Time: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_written_out)]
Responses: TypeAlias = dict[int | str, dict[str, Any]]


def _problems(*statuses: int) -> Responses:
    return {status: OPENAI_PROBLEMS[status] for status in statuses}


def _refused(status: int, description: str) -> Responses:
    return {status: {"model": OpenAIError, "description": description}}


LOCATION = {"Location": {"description": "The job.", "schema": {"type": "string"}}}
HANDING_IN = _problems(400, 401, 403, 408, 413, 429, 500, 503, 504, 507) | {
    202: {"headers": LOCATION}
}
LISTING = _problems(400, 401, 503)
OF_JOBS = _problems(401, 503) | _refused(404, "`job_not_found`.")
NOT_YET = _problems(400) | _refused(409, "`no_result`: it has none, or not yet.")
OF_EVENTS: Responses = {
    status: {
        "description": entry["description"],
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/OpenAIError"}}},
    }
    for status, entry in OF_JOBS.items()
}
"""The same, since a ``model`` would be taken for one of events."""
POLL_SECONDS = 0.5
"""How often events look for changes."""

router = APIRouter(prefix=JOBS_PATH, tags=["jobs"], route_class=UploadRoute)

Use = Annotated[Service, Depends(get_service)]


async def requesting_key(request: Request) -> str:
    """FastAPI dependency: id of the key that the request sent; "" if the service has none."""
    key = request.scope.get("state", {}).get(clients.KEY)
    return "" if key is None else key.id


Owner = Annotated[str, Depends(requesting_key)]


@router.post(
    "",
    status_code=202,
    response_model=JobBody,
    responses=HANDING_IN,
)
async def create_job(
    service: Use,
    owner: Owner,
    request: Request,
    response: Response,
    granularities: Annotated[frozenset[Granularity], Depends(requested_granularities)],
    asked: Annotated[Asked, Depends(requested_decoding_in_query)],
    lang: Annotated[str | None, Depends(requested_language)],
    track: Annotated[int | None, Depends(requested_track)],
    layout: Annotated[Layout, Depends(requested_layout_in_query)],
    file: Annotated[
        UploadFile | None, File(description="The recording, in any accepted format.")
    ] = None,
    url: Annotated[
        str | None,
        Form(description="URL of the recording, instead of `file`."),
    ] = None,
    webhook_url: Annotated[
        str | None, Form(description="URL that the service calls when the job has ended.")
    ] = None,
    response_format: Annotated[
        str,
        OneOf(FORMATS),
        Form(description="Format of the result, by default."),
    ] = "json",
) -> JobBody:
    """Submit a recording to be transcribed later.

    When the answer comes, the recording is on the disk: the job runs to its end even if the service
    restarts meanwhile. `GET` the `Location` to see how far it is.
    """
    if (file is None) == (url is None):
        raise InvalidParameter(
            "Expected either a recording in the part 'file' (curl -F file=@clip.wav) or its "
            "URL in the field 'url'."
        )
    language = service.languages.resolve(lang)
    check_format(response_format, asked)
    await check_order(service, language, asked)
    order = Order(
        language.code, asked, track, response_format,
        ",".join(sorted(granularities)), layout, name_of(file), url, webhook_url,
    )  # fmt: skip
    source = None if file is None else file.file
    job = await service.jobs.accept(owner, order, source, logs.request_id.get())
    response.headers["Location"] = f"{request.scope.get('root_path', '')}{JOBS_PATH}/{job.id}"
    return JobBody.of(job)


def name_of(file: UploadFile | None) -> str:
    """The name of an uploaded file, without folders and what terminals would obey."""
    name = "" if file is None else (file.filename or "")
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    return "".join(each for each in name if each.isprintable())[:MAX_NAME]


async def check_order(service: Service, language: Language, asked: Asked) -> None:
    """Refuse now what could only fail later.

    Raises:
        ModelBroken: the language's model cannot be used.
        SttError: as `Service.plan`.
    """
    if asked.diarize:
        raise NotSupported(
            "Jobs do not tell speakers on one channel apart. Send the recording to /transcribe "
            "with diarize=true, or leave it out; channels=split works for jobs too."
        )
    asked.check_speakers()
    try:
        engine = service.engines.engine(language)
    except ModelLoading:
        return  # the job waits for it
    await service.plan(language, engine, asked)


@router.get("", responses=LISTING)
async def list_jobs(
    service: Use,
    owner: Owner,
    state: Annotated[State | None, Query(description="Only jobs in this state.")] = None,
    created_after: Annotated[Time | None, Query(description=ABOUT_TIME)] = None,
    created_before: Annotated[Time | None, Query(description=ABOUT_TIME)] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Jobs on a page.")] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> JobList:
    """The jobs of the key, the newest first; without keys all jobs."""
    chosen = Filter(
        state,
        None if created_after is None else created_after.timestamp(),
        None if created_before is None else created_before.timestamp(),
        limit + 1,
        parse_cursor(cursor) if cursor else None,
    )
    jobs = await service.jobs.call(lambda: service.jobs.store.list(owner, chosen))
    more = cursor_of(jobs[limit - 1]) if len(jobs) > limit else None
    return JobList(data=[JobSummary.of(job) for job in jobs[:limit]], next_cursor=more)


@router.get("/{job_id}", responses=OF_JOBS)
async def get_job(service: Use, owner: Owner, job_id: str) -> JobBody:
    """How far a job is, and what is transcribed so far."""
    return JobBody.of(await find(service, owner, job_id))


async def find(service: Service, owner: str, job_id: str) -> Job:
    """See `stt.jobs.store.Store.find`."""
    return await service.jobs.call(lambda: service.jobs.store.find(owner, job_id))


@router.get(
    "/{job_id}/result",
    response_model=TranscriptionResponse | VerboseTranscriptionResponse,
    responses=OF_JOBS | NOT_YET | document(FORMATS.values()),
)
async def get_result(
    service: Use,
    owner: Owner,
    job_id: str,
    granularities: Annotated[
        Granularities,
        Query(
            alias="timestamp_granularities",
            default_factory=list,
            description="Times in `verbose_json`: `word`, `segment`; repeated or separated by "
            f"commas. {OF_THE_JOB}",
        ),
    ],
    response_format: Annotated[
        str | None,
        OneOf([*FORMATS, None]),
        Query(description=f"Format of the answer. {OF_THE_JOB}"),
    ] = None,
    max_line_width: Annotated[
        int | None, LINE_WIDTH, Query(description=f"Columns of a line of subtitles. {OF_THE_JOB}")
    ] = None,
    max_line_count: Annotated[
        int | None, LINE_COUNT, Query(description=f"Lines of a subtitle. {OF_THE_JOB}")
    ] = None,
) -> Response:
    """The result of a job that has succeeded, as `POST /transcribe` would answer."""
    job = await find(service, owner, job_id)
    data = await service.jobs.call(lambda: service.jobs.store.result(job_id))
    if data is None:
        raise NoResult(
            f"The job is {job.state}. "
            + (
                "GET the job to see why."
                if job.state.is_final
                else "GET the job to see how far it is, and its result once it has succeeded."
            )
        )
    result = await asyncio.to_thread(results.from_bytes, data)
    body = TranscriptionResponse.of(
        result.transcript,
        language=result.language,
        model=result.model,
        seconds=result.processing_seconds,
        device=result.device,
        cpu_threads=result.cpu_threads,
    )
    wanted = frozenset(granularities or parse_granularities([job.order.granularities]))
    chosen = FORMATS[response_format or job.order.response_format]
    check_format(chosen.name, job.order.asked)
    default = job.order.layout
    layout = Layout(
        max_line_width or default.max_line_width, max_line_count or default.max_line_count
    )
    return await respond(chosen, Answer(result.transcript, body, wanted, layout))


@router.get(
    "/{job_id}/events",
    status_code=200,
    response_class=EventStream,
    responses=OF_EVENTS,
)
async def follow_job(service: Use, owner: Owner, job_id: str) -> EventStream:
    """Server-sent events: the job, without its text, whenever something has changed.

    The last event has a final state. A stream that ends without one was cut off: connect again.
    """
    events = keep_alive(
        _events(service, await find(service, owner, job_id)), service.settings.keep_alive_seconds
    )
    return EventStream(await anext(events), events)


async def _events(service: Service, job: Job) -> AsyncGenerator[str]:
    yield job_event(job)
    while not (job.state.is_final or service.admission.closed):
        await asyncio.sleep(POLL_SECONDS)
        latest = await find(service, job.owner, job.id)
        if JobSummary.of(latest) != JobSummary.of(job):
            yield job_event(latest)
        job = latest


def job_event(job: Job) -> str:
    """One event."""
    return f"data: {JobSummary.of(job).model_dump_json()}\n\n"


@router.delete(
    "/{job_id}",
    response_model=JobBody,
    responses=OF_JOBS | {204: {"description": "The job had ended, and is removed now."}},
)
async def delete_job(service: Use, owner: Owner, job_id: str) -> JobBody | Response:
    """Cancel a job that is queued or running; remove one that has ended, with its result."""
    job = await service.jobs.call(lambda: service.jobs.store.cancel_or_remove(owner, job_id))
    service.jobs.forget_upload(job_id)
    return Response(status_code=204) if job is None else JobBody.of(job)
