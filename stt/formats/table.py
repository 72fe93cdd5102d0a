"""The text formats that the native API, OpenAI's and the command line share."""

from stt.formats.base import Format, HasTranscript
from stt.formats.labels import labelled_text
from stt.formats.rttm import RTTM
from stt.formats.srt import SRT
from stt.formats.vtt import VTT
from stt.types import Transcript


def to_text(transcript: Transcript) -> str:
    """The text; if speakers were told apart, a line with a label for each turn."""
    if transcript.turns is None:
        return transcript.text
    return "\n".join(map(labelled_text, transcript.turns))


TEXT = Format[HasTranscript]("text", "text/plain", lambda answer: to_text(answer.transcript))

TEXT_FORMATS = (TEXT, SRT, VTT, RTTM)
SPEAKER_FORMATS = frozenset({RTTM.name})
"""Formats that need speakers to be told apart."""
