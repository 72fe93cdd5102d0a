"""What the service says of itself: its health, models and languages."""

from typing import Any

from stt import __version__
from stt.formats import openai, whisper
from stt.formats.base import JSON
from stt.languages import Language
from stt.models import state
from stt.models.card import Evaluation
from stt.server.openapi.examples import KOREAN, LANGUAGES, Answers
from stt.server.routes import kserve, languages, pages
from stt.server.schemas import HealthResponse, ModelHealth, SummaryResponse

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


def answers() -> dict[str, Answers]:
    """Examples by path."""

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
