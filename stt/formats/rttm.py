"""RTTM, which scorers of diarization read: who speaks when.

One line for each segment, as NIST's Rich Transcription evaluation describes:
https://web.archive.org/web/20170119114252/http://www.itl.nist.gov/iad/mig/tests/rt/2009/docs/rt09-meeting-eval-plan-v2.pdf
"""

from stt.formats.base import Format, HasTranscript
from stt.formats.labels import voice_name
from stt.recognition.segments import split_segments
from stt.types import Transcript

RECORDING = "recording"
"""The field for the file's name: nothing of an upload's name is repeated."""


def to_rttm(transcript: Transcript) -> str:
    """The segments of speakers that were told apart; "" without any."""
    return "".join(
        f"SPEAKER {RECORDING} {segment.channel or 1} {segment.start:.3f} "
        f"{segment.end - segment.start:.3f} <NA> <NA> {name.replace(' ', '_')} <NA> <NA>\n"
        for segment in split_segments(transcript.words)
        if (name := voice_name(segment.channel, segment.speaker))
    )


RTTM = Format[HasTranscript]("rttm", "text/plain", lambda answer: to_rttm(answer.transcript))
