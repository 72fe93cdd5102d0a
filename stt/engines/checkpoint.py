"""A checkpoint folder's configuration, feature extractor and vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stt.errors import ModelBroken
from stt.types import SAMPLE_RATE, FrameGrid, Vocabulary, Waveform


@dataclass(frozen=True)
class Checkpoint:
    """A folder in transformers' layout, read except for its weights."""

    folder: Path
    config: Any
    """transformers' configuration."""
    feature_extractor: Any
    vocabulary: Vocabulary
    grid: FrameGrid

    @property
    def takes_mask(self) -> bool:
        """Whether padding can be masked.

        Models with group norm over time, such as wav2vec2-base-960h, were trained without a mask,
        and padding changes their results.
        """
        return bool(self.feature_extractor.return_attention_mask)

    def inputs(self, waveforms: Sequence[Waveform], *, framework: str) -> Any:
        """Normalise and pad: ``input_values`` and ``attention_mask``, ``[n, n_samples]``.

        ``framework`` is transformers' name of the array type: ``pt`` or ``np``.
        """
        return self.feature_extractor(
            list(waveforms), sampling_rate=SAMPLE_RATE, padding=True, return_tensors=framework
        )


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read configuration, feature extractor and vocabulary.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
    """
    import transformers
    from transformers import AutoConfig, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        _check_architecture(config)
        feature_extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
        tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(folder, local_files_only=True)
    except ModelBroken:
        raise
    except Exception as error:  # transformers raises many types, mostly OSError
        raise unreadable(error) from error
    return Checkpoint(
        folder=folder,
        config=config,
        feature_extractor=feature_extractor,
        vocabulary=read_vocabulary(tokenizer, config.vocab_size),
        grid=FrameGrid.of_convolutions(config.conv_kernel, config.conv_stride),
    )


def read_vocabulary(tokenizer: Any, n_columns: int) -> Vocabulary:
    """Read the symbols of a transformers CTC tokenizer."""
    # A checkpoint may have more columns than tokens; the extra ones are untrained.
    symbols = [tokenizer.convert_ids_to_tokens(column) or "" for column in range(n_columns)]
    return Vocabulary(
        symbols=tuple(symbols),
        blank=tokenizer.pad_token_id,
        delimiter=tokenizer.word_delimiter_token or " ",
        lower_case=bool(getattr(tokenizer, "do_lower_case", False)),
    )


def unreadable(error: Exception) -> ModelBroken:
    """The error for a folder that transformers cannot read."""
    # The start of the library's message, on one line.
    line = " ".join(str(error).split()) or type(error).__name__
    return ModelBroken(
        f"The model folder cannot be read ({line[:160]}). Expected transformers' layout: "
        "config.json, preprocessor_config.json, vocab.json, tokenizer_config.json and "
        "model.safetensors. Delete it and download again, or check the path in STT_MODELS."
    )


def _check_architecture(config: Any) -> None:
    names = list(config.architectures or ["none"])
    if not any(name.endswith("ForCTC") for name in names) or not hasattr(config, "conv_kernel"):
        raise ModelBroken(
            f"The checkpoint's architecture is {', '.join(names)}; expected a CTC model of the "
            "Wav2Vec2 family (such as Wav2Vec2ForCTC, HubertForCTC, WavLMForCTC). Choose another "
            "with STT_MODELS."
        )
    if getattr(config, "add_adapter", False):
        raise ModelBroken(
            "The checkpoint has an adapter after its encoder, which changes the frame rate; such "
            "checkpoints are not supported. Choose another with STT_MODELS."
        )
