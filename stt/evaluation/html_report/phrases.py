"""What the page says, in English and in Korean."""

import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files


@cache
def korean() -> Mapping[str, str]:
    """Korean by English; ``{n}`` stands for a value."""
    text = files(__package__).joinpath("korean.json").read_text(encoding="utf-8")
    phrases: Mapping[str, str] = json.loads(text)
    return phrases


def say(phrase: str, **values: object) -> str:
    """A phrase as HTML that the page's script can translate.

    Args:
        phrase: One of `korean`, or a name, which is the same in every language.
        values: What its braces stand for.
    """
    if not values:
        return f"<span data-say>{escape(phrase)}</span>"
    written = {name: escape(str(value)) for name, value in values.items()}
    text = re.sub(r"\{(\w+)\}", lambda match: written[match[1]], escape(phrase))
    attributes = "".join(f' data-{name}="{value}"' for name, value in written.items())
    return f'<span data-say="{escape(phrase)}"{attributes}>{text}</span>'
