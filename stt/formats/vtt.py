"""WebVTT subtitles: https://www.w3.org/TR/webvtt1/."""

import html

from stt.formats.base import Format, HasTranscript
from stt.formats.captions import cut_cues
from stt.types import Transcript


def to_vtt(transcript: Transcript) -> str:
    """The transcript as WebVTT; only the header without words."""
    cues = (
        # With ">" escaped, no text can contain "-->", which would start another cue.
        f"\n{cue.times('.')}\n" + html.escape("\n".join(cue.lines), quote=False) + "\n"
        for cue in cut_cues(transcript)
    )
    return "WEBVTT\n" + "".join(cues)


VTT = Format[HasTranscript]("vtt", "text/vtt", lambda answer: to_vtt(answer.transcript))
