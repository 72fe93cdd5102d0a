"""Praat's TextGrid: https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html."""

from collections.abc import Iterable, Iterator, Sequence

from stt.alignment.words import Alignment, Status

Interval = tuple[float, float, str]
"""Start and end in seconds, and the text."""


def to_textgrid(alignment: Alignment, *, with_characters: bool = False) -> str:
    """A tier of segments and one of words, maybe one of characters; in the long text format."""
    spoken = [word for word in alignment.words if word.status == Status.SPOKEN]
    tiers: dict[str, list[Interval]] = {
        "segments": [
            (each.start, each.end, each.text) for each in alignment.segments if each.is_spoken
        ],
        "words": [(each.start, each.end, each.text) for each in spoken],
    }
    if with_characters:
        tiers["characters"] = [
            (each.start, each.end, each.text) for word in spoken for each in word.characters
        ]
    end = round(alignment.duration_seconds, 3)
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "",
        "xmin = 0", f"xmax = {end:.3f}", "tiers? <exists>", f"size = {len(tiers)}", "item []:",
    ]  # fmt: skip
    for number, (name, intervals) in enumerate(tiers.items(), start=1):
        lines.append(f"    item [{number}]:")
        lines += _tier(name, list(_filled(intervals, end)), end)
    return "\n".join(lines) + "\n"


def _tier(name: str, intervals: Sequence[Interval], end: float) -> Iterator[str]:
    yield '        class = "IntervalTier"'
    yield f'        name = "{name}"'
    yield "        xmin = 0"
    yield f"        xmax = {end:.3f}"
    yield f"        intervals: size = {len(intervals)}"
    for number, (start, stop, text) in enumerate(intervals, start=1):
        yield f"        intervals [{number}]:"
        yield f"            xmin = {start:.3f}"
        yield f"            xmax = {stop:.3f}"
        yield '            text = "{}"'.format(text.replace('"', '""'))


def _filled(intervals: Iterable[Interval], end: float) -> Iterator[Interval]:
    """The intervals with what is between them: a tier has no gaps and no empty intervals."""
    before = 0.0
    for start, stop, text in intervals:
        start, stop = max(round(start, 3), before), min(round(stop, 3), end)
        if stop <= start:
            continue
        if start > before:
            yield before, start, ""
        yield start, stop, text
        before = stop
    if before < end:
        yield before, end, ""
