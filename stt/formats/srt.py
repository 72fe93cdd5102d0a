"""SubRip (SRT) subtitles. There is no standard; this is what players agree on."""

from collections.abc import Sequence
from dataclasses import replace

from stt.formats.base import Format, HasTranscript
from stt.formats.captions import Cue, cut_cues
from stt.formats.labels import LABEL_COLUMNS, labelled
from stt.formats.layout import LAYOUT, Layout
from stt.types import Transcript


def to_srt(transcript: Transcript, layout: Layout = LAYOUT) -> str:
    """The transcript as SubRip; "" without words."""
    if transcript.turns is not None:
        layout = replace(layout, max_line_width=layout.max_line_width - LABEL_COLUMNS)
    return write_srt(cut_cues(transcript, layout))


def write_srt(cues: Sequence[Cue]) -> str:
    """Cues as SubRip."""
    return "\n".join(
        f"{number}\n{cue.times(',')}\n" + labelled("\n".join(cue.lines), cue.channel) + "\n"
        for number, cue in enumerate(cues, start=1)
    )


SRT = Format[HasTranscript](
    "srt", "application/x-subrip", lambda answer: to_srt(answer.transcript, answer.layout)
)
