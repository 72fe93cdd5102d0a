"""How references and hypotheses are compared: one object for a whole evaluation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from stt.errors import ConfigurationError
from stt.evaluation.errors import Errors, Scores, score
from stt.evaluation.kinds import kinds
from stt.evaluation.manifests import Utterance
from stt.evaluation.nearest import Nearest
from stt.evaluation.normalisers import DEFAULT_NORMALISER, NORMALISERS, READING, reading
from stt.evaluation.readers import READERS, Reader, Unread
from stt.evaluation.results import Result
from stt.evaluation.transcriptions import DEFAULT_TRANSCRIPTION, TRANSCRIPTIONS
from stt.korean import latin
from stt.languages import Language


@dataclass(frozen=True)
class Comparison:
    """The choices of an evaluation."""

    normaliser: str = DEFAULT_NORMALISER
    """One of `NORMALISERS`."""
    transcription: str = DEFAULT_TRANSCRIPTION
    """One of `TRANSCRIPTIONS`."""
    reader: Reader | None = None
    """Reads the language aloud; None if there are no rules for it."""

    def scores(self, pairs: Iterable[tuple[str, str]]) -> Scores:
        """The errors of (reference, hypothesis), both as they are written."""
        read, normalise = TRANSCRIPTIONS[self.transcription], NORMALISERS[self.normaliser]
        reader = self.reader or Unread()
        each = (_score(normalise(reader, read(left), right)) for left, right in pairs)
        return sum(each, Scores())

    def compare(
        self,
        utterance: Utterance,
        hypothesis: str,
        audio_seconds: float,
        snr_db: float | None = None,
    ) -> Result:
        """Score one recording."""
        given = TRANSCRIPTIONS[self.transcription](utterance.reference)
        reader = self.reader or Unread()
        texts = NORMALISERS[self.normaliser](reader, given, hypothesis)
        said = None
        if self.reader:
            is_said = self.normaliser == READING
            said = _score(texts if is_said else reading(reader, given, hypothesis))
        return Result(
            utterance,
            hypothesis,
            audio_seconds,
            (texts.reference, texts.hypothesis),
            _score(texts),
            said.characters_without_spaces if said else None,
            kinds(reader, given, hypothesis),
            snr_db,
        )


def choose_comparison(
    language: Language,
    normaliser: str = DEFAULT_NORMALISER,
    transcription: str = DEFAULT_TRANSCRIPTION,
    abbreviations: Mapping[str, str] = latin.ABBREVIATIONS,
) -> Comparison:
    """How texts of a language are compared.

    Raises:
        ConfigurationError: the normaliser reads aloud, and there are no rules for the language.
    """
    open_reader = READERS.get(language.iso_639_1)
    if normaliser == READING and open_reader is None:
        raise ConfigurationError(
            f"--normaliser {READING}: only Korean can be read aloud, not {language.name}. "
            f"Use --normaliser {DEFAULT_NORMALISER}."
        )
    reader = open_reader(abbreviations) if open_reader else None
    return Comparison(normaliser, transcription, reader)


def _score(texts: Nearest) -> Scores:
    """Rates divide by the usual spelling of the reference, so that no hypothesis changes it."""
    scores = score([(texts.reference, texts.hypothesis)])
    if texts.usual_reference == texts.reference:
        return scores
    usual = score([(texts.usual_reference, texts.usual_reference)])

    def per_usual(errors: Errors, correct: Errors) -> Errors:
        return replace(errors, reference_units=correct.reference_units)

    return Scores(
        per_usual(scores.words, usual.words),
        per_usual(scores.characters, usual.characters),
        per_usual(scores.characters_without_spaces, usual.characters_without_spaces),
    )
