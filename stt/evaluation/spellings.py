"""All ways to spell a text: as it is said, or also as it stands."""

from collections.abc import Iterable
from itertools import islice, product

from stt.evaluation.readers import Reader, Spelling
from stt.evaluation.transcriptions import Reference

Lattice = tuple[Spelling, ...]
"""A text by its words, each with its spellings; one spelling of each makes one way to spell it."""
JOINT = -2
"""Of the nodes of a lattice as a graph: where the spellings of a word end. The others have the code
of their character."""

_MOST_SPELLINGS = 32


def spoken(reader: Reader, text: str) -> Lattice:
    """How a text is said."""
    return tuple(reader.read(text))


def spoken_reference(reader: Reader, reference: Reference) -> Lattice:
    """How a reference is said, whichever of its forms is read."""
    return _of_reference(reader, reference, as_written=False)


def spelled(reader: Reader, text: str) -> Lattice:
    """A text as it stands, or as it is said, word by word."""
    words = zip(text.split(), reader.read(text), strict=False)
    return tuple(_distinct((word, *ways)) for word, ways in words)


def spelled_reference(reader: Reader, reference: Reference) -> Lattice:
    """A reference as it stands in its `Reference.text`, or as it is said."""
    return _of_reference(reader, reference, as_written=True)


def _of_reference(reader: Reader, reference: Reference, *, as_written: bool) -> Lattice:
    # All forms of one kind are read at once, since words are read with those around them.
    first, second = ("spoken", "written") if reference.is_spoken else ("written", "spoken")
    rows = []
    for form in (first, second):
        text = " ".join(getattr(passage, form) for passage in reference.passages)
        rows.append((spelled if as_written and form == first else spoken)(reader, text))
        if all(passage.written == passage.spoken for passage in reference.passages):
            return rows[0]
    lattice: list[Spelling] = []
    positions = [0, 0]
    for passage in reference.passages:
        ways: list[str] = []
        for index, form in enumerate((first, second)):
            n_words = len(getattr(passage, form).split())
            words = rows[index][positions[index] : positions[index] + n_words]
            positions[index] += n_words
            ways += (" ".join(way) for way in islice(product(*words), _MOST_SPELLINGS // 2))
        lattice.append(_distinct(ways))
    return tuple(lattice)


def _distinct(ways: Iterable[str]) -> Spelling:
    return tuple(dict.fromkeys(ways))
