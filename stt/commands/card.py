"""``stt evaluate --save-card``: the error rates of a set, stored with the model."""

import logging
from pathlib import Path

from stt.commands.checkout import commit
from stt.commands.outputs import write_whole
from stt.commands.recognition import LocalRecognizer
from stt.errors import ConfigurationError
from stt.evaluation.rates import BY_READING
from stt.evaluation.report import Report
from stt.models.card import MAX_NAME, Evaluation, add_evaluation, card_file
from stt.normalisation import compose
from stt.settings import Settings

logger = logging.getLogger(__name__)


def name_of_set(given: str, manifest: Path) -> str:
    """The name of a set: as it was given, or else the manifest's.

    Raises:
        ConfigurationError: it is too long, or cannot be printed.
    """
    name = compose(given).strip() or compose(manifest.stem)
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise ConfigurationError(
            f"--save-card {name[:40]!r}: expected the name of a set, 1 to {MAX_NAME} characters."
        )
    return name


def save_card(
    report: Report,
    name: str,
    recognizer: LocalRecognizer,
    settings: Settings,
    *,
    written: bool = False,
) -> None:
    """Store the error rates with the model.

    Args:
        report: The outcome.
        name: As from `name_of_set`.
        recognizer: What was evaluated.
        settings: Its settings.
        written: Whether the texts were written forms.

    Raises:
        ConfigurationError: they cannot be stored.
    """
    if not report.results:
        raise ConfigurationError("--save-card: no recording was transcribed.")
    decoding = recognizer.plan.decoding
    used = {
        "hotwords": decoding.hotwords,
        "language_model": decoding.language_model,
        "written": written,
    }
    by_reading = (rate.errors.rate for rate in report.rates if rate.measure is BY_READING)
    evaluation = Evaluation(
        set=name,
        n=len(report.results),
        cer=_rounded(report.scores.characters.rate),
        cer_by_reading=_rounded(next(by_reading, None)),
        normaliser=report.conditions.normaliser,
        decoding=", ".join(each for each, is_used in used.items() if is_used) or "best_path",
        precision=report.conditions.precision,
        date=report.conditions.date,
        commit=commit("stt"),
    )
    assert recognizer.checkpoint is not None  # noqa: S101
    source, cache = recognizer.language.model, settings.cache_dir
    file = card_file(source, recognizer.checkpoint, cache)
    try:
        write_whole(file, add_evaluation(source, recognizer.checkpoint, cache, evaluation))
    except OSError as error:
        raise ConfigurationError(
            f"--save-card: {file} cannot be written: {error.strerror}. Make the folder writable; "
            "for a model of the hub, STT_CACHE_DIR sets another one."
        ) from None
    logger.info("the card of %s is in %s", source.name, file)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 5)
