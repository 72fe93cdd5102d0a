"""Small checkpoints of every family, with random weights, as transformers saves them."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJ")
SMALL = {
    "vocab_size": len(TOKENS), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 64, "pad_token_id": 0,
}  # fmt: skip
CONVOLUTIONS = {
    "conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}  # fmt: skip
LAYER_NORM = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}
GROUP_NORM = {"feat_extract_norm": "group", "conv_bias": False, "do_stable_layer_norm": False}
SEW = {**CONVOLUTIONS, "conv_dim": (16,) * 13, "feat_extract_norm": "layer", "conv_bias": True}
CONFORMER = {**CONVOLUTIONS, "feat_extract_norm": "layer", "conv_bias": True}
PARAKEET = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "subsampling_conv_channels": 16, "num_mel_bins": 80,
    "initializer_range": 0.35,  # with less, all frames are alike
}  # fmt: skip

SHAPES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "Wav2Vec2, layer norm": ("Wav2Vec2", {**CONVOLUTIONS, **LAYER_NORM}),
    "Wav2Vec2, group norm": ("Wav2Vec2", {**CONVOLUTIONS, **GROUP_NORM}),
    "Wav2Vec2, adapter": ("Wav2Vec2", {**CONVOLUTIONS, **LAYER_NORM, "add_adapter": True}),
    "HuBERT, layer norm": ("Hubert", {**CONVOLUTIONS, **LAYER_NORM}),
    "HuBERT, group norm": ("Hubert", {**CONVOLUTIONS, **GROUP_NORM, "feat_proj_layer_norm": False}),
    "HuBERT, batch norm": ("Hubert", {**CONVOLUTIONS, **LAYER_NORM, "conv_pos_batch_norm": True}),
    "WavLM, layer norm": ("WavLM", {**CONVOLUTIONS, **LAYER_NORM}),
    "WavLM, group norm": ("WavLM", {**CONVOLUTIONS, **GROUP_NORM}),
    "Data2Vec-audio": ("Data2VecAudio", {**CONVOLUTIONS, "num_conv_pos_embeddings": 5}),
    "UniSpeech": ("UniSpeech", {**CONVOLUTIONS, **LAYER_NORM}),
    "UniSpeech-SAT": ("UniSpeechSat", {**CONVOLUTIONS, **LAYER_NORM}),
    "SEW": ("SEW", SEW),
    "SEW-D": ("SEWD", SEW),
    "Wav2Vec2-Conformer, relative": ("Wav2Vec2Conformer", CONFORMER),
    "Wav2Vec2-Conformer, rotary": (
        "Wav2Vec2Conformer", {**CONFORMER, "position_embeddings_type": "rotary"},
    ),
    "Wav2Vec2-BERT": ("Wav2Vec2Bert", {"output_hidden_size": 32}),
    "Wav2Vec2-BERT, adapter": ("Wav2Vec2Bert", {"output_hidden_size": 32, "add_adapter": True}),
    "Parakeet CTC": ("Parakeet", {"encoder_config": PARAKEET}),
}  # fmt: skip
"""Each shape: the stem of transformers' class names, and its configuration."""


def save_checkpoint(folder: Path, shape: str, **changes: Any) -> Path:
    """Save a checkpoint of one of `SHAPES` with random weights and its processor.

    ``changes`` override its configuration.
    """
    import torch
    import transformers

    stem, config = SHAPES[shape]
    torch.manual_seed(0)
    is_parakeet = stem == "Parakeet"
    config_class = getattr(transformers, f"{stem}CTCConfig" if is_parakeet else f"{stem}Config")
    size = {"vocab_size": SMALL["vocab_size"], "pad_token_id": 0} if is_parakeet else SMALL
    model = getattr(transformers, f"{stem}ForCTC")(config_class(**{**size, **config, **changes}))
    _vary(model)
    model.save_pretrained(folder)
    _EXTRACTORS.get(stem, _save_waveform_extractor)(folder)
    if is_parakeet:
        save_pieces(folder)
    else:
        save_tokenizer(folder)
    return folder


def _vary(model: Any) -> None:
    """Make the head emit many symbols, and batch norms do something."""
    import torch

    head = model.lm_head if hasattr(model, "lm_head") else model.ctc_head
    weight = head.weight if hasattr(head, "weight") else next(head.parameters())
    torch.nn.init.normal_(weight, std=1.0 if hasattr(model, "ctc_head") else 3.0)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(module.running_mean, std=0.3)  # type: ignore[arg-type]
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)  # type: ignore[arg-type]


def _save_waveform_extractor(folder: Path) -> None:
    from transformers import Wav2Vec2FeatureExtractor

    # Group norm and a mask do not fit together, but some checkpoints have both.
    Wav2Vec2FeatureExtractor(return_attention_mask=True, do_normalize=True).save_pretrained(folder)


def _save_bert_extractor(folder: Path) -> None:
    from transformers import SeamlessM4TFeatureExtractor

    SeamlessM4TFeatureExtractor().save_pretrained(folder)


def _save_parakeet_extractor(folder: Path) -> None:
    from transformers import ParakeetFeatureExtractor

    ParakeetFeatureExtractor(feature_size=80).save_pretrained(folder)


_EXTRACTORS: Mapping[str, Callable[[Path], None]] = {
    "Wav2Vec2Bert": _save_bert_extractor,
    "Parakeet": _save_parakeet_extractor,
}


def save_tokenizer(
    folder: Path, tokens: Sequence[str] | Mapping[str, Any] = TOKENS, **options: Any
) -> Any:
    """Save a character tokenizer and return it.

    ``tokens`` is a list, or nested vocabularies by language.
    """
    from transformers import Wav2Vec2CTCTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = tokens if isinstance(tokens, Mapping) else {t: i for i, t in enumerate(tokens)}
    file = folder / "vocab.json"
    file.write_text(json.dumps(vocabulary), encoding="utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(str(file), **options)
    tokenizer.save_pretrained(folder)
    return tokenizer


PIECES = ("<pad>", "<unk>", "▁a", "▁b", "a", "b", "ab", "▁", "ba", "▁ba", *"cdefg")
"""As many as `TOKENS`."""


def save_pieces(folder: Path) -> Any:
    """Save a SentencePiece-like tokenizer and return it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import ParakeetTokenizer

    backend = Tokenizer(
        models.Unigram([(piece, -1.0) for piece in PIECES], unk_id=1, byte_fallback=False)
    )
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    tokenizer = ParakeetTokenizer(tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>")
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_mms(folder: Path) -> Path:
    """Save a checkpoint with adapters for English and Korean, whose vocabularies differ in size."""
    import torch
    from safetensors.torch import save_file
    from transformers import Wav2Vec2ForCTC

    save_checkpoint(folder, "Wav2Vec2, layer norm", adapter_attn_dim=8)
    special = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4}
    vocabularies = {
        "eng": {**special, **{letter: 5 + index for index, letter in enumerate("ABCDEFGHIJ")}},
        "kor": {**special, **{letter: 5 + index for index, letter in enumerate("가나다라")}},
    }
    save_tokenizer(folder, vocabularies, target_lang="eng")
    model = Wav2Vec2ForCTC.from_pretrained(folder)
    for seed, (language, vocabulary) in enumerate(vocabularies.items()):
        torch.manual_seed(seed)
        tensors = {name: torch.randn_like(value) for name, value in model._get_adapters().items()}
        tensors["lm_head.weight"] = 3 * torch.randn(len(vocabulary), SMALL["hidden_size"])
        tensors["lm_head.bias"] = torch.randn(len(vocabulary))
        save_file(tensors, folder / f"adapter.{language}.safetensors", {"format": "pt"})
    return folder
