"""The recipes of the bundled models: every choice in one place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from transformers import Wav2Vec2Config

from training import vocabulary
from training.corpus import Delivery
from training.splits import Splits
from training.vocabulary import Vocabulary

CONV_KERNELS = (10, 3, 3, 3, 3, 2, 2)
CONV_STRIDES = (5, 2, 2, 2, 2, 2, 2)
FRAME_STRIDE = 320
"""Samples between output frames: the product of ``CONV_STRIDES``."""


def n_output_frames(n_samples: int) -> int:
    """Number of frames that the convolutions make of ``n_samples``."""
    for kernel, stride in zip(CONV_KERNELS, CONV_STRIDES, strict=True):
        n_samples = (n_samples - kernel) // stride + 1
    return n_samples


@dataclass(frozen=True)
class Curriculum:
    """What the model hears when, in hours of audio; all but ``audio_hours`` is absolute.

    So a run with fewer hours is the same run until its learning rate decays.
    """

    audio_hours: float
    peak_share: float = 1.0
    """The highest learning rate as a share of the recipe's."""
    decay_share: float = 0.6
    """Share of the run, at its end, in which the learning rate falls to zero."""
    warm_up_hours: float = 0.8
    short_until_hours: float = 2.5
    """Only clips below ``short_seconds`` until then: CTC leaves the blank plateau sooner."""
    short_seconds: float = 1.7
    phonemes_until_hours: float = 12.0
    """The weight of the phoneme loss falls from 1 to 0 by then."""
    noise_from_hours: float = 1.5
    empty_from_hours: float = 2.5
    """Clips without words (noise, silence) from here on."""
    empty_share: float = 0.05
    long_from_hours: float = 8.0
    """Clips are joined to 7-20 s, and a few to 60 s, from here on."""
    long_share: float = 0.07
    longest_share: float = 0.004
    windows_from_hours: float = 40.0
    """Clips are joined to windows of up to 24 s with longer pauses from here on: windows of a
    recording contain several sentences, and the pause between two must become a space."""
    window_share: float = 0.22


CONTINUED = Curriculum(
    audio_hours=45.0,
    peak_share=0.5,
    decay_share=0.8,
    warm_up_hours=0.5,
    short_until_hours=0.0,
    phonemes_until_hours=0.0,
    noise_from_hours=0.0,
    empty_from_hours=0.0,
    long_from_hours=0.0,
    windows_from_hours=0.0,
)
"""For a model that is trained already: all that it has learnt to hear, from the first hour on."""


@dataclass(frozen=True)
class Recipe:
    """One bundled model."""

    name: str
    language: str
    """Its BCP 47 tag."""
    vocabulary: Vocabulary
    make_splits: Callable[[int, int], Splits]
    delivery: Delivery
    """Of the held-out sets, and of training unless ``training_delivery`` says otherwise."""
    unheard_voices: tuple[str, ...]
    """Voices that are measured but not trained on."""
    curriculum: Curriculum
    is_xlsr_like: bool
    """Layer norm in every convolution, stable layer norm and an attention mask, as in XLSR.
    Otherwise group norm in the first, post layer norm and no mask, as in wav2vec2-base-960h."""
    training_delivery: Delivery | None = None
    n_train_texts: int = 40_000
    speaks_lower_case: bool = False
    hidden_size: int = 288
    n_layers: int = 5
    n_heads: int = 4
    feed_forward_size: int = 1152
    conv_widths: tuple[int, ...] = (48, 64, 96, 128, 160, 192, 192)
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    ema_decay: float = 0.998
    batch_seconds: float = 28.0
    targets: dict[str, float] = field(default_factory=dict)
    """Target character error rates by evaluation set."""

    @cached_property
    def config(self) -> Wav2Vec2Config:
        return Wav2Vec2Config(
            vocab_size=len(self.vocabulary.tokens),
            hidden_size=self.hidden_size,
            num_hidden_layers=self.n_layers,
            num_attention_heads=self.n_heads,
            intermediate_size=self.feed_forward_size,
            hidden_act="gelu",
            hidden_dropout=0.0,
            activation_dropout=0.0,
            attention_dropout=0.0,
            feat_proj_dropout=0.0,
            final_dropout=0.0,
            layerdrop=0.0,
            feat_extract_norm="layer" if self.is_xlsr_like else "group",
            feat_extract_activation="gelu",
            conv_dim=self.conv_widths,
            conv_kernel=CONV_KERNELS,
            conv_stride=CONV_STRIDES,
            conv_bias=self.is_xlsr_like,
            do_stable_layer_norm=self.is_xlsr_like,
            num_conv_pos_embeddings=32,
            num_conv_pos_embedding_groups=16,
            apply_spec_augment=False,
            mask_time_prob=0.0,
            mask_feature_prob=0.0,
            ctc_loss_reduction="mean",
            ctc_zero_infinity=True,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )


_MORE_HEARD = (
    "Alex Andrea Andy Annie Denis Gene Hugo Michael Mike adam antonio belinda benjamin boris caleb "
    "ed grandma max michel norbert paul quincy rob robert sandro victor"
)
_HEARD, _UNHEARD = "m1 m2 m3 m4 m6 m7 f1 f2 f3 f5", "m5 f4 linda john m8 steph"


def _variants(language: str, often: int, names: str) -> tuple[str, ...]:
    return (language,) * often + tuple(f"{language}+{name}" for name in names.split())


def _korean_splits(n_train: int, seed: int) -> Splits:
    from training.text_ko import make_splits

    return make_splits(n_train, seed)


def _english_splits(n_train: int, seed: int) -> Splits:
    from training.text_en import make_splits

    return make_splits(n_train, seed)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="ko-mini",
            language="ko",
            vocabulary=vocabulary.KOREAN,
            make_splits=_korean_splits,
            delivery=Delivery(_variants("ko", 4, _HEARD)),
            unheard_voices=_variants("ko", 0, _UNHEARD),
            training_delivery=Delivery(
                _variants("ko", 4, _HEARD) * 8 + _variants("ko", 0, _MORE_HEARD),
                words_per_minute=(82, 215),
                pitch=(10, 90),
            ),
            curriculum=Curriculum(audio_hours=60.5),
            is_xlsr_like=True,
            targets={"test_sentences": 0.04, "test_words": 0.08, "everyday": 0.06},
        ),
        Recipe(
            name="en-mini",
            language="en",
            vocabulary=vocabulary.ENGLISH,
            make_splits=_english_splits,
            delivery=Delivery(_variants("en-us", 4, _HEARD)),
            unheard_voices=_variants("en-us", 0, _UNHEARD),
            curriculum=Curriculum(audio_hours=57.5, warm_up_hours=1.2, windows_from_hours=37),
            is_xlsr_like=False,
            learning_rate=1.2e-3,
            speaks_lower_case=True,
            targets={"test_sentences": 0.05, "test_words": 0.12},
        ),
    )
}
