import json
import threading
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

from stt.engines.checkpoint import read_checkpoint
from stt.engines.front_end import normalised
from stt.engines.precision import choose_precision
from stt.engines.torch import TorchEngine, load_torch_engine
from stt.engines.transfer import Transfer
from stt.engines.wants import BEST
from stt.errors import ConfigurationError, ModelBroken
from stt.types import Calibration, Waveform
from tests.audio_files import tones
from tests.fakes import relative_difference, save_random_checkpoint


@pytest.fixture(scope="module", params=["layer", "group"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_checkpoint(tmp_path_factory.mktemp("model"), norm=request.param)


@pytest.fixture(scope="module", params=[False, True], ids=["one by one", "padded as on a GPU"])
def engine(request: pytest.FixtureRequest, folder: Path) -> TorchEngine:
    return load_torch_engine(folder, device="cpu", precision="fp32", pads=request.param)


WAVEFORMS = [
    tones(seconds, 16000, seed=seed)[:, 0]
    for seed, seconds in enumerate([1.0, 0.3, 2.51, 1.0, 0.025, 4.0, 0.3])
]


def test_log_probs_have_the_shape_of_grid_and_vocabulary(engine: TorchEngine) -> None:
    for waveform, log_probs in zip(WAVEFORMS, engine.log_probs(WAVEFORMS), strict=True):
        assert log_probs.dtype == np.float32
        assert log_probs.shape == (
            engine.grid.n_frames(len(waveform)),
            len(engine.vocabulary.symbols),
        )
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, rtol=1e-4)


@pytest.mark.kernels
def test_results_never_depend_on_the_batch(engine: TorchEngine) -> None:
    together = engine.log_probs(WAVEFORMS)
    for waveform, log_probs in zip(WAVEFORMS, together, strict=True):
        [alone] = engine.log_probs([waveform])
        np.testing.assert_allclose(log_probs, alone, atol=1e-4)
        assert (log_probs.argmax(1) == alone.argmax(1)).all()


@pytest.mark.kernels
def test_several_passes_give_the_results_of_one(folder: Path) -> None:
    at_once = load_torch_engine(folder, device="cpu", precision="fp32", pads=True).log_probs(
        WAVEFORMS
    )
    # Passes of 3 s; the longest waveform, 4 s, still gets its own.
    engine = load_torch_engine(folder, device="cpu", precision="fp32", pads=True, pass_seconds=3)
    engine._arithmetic.current.model.encoder_samples = 2 * 16000
    checkpoint = engine._checkpoint
    masked = checkpoint.family.is_padding_safe(checkpoint.config)
    expected = [[5], [2], [0, 3, 1], [6, 4]] if masked else [[5], [2], [0, 3], [1, 6], [4]]
    assert list(engine.passes.groups(dict(enumerate(map(len, WAVEFORMS))))) == expected
    for ours, theirs in zip(engine.log_probs(WAVEFORMS), at_once, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    reduced = engine.forward(WAVEFORMS, BEST)
    assert [len(frames) for frames in reduced] == [len(rows) for rows in at_once]
    assert all(
        (frames.columns == rows.argmax(1)).all()
        for frames, rows in zip(reduced, at_once, strict=True)
    )


def test_normalisation_equals_the_feature_extractor(folder: Path) -> None:
    checkpoint = read_checkpoint(folder)

    def extract(waveforms: list[Waveform]) -> torch.Tensor:
        extractor = checkpoint.feature_extractor
        features = extractor(waveforms, sampling_rate=16000, padding=True, return_tensors="pt")
        return cast(torch.Tensor, features["input_values"])

    if checkpoint.feature_extractor.return_attention_mask:
        padded, lengths = Transfer("cpu").upload(WAVEFORMS)
        assert lengths.tolist() == [len(waveform) for waveform in WAVEFORMS]
        expected = extract(WAVEFORMS)
        torch.testing.assert_close(normalised(padded, lengths), expected, atol=1e-5, rtol=1e-4)
    same = [WAVEFORMS[0], WAVEFORMS[3]]
    unpadded, none = Transfer("cpu").upload(same)
    assert none is None
    expected = extract(same)
    torch.testing.assert_close(normalised(unpadded, none), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("precision", ["fp32", "fp16", "auto"])
def test_a_gpu_agrees_with_the_cpu(folder: Path, precision: str) -> None:
    on_gpu = load_torch_engine(folder, device="cuda:0", precision=precision, pass_seconds=3)
    exact = load_torch_engine(folder, device="cpu", precision="fp32").log_probs(WAVEFORMS)
    for ours, theirs in zip(on_gpu.log_probs(WAVEFORMS), exact, strict=True):
        assert relative_difference(ours, theirs) < 0.06


def test_frames_are_the_log_probs_reduced(folder: Path) -> None:
    engine = load_torch_engine(
        folder, device="cpu", precision="fp32", calibration=Calibration(temperature=1.5), pads=True
    )
    reduced = engine.forward(WAVEFORMS, BEST)
    for frames, log_probs in zip(reduced, engine.log_probs(WAVEFORMS), strict=True):
        expected = BEST.reduce(log_probs, temperature=1.5)
        assert frames.columns.dtype == np.int32
        np.testing.assert_array_equal(frames.columns, expected.columns)
        np.testing.assert_allclose(frames.log_probs, expected.log_probs, atol=1e-5)
        np.testing.assert_allclose(frames.log_posteriors, expected.log_posteriors, atol=1e-5)


@pytest.mark.kernels
def test_cpu_results_are_bit_for_bit_independent_of_the_batch(folder: Path) -> None:
    engine = load_torch_engine(folder, device="cpu", precision="auto")
    for waveform, log_probs in zip(WAVEFORMS, engine.log_probs(WAVEFORMS), strict=True):
        np.testing.assert_array_equal(log_probs, engine.log_probs([waveform])[0])


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_lengths_are_rounded_in_bf16(folder: Path, precision: str) -> None:
    """oneDNN builds kernels for each new length, which in bf16 take long."""
    engine = load_torch_engine(folder, device="cpu", precision=precision)
    model = engine._arithmetic.current.model
    seen: dict[str, set[int]] = {"encoder": set(), "context": set()}
    for part, lengths in seen.items():
        hook = partial(lambda lengths, _, inputs: lengths.add(inputs[0].shape[1]), lengths)
        getattr(model, part).register_forward_pre_hook(hook)
    waveform = tones(4.0, 16000, seed=1)[:, 0]
    tried = range(400, len(waveform), 997)
    for n_samples in tried:
        [log_probs] = engine.log_probs([waveform[:n_samples]])
        assert len(log_probs) == engine.grid.n_frames(n_samples)
    if precision == "fp32":
        assert len(seen["context"]) > len(tried) // 2
        return
    assert seen["context"] == set(range(16, 209, 16))
    assert len(seen["encoder"]) == (5 if model.encoder.is_local else len(tried))


@pytest.mark.kernels
def test_rounded_lengths_change_nothing_else(folder: Path) -> None:
    engine = load_torch_engine(folder, device="cpu", precision="fp32")
    model = engine._arithmetic.current.model
    waveform = torch.from_numpy(tones(1.0, 16000, seed=1)[None, :, 0])
    for n_frames in range(1, 50):
        rows = waveform[:, : engine.grid.n_samples(n_frames)]
        features = model.encoder(rows)
        torch.testing.assert_close(
            model._rounded(features), model.context(features), rtol=1e-4, atol=1e-4
        )


@pytest.mark.kernels
def test_bf16_is_close_to_fp32_and_other_precisions_are_refused_on_a_cpu(folder: Path) -> None:
    assert choose_precision("auto", "cpu") in ("bf16", "fp32")
    for wanted in ("fp16", "int8"):
        with pytest.raises(ConfigurationError, match=f"STT_PRECISION={wanted} is not"):
            choose_precision(wanted, "cpu")
    coarse = load_torch_engine(folder, device="cpu", precision="bf16")
    fine = load_torch_engine(folder, device="cpu", precision="fp32")
    assert (coarse.precision, fine.precision) == ("bf16", "fp32")
    for rough, exact in zip(coarse.log_probs(WAVEFORMS), fine.log_probs(WAVEFORMS), strict=True):
        assert 0 < relative_difference(rough, exact) < 0.06  # measured: 0.03


def test_output_that_is_not_finite_is_an_error(folder: Path) -> None:
    import torch

    engine = load_torch_engine(folder, device="cpu", precision="fp32")
    torch.nn.init.constant_(engine._arithmetic.current.model.context.head.output.bias, float("nan"))
    with pytest.raises(FloatingPointError):
        engine.forward(WAVEFORMS[:1], BEST)


@pytest.mark.kernels
def test_results_equal_those_of_transformers(folder: Path, engine: TorchEngine) -> None:
    import torch
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

    processor = Wav2Vec2Processor.from_pretrained(folder)
    model = Wav2Vec2ForCTC.from_pretrained(folder).eval()
    for waveform in WAVEFORMS[:3]:
        inputs = processor(waveform, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            expected = torch.log_softmax(model(**inputs).logits, -1)[0].numpy()
        [ours] = engine.log_probs([waveform])
        np.testing.assert_allclose(ours, expected, atol=1e-4, rtol=1e-5)


@pytest.mark.kernels
def test_padding_is_masked_as_in_transformers(folder: Path) -> None:
    import torch
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

    processor = Wav2Vec2Processor.from_pretrained(folder)
    if not processor.feature_extractor.return_attention_mask:
        pytest.skip("trained without a mask, never padded")
    model = Wav2Vec2ForCTC.from_pretrained(folder).eval()
    engine = load_torch_engine(folder, device="cpu", precision="fp32", pads=True)
    inputs = processor(WAVEFORMS, sampling_rate=16000, return_tensors="pt", padding=True)
    with torch.inference_mode():
        expected = torch.log_softmax(model(**inputs).logits, -1).numpy()
    for ours, theirs in zip(engine.log_probs(WAVEFORMS), expected, strict=True):
        np.testing.assert_allclose(ours, theirs[: len(ours)], atol=1e-4, rtol=1e-5)


def test_older_tensor_names_and_shards_are_read(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_random_checkpoint(tmp_path, norm="layer")
    expected = load_torch_engine(folder, device="cpu", precision="fp32").log_probs(WAVEFORMS[:1])
    file = folder / "model.safetensors"
    new = "parametrizations.weight.original"
    tensors = {
        name.replace(f"{new}0", "weight_g").replace(f"{new}1", "weight_v"): tensor
        for name, tensor in load_file(file).items()
    }
    assert any(name.endswith("weight_g") for name in tensors)
    file.unlink()
    names = sorted(tensors)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for shard, its_names in shards.items():
        save_file({name: tensors[name] for name in its_names}, folder / shard, {"format": "pt"})
    weight_map = {name: shard for shard, its_names in shards.items() for name in its_names}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    ours = load_torch_engine(folder, device="cpu", precision="fp32").log_probs(WAVEFORMS[:1])
    np.testing.assert_allclose(ours[0], expected[0], atol=1e-6)


def test_an_empty_batch(engine: TorchEngine) -> None:
    assert engine.forward([], BEST) == engine.log_probs([]) == []


def test_a_bin_file_is_read(tmp_path: Path) -> None:
    folder = save_random_checkpoint(tmp_path, norm="layer", bin_file=True)
    same = load_torch_engine(save_random_checkpoint(tmp_path / "same", norm="layer"), device="cpu")
    [ours] = load_torch_engine(folder, device="cpu").log_probs(WAVEFORMS[:1])
    np.testing.assert_allclose(ours, same.log_probs(WAVEFORMS[:1])[0], atol=1e-6)


class Evil:
    """Runs code when an unsafe loader unpickles it."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path("pwned").write_text, ("x",))


def test_a_bin_file_with_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.chdir(tmp_path)
    folder = save_random_checkpoint(tmp_path / "model", norm="layer", bin_file=True)
    torch.save({"lm_head.weight": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelBroken):
        load_torch_engine(folder, device="cpu")
    assert not (tmp_path / "pwned").exists()


def test_corrupt_weights_say_what_to_do(tmp_path: Path) -> None:
    folder = save_random_checkpoint(tmp_path, norm="layer")
    (folder / "model.safetensors").write_bytes(b"\0" * 1000)
    with pytest.raises(ModelBroken, match=r"cannot be read .* Delete it and download again"):
        load_torch_engine(folder, device="cpu")


def test_missing_tensors_are_an_error(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_random_checkpoint(tmp_path, norm="layer")
    tensors = load_file(folder / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelBroken, match=r"lack the tensor .lm_head\.weight"):
        load_torch_engine(folder, device="cpu")


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
        load_torch_engine(folder, device="cpu")


def test_remote_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = save_random_checkpoint(tmp_path / "model", norm="layer")
    config = (folder / "config.json").read_text()
    auto_map = '{"auto_map": {"AutoConfig": "evil.Evil", "AutoModelForCTC": "evil.Evil"},'
    (folder / "config.json").write_text(config.replace("{", auto_map, 1))
    (folder / "evil.py").write_text("open('pwned', 'w').write('x')\nclass Evil: pass\n")
    load_torch_engine(folder, device="cpu")
    assert not (tmp_path / "pwned").exists()


def test_threads_are_set_in_the_thread_that_computes(tmp_path: Path) -> None:
    checkpoint = save_random_checkpoint(tmp_path, norm="layer")
    engine = load_torch_engine(checkpoint, device="cpu", cpu_threads=1)
    before, seen = torch.get_num_threads(), []

    def compute() -> None:
        torch.set_num_threads(2)
        engine.forward([np.zeros(16_000, np.float32)], BEST)
        seen.append(torch.get_num_threads())

    for _ in range(2):  # the inference thread may be replaced
        thread = threading.Thread(target=compute)
        thread.start()
        thread.join(60)
    torch.set_num_threads(before)
    assert seen == [1, 1]
