"""Reads a checkpoint folder: configuration, feature extractor, vocabulary and frame grid."""

import json
import logging
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from stt.engines.families.base import Checkpoint, Family, Input
from stt.engines.families.table import family_of
from stt.engines.vocabulary import languages_of, read_vocabulary
from stt.errors import ModelBroken
from stt.types import SAMPLE_RATE

logger = logging.getLogger(__name__)


def read_checkpoint(folder: Path, language: str | None = None) -> Checkpoint:
    """Read everything but the weights.

    Args:
        folder: In transformers' layout.
        language: Of the adapter to use, for a checkpoint that has several.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
    """
    import transformers

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return _read(folder, language)
    except ModelBroken:
        raise
    except Exception as error:  # transformers raises many types, mostly OSError
        raise unreadable(error) from error


def _read(folder: Path, language: str | None) -> Checkpoint:
    from transformers import AutoConfig

    raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    family = family_of(raw)
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    extractor = _read_feature_extractor(folder, family)
    language = _choose_language(folder, raw, language)
    return Checkpoint(
        folder=folder,
        family=family,
        config=config,
        feature_extractor=extractor,
        vocabulary=read_vocabulary(
            folder,
            # The size of an MMS checkpoint is that of the language saved last.
            None if language else config.vocab_size,
            # Without one, transformers fills in its default.
            raw.get("pad_token_id", config.pad_token_id),
            language,
        ),
        grid=family.grid(config, extractor),
        language=language,
    )


def _read_feature_extractor(folder: Path, family: Family) -> Any:
    from transformers import AutoFeatureExtractor, Wav2Vec2FeatureExtractor

    takes_waveforms = family.input is Input.WAVEFORM
    reader = Wav2Vec2FeatureExtractor if takes_waveforms else AutoFeatureExtractor
    extractor = reader.from_pretrained(folder, local_files_only=True)
    if extractor.sampling_rate != SAMPLE_RATE:
        raise ModelBroken(
            f"The checkpoint was trained on audio of {extractor.sampling_rate} Hz; this service "
            f"computes at {SAMPLE_RATE} Hz. Choose another with STT_MODELS."
        )
    return extractor


def _choose_language(folder: Path, config: Mapping[str, Any], language: str | None) -> str | None:
    """The language whose vocabulary and adapter to read, or None if there is only one."""
    languages = languages_of(folder)
    if language is not None:
        if language in languages:
            return language
        if not languages:
            raise ModelBroken(
                f"The checkpoint has one language, so it has no adapter {language!r}. Remove "
                f"#{language} from STT_MODELS."
            )
        similar = get_close_matches(language, languages, n=3) or languages[:3]
        raise ModelBroken(
            f"The checkpoint has no adapter {language!r}; it has {len(languages)} languages, "
            f"such as {', '.join(similar)}. Correct the part after # in STT_MODELS."
        )
    if len(languages) > 1:
        raise ModelBroken(
            f"The checkpoint has {len(languages)} languages and none is chosen. Name one in "
            f"STT_MODELS: CODE=MODEL#{'kor' if 'kor' in languages else languages[0]}."
        )
    return None


def unreadable(error: Exception) -> ModelBroken:
    """The error for a folder that transformers cannot read."""
    # The start of the library's message, on one line.
    line = " ".join(str(error).split()) or type(error).__name__
    return ModelBroken(
        f"The model folder cannot be read ({line[:160]}). Expected transformers' layout: "
        "config.json, preprocessor_config.json, vocab.json or tokenizer.json, "
        "tokenizer_config.json and model.safetensors. Delete it and download again, or check the "
        "path in STT_MODELS."
    )
