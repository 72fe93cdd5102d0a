"""The training, on tiny networks and corpora."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2ForCTC

from training.__main__ import minutes_of
from training.augment import Augmenter, band_limit, normalise
from training.batches import NO_PHONEME, BatchStream, Position, padded_samples
from training.corpus import SAMPLE_RATE, Clip, Corpus
from training.export import export
from training.frontend import use_matrix_front_end
from training.recipe import CONTINUED, FRAME_STRIDE, RECIPES, Curriculum, Recipe, n_output_frames
from training.train import Deadline, ctc_loss, learning_rate_factor, phoneme_weight, train

TINY = {
    "hidden_size": 32,
    "n_layers": 1,
    "n_heads": 2,
    "feed_forward_size": 32,
    "conv_widths": (8, 8, 8, 8, 8, 8, 8),
    "batch_seconds": 4.0,
}
EARLY = Curriculum(
    audio_hours=0.01,
    short_until_hours=0.0,
    noise_from_hours=0.0,
    empty_from_hours=0.0,
    empty_share=0.2,
    long_from_hours=0.0,
    long_share=0.2,
)


@pytest.fixture(params=sorted(RECIPES))
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return replace(RECIPES[request.param], **TINY, curriculum=EARLY)


@pytest.fixture
def corpus(tmp_path: Path, recipe: Recipe) -> Corpus:
    """Forty clips of noise, each labelled as one word of two phonemes."""
    rng = np.random.default_rng(0)
    text = "가나" if recipe.language == "ko" else "GO"
    clips, samples = [], []
    for number in range(40):
        n_samples = 8_000 + 400 * number
        clips.append(
            Clip(text, "x", 120, 0, sum(map(len, samples)), n_samples, [0, 4_000], ["g", "o"])
        )
        samples.append(rng.integers(-9_000, 9_000, n_samples).astype(np.int16))
    (tmp_path / "set.pcm").write_bytes(np.concatenate(samples).tobytes())
    (tmp_path / "set.json").write_text(json.dumps([vars(clip) for clip in clips]))
    return Corpus(tmp_path / "set")


@pytest.mark.parametrize("n_samples", [400, 719, 720, 16_000, 16_123])
def test_the_number_of_frames_equals_the_model_output(recipe: Recipe, n_samples: int):
    model = Wav2Vec2ForCTC(recipe.config)
    assert n_output_frames(n_samples) == model(torch.randn(1, n_samples)).logits.shape[1]
    assert n_output_frames(n_samples) == int(model._get_feat_extract_output_lengths(n_samples))


@pytest.mark.parametrize("n_samples", [4_000, 16_123])
def test_the_matrix_front_end_equals_the_convolutions(recipe: Recipe, n_samples: int):
    torch.manual_seed(0)
    model = Wav2Vec2ForCTC(recipe.config)
    extractor = model.wav2vec2.feature_extractor
    waveforms = torch.randn(2, n_samples)

    def features_and_gradients():
        model.zero_grad()
        features = extractor(waveforms)
        features.square().sum().backward()
        return features.detach(), [p.grad.clone() for p in extractor.parameters()]

    plain, plain_gradients = features_and_gradients()
    use_matrix_front_end(model)
    fast, fast_gradients = features_and_gradients()
    torch.testing.assert_close(fast, plain, atol=1e-4, rtol=1e-4)
    for fast_gradient, plain_gradient in zip(fast_gradients, plain_gradients, strict=True):
        torch.testing.assert_close(fast_gradient, plain_gradient, atol=1e-2, rtol=1e-3)


def test_the_learning_rate_warms_up_stays_and_decays():
    curriculum = Curriculum(audio_hours=10, decay_share=0.4, warm_up_hours=1)
    factors = [learning_rate_factor(3600 * hours, curriculum) for hours in (0, 0.5, 1, 5.9, 8, 10)]
    assert factors == pytest.approx([0.02, 0.5, 1, 1, 0.5, 0])


def test_shorter_runs_are_the_same_until_the_decay():
    short, long = Curriculum(audio_hours=20), Curriculum(audio_hours=40)
    for hours in (0.1, 1, 5, 8):
        assert learning_rate_factor(3600 * hours, short) == learning_rate_factor(3600 * hours, long)
        assert phoneme_weight(3600 * hours, short) == phoneme_weight(3600 * hours, long)


def test_a_continued_run_has_no_phoneme_loss_and_a_lower_peak():
    assert phoneme_weight(0, CONTINUED) == 0
    peak = max(learning_rate_factor(3600 * hours, CONTINUED) for hours in range(46))
    assert peak == CONTINUED.peak_share


def test_a_deadline_leaves_the_hours_that_fit():
    curriculum = Deadline(at=time.time() + 1800).fit(CONTINUED, hours=10, rate=24)
    assert curriculum.audio_hours == pytest.approx(22, abs=0.1)
    assert Deadline(at=time.time() - 60).fit(CONTINUED, 10, 24).audio_hours == 10


def test_padded_lengths_are_few_and_long_enough():
    lengths = {padded_samples(n) for n in range(4_000, 60 * SAMPLE_RATE, 1_000)}
    assert len(lengths) < 40
    assert all(padded_samples(n) >= n for n in range(4_000, 60 * SAMPLE_RATE, 1_111))
    assert all(padded_samples(n) == n for n in lengths)


def test_the_loss_of_an_empty_row_is_that_of_its_blanks():
    logits = torch.zeros(1, 80, 5)
    loss = ctc_loss(logits, torch.zeros(0, dtype=torch.int64), torch.tensor([0]))
    assert float(loss) == pytest.approx(80 * np.log(5) / (80 / 8))


def test_batches_resume_where_they_stopped(recipe: Recipe, corpus: Corpus):
    stream = BatchStream(recipe, corpus, seed=1)
    whole = stream.starting_at(Position())
    batches = [next(whole) for _ in range(30)]
    assert batches[-1].position.block > 0
    for stop in (3, 28):
        resumed = next(stream.starting_at(batches[stop].position))
        assert torch.equal(resumed.waveforms, batches[stop + 1].waveforms)
        assert torch.equal(resumed.labels, batches[stop + 1].labels)
        assert resumed.position == batches[stop + 1].position
    total = sum(batch.seconds for batch in batches)
    assert batches[-1].position.seconds == pytest.approx(total)


def test_a_batch_describes_its_rows(recipe: Recipe, corpus: Corpus):
    stream = BatchStream(recipe, corpus, seed=1)
    iterator = stream.starting_at(Position())
    batches = [next(iterator) for _ in range(30)]
    word = recipe.vocabulary.encode("가나" if recipe.language == "ko" else "GO")
    n_words = set()
    for batch in batches:
        assert batch.phonemes.shape == (
            len(batch.waveforms),
            n_output_frames(batch.waveforms.shape[1]),
        )
        assert batch.label_lengths.sum() == len(batch.labels)
        for length, row in zip(batch.label_lengths.tolist(), batch.phonemes, strict=True):
            n_words.add((length + 1) // (len(word) + 1))
            assert (length == 0) == bool((row == NO_PHONEME).all())
    assert 0 in n_words, "some rows are noise alone"
    assert max(n_words) > 1, "some rows are several clips joined"


def test_phonemes_are_marked_at_their_frames(recipe: Recipe, corpus: Corpus):
    stream = BatchStream(recipe, corpus, seed=1)
    frames = np.full(60, NO_PHONEME)
    stream._mark_phonemes(0, 3_200, frames)
    begins = (3_200 - 200) / FRAME_STRIDE
    assert np.flatnonzero(frames != NO_PHONEME)[0] == round(begins)
    assert frames[round(begins + 4_000 / FRAME_STRIDE) + 1] == 1


def test_normalising_equals_the_feature_extractor():
    waveform = np.random.default_rng(0).normal(0.1, 0.3, 4_000).astype(np.float32)
    normalised = normalise(waveform)
    assert normalised.mean() == pytest.approx(0, abs=1e-5)
    assert normalised.std() == pytest.approx(1, abs=1e-4)
    assert not normalise(np.zeros(100, np.float32)).any()


def test_empty_clips_vary_in_level_and_length():
    augmenter = Augmenter(0)
    rng = np.random.default_rng(0)
    levels = []
    for n_samples in (8_000, 320_000) * 20:
        waveform = augmenter.empty(n_samples, rng)
        assert (len(waveform), waveform.dtype) == (n_samples, np.float32)
        levels.append(float(np.sqrt(np.mean(waveform**2))))
    assert min(levels) == 0.0
    assert max(levels) > 0.05


def test_band_limiting_removes_other_frequencies():
    seconds = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    low, middle, high = (np.sin(2 * np.pi * hertz * seconds) for hertz in (100, 1_000, 6_000))
    heard = band_limit((low + middle + high).astype(np.float32), 300, 3_400)
    np.testing.assert_allclose(heard, middle, atol=1e-3)


def test_a_tiny_model_trains_resumes_and_exports(tmp_path: Path, recipe: Recipe, corpus: Corpus):
    device = torch.device("cpu")
    half = replace(recipe, curriculum=replace(EARLY, audio_hours=0.005))
    train(half, corpus, {"dev": corpus}, tmp_path / "run", 1, device)
    model = train(recipe, corpus, {"dev": corpus}, tmp_path / "run", 1, device)
    reports = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [r["hours"] >= 0.005 for r in reports if "parameters" in r] == [False, True]
    assert reports[-1]["finished"]
    assert minutes_of(tmp_path / "run/log.jsonl") > 0

    export(model, recipe, tmp_path / "model")
    loaded = Wav2Vec2ForCTC.from_pretrained(tmp_path / "model", dtype=torch.float32).eval()
    waveform = torch.randn(1, 8_000)
    with torch.inference_mode():
        expected, got = model.eval()(waveform).logits, loaded(waveform).logits
    torch.testing.assert_close(got, expected, atol=2e-2, rtol=1e-2)
    saved = json.loads((tmp_path / "model/config.json").read_text())
    assert saved["feat_extract_norm"] == ("layer" if recipe.language == "ko" else "group")
