from pathlib import Path

import numpy as np
import pytest

from stt.engine import TorchEngine, choose_device, load_engine
from stt.errors import ConfigurationError, ModelBroken
from tests.audio_files import tones
from tests.fakes import save_random_checkpoint


@pytest.fixture(scope="module", params=["layer", "group"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_checkpoint(tmp_path_factory.mktemp("model"), norm=request.param)


@pytest.fixture(scope="module")
def engine(folder: Path) -> TorchEngine:
    return load_engine(folder, device="cpu")


WAVEFORMS = [
    tones(seconds, 16000, seed=seed)[:, 0]
    for seed, seconds in enumerate([1.0, 0.3, 2.51, 1.0, 0.025, 4.0, 0.3])
]


def test_log_probs_are_what_the_checkpoint_says(engine: TorchEngine) -> None:
    for waveform, log_probs in zip(WAVEFORMS, engine.forward(WAVEFORMS), strict=True):
        assert log_probs.dtype == np.float32
        assert log_probs.shape == (
            engine.grid.n_frames(len(waveform)),
            len(engine.vocabulary.symbols),
        )
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, rtol=1e-4)


def test_a_batch_changes_nothing(engine: TorchEngine) -> None:
    together = engine.forward(WAVEFORMS)
    for waveform, log_probs in zip(WAVEFORMS, together, strict=True):
        [alone] = engine.forward([waveform])
        np.testing.assert_allclose(log_probs, alone, atol=1e-4)
        assert (log_probs.argmax(1) == alone.argmax(1)).all()


def test_equal_to_transformers_own_way(folder: Path, engine: TorchEngine) -> None:
    import torch
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

    processor = Wav2Vec2Processor.from_pretrained(folder)
    model = Wav2Vec2ForCTC.from_pretrained(folder).eval()
    for waveform in WAVEFORMS[:3]:
        inputs = processor(waveform, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            expected = torch.log_softmax(model(**inputs).logits, -1)[0].numpy()
        [ours] = engine.forward([waveform])
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_an_empty_batch(engine: TorchEngine) -> None:
    assert engine.forward([]) == []


def test_a_bin_file_of_tensors_is_read(tmp_path: Path) -> None:
    folder = save_random_checkpoint(tmp_path, norm="layer", bin_file=True)
    same = load_engine(save_random_checkpoint(tmp_path / "same", norm="layer"), device="cpu")
    [ours] = load_engine(folder, device="cpu").forward(WAVEFORMS[:1])
    np.testing.assert_allclose(ours, same.forward(WAVEFORMS[:1])[0], atol=1e-6)


class Evil:
    """Would run a command when unpickled by a loader that allows it."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path("pwned").write_text, ("x",))


def test_a_bin_file_with_code_in_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.chdir(tmp_path)
    folder = save_random_checkpoint(tmp_path / "model", norm="layer", bin_file=True)
    torch.save({"lm_head.weight": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelBroken):
        load_engine(folder, device="cpu")
    assert not (tmp_path / "pwned").exists()


def test_corrupt_weights_say_what_to_do(tmp_path: Path) -> None:
    folder = save_random_checkpoint(tmp_path, norm="layer")
    (folder / "model.safetensors").write_bytes(b"\0" * 1000)
    with pytest.raises(ModelBroken, match=r"cannot be read .* Delete it and download again"):
        load_engine(folder, device="cpu")


def test_weights_that_lack_tensors_are_not_guessed(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_random_checkpoint(tmp_path, norm="layer")
    tensors = load_file(folder / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelBroken, match="lack 1 of the tensors"):
        load_engine(folder, device="cpu")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Wav2Vec2ForCTC", "Wav2Vec2ForPreTraining"),
        ('"add_adapter": false', '"add_adapter": true'),
        ('"model_type": "wav2vec2"', '"model_type": "whisper"'),
    ],
)
def test_other_architectures_are_refused(tmp_path: Path, old: str, new: str) -> None:
    folder = save_random_checkpoint(tmp_path, norm="layer")
    config = folder / "config.json"
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new))
    with pytest.raises(ModelBroken):
        load_engine(folder, device="cpu")


def test_remote_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = save_random_checkpoint(tmp_path / "model", norm="layer")
    config = (folder / "config.json").read_text()
    auto_map = '{"auto_map": {"AutoConfig": "evil.Evil", "AutoModelForCTC": "evil.Evil"},'
    (folder / "config.json").write_text(config.replace("{", auto_map, 1))
    (folder / "evil.py").write_text("open('pwned', 'w').write('x')\nclass Evil: pass\n")
    load_engine(folder, device="cpu")
    assert not (tmp_path / "pwned").exists()


def test_an_impossible_device_fails_with_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="STT_DEVICE=cuda:99 but torch finds"):
        choose_device("cuda:99")
    assert choose_device("cpu") == "cpu"
