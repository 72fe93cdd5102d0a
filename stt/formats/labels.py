"""Whose words they are, as texts and subtitles say it."""

from stt.types import Segment

LABEL_COLUMNS = len("[1] ")
"""What a label takes of a line."""


def labelled(text: str, channel: int | None) -> str:
    """``[1] text`` for the first channel; unchanged if channels are mixed."""
    return text if channel is None else f"[{channel}] {text}"


def labelled_text(segment: Segment) -> str:
    """The text of a segment or a turn, with its label."""
    return labelled(segment.text, segment.channel)
