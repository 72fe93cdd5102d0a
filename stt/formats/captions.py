"""Subtitles: a transcript as SubRip (SRT) or WebVTT.

The habits are those of the field (BBC Subtitle Guidelines; Netflix Timed Text Style Guide): two
lines at most, cut between words and about equal, long enough on the screen to be read, never two
at a time. WebVTT: https://www.w3.org/TR/webvtt1/. SubRip has no standard; players agree on this.
"""

import html
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from stt.recognition.segments import divide, silence, split_segments
from stt.types import Transcript, Word

LINE_COLUMNS = 42
"""Width of a line; a Hangul syllable or an ideograph takes two columns."""
MIN_CUE_MS = 800
"""A cue stays at least this long where the next cue and the end of the audio leave room."""
MAX_CUE_MS = 7_000
"""A cue stays no longer."""


@dataclass(frozen=True)
class Cue:
    """What is on the screen at one time. Times are whole milliseconds from the start."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    """One or two, neither empty, each at most `LINE_COLUMNS` wide."""


@dataclass(frozen=True)
class _Atom:
    """What is never broken: a word, or a character of a word that has to be broken."""

    text: str
    start: float
    """Seconds; for a part of a word, estimated from the widths of the parts."""
    end: float
    space: int
    """Columns between this and what comes before it: 1, or 0 inside a word."""
    columns: int


def to_srt(transcript: Transcript) -> str:
    """The transcript as SubRip; "" where nothing was said."""
    return "\n".join(
        f"{number}\n{_times(cue, ',')}\n" + "\n".join(cue.lines) + "\n"
        for number, cue in enumerate(cut_cues(transcript), start=1)
    )


def to_vtt(transcript: Transcript) -> str:
    """The transcript as WebVTT; the header alone where nothing was said."""
    cues = (
        # With ">" escaped no text can hold "-->", which would begin another cue.
        f"\n{_times(cue, '.')}\n" + html.escape("\n".join(cue.lines), quote=False) + "\n"
        for cue in cut_cues(transcript)
    )
    return "WEBVTT\n" + "".join(cues)


def cut_cues(transcript: Transcript) -> list[Cue]:
    """The cues of a transcript, in order, without overlaps and within the audio."""
    stretches = [
        stretch
        for segment in split_segments(transcript.words)
        for stretch in divide(list(_atoms(segment.words)), _fits, _pause)
    ]
    audio_ms = math.floor(transcript.duration_seconds * 1000)
    starts: list[int] = []
    for n_left, stretch in zip(range(len(stretches), 0, -1), stretches, strict=True):
        # Words may have no length at all, but players drop a cue that has none: keep 1 ms each.
        earliest = starts[-1] + 1 if starts else 0
        starts.append(min(max(_milliseconds(stretch[0].start), earliest), audio_ms - n_left))
    cues = []
    for stretch, start, room_until in zip(stretches, starts, [*starts, audio_ms][1:], strict=True):
        end = max(_milliseconds(stretch[-1].end), start + MIN_CUE_MS)
        # The cap is for single words only: the last symbol can come long after the others.
        end = min(end, start + MAX_CUE_MS, room_until)
        cues.append(Cue(start, end, _wrap(stretch) or (_join(stretch),)))
    return cues


def columns(text: str) -> int:
    """Width of a text in columns of a fixed-width screen."""
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _atoms(words: Iterable[Word]) -> Iterator[_Atom]:
    for word in words:
        width = columns(word.text)
        too_long = (word.end - word.start) * 1000 > MAX_CUE_MS and _breaks_anywhere(word.text)
        if width > LINE_COLUMNS or too_long:
            yield from _characters(word)
        else:
            yield _Atom(word.text, word.start, word.end, 1, width)


def _breaks_anywhere(text: str) -> bool:
    """Whether the script has no spaces, so that a "word" may be a whole speech."""
    return any(
        _columns_of(character) == 2 and not unicodedata.name(character, "").startswith("HANGUL")
        for character in text
    )


def _characters(word: Word) -> Iterator[_Atom]:
    """A word's characters, with their combining marks, at times in proportion to their widths."""
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
        yield _Atom(part, start, end, 1 if index == 0 else 0, columns(part))
        start = end


def _fits(atoms: Sequence[_Atom]) -> bool:
    """Whether the atoms can be one cue."""
    seconds = atoms[-1].end - atoms[0].start
    return seconds * 1000 <= MAX_CUE_MS and _wrap(atoms) is not None


def _pause(before: _Atom, after: _Atom) -> float:
    """Where to cut rather: any gap between words before the inside of one."""
    return silence(before, after) if after.space else -1.0


def _wrap(atoms: Sequence[_Atom]) -> tuple[str, ...] | None:
    """The atoms in one line or two of about equal width; None where two do not hold them."""
    ends = list(accumulate(atom.space + atom.columns for atom in atoms))
    begin, end = atoms[0].space, ends[-1]
    if end - begin <= LINE_COLUMNS:
        return (_join(atoms),)
    if end - begin > 2 * LINE_COLUMNS + 1:
        return None
    breaks = []
    for index in range(1, len(atoms)):
        upper = ends[index - 1] - begin
        lower = end - ends[index - 1] - atoms[index].space
        if max(upper, lower) <= LINE_COLUMNS:
            # Between words if possible, then balanced, then with the wider line below.
            breaks.append((-atoms[index].space, abs(upper - lower), upper, index))
    if not breaks:
        return None
    *_, index = min(breaks)
    return _join(atoms[:index]), _join(atoms[index:])


def _join(atoms: Sequence[_Atom]) -> str:
    return "".join(" " * atom.space + atom.text for atom in atoms)[atoms[0].space :]


def _milliseconds(seconds: float) -> int:
    """Rounded half up: Python's half-to-even can make one length two."""
    return math.floor(seconds * 1000 + 0.5)


def _times(cue: Cue, mark: str) -> str:
    return f"{_clock(cue.start_ms, mark)} --> {_clock(cue.end_ms, mark)}"


def _clock(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"
