"""Splits a transcript into subtitle cues.

Follows the BBC Subtitle Guidelines and Netflix's Timed Text Style Guide: few lines of about equal
length, broken between words, on screen long enough to read, one cue at a time. In scripts without
spaces, where every character is a word, lines begin as Japanese typesetting allows. Speakers on
channels of their own may speak at the same time, so only their cues may overlap.
"""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from stt.formats.layout import LAYOUT, LINE_COLUMNS, Layout
from stt.recognition.segments import divide, may_begin_line, silence, split_segments
from stt.types import Segment, Transcript, Word

MIN_CUE_MS = 800
"""Minimum duration of a cue, if the next cue and the end of the audio leave room."""
MAX_CUE_MS = 7_000
"""Maximum duration of a cue."""


_FINE, _UNUSUAL, _INSIDE = range(3)


@dataclass(frozen=True)
class Cue:
    """The text on screen at one time. Times are milliseconds from the start of the audio."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    """At least one, not empty, each within the width of the layout, unless it is a single word."""
    channel: int | None = None
    """Number of the channel it was said on; None if channels are mixed."""
    speaker: str | None = None
    """Who said it; None if speakers were not told apart."""

    def times(self, mark: str) -> str:
        """``00:00:01,020 --> 00:00:02,000``; ``mark`` goes before the milliseconds."""
        return f"{_clock(self.start_ms, mark)} --> {_clock(self.end_ms, mark)}"


@dataclass(frozen=True)
class _Atom:
    """An unbreakable piece: a word, or one character of a word wider than a line."""

    text: str
    start: float
    """Seconds; characters share the time of their word by width."""
    end: float
    space: int
    """Columns before it: 1, or 0 in scripts without spaces and inside a word."""
    columns: int
    badness: int = 0
    """How bad it is to break before it: `_FINE`, `_UNUSUAL` or `_INSIDE`."""


def cut_cues(transcript: Transcript, layout: Layout = LAYOUT) -> list[Cue]:
    """The cues in order of their starts, within the audio; those of a channel do not overlap."""
    by_channel: dict[int | None, list[Segment]] = {}
    for segment in split_segments(transcript.words):
        by_channel.setdefault(segment.channel, []).append(segment)
    audio_ms = math.floor(transcript.duration_seconds * 1000)
    cues = [
        cue
        for channel, segments in by_channel.items()
        for cue in _cut_channel(segments, audio_ms, layout, channel)
    ]
    return sorted(cues, key=lambda cue: cue.start_ms)


def _cut_channel(
    segments: Iterable[Segment], audio_ms: int, layout: Layout, channel: int | None
) -> Iterator[Cue]:
    pieces = [
        (stretch, segment.speaker)
        for segment in segments
        for stretch in divide(
            list(_atoms(segment.words, layout)), partial(_fits, layout=layout), _pause
        )
    ]
    starts: list[int] = []
    for n_left, (stretch, _) in zip(range(len(pieces), 0, -1), pieces, strict=True):
        # Words may have no duration, but players drop such cues: keep 1 ms each.
        earliest = starts[-1] + 1 if starts else 0
        starts.append(min(max(_milliseconds(stretch[0].start), earliest), audio_ms - n_left))
    until = [*starts, audio_ms][1:]
    for (stretch, speaker), start, room_until in zip(pieces, starts, until, strict=True):
        end = max(_milliseconds(stretch[-1].end), start + MIN_CUE_MS)
        # Caps single words only: the last symbol can come long after the others.
        end = min(end, start + MAX_CUE_MS, room_until)
        yield Cue(start, end, _wrap(stretch, layout), channel, speaker)


def columns(text: str) -> int:
    """Width of a text in columns of a monospaced font."""
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _atoms(words: Iterable[Word], layout: Layout) -> Iterator[_Atom]:
    # In narrow lines a word that is too wide gets its own line: halves are hard to read.
    widest = max(layout.max_line_width, LINE_COLUMNS)
    for word in words:
        width, space = columns(word.text), int(word.space_before)
        if width > widest:
            yield from _characters(word)
        else:
            badness = _FINE if may_begin_line(word) else _UNUSUAL
            yield _Atom(word.text, word.start, word.end, space, width, badness)


def _characters(word: Word) -> Iterator[_Atom]:
    """A word's characters with their combining marks; each takes time by its width."""
    parts: list[str] = []
    for character in word.text:
        if parts and _columns_of(character) == 0:
            parts[-1] += character
        else:
            parts.append(character)
    ends = list(accumulate(columns(part) for part in parts))
    seconds_per_column = (word.end - word.start) / max(ends[-1], 1)
    start = word.start
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        end = word.end if last else min(word.start + ends[index] * seconds_per_column, word.end)
        space, badness = (int(word.space_before), _FINE) if index == 0 else (0, _INSIDE)
        yield _Atom(part, start, end, space, columns(part), badness)
        start = end


def _fits(atoms: Sequence[_Atom], layout: Layout) -> bool:
    """Whether the atoms fit one cue."""
    seconds = atoms[-1].end - atoms[0].start
    return (
        seconds * 1000 <= MAX_CUE_MS
        and _pack(atoms, layout.max_line_width, layout.max_line_count, _INSIDE) is not None
    )


def _pause(before: _Atom, after: _Atom) -> float:
    """Ranks places to cut: the longest silence, but never a bad place if there is another."""
    return silence(before, after) if after.badness == _FINE else -1.0 * after.badness


def _wrap(atoms: Sequence[_Atom], layout: Layout) -> tuple[str, ...]:
    """The atoms as lines: few, broken at good places, about equal, the wider ones below."""
    for n_lines in range(1, layout.max_line_count + 1):
        for badness in (_FINE, _UNUSUAL, _INSIDE):
            lines = _pack(atoms, layout.max_line_width, n_lines, badness)
            if lines is None:
                continue
            narrow, wide = 0, layout.max_line_width
            while wide - narrow > 1:
                middle = (narrow + wide) // 2
                packed = _pack(atoms, middle, n_lines, badness)
                if packed is None:
                    narrow = middle
                else:
                    lines, wide = packed, middle
            return tuple(map(_join, lines))
    return (_join(atoms),)


def _pack(
    atoms: Sequence[_Atom], width: int, n_lines: int, badness: int
) -> list[Sequence[_Atom]] | None:
    """The atoms in at most ``n_lines`` lines, filled from below; None if they need more.

    Args:
        atoms: At least one.
        width: Columns of a line. A single atom may be wider.
        n_lines: The most lines.
        badness: How bad the places may be at which lines break.
    """
    lines: list[Sequence[_Atom]] = []
    end = len(atoms)
    while end:
        if len(lines) == n_lines:
            return None
        begin, taken = end, 0
        for index in range(end - 1, -1, -1):
            taken += atoms[index].columns
            if taken > width and index < end - 1:
                break
            if atoms[index].badness <= badness or index == 0:
                begin = index
            taken += atoms[index].space
        if begin == end:  # what may not be divided is wider than a line
            return None
        lines.append(atoms[begin:end])
        end = begin
    return lines[::-1]


def _join(atoms: Sequence[_Atom]) -> str:
    return "".join(" " * atom.space + atom.text for atom in atoms)[atoms[0].space :]


def _milliseconds(seconds: float) -> int:
    """Rounds half up: half-to-even could give equal durations different lengths."""
    return math.floor(seconds * 1000 + 0.5)


def _clock(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"
