"""Texts as they are compared and counted: without case, punctuation and odd spaces."""

import unicodedata


def normalise_basic(text: str, *, lower_case: bool = True, kept: str = "") -> str:
    """Convert to NFC and lower case, remove punctuation, collapse spaces.

    Punctuation (Unicode category P) is removed, not replaced by a space: "don't" becomes "dont".
    Symbols (category S, such as "+" and "$") and digits stay.

    Args:
        text: Any text.
        lower_case: False leaves the case as it is.
        kept: Punctuation that stays.
    """
    composed = unicodedata.normalize("NFC", text)
    if lower_case:
        composed = composed.lower()
    spelled = "".join(
        char for char in composed if char in kept or unicodedata.category(char)[0] != "P"
    )
    # Lower-casing can decompose (İ), and removal can bring a letter and its mark together.
    return " ".join(unicodedata.normalize("NFC", spelled).split())
