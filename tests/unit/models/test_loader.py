"""The loader, with the real hub client and a fake hub."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stt.engines.base import Engine
from stt.engines.torch import TorchEngine
from stt.errors import ModelBroken, ModelLoading, Overloaded, QueueTimeout
from stt.languages import choose_languages
from stt.models.loader import EngineLoader
from stt.models.state import Status
from stt.settings import load_settings
from tests.checkpoints import save_mms
from tests.fakes import FakeEngine, save_random_checkpoint
from tests.hub import FakeHub

KRESNIK = "kresnik/wav2vec2-large-xlsr-korean"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_checkpoint(tmp_path_factory.mktemp("checkpoint"), norm="layer")


def make_loader(*flags: str, engine: Engine | None = None) -> EngineLoader:
    settings = load_settings(flags)
    languages = choose_languages(settings.languages, settings.models, demo=False)

    async def warm(_: object, engine: Engine) -> None:
        warmed.append(engine)

    warmed: list[Engine] = []
    loader = EngineLoader(languages, settings, warm, engine)
    loader.warmed = warmed  # type: ignore[attr-defined]
    return loader


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_the_service_is_ready_when_every_language_is_warmed() -> None:
    loader = make_loader("--languages", "KR,EN", engine=FakeEngine())
    assert loader.status is Status.LOADING
    asyncio.run(loader.run())
    assert loader.status is Status.READY
    assert len(loader.warmed) == 2  # type: ignore[attr-defined]


def test_what_happens_to_an_engine_later_shows_in_its_state() -> None:
    engine = FakeEngine()
    loader = make_loader("--languages", "KR", engine=engine)
    asyncio.run(loader.run())
    [language] = loader._languages
    assert loader.state(language).warning is None
    engine.warning = "The model overflows in fp16."
    assert loader.state(language).warning == "The model overflows in fp16."
    assert loader.state(language).status is Status.READY


def test_warming_waits_while_the_queue_is_full() -> None:
    settings = load_settings(())
    tries = 0

    async def warm(_: object, engine: Engine) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise (Overloaded, QueueTimeout)[tries % 2]("full", retry_after_seconds=0.01)

    languages = choose_languages(settings.languages, settings.models, demo=False)
    loader = EngineLoader(languages, settings, warm, FakeEngine())
    asyncio.run(loader.run())
    assert (loader.status, tries) == (Status.READY, 3)


def test_a_broken_folder_fails_with_a_reason_and_does_not_stop_others(
    checkpoint: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    (broken / "model.safetensors").unlink()
    loader = make_loader("--languages", "KR,EN", "--models", f"KR={broken},EN={checkpoint}")
    asyncio.run(loader.run())
    korean, english = list(loader._languages)
    assert loader.status is Status.FAILED
    assert "has no model.safetensors" in str(loader.state(korean).reason)
    with pytest.raises(ModelBroken, match="The model for Korean cannot be used"):
        loader.engine(korean)
    assert loader.engine(english).device == "cpu"


def test_languages_of_one_checkpoint_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mms = save_mms(tmp_path / "mms")
    shutil.copy(mms / "adapter.eng.safetensors", mms / "adapter.fra.safetensors")
    models = ",".join(f"{code}=facebook/mms-1b-all#{code}" for code in ("kor", "eng"))
    cache = tmp_path / "cache"
    with FakeHub({"facebook/mms-1b-all": mms}) as hub:
        point_hub_client_at(hub.endpoint, monkeypatch)
        loader = make_loader(
            "--languages", "KR,EN", "--models", models, "--cache-dir", str(cache), "--device", "cpu"
        )
        asyncio.run(loader.run())
    assert loader.status is Status.READY
    listed = {language.code: language.model.name for language in loader._languages}
    assert listed == {"KR": "facebook/mms-1b-all#kor", "EN": "facebook/mms-1b-all#eng"}
    korean, english = (loader.engine(language) for language in loader._languages)
    assert isinstance(korean, TorchEngine)
    assert isinstance(english, TorchEngine)
    assert "가" in korean.vocabulary.symbols
    assert "A" in english.vocabulary.symbols
    assert korean._arithmetic.current.model.shared is english._arithmetic.current.model.shared
    fetched = {file.name for file in cache.rglob("adapter.*")}
    assert fetched == {"adapter.kor.safetensors", "adapter.eng.safetensors"}


def test_an_impossible_device_fails_with_a_reason(checkpoint: Path) -> None:
    loader = make_loader("--models", f"KR={checkpoint}", "--device", "cuda:99")
    asyncio.run(loader.run())
    [korean] = loader._languages
    assert "STT_DEVICE=cuda:99 but torch finds" in str(loader.state(korean).reason)


def test_progress_is_visible_during_a_download(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[tuple[str, int]] = set()

    async def watch() -> None:
        with FakeHub({KRESNIK: checkpoint}) as hub:
            hub.bytes_per_second = 300_000
            point_hub_client_at(hub.endpoint, monkeypatch)
            loader = make_loader("--cache-dir", str(tmp_path))
            [korean] = loader._languages
            run = asyncio.create_task(loader.run())
            while not run.done():
                state = loader.state(korean)
                seen.add((state.step, state.bytes_done))
                if state.status is Status.LOADING:
                    with pytest.raises(ModelLoading, match="see GET /health"):
                        loader.engine(korean)
                await asyncio.sleep(0.005)
            assert loader.status is Status.READY
            assert loader.state(korean).reason is None

    asyncio.run(watch())
    assert len({done for step, done in seen if step == "fetching"}) > 2
    assert {step for step, _ in seen} >= {"fetching", "reading"}


def test_an_unreachable_hub_is_retried_until_it_is_back(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def outage() -> None:
        with FakeHub({KRESNIK: checkpoint}) as hub:
            hub.broken = True
            point_hub_client_at(hub.endpoint, monkeypatch)
            loader = make_loader("--cache-dir", str(tmp_path))
            [korean] = loader._languages
            run = asyncio.create_task(loader.run())
            await until(lambda: loader.state(korean).next_try is not None)
            state = loader.state(korean)
            assert state.status is Status.LOADING
            assert state.retry_in_seconds is not None
            assert 0 <= state.retry_in_seconds <= 1
            assert "the hub does not answer properly" in str(state.reason)
            with pytest.raises(ModelLoading) as caught:
                loader.engine(korean)
            assert caught.value.retry_after_seconds >= 1
            hub.broken = False
            await asyncio.wait_for(run, 60)
            assert loader.status is Status.READY

    asyncio.run(outage())


def point_hub_client_at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what HF_ENDPOINT does, for a client that is already imported."""
    import huggingface_hub.constants
    import huggingface_hub.file_download
    import huggingface_hub.hf_api

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    for module in (huggingface_hub.file_download, huggingface_hub.hf_api):
        for name in ("ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE"):
            if hasattr(module, name):
                value = endpoint if name == "ENDPOINT" else template
                monkeypatch.setattr(module, name, value)
