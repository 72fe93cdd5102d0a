"""Words -> segments, cut at pauses, and within stretches that are too long; segments -> turns.

A CTC model marks no sentences but gives the times of words, so segments end at pauses.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby
from typing import Protocol, TypeVar

from stt.decoding import scripts
from stt.decoding.words import PAUSE_SECONDS
from stt.types import Segment, Transcript, Word

MAX_SEGMENT_SECONDS = 15.0
"""Longer segments are cut at shorter pauses."""


class Timed(Protocol):
    """An item with start and end times in seconds."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


T = TypeVar("T", bound=Timed)


def split_segments(
    words: Iterable[Word],
    *,
    pause_seconds: float = PAUSE_SECONDS,
    max_seconds: float = MAX_SEGMENT_SECONDS,
) -> tuple[Segment, ...]:
    """Group words into segments.

    Segments are in order of their starts; those of several channels may overlap.

    Args:
        words: In order; those of a channel without overlaps.
        pause_seconds: A silence this long ends a segment.
        max_seconds: Maximum length of a segment, unless it is a single word.
    """

    channels: dict[int | None, list[Word]] = {}
    for word in words:
        channels.setdefault(word.channel, []).append(word)

    def fits(stretch: Sequence[Word]) -> bool:
        return stretch[-1].end - stretch[0].start <= max_seconds

    segments = [
        Segment(tuple(stretch))
        for said in channels.values()
        for spoken in _between_pauses(said, pause_seconds)
        for stretch in divide(spoken, fits, _pause)
    ]
    if len(channels) > 1:
        segments.sort(key=lambda segment: segment.start)
    return tuple(segments)


def split_turns(words: Iterable[Word]) -> tuple[Segment, ...]:
    """Group words into turns: what one speaks until another does, in order of their starts.

    What somebody says during another's segment becomes a turn after that segment.
    """
    return tuple(
        Segment(tuple(chain.from_iterable(segment.words for segment in segments)))
        for _, segments in groupby(split_segments(words), key=_voice)
    )


def in_turns(transcript: Transcript) -> Transcript:
    """The transcript in order of time and in turns, if it says who speaks; else unchanged."""
    if all(word.channel is None and word.speaker is None for word in transcript.words):
        return transcript
    # Sorting is stable: each channel keeps its order.
    words = tuple(sorted(transcript.words, key=lambda word: word.start))
    return replace(transcript, words=words, turns=split_turns(words))


def _voice(segment: Segment) -> tuple[int | None, str | None]:
    return segment.channel, segment.speaker


def may_begin_line(word: Word) -> bool:
    """Whether a line may begin with this word: not with ``ー`` or ``、`` of the word before."""
    return word.space_before or scripts.may_begin_line(word.text[0])


def _pause(before: Word, after: Word) -> float:
    """Ranks places to cut: the longest silence at which a line may begin."""
    return silence(before, after) if may_begin_line(after) else -1.0


def silence(before: Timed, after: Timed) -> float:
    """Seconds between two neighbours, to the millisecond: equal silences differ in rounding."""
    return round(after.start - before.end, 3)


def divide(
    items: Sequence[T],
    fits: Callable[[Sequence[T]], bool],
    pause: Callable[[T, T], float] = silence,
) -> list[Sequence[T]]:
    """Cut a stretch in two, repeatedly, until every part fits or is a single item.

    Args:
        items: In order; at least one.
        fits: Whether a stretch may stay whole.
        pause: Scores a cut between two neighbours; the highest wins.
    """
    parts, pending = [], [items]
    while pending:
        stretch = pending.pop()
        if len(stretch) == 1 or fits(stretch):
            parts.append(stretch)
        else:
            cut = _best_cut(stretch, pause)
            pending += [stretch[cut:], stretch[:cut]]
    return parts


def _between_pauses(words: Iterable[Word], pause_seconds: float) -> Iterator[list[Word]]:
    spoken: list[Word] = []
    for word in words:
        is_new = spoken and spoken[-1].speaker != word.speaker
        if spoken and (is_new or silence(spoken[-1], word) >= pause_seconds):
            yield spoken
            spoken = []
        spoken.append(word)
    if spoken:
        yield spoken


def _best_cut(stretch: Sequence[T], pause: Callable[[T, T], float]) -> int:
    """Index of the item after the longest pause; of equal ones, the one nearest the middle.

    Only the middle half is searched, if it has a word boundary. In running speech most pauses are
    alike, and the longest would often leave a single word on its own.
    """
    begin, end = stretch[0].start, stretch[-1].end

    def off_centre(index: int) -> float:
        return abs((stretch[index - 1].end + stretch[index].start) - (begin + end)) / 2

    cuts = range(1, len(stretch))
    central = [index for index in cuts if off_centre(index) <= (end - begin) / 4]
    return max(
        central or cuts,
        key=lambda index: (pause(stretch[index - 1], stretch[index]), -off_centre(index)),
    )
