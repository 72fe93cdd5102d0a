"""The formats, events and models of OpenAI's transcription API.

See https://platform.openai.com/docs/api-reference/audio.
"""

import math
import sys
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from stt.conventions import Convention
from stt.formats.base import JSON, Format, Granularity, by_name, to_json
from stt.formats.findings import Findings, finding_fields
from stt.formats.layout import LAYOUT, Layout
from stt.formats.table import TEXT_FORMATS
from stt.formats.verbose import (
    SegmentEntry,
    VerboseTranscription,
    WordEntry,
    segment_entries,
    word_entries,
)
from stt.languages import Language
from stt.models.card import Evaluation
from stt.types import Token, Transcript, Word


class Usage(BaseModel):
    """What OpenAI bills by."""

    type: Literal["duration"] = "duration"
    seconds: float = Field(description="Length of the decoded audio.")


class Logprob(BaseModel):
    """One token and its log-prob."""

    token: str = Field(description="The tokens, joined, are the text.")
    bytes: list[int] = Field(description="The token in UTF-8.")
    logprob: float = Field(description="Natural logarithm of its probability; 0 is certain.")


class Transcription(Findings):
    """`json`: the text."""

    text: str = Field(description='The words, joined as their script has it; "" without speech.')
    logprobs: list[Logprob] | None = Field(None, description="If `include[]` requests them.")
    usage: Usage


class TranscriptionVerbose(VerboseTranscription):
    """`verbose_json`: the text with times."""

    usage: Usage


class TextDelta(BaseModel):
    """Event: the next word. Later events do not change it."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str = Field(description="The deltas, joined, are the text.")
    logprobs: list[Logprob] | None = None


class TextDone(Findings):
    """Event: the end, with the whole text. OpenAI's clients ignore the keys that are ours."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | None = None
    duration: float | None = Field(
        None, description="Ours: seconds of audio, if a granularity was requested."
    )
    segments: list[SegmentEntry] | None = Field(
        None, description="Ours: if the granularity `segment` was requested."
    )
    words: list[WordEntry] | None = Field(
        None, description="Ours: if the granularity `word` was requested."
    )


class Model(BaseModel):
    """One served model."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Always 0: checkpoints carry no date.")
    owned_by: str = Field(description="Owner on the hub, or `local`.")
    language: str = Field(description="Ours: code of its language.")
    convention: Convention | None = Field(
        description="Ours: how it writes numbers and names; see `/languages`."
    )
    evaluations: list[Evaluation] = Field(
        description="Ours: error rates that `stt evaluate --save-card` has stored with it."
    )

    @classmethod
    def of(cls, language: Language, evaluations: list[Evaluation]) -> "Model":
        """The model of a language, and what was measured of it."""
        owner, slash, _ = language.model.name.partition("/")
        return cls(
            id=language.model.name,
            created=0,
            owned_by=owner if slash else "local",
            language=language.code,
            convention=language.convention,
            evaluations=evaluations,
        )


class ModelList(BaseModel):
    """All served models."""

    object: Literal["list"] = "list"
    data: list[Model]


def logprob_entries(
    words: Iterable[Word], *, begin_text: bool = True, lead: str = ""
) -> list[Logprob]:
    """The tokens of consecutive words. A space between two words belongs to the second.

    Args:
        words: Some words of a text.
        begin_text: Whether the first one begins the text or a line, so that no space comes before
            it.
        lead: What comes before it then.
    """
    entries = []
    for word in words:
        space = lead if begin_text else " " * word.space_before
        begin_text = False
        least = sys.float_info.min  # JSON has no infinity
        whole = Token(word.text, math.log(max(word.confidence, least)))
        tokens = word.tokens if word.spoken is None else ()  # they spell what was said
        for token in tokens or (whole,):
            text = space + token.text
            # Rounding can lift the calibrated logarithm of a certain symbol above 0.
            logprob = round(min(0.0, token.log_posterior), 6)
            entries.append(Logprob(token=text, bytes=list(text.encode()), logprob=logprob))
            space = ""
    return entries


def transcript_logprobs(transcript: Transcript) -> list[Logprob]:
    """All tokens; joined they are the text of the transcript."""
    if transcript.turns is None:
        return logprob_entries(transcript.words)
    return [
        entry
        for index, turn in enumerate(transcript.turns)
        for entry in logprob_entries(turn.words, lead="\n" if index else "")
    ]


@dataclass(frozen=True)
class Answer:
    """Everything that the formats need."""

    transcript: Transcript
    language: Language
    granularities: Set[Granularity] = frozenset()
    """Only `verbose_json` uses them."""
    with_logprobs: bool = False
    """Only `json` uses it."""
    layout: Layout = LAYOUT

    @property
    def duration(self) -> float:
        """Seconds of decoded audio, to the millisecond."""
        return round(self.transcript.duration_seconds, 3)


def _render_json(answer: Answer) -> str:
    return to_json(
        Transcription(
            text=answer.transcript.text,
            logprobs=transcript_logprobs(answer.transcript) if answer.with_logprobs else None,
            usage=Usage(seconds=answer.duration),
            **finding_fields(answer.transcript.report),
        )
    )


def _render_verbose_json(answer: Answer) -> str:
    transcript = answer.transcript
    wants_words = Granularity.WORD in answer.granularities
    return to_json(
        TranscriptionVerbose(
            language=answer.language.name.lower(),
            duration=answer.duration,
            text=transcript.text,
            segments=segment_entries(transcript),
            words=word_entries(transcript) if wants_words else None,
            usage=Usage(seconds=answer.duration),
            **finding_fields(transcript.report),
        )
    )


FORMATS = by_name(
    Format("json", JSON, _render_json),
    *TEXT_FORMATS,
    Format("verbose_json", JSON, _render_verbose_json),
)
"""Every value of `response_format`."""
