"""How texts and subtitles say who speaks."""

from stt.types import Segment

LABEL_COLUMNS = len("[1] ")
"""Columns that a label takes of a line."""


def voice_label(channel: int | None, speaker: str | None) -> str:
    """``1`` for the first channel, ``A`` for the first speaker; "" if nobody was told apart."""
    return speaker or str(channel or "")


def voice_name(channel: int | None, speaker: str | None) -> str:
    """``Channel 1`` or ``Speaker A``; "" if nobody was told apart."""
    if speaker:
        return f"Speaker {speaker}"
    return f"Channel {channel}" if channel else ""


def labelled(text: str, label: str) -> str:
    """``[1] text``; unchanged without a label."""
    return f"[{label}] {text}" if label else text


def labelled_text(segment: Segment) -> str:
    """The text of a segment or a turn, with its label."""
    return labelled(segment.text, voice_label(segment.channel, segment.speaker))
