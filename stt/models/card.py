"""A model's card: error rates that people measured on recordings of their own.

``stt evaluate --save-card`` writes it, `/languages` and `/v1/models` show it. The card of a folder
lies in the folder; that of a model from the hub lies beside the cache, whose snapshots are not
ours to write into. It names the weights it was measured on, so that no card outlives them.
"""

import hashlib
import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from stt.errors import ModelBroken
from stt.languages import ModelSource
from stt.models.files import adapter_among, weights_among
from stt.models.source import find_locally
from stt.settings.folders import beside_cache

logger = logging.getLogger(__name__)

MAX_NAME = 100
"""Characters of a set's name."""
FOLDER = "stt-cards"
"""Beside the model cache."""
MAX_BYTES = 256 * 1024
MAX_EVALUATIONS = 100
"""When there are more, the oldest are dropped."""
N_BLOCKS, BLOCK_BYTES = 64, 4096
"""What `identify` reads of each file of weights: training changes nearly every block."""

_Text = Annotated[str, StringConstraints(max_length=200)]
_Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Evaluation:
    """The error rates of a model on one set of recordings."""

    set: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
    """Its name."""
    n: Annotated[int, Field(ge=0)]
    """Recordings that were transcribed."""
    cer: _Rate | None
    """Character error rate, as a fraction; None if the references are empty."""
    cer_by_reading: _Rate | None
    """The same with both texts read aloud, so that 3시 equals 세 시; None if unknown."""
    normaliser: _Text
    """How both texts were normalised for ``cer``; see ``stt evaluate --normaliser``."""
    decoding: _Text
    """``best_path``, or those of ``hotwords``, ``language_model``, ``written`` that were used."""
    precision: _Text
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
    """UTC, ISO 8601."""
    commit: _Text
    """Of this service, or its version if it is no checkout; "" if unknown."""


@dataclass(frozen=True)
class Card:
    """The evaluations of one model."""

    weights: _Text
    """See `identify`."""
    evaluations: tuple[Evaluation, ...] = ()
    """One for each set, the oldest first."""

    def with_evaluation(self, evaluation: Evaluation) -> "Card":
        """This card with an evaluation, in place of an earlier one of the same set."""
        others = [each for each in self.evaluations if each.set != evaluation.set]
        return replace(self, evaluations=(*others, evaluation)[-MAX_EVALUATIONS:])

    def to_json(self) -> str:
        """The content of its file."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"


_CARD = TypeAdapter(Card)


def identify(folder: Path, adapter: str | None = None) -> str:
    """Identify the weights of a checkpoint without reading them whole, wherever it is copied to.

    Raises:
        OSError: they cannot be read.
    """
    digest = hashlib.sha256()
    for path in _weight_files(folder, adapter):
        with path.open("rb") as file:
            size = file.seek(0, 2)
            digest.update(f"{path.name} {size}\n".encode())
            for number in range(N_BLOCKS):
                file.seek(size * number // N_BLOCKS)
                digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()[:16]


def _weight_files(folder: Path, adapter: str | None) -> list[Path]:
    names = {entry.name for entry in folder.iterdir()}
    adapters = adapter_among(names, adapter) if adapter else []
    return [folder / name for name in (*weights_among(names), *adapters)]


def read_card(source: ModelSource, checkpoint: Path, cache: Path | None) -> Card:
    """The card of a checkpoint; an empty one if there is none that can be read.

    Args:
        source: The configured model.
        checkpoint: Its folder.
        cache: ``cache_dir`` of the settings; None means the hub client's default.
    """
    try:
        card = Card(identify(checkpoint, source.adapter))
    except OSError as error:
        logger.warning("%s has no card: its weights cannot be read: %s", source.name, error)
        return Card("")
    for path in _places(source, checkpoint, cache):
        for evaluation in _read(path, card.weights):
            card = card.with_evaluation(evaluation)
    return card


def add_evaluation(
    source: ModelSource, checkpoint: Path, cache: Path | None, evaluation: Evaluation
) -> str:
    """The content of a checkpoint's `card_file` with one more evaluation.

    Raises:
        OSError: the weights cannot be read.
    """
    weights = identify(checkpoint, source.adapter)
    stored = tuple(_read(card_file(source, checkpoint, cache), weights))
    return Card(weights, stored).with_evaluation(evaluation).to_json()


def card_file(source: ModelSource, checkpoint: Path, cache: Path | None) -> Path:
    """The file that new evaluations are written to."""
    if source.folder is not None and not source.is_bundled:
        return _in_folder(source, checkpoint)
    revision = "bundled" if source.is_bundled else checkpoint.name  # the snapshot's commit
    name = re.sub(r"[^A-Za-z0-9._-]+", "--", f"{source.name}@{revision}")
    return beside_cache(cache, FOLDER) / f"{name}.json"


class Cards:
    """The cards of served models, read again when they change."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._cards: dict[ModelSource, tuple[list[tuple[int, int]], Card]] = {}

    def evaluations(self, source: ModelSource) -> list[Evaluation]:
        """The evaluations of a model; none while it is not on this machine."""
        try:
            checkpoint = find_locally(source, self._cache)
        except ModelBroken:
            checkpoint = None
        if checkpoint is None:
            return []
        try:
            weights = _weight_files(checkpoint, source.adapter)
        except OSError:  # the folder was removed just now, or may not be read
            return []
        state = _state(*weights, *_places(source, checkpoint, self._cache))
        if source not in self._cards or self._cards[source][0] != state:
            self._cards[source] = state, read_card(source, checkpoint, self._cache)
        return list(self._cards[source][1].evaluations)


def _state(*paths: Path) -> list[tuple[int, int]]:
    """What differs when a file has changed."""
    return [(status.st_mtime_ns, status.st_size) for path in paths if (status := _status(path))]


def _status(path: Path) -> os.stat_result | None:
    """None of what is no file, or gone: a card may be replaced at any time."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _in_folder(source: ModelSource, checkpoint: Path) -> Path:
    adapter = f".{source.adapter}" if source.adapter else ""
    return checkpoint / f"stt-card{adapter}.json"


def _places(source: ModelSource, checkpoint: Path, cache: Path | None) -> list[Path]:
    """Where evaluations may be; later ones replace earlier ones."""
    return list(
        dict.fromkeys((_in_folder(source, checkpoint), card_file(source, checkpoint, cache)))
    )


def _read(path: Path, weights: str) -> Iterator[Evaluation]:
    """The evaluations of a file, or none if it is broken or of other weights."""
    if _status(path) is None:  # opening a pipe would wait for ever
        return
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        card = _CARD.validate_json(content)
    except FileNotFoundError:
        return
    except ValidationError as error:
        fault = error.errors()[0]
        where = "".join(f"{each}: " for each in fault["loc"])
        logger.warning("the card %s is ignored: %s%s", path, where, fault["msg"])
        return
    except (OSError, ValueError) as error:
        logger.warning("the card %s is ignored: %s", path, error)
        return
    if card.weights != weights:
        logger.warning("the card %s is ignored: it is of other weights", path)
        return
    yield from card.evaluations
