"""WebVTT subtitles: https://www.w3.org/TR/webvtt1/."""

import html
from collections.abc import Sequence

from stt.formats.base import Format, HasTranscript
from stt.formats.captions import Cue, cut_cues
from stt.formats.layout import LAYOUT, Layout
from stt.types import Transcript


def to_vtt(transcript: Transcript, layout: Layout = LAYOUT) -> str:
    """The transcript as WebVTT; only the header without words."""
    return write_vtt(cut_cues(transcript, layout))


def write_vtt(cues: Sequence[Cue]) -> str:
    """Cues as WebVTT."""
    written = (
        # With ">" escaped, no text can contain "-->", which would start another cue.
        f"\n{cue.times('.')}\n{_voice(cue)}" + html.escape("\n".join(cue.lines), quote=False) + "\n"
        for cue in cues
    )
    return "WEBVTT\n" + "".join(written)


def _voice(cue: Cue) -> str:
    """A voice span, which needs no end if it is the whole cue."""
    return "" if cue.channel is None else f"<v Channel {cue.channel}>"


VTT = Format[HasTranscript](
    "vtt", "text/vtt", lambda answer: to_vtt(answer.transcript, answer.layout)
)
