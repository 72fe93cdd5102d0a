"""Whole checkpoints: languages, odd files, and what is refused, each with one sentence."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2ForCTC

from stt.engines.checkpoint import read_checkpoint
from stt.engines.torch import load_torch_engine
from stt.errors import ModelBroken
from stt.models.files import check_complete
from stt.types import LogProbs, Waveform
from tests.audio_files import tones
from tests.checkpoints import save_checkpoint, save_mms, save_tokenizer

SPEECH: Waveform = tones(1.0, 16000, seed=3)[:, 0]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("model"), "Wav2Vec2, layer norm")


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "model")


def change(file: Path, **fields: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    content.update(fields)
    file.write_text(json.dumps(content), encoding="utf-8")


def log_probs(folder: Path, language: str | None = None, **shared: Any) -> LogProbs:
    engine = load_torch_engine(folder, device="cpu", precision="fp32", language=language, **shared)
    [rows] = engine.log_probs([SPEECH])
    return rows


# ---- languages of one checkpoint (MMS)


@pytest.fixture(scope="module")
def mms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_mms(tmp_path_factory.mktemp("mms"))


@pytest.mark.parametrize("language", ["eng", "kor"])
def test_a_language_gives_the_results_of_transformers(mms: Path, language: str) -> None:
    theirs = Wav2Vec2ForCTC.from_pretrained(
        mms, target_lang=language, ignore_mismatched_sizes=True
    ).eval()
    checkpoint = read_checkpoint(mms, language)
    inputs = checkpoint.feature_extractor(SPEECH, sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        expected = torch.log_softmax(theirs(**inputs).logits, -1)[0].numpy()
    assert len(checkpoint.vocabulary.symbols) == expected.shape[1]
    np.testing.assert_allclose(log_probs(mms, language), expected, atol=1e-4, rtol=1e-5)


def test_languages_share_all_but_their_own_layers(mms: Path) -> None:
    layers: dict[tuple[Path, str], Any] = {}
    korean, english, again = (
        load_torch_engine(mms, device="cpu", precision="fp32", language=language, layers=layers)
        for language in ("kor", "eng", "kor")
    )
    pointers = [
        {parameter.data_ptr() for parameter in engine._arithmetic.current.model.shared.parameters()}
        for engine in (korean, english, again)
    ]
    assert pointers[0] == pointers[1] == pointers[2]
    before = korean.log_probs([SPEECH])[0]
    np.testing.assert_array_equal(again.log_probs([SPEECH])[0], before)
    assert english.log_probs([SPEECH])[0].shape[1] != before.shape[1]
    np.testing.assert_array_equal(korean.log_probs([SPEECH])[0], before)


def test_a_language_has_to_be_chosen_and_exist(mms: Path, folder: Path) -> None:
    for language, sentence in [
        (None, r"has 2 languages and none is chosen. Name one in STT_MODELS: CODE=MODEL#kor"),
        ("kro", r"no adapter 'kro'; it has 2 languages, such as kor"),
    ]:
        with pytest.raises(ModelBroken, match=sentence):
            read_checkpoint(mms, language)
    with pytest.raises(ModelBroken, match="has one language, so it has no adapter 'kor'"):
        read_checkpoint(folder, "kor")


def test_an_adapter_fine_tuned_for_one_language_needs_no_choice(mms: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(mms, tmp_path / "one")
    nested = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    (folder / "vocab.json").write_text(json.dumps({"eng": nested["eng"]}), encoding="utf-8")
    with torch.inference_mode():
        theirs = Wav2Vec2ForCTC.from_pretrained(folder).eval()
        inputs = read_checkpoint(folder).feature_extractor(
            SPEECH, sampling_rate=16000, return_tensors="pt"
        )
        expected = torch.log_softmax(theirs(**inputs).logits, -1)[0].numpy()
    np.testing.assert_allclose(log_probs(folder), expected, atol=1e-4, rtol=1e-5)


# ---- checkpoints as they are


def test_omnilingual_asr(tmp_path: Path) -> None:
    """Its blank is <s>, and its delimiter is SentencePiece's mark."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "▁", *map(chr, range(0xAC00, 0xAC00 + 9995))]
    folder = save_checkpoint(
        tmp_path, "Wav2Vec2, layer norm", vocab_size=len(tokens), pad_token_id=0
    )
    save_tokenizer(folder, tokens, pad_token="<s>", word_delimiter_token="▁")
    vocabulary = read_checkpoint(folder).vocabulary
    assert vocabulary.blank == 0
    assert vocabulary.written(4) == " "
    assert vocabulary.special == {1, 2, 3}
    assert log_probs(folder).shape[1] == 10_000


def test_tensors_that_only_training_needs_may_be_missing(tmp_path: Path) -> None:
    for shape in ("Wav2Vec2, layer norm", "WavLM, layer norm"):
        folder = save_checkpoint(tmp_path / shape, shape, mask_time_prob=0.05)
        expected = log_probs(folder)
        file = folder / "model.safetensors"
        tensors = load_file(file)
        assert any(tensors.pop(name) is not None for name in list(tensors) if "masked_spec" in name)
        save_file(tensors, file, {"format": "pt"})
        np.testing.assert_array_equal(log_probs(folder), expected)


def test_loading_leaves_the_default_dtype_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is global, so another thread would compute in it, and wrongly, during the loading."""
    folder = save_checkpoint(tmp_path, "WavLM, layer norm")
    dtypes: set[torch.dtype] = set()
    monkeypatch.setattr(torch, "set_default_dtype", dtypes.add)
    load_torch_engine(folder, device="cpu", precision="bf16")
    assert dtypes <= {torch.float32}


def test_a_bin_of_an_old_torch_is_read(folder: Path) -> None:
    expected = log_probs(folder)
    tensors = load_file(folder / "model.safetensors")
    torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    (folder / "model.safetensors").unlink()
    np.testing.assert_array_equal(log_probs(folder), expected)


# ---- what is refused


@pytest.mark.parametrize("shape", ["Wav2Vec2, layer norm", "WavLM, layer norm", "Parakeet CTC"])
def test_a_head_of_another_size_is_refused(shape: str, tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, shape)
    file = folder / "model.safetensors"
    tensors = load_file(file)
    [name] = [name for name in tensors if name.endswith(("lm_head.weight", "ctc_head.weight"))]
    tensors[name] = torch.cat([tensors[name], tensors[name][:3]])
    save_file(tensors, file, {"format": "pt"})
    with pytest.raises(ModelBroken, match=r"do not fit config.json: \S+ has the size \(18, 32"):
        log_probs(folder)


@pytest.mark.parametrize("shape", ["Wav2Vec2, layer norm", "Parakeet CTC"])
def test_another_sample_rate_is_refused(shape: str, tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, shape)
    change(folder / "preprocessor_config.json", sampling_rate=8000)
    with pytest.raises(ModelBroken, match="audio of 8000 Hz; this service computes at 16000 Hz"):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    "architecture",
    [
        "WhisperForConditionalGeneration", "LlamaForCausalLM", "VitsModel",
        "Wav2Vec2ForPreTraining", "ParakeetForTDT", "LasrForCTC",
    ],
)  # fmt: skip
def test_models_of_another_kind_are_refused(folder: Path, architecture: str) -> None:
    change(folder / "config.json", architectures=[architecture])
    (folder / "preprocessor_config.json").unlink()  # language models have none
    with pytest.raises(ModelBroken, match=f"architecture is {architecture}; expected a CTC model"):
        check_complete(folder, "The folder")


def test_half_copied_folders_name_what_is_missing(folder: Path, mms: Path, tmp_path: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelBroken, match=r"no model.safetensors or pytorch_model.bin"):
        check_complete(folder, "The folder")
    shards = dict.fromkeys(tensors, "model-00001-of-00002.safetensors")
    shards["lm_head.bias"] = "model-00002-of-00002.safetensors"
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": shards}))
    save_file(tensors, folder / "model-00001-of-00002.safetensors", {"format": "pt"})
    with pytest.raises(ModelBroken, match=r"has no model-00002-of-00002.safetensors"):
        check_complete(folder, "The folder")
    index.write_text('{"weight_map"')
    with pytest.raises(ModelBroken, match=r"has no readable model.safetensors.index.json"):
        check_complete(folder, "The folder")
    partial = shutil.copytree(mms, tmp_path / "partial")
    (partial / "adapter.kor.safetensors").unlink()
    with pytest.raises(ModelBroken, match=r"has no adapter.kor.safetensors or adapter.kor.bin"):
        check_complete(partial, "The folder", "kor")
    (folder / "config.json").write_text('{"architectures": [')
    with pytest.raises(ModelBroken, match=r"config\.json is not valid JSON"):
        check_complete(folder, "The folder")
