"""How large a subtitle may be."""

from dataclasses import dataclass

LINE_COLUMNS = 42
"""Netflix's limit for Latin letters. A Hangul syllable or an ideograph takes two columns."""
LINES = 2
MIN_LINE_COLUMNS, MAX_LINE_COLUMNS = 10, 200
MAX_LINES = 10


@dataclass(frozen=True)
class Layout:
    """The lines of a subtitle; the names are those of Whisper's command line."""

    max_line_width: int = LINE_COLUMNS
    """Columns of a line, `MIN_LINE_COLUMNS` to `MAX_LINE_COLUMNS`."""
    max_line_count: int = LINES
    """Lines of a cue, 1 to `MAX_LINES`."""


LAYOUT = Layout()
"""The layout of requests that ask for none."""
