"""Normal forms of texts: NFC where a text comes in; without case and punctuation to compare it.

One text can be two sequences of characters: 가 is one (NFC), or ㄱ and ㅏ (NFD, as macOS names
files). `compose` is called wherever a text comes in, so all code behind it sees only NFC.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path


def compose(text: str) -> str:
    """The text in NFC."""
    return unicodedata.normalize("NFC", text)


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
        if path.exists() or str(path).isascii():
            return path
        found = Path(path.anchor)
        for part in path.parts[1 if path.anchor else 0 :]:
            exact = found / part
            found = exact if exact.exists() else self._entries(found).get(compose(part), exact)
        return found if found.exists() else path

    def _entries(self, folder: Path) -> dict[str, Path]:
        if folder not in self._folders:
            self._folders[folder] = {compose(entry.name): entry for entry in _entries(folder)}
        return self._folders[folder]


def find_path(path: Path) -> Path:
    """See `PathFinder.find`."""
    return PathFinder().find(path)


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
