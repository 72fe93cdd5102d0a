"""The real hub client against a fake hub."""

import shutil
import time
from pathlib import Path

import pytest

from stt.engines.torch import load_torch_engine as load_engine
from stt.errors import ModelBroken, ModelUnreachable
from stt.languages import ModelSource
from stt.models.source import find_model
from tests.fakes import save_random_checkpoint
from tests.hub import COMMIT, FakeHub

KRESNIK = ModelSource("kresnik/wav2vec2-large-xlsr-korean")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_checkpoint(tmp_path_factory.mktemp("checkpoint"), norm="layer")


def test_a_downloaded_model_loads(checkpoint: Path, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    with FakeHub({KRESNIK.id: checkpoint}) as hub:
        folder = find_model(
            KRESNIK,
            cache_dir=tmp_path,
            endpoint=hub.endpoint,
            report=lambda done, total: heard.append((done, total)),
        )
    load_engine(folder, device="cpu")
    total = sum(file.stat().st_size for file in folder.iterdir())
    assert heard[-1] == (total, total)
    assert heard == sorted(heard)
    assert len(heard) > 3


def test_a_cached_model_needs_no_hub(checkpoint: Path, tmp_path: Path) -> None:
    with FakeHub({KRESNIK.id: checkpoint}) as hub:
        first = find_model(KRESNIK, cache_dir=tmp_path, endpoint=hub.endpoint)
        asked = len(hub.requests)
        assert find_model(KRESNIK, cache_dir=tmp_path, endpoint=hub.endpoint) == first
        assert len(hub.requests) == asked
        pinned = ModelSource(KRESNIK.id, COMMIT)
        assert find_model(pinned, cache_dir=tmp_path, endpoint=hub.endpoint) == first
        assert len(hub.requests) == asked
    assert find_model(KRESNIK, cache_dir=tmp_path, endpoint="http://127.0.0.1:9") == first


def test_interrupted_downloads_resume(checkpoint: Path, tmp_path: Path) -> None:
    # The client writes, and therefore resumes, in steps of 10 MiB.
    step = 10 * 2**20
    large = shutil.copytree(checkpoint, tmp_path / "large")
    (large / "model.safetensors").write_bytes(bytes(range(256)) * (28 * 2**12))
    with FakeHub({KRESNIK.id: large}) as hub:
        hub.cut_after = [step + 70_000, step + 5_000]
        folder = find_model(KRESNIK, cache_dir=tmp_path / "cache", endpoint=hub.endpoint)
        ranges = [None, f"bytes={step}-", f"bytes={2 * step}-"]
        assert hub.downloads("model.safetensors") == ranges
    same = (large / "model.safetensors").read_bytes()
    assert (folder / "model.safetensors").read_bytes() == same


def test_an_incomplete_download_is_never_used(checkpoint: Path, tmp_path: Path) -> None:
    with FakeHub({KRESNIK.id: checkpoint}) as hub:
        hub.cut_after = [20_000] + [0] * 50
        with pytest.raises(ModelUnreachable):
            find_model(KRESNIK, cache_dir=tmp_path, endpoint=hub.endpoint)
        hub.cut_after = []
        folder = find_model(KRESNIK, cache_dir=tmp_path, endpoint=hub.endpoint)
    load_engine(folder, device="cpu")


def test_safetensors_are_preferred_and_only_one_format_is_downloaded(
    checkpoint: Path, tmp_path: Path
) -> None:
    both = shutil.copytree(checkpoint, tmp_path / "both")
    (both / "pytorch_model.bin").write_bytes(b"pickle" * 10_000)
    (both / "flax_model.msgpack").write_bytes(b"x" * 10_000)
    with FakeHub({KRESNIK.id: both}) as hub:
        folder = find_model(KRESNIK, cache_dir=tmp_path / "cache", endpoint=hub.endpoint)
    assert not list(folder.glob("*.bin"))
    assert not list(folder.glob("*.msgpack"))


def test_a_bin_is_downloaded_if_there_are_no_safetensors(tmp_path: Path) -> None:
    only_bin = save_random_checkpoint(tmp_path / "bin", norm="layer", bin_file=True)
    with FakeHub({KRESNIK.id: only_bin}) as hub:
        folder = find_model(KRESNIK, cache_dir=tmp_path / "cache", endpoint=hub.endpoint)
    load_engine(folder, device="cpu")


def test_an_unreachable_or_failing_hub_can_be_retried(checkpoint: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ModelUnreachable, match="The service retries"):
        find_model(KRESNIK, cache_dir=tmp_path, endpoint="http://127.0.0.1:9")
    assert time.monotonic() - started < 30
    with FakeHub({KRESNIK.id: checkpoint}) as hub:
        hub.broken = True
        with pytest.raises(ModelUnreachable):
            find_model(KRESNIK, cache_dir=tmp_path, endpoint=hub.endpoint)
        hub.broken = False
        find_model(KRESNIK, cache_dir=tmp_path, endpoint=hub.endpoint)


def test_permanent_errors_are_not_retried(checkpoint: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "config.json").write_text('{"architectures": ["WhisperForConditionalGeneration"]}')
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_text('{"architectures": ["WavLMForCTC"]}')
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.nemo").write_bytes(b"x")
    repositories = {
        KRESNIK.id: checkpoint, "some/whisper": empty, "some/bare": bare, "some/nemo": other,
    }  # fmt: skip
    with FakeHub(repositories) as hub:
        for source, sentence in [
            (ModelSource("no/body"), "does not exist on the hub"),
            (ModelSource(KRESNIK.id, "v9"), "no revision 'v9'"),
            (ModelSource("some/bare"), r"has no vocab.json or tokenizer.json on the hub"),
            (ModelSource("some/nemo"), r"has no config.json on the hub"),
            (ModelSource("some/whisper"), "architecture is WhisperForConditionalGeneration"),
            (ModelSource(KRESNIK.id, adapter="kor"), "has no adapter.kor.safetensors or"),
            (ModelSource("bad id/x y"), "owner/name"),
        ]:
            with pytest.raises(ModelBroken, match=sentence):
                find_model(source, cache_dir=tmp_path / "cache", endpoint=hub.endpoint)


def test_an_unwritable_cache_names_the_setting(checkpoint: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("a file where a folder should be")
    with (
        FakeHub({KRESNIK.id: checkpoint}) as hub,
        pytest.raises(ModelBroken, match="STT_CACHE_DIR"),
    ):
        find_model(KRESNIK, cache_dir=blocked, endpoint=hub.endpoint)


def test_local_folders_must_be_complete(checkpoint: Path, tmp_path: Path) -> None:
    assert find_model(ModelSource("x", folder=checkpoint)) == checkpoint
    with pytest.raises(ModelBroken, match="does not exist"):
        find_model(ModelSource("x", folder=tmp_path / "none"))
    for file in ("config.json", "vocab.json", "model.safetensors"):
        broken = shutil.copytree(checkpoint, tmp_path / f"without {file}")
        (broken / file).unlink()
        with pytest.raises(ModelBroken, match=f"has no {file}") as caught:
            find_model(ModelSource("x", folder=broken))
        assert str(tmp_path) not in caught.value.message
