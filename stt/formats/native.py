"""The formats of ``POST /transcribe``."""

from collections.abc import Set
from dataclasses import dataclass

from pydantic import Field

from stt.formats.base import JSON, Format, Granularity, by_name, to_json
from stt.formats.findings import Findings, finding_fields
from stt.formats.layout import LAYOUT, Layout
from stt.formats.table import TEXT_FORMATS
from stt.formats.verbose import VerboseTranscription, segment_entries, word_entries
from stt.types import Transcript


class TranscriptionResponse(Findings):
    """`json`: the text. Every version has ``text``, ``language`` and ``model``."""

    text: str = Field(description='The words, joined as their script has it; "" without speech.')
    language: str = Field(description="Code of the language.")
    model: str = Field(description="Id of the model.")
    processing_time_seconds: float = Field(description="From the complete upload to the text.")
    device: str = Field(description="`cpu` or `cuda:N`.")
    cpu_threads: int = Field(description="Threads of one forward pass on the CPU.")
    duration_seconds: float = Field(description="Length of the decoded audio.")

    @classmethod
    def of(
        cls,
        transcript: Transcript,
        *,
        language: str,
        model: str,
        seconds: float,
        device: str,
        cpu_threads: int,
    ) -> "TranscriptionResponse":
        """The body of a transcript; ``seconds`` is the processing time."""
        return cls(
            text=transcript.text,
            language=language,
            model=model,
            processing_time_seconds=round(seconds, 4),
            device=device,
            cpu_threads=cpu_threads,
            duration_seconds=round(transcript.duration_seconds, 3),
            **finding_fields(transcript.report),
        )


class VerboseTranscriptionResponse(VerboseTranscription, TranscriptionResponse):
    """`verbose_json`: everything in `json`, and OpenAI's keys."""


@dataclass(frozen=True)
class Answer:
    """Everything that the formats need."""

    transcript: Transcript
    body: TranscriptionResponse
    granularities: Set[Granularity]
    """Only `verbose_json` uses them; empty means all."""
    layout: Layout = LAYOUT


def _render_json(answer: Answer) -> str:
    return to_json(answer.body)


def _render_verbose_json(answer: Answer) -> str:
    wants_words = not answer.granularities or Granularity.WORD in answer.granularities
    return to_json(
        VerboseTranscriptionResponse(
            **answer.body.model_dump(),
            duration=answer.body.duration_seconds,
            segments=segment_entries(answer.transcript),
            words=word_entries(answer.transcript) if wants_words else None,
        )
    )


FORMATS = by_name(
    Format("json", JSON, _render_json),
    *TEXT_FORMATS,
    Format("verbose_json", JSON, _render_verbose_json),
)
"""Every value of `response_format`."""
