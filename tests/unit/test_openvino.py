"""The OpenVINO backend, on small real models; and ``stt optimize``, which makes them."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stt.commands import optimize
from stt.engines import open_engine
from stt.engines.checkpoint import read_checkpoint
from stt.engines.convert import convert
from stt.engines.openvino import OpenVinoEngine, load_openvino_engine, normalised
from stt.engines.optimized import find_optimized, place_of
from stt.engines.torch import TorchEngine, load_torch_engine
from stt.errors import ConfigurationError, ModelBroken
from stt.languages import BUNDLED_MODELS, ModelSource, choose_languages
from stt.settings import load_settings
from tests.audio_files import tones
from tests.fakes import save_random_checkpoint

pytest.importorskip("openvino")

# Lengths that the graph was not traced with: one frame, odd ones, more than a window.
WAVEFORMS = [
    tones(seconds, 16000, seed=seed)[:, 0]
    for seed, seconds in enumerate([0.025, 0.3, 1.0, 2.51237, 21.0])
]


@pytest.fixture(scope="module", params=["layer", "group"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_checkpoint(tmp_path_factory.mktemp("model"), norm=request.param)


@pytest.fixture(scope="module")
def converted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("optimized")
    convert(read_checkpoint(checkpoint), folder, "bf16")
    return folder


@pytest.fixture(scope="module")
def optimized(converted: Path) -> OpenVinoEngine:
    return load_openvino_engine(converted, precision="bf16", cpu_threads=2)


def test_every_length_reads_as_with_torch(checkpoint: Path, optimized: OpenVinoEngine) -> None:
    exact = load_torch_engine(checkpoint, device="cpu", precision="fp32").forward(WAVEFORMS)
    for ours, theirs in zip(optimized.forward(WAVEFORMS), exact, strict=True):
        assert len(ours) == len(theirs)
        # bf16 has three digits, and the random head's symbols are often nearly equal.
        assert (ours.columns == theirs.columns).mean() > 0.8


def test_a_batch_changes_not_a_bit(optimized: OpenVinoEngine) -> None:
    for waveform, log_probs in zip(WAVEFORMS, optimized.log_probs(WAVEFORMS), strict=True):
        np.testing.assert_array_equal(log_probs, optimized.log_probs([waveform])[0])
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, rtol=0.02)
    assert optimized.forward([]) == []


def test_the_graphs_see_few_lengths(
    checkpoint: Path, optimized: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO makes kernels for each length that it has not seen."""

    class Spy:
        def __init__(self, request: Any) -> None:
            self.request, self.lengths = request, set[int]()

        def infer(self, inputs: Any) -> Any:
            self.lengths.add(inputs[0].shape[1])
            return self.request.infer(inputs)

    encoder, context = Spy(optimized._encoder), Spy(optimized._context)
    monkeypatch.setattr(optimized, "_encoder", encoder)
    monkeypatch.setattr(optimized, "_context", context)
    waveform = tones(4.0, 16000, seed=1)[:, 0]
    n_different = len(range(400, len(waveform), 997))
    for n_samples in range(400, len(waveform), 997):
        [log_probs] = optimized.log_probs([waveform[:n_samples]])
        assert len(log_probs) == optimized.grid.n_frames(n_samples)
    assert context.lengths == set(range(16, 209, 16))
    local = optimized._piece_frames is not None
    assert len(encoder.lengths) == (5 if local else n_different)


def test_a_broken_optimised_model_says_what_to_do(converted: Path, tmp_path: Path) -> None:
    for name in ("encoder.xml", "context.xml", "checkpoint.json"):
        folder = shutil.copytree(converted, tmp_path / name)
        (folder / name).write_text("<net>")
        with pytest.raises(ModelBroken, match="`stt optimize`"):
            load_openvino_engine(folder, precision="bf16", cpu_threads=1)


def test_a_service_of_optimised_models_never_imports_torch(tmp_path: Path) -> None:
    """Which is 550 MB, in whichever thread and for whatever reason."""
    source = BUNDLED_MODELS["ko-mini"]
    assert source.folder is not None
    place = place_of(source, source.folder, "bf16", tmp_path)
    place.folder.mkdir(parents=True)
    convert(read_checkpoint(source.folder), place.folder, "bf16")
    code = (
        "import sys, time\n"
        "from stt.commands.serve import make_app\n"
        "from stt.settings import load_settings\n"
        "flags = ['--demo', '--languages', 'KR', '--device', 'cpu', '--cache-dir', sys.argv[1]]\n"
        "app = make_app(load_settings(flags))\n"
        "from fastapi.testclient import TestClient\n"
        "with TestClient(app) as client, open(sys.argv[2], 'rb') as file:\n"
        "    while client.get('/readyz').json()['status'] == 'loading':\n"
        "        time.sleep(0.05)\n"
        "    answer = client.post('/transcribe', files={'file': file})\n"
        "    assert answer.json()['text'] == '고마워요', answer.text\n"
        "    assert app.state.service.engines.engine(*app.state.service.languages).backend == "
        "'openvino'\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    clip = Path(__file__).parents[2] / "samples" / "ko-thanks-44k-stereo.wav"
    subprocess.run([sys.executable, "-c", code, str(tmp_path), str(clip)], check=True)


def test_normalised_as_the_feature_extractor_does_it(checkpoint: Path) -> None:
    described = read_checkpoint(checkpoint)
    for waveform in WAVEFORMS:
        [expected] = described.inputs([waveform], framework="np")["input_values"]
        np.testing.assert_allclose(normalised(waveform), expected, atol=1e-5)


def test_other_architectures_cannot_be_optimised(checkpoint: Path, tmp_path: Path) -> None:
    described = read_checkpoint(checkpoint)
    described.config.model_type = "hubert"
    with pytest.raises(ConfigurationError, match="hubert checkpoint cannot be optimised"):
        convert(described, tmp_path, "bf16")


def test_the_place_tells_checkpoints_and_precisions_apart(tmp_path: Path) -> None:
    first, second = (save_random_checkpoint(tmp_path / name, norm="layer") for name in "ab")
    source = ModelSource("model", folder=first)
    places = {
        place_of(source, first, "int8", tmp_path).folder,
        place_of(source, first, "bf16", tmp_path).folder,
        place_of(source, second, "int8", tmp_path).folder,
        place_of(ModelSource("owner/model"), tmp_path / "commit1", "int8", tmp_path).folder,
        place_of(ModelSource("owner/model"), tmp_path / "commit2", "int8", tmp_path).folder,
    }
    assert len(places) == 5
    assert place_of(source, first, "int8", tmp_path).folder in places


def test_optimised_once_it_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole command on the bundled Korean model: int8, compared, kept, chosen by `auto`."""
    flags = ["--demo", "--cache-dir", str(tmp_path)]
    assert optimize.main(["KR", *flags]) == 0
    printed = capsys.readouterr()
    assert "character error rate in int8" in printed.out
    assert "No --calibration" in printed.err

    source = BUNDLED_MODELS["ko-mini"]
    assert source.folder is not None
    place = find_optimized(source, source.folder, tmp_path)
    assert place is not None
    report = json.loads(place.report.read_text())
    assert (report["model"], report["precision"], report["n_clips"]) == ("ko-mini", "int8", 8)
    assert [path.name for path in place.folder.parent.iterdir()] == [place.folder.name]

    chosen = open_engine(source, source.folder, load_settings(flags))
    assert isinstance(chosen, OpenVinoEngine)
    assert (chosen.backend, chosen.precision, chosen.device) == ("openvino", "int8", "cpu")
    assert chosen.calibration == source.calibration
    torch_engine = open_engine(source, source.folder, load_settings([*flags, "--backend", "torch"]))
    assert isinstance(torch_engine, TorchEngine)
    fp32 = open_engine(source, source.folder, load_settings([*flags, "--precision", "fp32"]))
    assert (fp32.backend, fp32.precision) == ("torch", "fp32")


def test_what_loses_too_much_is_not_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--demo", "--cache-dir", str(tmp_path), "--to", "bf16", "--threshold", "-1"]
    assert optimize.main(["KR", *flags]) == 1
    assert "NOT kept" in capsys.readouterr().out
    assert list((tmp_path / "stt-optimized").iterdir()) == []


def test_openvino_asked_for_without_an_optimised_model_says_how_to_make_one(
    tmp_path: Path,
) -> None:
    source = BUNDLED_MODELS["ko-mini"]
    assert source.folder is not None
    settings = load_settings(["--backend", "openvino", "--cache-dir", str(tmp_path)])
    with pytest.raises(ConfigurationError, match="Run `stt optimize`"):
        open_engine(source, source.folder, settings)


def test_loss_is_more_errors_where_the_truth_is_known_and_difference_where_not() -> None:
    silence = np.zeros(16000, np.float32)
    clips = [optimize.Clip("a", silence, "abcd"), optimize.Clip("b", silence, None)]
    cost = optimize.compare(clips, ["abcx", "efgh"], ["abcd", "efgx"])
    assert (cost.cer_fp32, cost.cer_optimized) == (0.25, 0.0)
    assert cost.disagreement == pytest.approx(2 / 8)
    assert cost.loss == 0.0
    unknown = [replace(clip, text=None) for clip in clips]
    assert optimize.compare(unknown, ["abcx", "efgh"], ["abcd", "efgx"]).loss == 2 / 8


def test_one_character_of_few_is_within_the_threshold_and_two_are_not() -> None:
    clips = [optimize.Clip("a", np.zeros(16000, np.float32), "abcdefgh")]
    one = optimize.compare(clips, ["abcdefgh"], ["abcdefgx"])
    assert (one.loss, one.resolution) == (1 / 8, 1 / 8)
    assert not one.exceeds(0.005)
    assert optimize.compare(clips, ["abcdefgh"], ["abcdefxx"]).exceeds(0.005)
    language = next(iter(choose_languages(["KR"], {}, demo=True)))
    told = optimize.render(one, "int8", language, 0.005, Path("kept"))
    assert "too few recordings to tell 0.50%: one of their 8 characters is 12.50%" in told


def test_few_recordings_are_heard_again_in_noise_and_many_are_not() -> None:
    clips = [tones(0.5, 16000, seed=seed)[:, 0] for seed in range(24)]
    assert len(optimize.with_noise(clips[:3])) == 12
    assert len(optimize.with_noise(clips)) == 24


def test_recordings_that_cannot_be_read_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from stt.languages import SUPPORTED_LANGUAGES

    (tmp_path / "broken.wav").write_bytes(b"RIFF....WAVE")
    with pytest.raises(ConfigurationError, match="no recording to calibrate with"):
        optimize.read_clips(tmp_path, SUPPORTED_LANGUAGES["KR"], 10)
    assert "broken.wav is left out" in capsys.readouterr().err
