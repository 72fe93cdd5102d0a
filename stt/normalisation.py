"""Normal forms of texts: NFC where a text comes in; without case and punctuation to compare it.

One text can be two sequences of characters: 가 is one (NFC), or ㄱ and ㅏ (NFD, as macOS names
files). `compose` is called wherever a text comes in, so all code behind it sees only NFC.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

MOST_MARKS = 30
"""Marks of one letter that are put in order; as in the stream-safe text format (UAX #15, 13)."""
_MANY_MARKS = re.compile(rf"[^\w\s\x00-\u02ff]{{{MOST_MARKS + 1},}}")
"""Where so many marks may be: other signs fit too, but all of this is rare."""


def compose(text: str) -> str:
    """The text in NFC, but for letters with more than `MOST_MARKS` marks, which no writing has.

    Python sorts the marks of a letter in time quadratic in their number, and nothing else runs
    meanwhile: 80 kB of marks would stop a service for a minute.
    """
    if len(text) <= MOST_MARKS:
        return unicodedata.normalize("NFC", text)
    pieces = []
    begin = 0
    for cut in _cuts(text):
        pieces.append(text[begin:cut])
        begin = cut
    pieces.append(text[begin:])
    return "".join(unicodedata.normalize("NFC", piece) for piece in pieces)


def _cuts(text: str) -> Iterator[int]:
    """Before each mark that is one too many."""
    for match in _MANY_MARKS.finditer(text):
        n_marks = 0
        for at in range(match.start(), match.end()):
            n_marks = n_marks + 1 if unicodedata.combining(text[at]) else 0
            if n_marks > MOST_MARKS:
                yield at
                n_marks = 1


class PathFinder:
    """Finds files by name in any normal form.

    A list written in NFC can name files that a Mac has packed, which are in NFD: other bytes, and
    so other files to Linux. Folders are read once; make a finder for each list.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, Path]] = {}

    def find(self, path: Path) -> Path:
        """The path if it exists, else one that differs in nothing but normal form.

        Returns:
            The path as it was if there is no such file.
        """
        if _exists(path) or str(path).isascii():
            return path
        found = Path(path.anchor)
        for part in path.parts[1 if path.anchor else 0 :]:
            exact = found / part
            found = exact if _exists(exact) else self._entries(found).get(compose(part), exact)
        return found if _exists(found) else path

    def _entries(self, folder: Path) -> dict[str, Path]:
        if folder not in self._folders:
            self._folders[folder] = {compose(entry.name): entry for entry in _entries(folder)}
        return self._folders[folder]


def find_path(path: Path) -> Path:
    """See `PathFinder.find`."""
    return PathFinder().find(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long
        return False


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:  # whoever opens the file says why
        return


def normalise_basic(text: str, *, lower_case: bool = True, kept: str = "") -> str:
    """Convert to NFC and lower case, remove punctuation, collapse spaces.

    Punctuation (Unicode category P) is removed, not replaced by a space: "don't" becomes "dont".
    Symbols (category S, such as "+" and "$") and digits stay.

    Args:
        text: Any text.
        lower_case: False leaves the case as it is.
        kept: Punctuation that stays.
    """
    composed = compose(text)
    if lower_case:
        composed = composed.lower()
    spelled = "".join(
        char for char in composed if char in kept or unicodedata.category(char)[0] != "P"
    )
    # Lower-casing can decompose (İ), and removal can bring a letter and its mark together.
    return " ".join(compose(spelled).split())
