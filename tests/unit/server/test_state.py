import asyncio
import random
import time
from typing import Any

from stt.asked import Asked
from stt.decoding.decodings import Decodings
from stt.decoding.hotwords import MAX_LENGTH, Hotword
from stt.languages import choose_languages
from stt.recognition.writings import Writings
from stt.server.state import Service
from stt.settings import load_settings
from tests.fakes import FakeEngine

N_HOTWORDS = 400


async def longest_turn(work: Any) -> tuple[float, float]:
    """The longest turn of the event loop while something is awaited, and how long all took."""
    turns = []
    task = asyncio.ensure_future(work)
    started = before = time.perf_counter()
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        turns.append(now - before)
        before = now
    task.result()
    return max(turns), before - started


def test_many_hotwords_do_not_hold_up_the_event_loop() -> None:
    settings = load_settings()
    languages = choose_languages(settings.languages, settings.models, demo=False)
    unused: Any = None
    service = Service(
        settings, languages, unused, unused, Decodings(languages, settings), unused,
        Writings(settings), unused, unused, unused, unused, unused, unused, 1, unused, unused,
    )  # fmt: skip
    engine, language = FakeEngine(), languages.default
    letters = random.Random(0)

    async def begin(n_hotwords: int) -> None:
        words = ("".join(letters.choices("ab", k=MAX_LENGTH)) for _ in range(n_hotwords))
        plan = await service.plan(language, engine, Asked(",".join(words)))
        plan.open(engine)

    async def measure() -> None:
        await begin(1)  # imports numba
        longest, whole = await longest_turn(begin(N_HOTWORDS))
        assert longest < whole / 2, f"{longest:.3f} of {whole:.3f} s"

    asyncio.run(measure())


def test_names_in_hotwords_are_read_off_the_event_loop() -> None:
    settings = load_settings()
    languages = choose_languages(settings.languages, settings.models, demo=False)
    unused: Any = None
    service = Service(
        settings, languages, unused, unused, unused, unused, Writings(settings), unused, unused,
        unused, unused, unused, unused, 1, unused, unused,
    )  # fmt: skip
    written = ("1-" * 47 + f"{n}M" for n in range(N_HOTWORDS))
    hotwords = tuple(Hotword(f"가{n}", written=each) for n, each in enumerate(written))
    asked = Asked(written=True)

    async def measure() -> None:
        choosing = service.writing(languages.default, asked, hotwords)
        longest, whole = await longest_turn(choosing)
        assert longest < whole / 2, f"{longest:.3f} of {whole:.3f} s"

    asyncio.run(measure())
