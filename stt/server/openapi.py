"""Adds examples of every answer and every error to the OpenAPI description.

The code that renders real answers renders the examples, and errors come from the table of
statuses, so examples always have the shape of real answers.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeAlias

from fastapi import FastAPI

from stt import __version__, errors
from stt.alignment.words import (
    AlignedCharacter,
    AlignedSegment,
    AlignedWord,
    Alignment,
    Status,
)
from stt.asked import Asked
from stt.audio.containers import ACCEPTED
from stt.formats import alignment, native, openai, whisper
from stt.formats.base import JSON, AnswerT, Format, Granularity
from stt.formats.findings import finding_fields
from stt.formats.table import SPEAKER_FORMATS
from stt.jobs.records import Fault, Job, Order, Progress, State
from stt.languages import Language, choose_languages
from stt.models import state
from stt.models.card import Evaluation
from stt.notices import Code, Notice, Report
from stt.server.admission import JOBS_PATH
from stt.server.job_bodies import JobBody, JobList, JobSummary
from stt.server.problems import (
    BUG,
    CODES,
    NOT_A_FORM,
    OPENAI_PATHS,
    STATUSES,
    ProblemResponse,
    openai_error,
    problem,
)
from stt.server.realtime.config import SessionConfig
from stt.server.realtime.shapes import BETA, CURRENT
from stt.server.routes import client_secrets, kserve, languages, pages
from stt.server.schemas import HealthResponse, ModelHealth, SummaryResponse
from stt.server.sse import EventStream, delta_event, done_event
from stt.types import Segment, Token, Transcript, Word

Answers: TypeAlias = dict[tuple[int, str], list[tuple[str, Any]]]
"""Named examples, by status and media type."""


def _aligned(text: str, start: float, middle: float, end: float) -> AlignedWord:
    """A word of two syllables."""
    characters = (
        AlignedCharacter(text[:1], start, middle, 0.9931),
        AlignedCharacter(text[1:], middle, end, 0.9931),
    )
    return AlignedWord(text, start, end, 0.9931, Status.SPOKEN, characters)


LANGUAGES = choose_languages((), {}, demo=True)
EVALUATION = Evaluation(
    set="meetings",
    n=120,
    cer=0.0832,
    cer_by_reading=0.0617,
    normaliser="basic",
    decoding="best_path",
    precision="bf16",
    date="2026-11-27",
    commit="0.1.0",
)
KOREAN = LANGUAGES.default
SPOKEN = Transcript(
    tuple(
        Word(text, start, end, confidence, tuple(Token(letter, -0.02) for letter in text))
        for text, start, end, confidence in (
            ("내일", 0.189, 0.677, 0.9893),
            ("서울에", 0.689, 1.297, 0.8265),
            ("비가", 1.449, 1.857, 0.6218),
            ("와요", 1.969, 2.437, 0.9745),
        )
    ),
    duration_seconds=2.686,
)
"""The speech in ``samples/ko-weather.flac``."""
_BY_ONE = tuple(replace(word, speaker="A") for word in SPOKEN.words)
TOLD_APART = replace(SPOKEN, words=_BY_ONE, turns=(Segment(_BY_ONE),))
"""The same speech with `diarize=true`."""
WITH_SPEAKERS = SPEAKER_FORMATS | {openai.DIARIZED}
"""Formats whose only example has it."""
SILENT = Transcript(
    (),
    duration_seconds=2.686,
    report=Report(
        (
            Notice(
                Code.NO_SPEECH,
                "No speech was recognised in 2.7 s. The level is -71 dBFS, and 0% of the recording "
                "is louder than -50 dBFS, the level of quiet speech. It is all but silent: check "
                "the microphone and the track.",
            ),
        )
    ),
)
"""An answer that warns."""
ALIGNED = Alignment(
    tuple(
        AlignedSegment(words, (" ".join(word.text for word in words),))
        for words in (
            (
                _aligned("내일", 0.16, 0.4, 0.66),
                AlignedWord("아침", 0.66, 0.66, 0.0, Status.NOT_SPOKEN),
            ),
            (_aligned("비가", 1.44, 1.6, 1.85), _aligned("와요.", 1.96, 2.2, 2.43)),
        )
    ),
    score=0.7448,
    duration_seconds=SPOKEN.duration_seconds,
    report=Report(
        (Notice(Code.TEXT_NOT_SPOKEN, "1 of 4 words of the text were not found in the recording."),)
    ),
)
"""The same recording and a text that differs from it."""
GRANULARITIES = frozenset(Granularity)

DETAILS = {
    "unsupported_language": "Language 'xx' is not served here. Supported: KR (Korean), EN "
    "(English). GET /languages lists the accepted spellings.",
    "model_not_found": "Model 'whisper-9' is not served. Served: ko-mini, en-mini.",
    "invalid_parameter": "response_format: Input should be 'json', 'text', 'srt', 'vtt', 'rttm' or "
    "'verbose_json'.",
    "invalid_hotwords": "The model cannot write 'Z' of the hotword 'ZARA'. Write hotwords as they "
    "are spoken, with the letters of the language.",
    "invalid_text": "The text is empty. Send the words that are spoken.",
    "alignment_failed": "No word of the text was found in the 2.7 s of the recording. Check that "
    "the text belongs to it, that it has speech, and that the language is right.",
    "not_supported": "task='translate' is not supported: these models cannot translate.",
    "invalid_audio": "The file has no audio track.",
    "decode_failed": "Decoding this file failed. It may be damaged; convert it, for example to "
    "FLAC, and send the result.",
    "bad_request": NOT_A_FORM,
    "invalid_api_key": "The API key is missing or wrong. Send it as "
    "'Authorization: Bearer KEY' or 'X-API-Key: KEY'.",
    "host_not_allowed": "The service does not answer to the name 'stt.example.org'. Use its "
    "address or localhost, or list the name in STT_ALLOWED_HOSTS.",
    "origin_not_allowed": "Pages of 'https://example.org' may not use this service. Its owner can "
    "list the origin in STT_CORS_ORIGINS.",
    "upload_too_slow": "The upload exceeded the 300 s limit.",
    "audio_too_long": "The recording is longer than 14400 s, which is the limit; send it in parts.",
    "upload_too_large": "The upload exceeds the limit of 200 MB.",
    "unsupported_format": f"The file is in no accepted audio format. Send one of {ACCEPTED}.",
    "overloaded": "The queue is full. Try again later.",
    "rate_limited": "This key has reached its limit. Left: 0 of 60 requests a minute. Try again in "
    "1 s.",
    "inference_failed": "The model failed on this recording.",
    "configuration_error": "The settings of the service are invalid.",
    "internal_error": BUG[1],
    "model_loading": "The model for Korean is downloading: 412 of 1270 MB.",
    "model_unreachable": "The model for Korean cannot be downloaded now.",
    "model_failed": "The model for Korean cannot be used. The folder in STT_MODELS has no "
    "model.safetensors.",
    "draining": "The service is stopping. Try again later.",
    "queue_timeout": "The recording waited more than 600 s for the model.",
    "out_of_storage": "The service cannot store the upload: its disk is full.",
    "out_of_memory": "The recording needs more memory than there is.",
    "cluster_unavailable": "No engine of the cluster is reachable.",
    "engine_died": "The inference thread ended. Try again later.",
    "url_not_allowed": "`url` is not available: the service calls no hosts until its operator "
    "lists them in STT_FETCH_HOSTS.",
    "job_not_found": "There is no such job. It may have been removed, or belong to another key. "
    "GET /v1/jobs lists yours.",
    "no_result": "The job is running. GET the job to see how far it is, and its result once it has "
    "succeeded.",
    "jobs_unavailable": "The database of the jobs does not answer. Try again later; the log has "
    "the cause.",
    "job_quota_reached": "1000 jobs are queued or running; the limit is 1000. Wait until one has "
    "ended, or cancel one.",
    "deadline_exceeded": "The request exceeded the limit of 3600 s.",
}
"""An example message of each error, by its code."""
ABOUT = {errors.InvalidParameter.code: "response_format"}
"""The field that causes an error in `DETAILS`, unless `PARAMS` has it."""
TRANSCRIBING = ("/transcribe", "/v1/audio/transcriptions", "/asr")
"""Paths whose requests choose how to decode."""
ALIGNMENTS = ("/align", "/v1/audio/alignments")
"""Paths whose requests have a text."""
IN_JOBS = {errors.UrlUnreachable.code, errors.JobAbandoned.code}
"""Errors that only the `error` of a job has."""
HANDING_IN: dict[int, set[str]] = {
    400: {
        CODES[400], errors.InvalidParameter.code, errors.UnsupportedLanguage.code,
        errors.NotSupported.code,
    },
    403: {
        errors.UrlNotAllowed.code, errors.ForbiddenHost.code, errors.ForbiddenOrigin.code,
    },
    413: {CODES[413]},
    429: {errors.Overloaded.code, errors.RateLimited.code, errors.JobQuotaReached.code},
    500: {BUG[0]},
    503: {errors.JobsUnavailable.code, errors.ModelBroken.code, errors.Draining.code},
}  # fmt: skip
"""Errors of a request that submits a job, other than those of any upload."""
ABOUT_JOBS = {
    400: {errors.InvalidParameter.code},
    404: {errors.JobNotFound.code},
    409: {errors.NoResult.code},
    503: {errors.JobsUnavailable.code},
}
"""Errors of a request about jobs."""
OF_JOBS = {
    errors.UrlNotAllowed.code, errors.JobNotFound.code, errors.NoResult.code,
    errors.JobsUnavailable.code, errors.JobQuotaReached.code,
}  # fmt: skip
"""Errors that no other request has."""
CLIENT_SECRETS = ("/v1/realtime/client_secrets", "/v1/realtime/transcription_sessions")
"""Paths whose requests bring no audio, but configure a session."""


def describe(app: FastAPI) -> None:
    """Complete FastAPI's own description. Call it after adding all routes."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            answers = _answers()
            for path, item in made()["paths"].items():
                for operation in item.values():
                    _complete(path, operation, answers.get(path, {}))
            for schema in made()["components"]["schemas"].values():
                _mark_files(schema)
        return made()  # FastAPI caches it

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(path: str, operation: dict[str, Any], answers: Answers) -> None:
    responses = operation["responses"]
    if path.startswith(OPENAI_PATHS) or "requestBody" not in operation:
        responses.pop("422", None)  # FastAPI adds it everywhere; OpenAI uses 400
    for status, response in responses.items():
        if status == "204":
            continue  # it has no body
        content = response.setdefault("content", {})
        if int(status) >= 400 and (int(status), JSON) not in answers:
            media_type = JSON if path.startswith(OPENAI_PATHS) else ProblemResponse.media_type
            of_errors = content.setdefault(media_type, content.pop(JSON, {}))
            of_errors["examples"] = _named(error_examples(path, operation, int(status)))
            continue
        for media_type, body in content.items():
            body["examples"] = _named(answers[int(status), media_type])


def _mark_files(schema: dict[str, Any]) -> None:
    """Mark the files of a form as generators of clients expect, in OpenAPI 3.0's way too."""
    for field in schema.get("properties", {}).values():
        if "contentMediaType" in field:
            field["format"] = "binary"


def _named(examples: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in examples}


def error_examples(path: str, operation: dict[str, Any], status: int) -> list[tuple[str, Any]]:
    """An example of every error of a path with this status, named by its code."""
    codes = {error.code for error, of_error in STATUSES.items() if of_error == status}
    codes |= {CODES[status]} if status in CODES else set()
    if status == 422:
        codes = {errors.InvalidParameter.code}  # of validation
        if path in TRANSCRIBING:
            codes.add(errors.InvalidHotwords.code)
        if path in ALIGNMENTS:
            codes |= {errors.InvalidText.code, errors.AlignmentFailed.code}
    elif status == 500:
        codes.add(BUG[0])
    elif status == 404:
        codes = {errors.UnknownModel.code}
    codes -= IN_JOBS
    if path.startswith(JOBS_PATH):
        of_jobs = HANDING_IN if "requestBody" in operation else ABOUT_JOBS
        codes = of_jobs.get(status, codes)
        return [(code, _error(path, status, code)) for code in sorted(codes)]
    codes -= OF_JOBS
    if path in CLIENT_SECRETS and status in (400, 413):
        given = errors.InvalidParameter, errors.NotSupported, errors.UnsupportedLanguage
        codes = {each.code for each in given} if status == 400 else {CODES[413]}
    elif "requestBody" not in operation and status == 400:
        codes = {errors.NotSupported.code}  # nothing else can fail
    elif path not in (*TRANSCRIBING, *ALIGNMENTS):
        codes.discard(errors.NotSupported.code)
    return [(code, _error(path, status, code)) for code in sorted(codes)]


def _error(path: str, status: int, code: str) -> dict[str, Any]:
    if path.startswith(OPENAI_PATHS):
        return openai_error(status, code, DETAILS[code], ABOUT.get(code)).model_dump()
    body: dict[str, Any] = json.loads(bytes(problem(status, code, DETAILS[code]).body))
    return body | {"request_id": "91e60443446e483cb622c72620561d5d"}


def _rendered(formats: Iterable[Format[AnswerT]], answer: AnswerT, note: str = "") -> Answers:
    """One example per format, named after it."""
    examples: Answers = {}
    for each in formats:
        text = each.render(_told_apart(answer) if each.name in WITH_SPEAKERS else answer)
        value = json.loads(text) if each.media_type == JSON else text
        examples.setdefault((200, each.media_type), []).append((each.name + note, value))
    return examples


def _told_apart(answer: Any) -> Any:
    """The same answer, with speakers."""
    return replace(answer, transcript=TOLD_APART)


def _native() -> Answers:
    body = native.TranscriptionResponse(
        text=SPOKEN.text,
        language=KOREAN.code,
        model=KOREAN.model.name,
        processing_time_seconds=0.0325,
        device="cpu",
        cpu_threads=2,
        duration_seconds=SPOKEN.duration_seconds,
        **finding_fields(SPOKEN.report),
    )
    examples = _rendered(native.FORMATS.values(), native.Answer(SPOKEN, body, GRANULARITIES))
    silent = body.model_copy(update={"text": "", **finding_fields(SILENT.report)})
    warned = native.Answer(SILENT, silent, GRANULARITIES)
    examples[200, JSON] += _rendered([native.FORMATS["json"]], warned, ", a warning")[200, JSON]
    return examples


def _openai() -> Answers:
    examples = _rendered(openai.FORMATS.values(), openai.Answer(SPOKEN, KOREAN, GRANULARITIES))
    with_logprobs = openai.Answer(SPOKEN, KOREAN, with_logprobs=True)
    logprobs = _rendered([openai.FORMATS["json"]], with_logprobs, ", include[]=logprobs")
    examples[200, JSON] += logprobs[200, JSON]
    return examples | {(200, "text/event-stream"): _events()}


def _whisper() -> Answers:
    examples = _rendered(whisper.OUTPUTS.values(), whisper.Answer(SPOKEN, KOREAN, False))
    with_words = whisper.Answer(SPOKEN, KOREAN, True)
    words = _rendered([whisper.OUTPUTS["json"]], with_words, ", word_timestamps=true")
    examples[200, JSON] += words[200, JSON]
    return examples


def _client_secrets() -> dict[str, Answers]:
    config, value, expires_at = SessionConfig(), "ek_WyIiLDE3OTU3...", 1795780200
    current, beta = (shape.show("sess_5f0c", config, KOREAN) for shape in (CURRENT, BETA))
    secret = client_secrets.ClientSecretResponse(
        value=value, expires_at=expires_at, session=current
    )
    session = client_secrets.TranscriptionSessionResponse(
        client_secret=client_secrets.BetaSecret(value=value, expires_at=expires_at), **beta
    )
    return {
        path: {(200, JSON): [("Korean", body.model_dump())]}
        for path, body in zip(CLIENT_SECRETS, (secret, session), strict=True)
    }


def _alignments() -> Answers:
    answer = alignment.Answer(ALIGNED, KOREAN.code, KOREAN.model.name)
    examples = _rendered(alignment.FORMATS.values(), answer)
    with_characters = replace(answer, with_characters=True)
    characters = _rendered([alignment.FORMATS["json"]], with_characters, ", characters=true")
    examples[200, JSON] += characters[200, JSON]
    return examples


def _jobs() -> list[tuple[str, Any]]:
    """One job at several points in time."""
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


def _about_jobs() -> dict[str, Answers]:
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
        f"{one}/result": _native(),
        f"{one}/events": {(200, EventStream.media_type): [("events", events)]},
    }


def _events() -> list[tuple[str, Any]]:
    deltas = [delta_event(word, begins_text=index == 0) for index, word in enumerate(SPOKEN.words)]
    timed = done_event(SPOKEN, GRANULARITIES)
    return [
        ("stream=true", "".join([*deltas, done_event(SPOKEN, frozenset())])),
        ("stream=true, timestamp_granularities[]", "".join([*deltas, timed])),
    ]


def _health(status: str) -> tuple[str, Any]:
    is_ready = status == "ok"
    models = [
        ModelHealth(
            language=each.code,
            model_id=each.model.name,
            revision=each.model.revision,
            status="ready" if is_ready else "loading",
            step="ready" if is_ready else "warming",
            bytes_done=0,
            bytes_total=0,
            retry_in_seconds=None,
            reason=None,
            warning=None,
        )
        for each in LANGUAGES
    ]
    body = HealthResponse(
        status=status,
        model_loaded=is_ready,
        processor_loaded=is_ready,
        device="cpu" if is_ready else None,
        model_id=KOREAN.model.name,
        cpu_threads=2,
        cpu_cores=2,
        memory_mb=1032.5,
        jobs=True,
        demo=True,
        models=models,
    )
    return status, body.model_dump()


def _summary() -> tuple[str, Any]:
    body = SummaryResponse(
        name="stt-ctc",
        version=__version__,
        status="ok",
        demo=True,
        languages=LANGUAGES.codes,
        endpoints=pages.ENDPOINTS,
    )
    return "program", body.model_dump()


def _answers() -> dict[str, Answers]:
    """Examples of successful and health answers, by path."""

    def is_korean(language: Language) -> bool:
        return language.code == "KR"

    listed = languages.list_languages(
        LANGUAGES,
        dict.fromkeys(LANGUAGES.codes, state.Status.READY),
        lambda _: "off",
        is_korean,
        is_korean,
        lambda _: [EVALUATION],
    )
    models = [openai.Model.of(language, [EVALUATION]) for language in LANGUAGES]
    return {
        "/transcribe": _native(),
        **dict.fromkeys(ALIGNMENTS, _alignments()),
        "/v1/audio/transcriptions": _openai(),
        "/asr": _whisper(),
        **_about_jobs(),
        **_client_secrets(),
        "/detect-language": {
            (200, JSON): [("demo", whisper.DetectedLanguage.of(KOREAN, 0.5).model_dump())]
        },
        "/v1/models": {(200, JSON): [("list", openai.ModelList(data=models).model_dump())]},
        "/v1/models/{model}": {(200, JSON): [("model", models[0].model_dump())]},
        "/livez": {
            (200, JSON): [("ok", {"status": "ok"})],
            (503, JSON): [
                (
                    "failed",
                    {"status": "failed", "reason": "The inference thread has died twice."},
                )
            ],
        },
        "/readyz": {
            (200, JSON): [("ok", {"status": "ok"})],
            (503, JSON): [(each, {"status": each}) for each in ("loading", "failed", "draining")],
        },
        "/health": {(200, JSON): [_health("ok")], (503, JSON): [_health("loading")]},
        "/languages": {(200, JSON): [("demo", listed.model_dump())]},
        "/": {
            (200, JSON): [_summary()],
            (200, "text/html"): [("browser", "<!doctype html> ...")],
        },
        "/v2/health/live": {(200, JSON): [("live", kserve.Live(live=True).model_dump())]},
        "/v2/health/ready": {
            (200, JSON): [("ready", kserve.Ready(ready=True).model_dump())],
            (503, JSON): [("not ready", kserve.Ready(ready=False).model_dump())],
        },
        "/metrics": {
            (200, "text/plain"): [
                ("Prometheus", "# TYPE stt_queue_size gauge\nstt_queue_size 0.0\n")
            ],
        },
    }
