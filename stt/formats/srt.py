"""SubRip (SRT) subtitles. There is no standard; this is what players agree on."""

from collections.abc import Sequence

from stt.formats.base import Format, HasTranscript
from stt.formats.captions import Cue, cut_cues
from stt.types import Transcript


def to_srt(transcript: Transcript) -> str:
    """The transcript as SubRip; "" without words."""
    return write_srt(cut_cues(transcript))


def write_srt(cues: Sequence[Cue]) -> str:
    """Cues as SubRip."""
    return "\n".join(
        f"{number}\n{cue.times(',')}\n" + "\n".join(cue.lines) + "\n"
        for number, cue in enumerate(cues, start=1)
    )


SRT = Format[HasTranscript]("srt", "application/x-subrip", lambda answer: to_srt(answer.transcript))
