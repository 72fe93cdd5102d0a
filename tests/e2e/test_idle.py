"""A real process gives the memory of an idle model back."""

import asyncio

import pytest
from wyoming.asr import Transcribe

from tests.e2e.samples import TEXTS
from tests.e2e.server import ROOT, Server
from tests.e2e.test_stream import samples_of
from tests.live import wait_until
from tests.wyoming import connected, events_until, say, text_of

CLIP = "ko-hello.wav"
LEAST_MB = 15.0
"""Of the 28 MB of ko-mini's weights in fp32."""


def health(server: Server) -> tuple[str, float]:
    """The state of the only model, and the memory of the process in MB."""
    body = server.get("/health").json()
    return body["models"][0]["status"], body["memory_mb"]


@pytest.mark.slow
def test_memory_is_returned_and_the_next_request_has_the_same_text() -> None:
    flags = ("--demo", "--languages", "KR", "--port", "0", "--wyoming-port", "0")
    with Server(*flags, "--model-ttl-seconds", "2", "--precision", "fp32") as server:
        server.wait_until_ready()
        before = server.transcribe(ROOT / "samples" / CLIP)
        _, loaded_mb = health(server)

        def is_unloaded() -> bool:
            status, memory_mb = health(server)
            return status == "idle" and memory_mb < loaded_mb - LEAST_MB

        wait_until(is_unloaded)
        after = server.transcribe(ROOT / "samples" / CLIP)
        assert before.json()["text"] == after.json()["text"] == TEXTS[CLIP]
        assert [each["code"] for each in after.json()["warnings"]] == ["model_loaded"]
        wait_until(is_unloaded)

        async def ask() -> str:
            async with connected(server.wyoming_port) as client:
                await say(client, samples_of(CLIP), transcribe=Transcribe(language="ko"))
                return text_of(await events_until(client, "transcript-stop"))

        assert asyncio.run(ask()) == TEXTS[CLIP]
        assert server.stop() == 0
