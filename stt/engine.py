"""The acoustic model: waveforms in, log-probs out.

An engine is synchronous and knows nothing of requests or time. There is one for each language,
made once, when the app starts.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from stt.ctc import Vocabulary
from stt.errors import ConfigurationError, ModelBroken
from stt.transcript import SAMPLE_RATE, LogProbs, Waveform
from stt.windows import FrameGrid

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """What the rest of the service needs of a model."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What the columns of the log-probs stand for."""
        ...

    @property
    def grid(self) -> FrameGrid:
        """Which samples the frames cover: what the checkpoint's convolutions say."""
        ...

    @property
    def device(self) -> str:
        """Where it computes: ``cpu`` or ``cuda:N``."""
        ...

    def forward(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """One result for each waveform, in order, of ``grid.n_frames(len(waveform))`` frames.

        What the other waveforms of the batch are does not show in a result. Each must have at
        least ``grid.receptive_samples`` samples.
        """
        ...


def prepare_process() -> None:
    """Set what torch and the hub client read from the environment when they are imported.

    Called by the entry points before anything heavy is imported; what the user has set stays.
    """
    for name, value in {
        # oneDNN keeps a compiled kernel for every input length it has seen. Unbounded, 400 random
        # lengths cost a small model 630 MB; bounded, 12 MB.
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
        "LRU_CACHE_CAPACITY": "64",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }.items():
        os.environ.setdefault(name, value)


def choose_device(wanted: str) -> str:
    """``auto`` is the first CUDA device where there is one, else the CPU.

    Raises:
        ConfigurationError: a CUDA device is asked for that is not there.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    if wanted == "cpu":
        return "cpu"
    index = int(wanted.partition(":")[2] or 0)
    if index >= count:
        found = f"{count} CUDA device(s)" if count else "no CUDA device"
        raise ConfigurationError(
            f"STT_DEVICE={wanted} but torch finds {found} here. Set STT_DEVICE=auto or cpu, or "
            "check the NVIDIA driver and, in a container, that it was given the GPU (--gpus all)."
        )
    return f"cuda:{index}"


class TorchEngine:
    """A transformers CTC checkpoint of the Wav2Vec2 family, in fp32 with torch."""

    def __init__(self, model: Any, feature_extractor: Any, tokenizer: Any, device: str) -> None:
        self._model = model
        self._feature_extractor = feature_extractor
        self._takes_mask = bool(feature_extractor.return_attention_mask)
        self.device = device
        self.vocabulary = read_vocabulary(tokenizer, model.config.vocab_size)
        self.grid = FrameGrid.of_convolutions(model.config.conv_kernel, model.config.conv_stride)

    def forward(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """See `Engine.forward`."""
        results: dict[int, LogProbs] = {}
        for group in self._groups(waveforms):
            outputs = self._forward_padded([waveforms[index] for index in group])
            results.update(zip(group, outputs, strict=True))
        return [results[index] for index in range(len(waveforms))]

    def _groups(self, waveforms: Sequence[Waveform]) -> Iterator[list[int]]:
        """Indices of what may share a forward.

        A checkpoint that was trained without attention mask (group norm over time, as
        wav2vec2-base-960h) would see its padding, so only equal lengths go together.
        """
        groups: dict[int, list[int]] = {}
        for index, waveform in enumerate(waveforms):
            groups.setdefault(0 if self._takes_mask else len(waveform), []).append(index)
        yield from groups.values()

    def _forward_padded(self, waveforms: list[Waveform]) -> list[LogProbs]:
        import torch

        inputs = self._feature_extractor(
            waveforms, sampling_rate=SAMPLE_RATE, padding=True, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = self._model(
                inputs["input_values"].to(self.device),
                attention_mask=(
                    inputs["attention_mask"].to(self.device) if self._takes_mask else None
                ),
            ).logits
            log_probs = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
        return [
            rows[: self.grid.n_frames(len(waveform))]
            for rows, waveform in zip(log_probs, waveforms, strict=True)
        ]


def read_vocabulary(tokenizer: Any, n_columns: int) -> Vocabulary:
    """Take the symbols out of a transformers CTC tokenizer."""
    # A checkpoint may have more columns than its tokenizer has tokens; they are never trained.
    symbols = [tokenizer.convert_ids_to_tokens(column) or "" for column in range(n_columns)]
    return Vocabulary(
        symbols=tuple(symbols),
        blank=tokenizer.pad_token_id,
        delimiter=tokenizer.word_delimiter_token or " ",
        lower_case=bool(getattr(tokenizer, "do_lower_case", False)),
    )


def load_engine(folder: Path, *, device: str) -> TorchEngine:
    """Read a checkpoint folder in transformers' layout.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
    """
    import torch
    import transformers
    from transformers import (
        AutoConfig,
        AutoModelForCTC,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
    )

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(folder, **local)
        _check_architecture(config)
        feature_extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
        tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(folder, local_files_only=True)
        model, report = AutoModelForCTC.from_pretrained(
            folder,
            **local,
            dtype=torch.float32,
            # A .bin is a pickle; transformers reads it through torch's weights-only loader.
            use_safetensors=any(
                (folder / name).is_file()
                for name in ("model.safetensors", "model.safetensors.index.json")
            ),
            weights_only=True,
            output_loading_info=True,
        )
    except ModelBroken:
        raise
    except Exception as error:  # transformers raises many kinds, most of them OSError
        raise ModelBroken(
            f"The model folder cannot be read ({_first_sentence(error)}). Expected transformers' "
            "layout: config.json, preprocessor_config.json, vocab.json, tokenizer_config.json and "
            "model.safetensors. Delete it and download again, or check the path in STT_MODELS."
        ) from error
    if report["missing_keys"]:
        raise ModelBroken(
            f"The weights lack {len(report['missing_keys'])} of the tensors that config.json "
            "calls for, so the model would guess. Was it fine-tuned for CTC, and saved whole?"
        )
    logger.info("model read", extra={"parameters": model.num_parameters(), "device": device})
    return TorchEngine(model.eval().to(device), feature_extractor, tokenizer, device)


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


def _first_sentence(error: Exception) -> str:
    """Enough of a library's message for a log or an operator, on one line and not long."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line[:160]
