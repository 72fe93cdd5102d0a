"""Recognition with the bundled models."""

import asyncio
import csv
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from stt.audio.reading import read_audio
from stt.decoding.greedy import GreedyDecoder
from stt.engines.torch import TorchEngine, load_torch_engine
from stt.engines.wants import BEST
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.languages import BUNDLED_FOLDER, BUNDLED_MODELS
from stt.recognition.pipeline import Transcriber
from stt.settings import load_settings
from stt.types import Transcript, Waveform
from tests.audio_files import with_libsndfile
from tests.jamo import repaired

SAMPLES = Path(__file__).parents[3] / "samples"
LANGUAGES = {"ko-mini": "KR", "en-mini": "EN"}


@pytest.fixture(scope="module", params=sorted(BUNDLED_MODELS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def engine(name: str) -> TorchEngine:
    return load_torch_engine(BUNDLED_FOLDER / name, device="cpu", precision="fp32", pads=True)


@pytest.fixture(scope="module")
def clips(name: str) -> list[Waveform]:
    """The sample recordings in the model's language."""
    with (SAMPLES / "texts.tsv").open(encoding="utf-8", newline="") as table:
        files = [
            row["file"]
            for row in csv.DictReader(table, delimiter="\t")
            if row["lang"] == LANGUAGES[name]
        ]
    waveforms = []
    for file in files:
        with (SAMPLES / file).open("rb") as handle:
            waveforms.append(np.concatenate(list(read_audio(handle, max_seconds=60))))
    return waveforms


def text_of(engine: TorchEngine, frames: Frames) -> str:
    decoder = GreedyDecoder(engine.vocabulary, engine.grid)
    words = decoder.feed(frames) + decoder.finish()
    return " ".join(word.text for word in words)


def transcribe(engine: TorchEngine, waveform: Waveform, *flags: str) -> Transcript:
    """Transcribe along the whole path of an upload."""

    async def run() -> Transcript:
        batcher = Batcher()
        transcriber = Transcriber(batcher, load_settings(flags))
        try:
            source = BytesIO(with_libsndfile(waveform[:, None], 16000, "WAV", "FLOAT"))
            return await transcriber.transcribe(source, engine)
        finally:
            transcriber.close()
            batcher.close()

    return asyncio.run(run())


def test_the_package_includes_models_and_their_cards(name: str) -> None:
    from safetensors import safe_open

    folder = BUNDLED_FOLDER / name
    assert (folder / "model.safetensors").stat().st_size <= 12e6
    with safe_open(folder / "model.safetensors", framework="np") as weights:
        kinds = {weights.get_slice(key).get_dtype() for key in weights.keys()}  # noqa: SIM118
    assert kinds == {"F16"}
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card
    assert "espeak-ng" in card
    assert f"python -m training {name}" in card


def test_both_checkpoint_families_are_bundled() -> None:
    import json

    norms = {
        name: json.loads((BUNDLED_FOLDER / name / "config.json").read_text())["feat_extract_norm"]
        for name in BUNDLED_MODELS
    }
    assert norms == {"ko-mini": "layer", "en-mini": "group"}


def test_batched_equals_alone(engine: TorchEngine, clips: list[Waveform]) -> None:
    # Mixed lengths: some equal, one much shorter.
    batch = [*clips, clips[0][:20_000], clips[1][:20_000], clips[0], clips[-1][:3_000]]
    for waveform, log_probs in zip(batch, engine.log_probs(batch), strict=True):
        [alone] = engine.log_probs([waveform])
        np.testing.assert_allclose(log_probs, alone, atol=1e-4)
        assert text_of(engine, BEST.reduce(log_probs)) == text_of(engine, BEST.reduce(alone))


def test_text_equals_transformers(name: str, engine: TorchEngine, clips: list[Waveform]) -> None:
    import torch
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

    processor = Wav2Vec2Processor.from_pretrained(BUNDLED_FOLDER / name)
    model = Wav2Vec2ForCTC.from_pretrained(BUNDLED_FOLDER / name, dtype=torch.float32).eval()
    for waveform in clips:
        inputs = processor(waveform, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            [expected] = processor.batch_decode(model(**inputs).logits.argmax(-1))
        assert transcribe(engine, waveform).text == repaired(expected)


def test_the_text_of_one_window_equals_one_forward(
    engine: TorchEngine, clips: list[Waveform]
) -> None:
    waveform = np.concatenate(clips)[: 20 * 16000 + 79]
    assert transcribe(engine, waveform).text == text_of(engine, engine.forward([waveform], BEST)[0])


def test_long_recordings_keep_words_and_times(engine: TorchEngine, clips: list[Waveform]) -> None:
    pause = np.zeros(8_000, np.float32)
    pieces = [piece for clip in clips for piece in (clip, pause)]
    once = np.concatenate(pieces)
    expected = " ".join(transcribe(engine, clip).text for clip in clips)
    repeats = 8
    transcript = transcribe(engine, np.concatenate([once] * repeats))
    # Each repetition is cut at different places, and still has the same text.
    heard = transcript.text
    assert heard.count(expected.split()[0]) >= repeats
    assert abs(len(heard) - len(" ".join([expected] * repeats))) <= 0.02 * len(heard)
    times = [time for word in transcript.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= transcript.duration_seconds
    # In each repetition a word is one period later than in the one before.
    firsts = [word.start for word in transcript.words if word.text == expected.split()[0]]
    period = len(once) / 16000
    offsets = np.array([start % period for start in firsts])
    near = np.minimum(np.abs(offsets - offsets[0]), period - np.abs(offsets - offsets[0]))
    assert np.median(near) <= 0.04


def test_no_word_reaches_over_a_silence(engine: TorchEngine, clips: list[Waveform]) -> None:
    # The models often emit no delimiter in a long silence.
    silence = np.zeros(8 * 16000, np.float32)
    recording = np.concatenate([piece for clip in clips for piece in (clip, silence)])
    words = transcribe(engine, recording).words
    assert max(word.end - word.start for word in words) < 2
    assert len(words) == sum(len(transcribe(engine, clip).words) for clip in clips)


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_times_survive_resampling(engine: TorchEngine, clips: list[Waveform], rate: int) -> None:
    import soxr

    pause = np.zeros(8_000, np.float32)
    waveform = np.concatenate([piece for clip in clips for piece in (clip, pause)])
    there = soxr.resample(waveform, 16_000, rate)
    back = soxr.resample(there, rate, 16_000)
    original, resampled = transcribe(engine, waveform).words, transcribe(engine, back).words
    pairs = [
        (word, other)
        for word, other in zip(original, resampled, strict=False)
        if word.text == other.text
    ]
    assert len(pairs) >= 0.8 * len(original)
    differences = [abs(word.start - other.start) for word, other in pairs]
    assert np.median(differences) <= 0.02


@pytest.mark.parametrize("level", [0.0, 0.001, 0.01, 0.1])
def test_silence_and_noise_give_no_text(engine: TorchEngine, level: float) -> None:
    noise = np.random.default_rng(1).normal(0, 1, 5 * 16000).astype(np.float32) * np.float32(level)
    assert transcribe(engine, noise).text == ""
