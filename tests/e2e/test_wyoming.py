"""Wyoming's own client against a real server process with the bundled models."""

import asyncio

import pytest
from wyoming.asr import Transcribe
from wyoming.info import Describe, Info

from tests.e2e.samples import TEXTS
from tests.e2e.server import Server
from tests.e2e.test_stream import samples_of
from tests.wyoming import connected, events_until, say, text_of


@pytest.mark.parametrize(
    ("name", "language"),
    [("ko-hello.wav", "ko"), ("ko-thanks-44k-stereo.wav", "ko"), ("en-library.wav", "en")],
)
def test_home_assistant_gets_the_text_of_the_uploaded_file(
    demo: Server, name: str, language: str
) -> None:
    async def ask() -> str:
        async with connected(demo.wyoming_port) as client:
            await client.write_event(Describe().event())
            (info,) = await events_until(client, "info")
            (program,) = Info.from_event(info).asr
            assert language in {each for model in program.models for each in model.languages}
        async with connected(demo.wyoming_port) as client:
            await say(client, samples_of(name), transcribe=Transcribe(language=language))
            return text_of(await events_until(client, "transcript-stop"))

    assert asyncio.run(ask()) == TEXTS[name]
