"""SubRip (SRT) subtitles. There is no standard; this is what players agree on."""

from stt.formats.base import Format, HasTranscript
from stt.formats.captions import cut_cues
from stt.types import Transcript


def to_srt(transcript: Transcript) -> str:
    """The transcript as SubRip; "" without words."""
    return "\n".join(
        f"{number}\n{cue.times(',')}\n" + "\n".join(cue.lines) + "\n"
        for number, cue in enumerate(cut_cues(transcript), start=1)
    )


SRT = Format[HasTranscript]("srt", "application/x-subrip", lambda answer: to_srt(answer.transcript))
