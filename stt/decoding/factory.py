"""Makes the decoder that a request asks for."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from stt.decoding.alphabet import Alphabet
from stt.decoding.base import Decoder
from stt.decoding.beam import BeamDecoder
from stt.decoding.greedy import GreedyDecoder
from stt.decoding.hotwords import (
    NO_HOTWORDS,
    Hotword,
    HotwordGraph,
    say_hotwords,
    spell_hotwords,
)
from stt.decoding.lexicon import NO_LEXICON, NO_TABLES, Lexicon, spell_units
from stt.decoding.spelling import speller_of
from stt.decoding.words import PAUSE_SECONDS, WordBuilder
from stt.engines.base import Engine
from stt.engines.wants import BEST, DecodingWant, Top
from stt.frames import DecodableFrames
from stt.language_model.ngram import NgramModel
from stt.language_model.source import LanguageModel
from stt.notices import Notice
from stt.types import Vocabulary

if TYPE_CHECKING:
    from stt.decoding.bonuses import Model

D = TypeVar("D", bound=DecodableFrames)
P = ParamSpec("P")
T = TypeVar("T")

N_BEAMS = 32
MIN_LOG_PROB, MIN_HOTWORD_LOG_PROB, MAX_BEHIND = -6.0, -12.0, 14.0
"""See `stt.decoding.bonuses.Limits`."""


@dataclass(frozen=True)
class Opened(Generic[D]):
    """A decoder for one recording, and the frames that it takes."""

    want: DecodingWant[D]
    decoder: Decoder[D]
    is_slow: bool
    """Whether it, or what takes its words, would hold up an event loop."""

    async def run(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a step of the decoder, in a thread if it is slow."""
        if self.is_slow:
            return await asyncio.to_thread(step, *args, **kwargs)
        return step(*args, **kwargs)


@dataclass(frozen=True)
class Decoding:
    """How to decode a recording."""

    hotwords: tuple[Hotword, ...] = ()
    language_model: LanguageModel | None = None
    notices: tuple[Notice, ...] = ()
    """What of the request could not be used."""

    @property
    def is_greedy(self) -> bool:
        """Whether the best path is enough."""
        return not self.hotwords and self.language_model is None

    def open(self, engine: Engine) -> Opened[Any]:
        """Make a decoder for the frames of an engine.

        Raises:
            InvalidHotwords: the checkpoint cannot write a hotword.
            ConfigurationError: the language model does not fit the checkpoint.
        """
        vocabulary, grid, calibration = engine.vocabulary, engine.grid, engine.calibration
        if self.is_greedy:
            return Opened(BEST, GreedyDecoder(vocabulary, grid, calibration), is_slow=False)
        decoder = BeamDecoder(
            self._search_model(vocabulary, grid.frames(PAUSE_SECONDS)),
            WordBuilder(speller_of(vocabulary), grid, calibration),
            blank=vocabulary.blank,
            grid=grid,
            start_state=self.language_model.ngrams.start_state if self.language_model else 0,
            calibration=calibration,
        )
        return Opened(Top(vocabulary.blank), decoder, is_slow=True)

    def _search_model(self, vocabulary: Vocabulary, pause_frames: int) -> "Model":
        alphabet = _alphabet(vocabulary)
        graph = _hotword_graph(self.hotwords, vocabulary) if self.hotwords else NO_HOTWORDS
        from stt.decoding import bonuses  # imports numba

        lexicon, tables, weights = NO_LEXICON, NO_TABLES, bonuses.Weights(0.0, 0.0, 0.0)
        if (model := self.language_model) is not None:
            lexicon = _lexicon(model.ngrams, model.unknown_offset, vocabulary)
            tables = model.ngrams.tables
            weights = bonuses.Weights(model.alpha, model.beta, model.unknown_offset)
        limits = bonuses.Limits(
            N_BEAMS, MIN_LOG_PROB, MIN_HOTWORD_LOG_PROB, MAX_BEHIND, pause_frames
        )
        return bonuses.Model(alphabet.writing, graph, lexicon, tables, weights, limits)


def hotwords_as_said(
    hotwords: Iterable[Hotword], vocabulary: Vocabulary, abbreviations: Mapping[str, str]
) -> tuple[Hotword, ...]:
    """Korean hotwords as a checkpoint can write them; see `say_hotwords`."""
    return say_hotwords(hotwords, _alphabet(vocabulary), abbreviations)


def check_hotwords(hotwords: tuple[Hotword, ...], vocabulary: Vocabulary) -> None:
    """Check that a checkpoint can write some hotwords.

    Raises:
        InvalidHotwords: it cannot; the message names the hotword.
    """
    spell_hotwords(hotwords, _alphabet(vocabulary))


GREEDY = Decoding()
"""The best path, without a language model."""


@lru_cache(maxsize=64)
def _alphabet(vocabulary: Vocabulary) -> Alphabet:
    return Alphabet.of(vocabulary)


@lru_cache(maxsize=16)
def _hotword_graph(hotwords: tuple[Hotword, ...], vocabulary: Vocabulary) -> HotwordGraph:
    return spell_hotwords(hotwords, _alphabet(vocabulary))


@lru_cache(maxsize=64)
def _lexicon(ngrams: NgramModel, unknown_offset: float, vocabulary: Vocabulary) -> Lexicon:
    return spell_units(ngrams, _alphabet(vocabulary), unknown_offset)
