"""Finds a language model, in a file or beside a checkpoint, and how much it counts.

The folder is laid out as transformers' ``Wav2Vec2ProcessorWithLM`` saves it: ``language_model/``
with ``attrs.json`` and an ARPA file.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stt.errors import ConfigurationError, ModelBroken
from stt.language_model.arpa import read_arpa
from stt.language_model.ngram import LOG_10, NgramModel

FOLDER, ATTRIBUTES = "language_model", "attrs.json"
SUFFIXES = (".arpa", ".arpa.gz")
BINARY_SUFFIXES = (".bin", ".binary", ".klm", ".trie")
"""What people call KenLM's binaries."""


@dataclass(frozen=True)
class Weights:
    """How much a language model counts; the defaults are pyctcdecode's.

    For each unit a decoder adds ``alpha * (log-prob + unk_offset, if unknown) + beta``.
    """

    alpha: float = 0.5
    beta: float = 1.5
    """Makes up for what every unit costs; without it, texts would be too short."""
    unk_offset: float = -10 * LOG_10
    """Natural log, added to the log-prob of an unknown unit."""


@dataclass(frozen=True)
class LanguageModel:
    """A language model as a decoder uses it."""

    ngram: NgramModel
    alpha: float
    """Weight of its log-probs, which are natural logarithms."""
    beta: float
    """Added for each unit."""
    unk_offset: float
    """Added to the log-prob of an unknown unit, before alpha."""


def parse_language_models(text: str) -> dict[str, Path]:
    """Parse ``CODE=FILE,CODE=FILE``; a folder such as ``language_model/`` also is a FILE.

    Raises:
        ConfigurationError: an entry is malformed.
    """
    models = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        code, equals, path = (part.strip() for part in entry.partition("="))
        if not (code and equals and path):
            raise ConfigurationError(
                f"{entry!r} is not of the form CODE=FILE, such as KR=/models/ko.arpa.gz"
            )
        models[code] = Path(path).expanduser().absolute()
    return models


def language_model_of(checkpoint: Path) -> Path | None:
    """The folder of the language model that a checkpoint comes with, if it does."""
    folder = checkpoint / FOLDER
    return folder if folder.is_dir() else None


def load_language_model(path: Path) -> LanguageModel:
    """Read a language model and its weights.

    Args:
        path: An ARPA file, or a folder with one. Both may have an ``attrs.json`` beside them;
            without it the weights are the defaults of `Weights`.

    Raises:
        ConfigurationError: there is no such file.
        ModelBroken: the file, or ``attrs.json``, is malformed or not ARPA.
    """
    file = _file_in(path) if path.is_dir() else path
    weights = _read_weights(file.parent / ATTRIBUTES)
    ngram = NgramModel.of(*read_arpa(file))
    return LanguageModel(ngram, weights.alpha, weights.beta, weights.unk_offset)


def _file_in(folder: Path) -> Path:
    files = sorted(folder.iterdir())
    found = [file for file in files if file.name.endswith(SUFFIXES)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(file.name for file in found)
        raise ModelBroken(f"The folder {folder.name} has several language models: {names}.")
    binaries = [file.name for file in files if file.suffix in BINARY_SUFFIXES]
    if binaries:
        raise ModelBroken(
            f"{folder.name}/{binaries[0]} is a binary of KenLM, which cannot be read here. Put the "
            "ARPA file that it was built from into its place (.arpa or .arpa.gz)."
        )
    raise ModelBroken(f"The folder {folder.name} has no language model (.arpa or .arpa.gz).")


def _read_weights(path: Path) -> Weights:
    """The weights of ``attrs.json``, whose ``unk_score_offset`` is a logarithm to base 10."""
    try:
        attributes = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Weights()
    except (OSError, ValueError) as error:
        raise ModelBroken(f"{path.name} of the language model cannot be read.") from error
    if not isinstance(attributes, Mapping):
        raise ModelBroken(f"{path.name} of the language model is not a JSON object.")
    defaults = Weights()
    return Weights(
        _number(attributes, "alpha", defaults.alpha),
        _number(attributes, "beta", defaults.beta),
        _number(attributes, "unk_score_offset", defaults.unk_offset / LOG_10) * LOG_10,
    )


def _number(attributes: Mapping[str, object], name: str, default: float) -> float:
    value = attributes.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelBroken(f"{ATTRIBUTES} of the language model: {name} is not a number.")
    return float(value)
