"""Finds a language model, in a file or beside a checkpoint, and how much it counts.

The folder is laid out as transformers' ``Wav2Vec2ProcessorWithLM`` saves it: ``language_model/``
with ``attrs.json`` and an ARPA file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from stt.errors import ModelBroken
from stt.language_model.arpa import read_arpa
from stt.language_model.ngram import LOG_10, Kind, NgramModel

FOLDER, ATTRIBUTES = "language_model", "attrs.json"
SUFFIXES = (".arpa", ".arpa.gz")
BINARY_SUFFIXES = (".bin", ".binary", ".klm", ".trie")
"""What people call KenLM's binaries."""


MAX_WEIGHT = 1000
"""Larger weights would overflow sums of scores."""
ALPHA = 0.5
BETAS: Mapping[Kind, float] = MappingProxyType({"word": 1.5, "character": 0.5})
UNKNOWN_OFFSETS: Mapping[Kind, float] = MappingProxyType({"word": -10 * LOG_10, "character": 0.0})
"""The weights of a model without any: pyctcdecode's, but characters are more and cost less. Its
offset for one unknown character would outweigh that it was clearly spoken, and it would be left out
of the text."""


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A language model and how much it counts."""

    ngrams: NgramModel
    alpha: float
    """Weight of its log-probs against the acoustic model's."""
    beta: float
    """Added for each of its units, against its preference for short texts."""
    unknown_offset: float
    """Natural log, added to the log-prob of a unit that it does not know."""


def language_model_of(checkpoint: Path) -> Path | None:
    """The folder of the language model that a checkpoint comes with, if it does."""
    folder = checkpoint / FOLDER
    return folder if folder.is_dir() else None


def load_language_model(path: Path) -> LanguageModel:
    """Read a language model and its weights.

    Args:
        path: An ARPA file, or a folder with one. Both may have an ``attrs.json`` beside them;
            without it the weights are `ALPHA`, `BETAS` and `UNKNOWN_OFFSETS`.

    Raises:
        ConfigurationError: there is no such file.
        ModelBroken: the file, or ``attrs.json``, is malformed or not ARPA.
    """
    file = _file_in(path) if path.is_dir() else path
    attributes = _read_attributes(file.parent / ATTRIBUTES)
    ngrams = NgramModel.of(*read_arpa(file))
    # The offset is a logarithm to base 10 there.
    alpha, beta, offset = (
        _number(attributes, name, default)
        for name, default in (
            ("alpha", ALPHA),
            ("beta", BETAS[ngrams.kind]),
            ("unk_score_offset", UNKNOWN_OFFSETS[ngrams.kind] / LOG_10),
        )
    )
    return LanguageModel(ngrams, alpha, beta, offset * LOG_10)


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


def _read_attributes(path: Path) -> Mapping[str, object]:
    try:
        attributes = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelBroken(f"{path.name} of the language model cannot be read.") from error
    if not isinstance(attributes, Mapping):
        raise ModelBroken(f"{path.name} of the language model is not a JSON object.")
    return attributes


def _number(attributes: Mapping[str, object], name: str, default: float) -> float:
    value = attributes.get(name, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not -MAX_WEIGHT <= value <= MAX_WEIGHT:  # type: ignore[operator]
        raise ModelBroken(
            f"{ATTRIBUTES} of the language model: {name} is not a number from -{MAX_WEIGHT} to "
            f"{MAX_WEIGHT}."
        )
    return float(value)  # type: ignore[arg-type]
