"""The text formats that the native API, OpenAI's and the command line share."""

from stt.formats.base import Format, HasTranscript
from stt.formats.srt import SRT
from stt.formats.vtt import VTT

TEXT = Format[HasTranscript]("text", "text/plain", lambda answer: answer.transcript.text)

TEXT_FORMATS = (TEXT, SRT, VTT)
