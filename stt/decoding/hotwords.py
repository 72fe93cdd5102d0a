"""Hotwords: words and names that a recording is likely to have.

While a hypothesis spells a hotword it gains a bonus with every letter, and loses it again if the
hotword is not completed (contextual biasing by shallow fusion; Zhao et al., 2019).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stt.decoding.alphabet import Alphabet
from stt.decoding.hangul import is_hangul
from stt.decoding.scripts import has_unspaced
from stt.decoding.tree import Tree, grow, parents_of
from stt.errors import InvalidHotwords
from stt.korean.readings import ways_to_say
from stt.normalisation import compose

MAX_HOTWORDS = 1_000
MAX_LENGTH = 100
"""Characters of one hotword."""
MOST_WAYS = 2 * MAX_HOTWORDS
"""Ways to say all hotwords; once there are so many, each further hotword has only its usual way."""
MIN_WEIGHT, MAX_WEIGHT = 0.1, 10.0
LETTER_BONUS = 2.0
"""Log-probability that each letter of a hotword of weight 1 gains."""
_WEIGHT = re.compile(r":\s*(?P<weight>[^:]*)$")


@dataclass(frozen=True)
class Hotword:
    """One hotword."""

    text: str
    """NFC, without white space at its ends."""
    weight: float = 1.0
    """How much likelier it becomes; 1 is the usual strength."""
    written: str = ""
    """The hotword as it was given, if the text is one of the ways to say it: ``3M`` of 쓰리엠."""


def parse_hotwords(text: str) -> tuple[Hotword, ...]:
    """Parse hotwords that are separated by commas or lines: ``word`` or ``word:weight``.

    Empty ones are skipped; of equal ones the last counts.

    Raises:
        InvalidHotwords: there are too many, one is too long, or a weight is out of range.
    """
    found: dict[str, Hotword] = {}
    for entry in split_entries(text):
        hotword = _parse(entry)
        if hotword is not None:
            found[hotword.text] = hotword
    if len(found) > MAX_HOTWORDS:
        raise InvalidHotwords(f"There are {len(found)} hotwords; the limit is {MAX_HOTWORDS}.")
    return tuple(found.values())


def split_entries(text: str) -> list[str]:
    """The entries of a list separated by commas or lines, in NFC, without the empty ones."""
    entries = re.split(r"[,\n\r、，]", compose(text))
    return [entry.strip() for entry in entries if entry.strip()]


def _parse(entry: str) -> Hotword | None:
    match = _WEIGHT.search(entry)
    weight = 1.0
    if match is not None:
        entry = entry[: match.start()].rstrip()
        try:
            weight = float(match["weight"])
        except ValueError:
            weight = float("nan")
        if not MIN_WEIGHT <= weight <= MAX_WEIGHT:
            raise InvalidHotwords(
                f"The weight of the hotword {entry[:40]!r} is {match['weight'][:40]!r}; expected a "
                f"number from {MIN_WEIGHT:g} to {MAX_WEIGHT:g}, such as {entry[:40]}:2."
            )
    if len(entry) > MAX_LENGTH:
        raise InvalidHotwords(
            f"The hotword {entry[:40]!r}... has {len(entry)} characters; the limit is {MAX_LENGTH}."
        )
    return Hotword(entry, weight) if entry else None


class HotwordGraph(NamedTuple):
    """All hotwords of a request, for compiled code."""

    tree: Tree
    bonuses: NDArray[np.float32]
    """``[n_nodes]``: what a hypothesis has gained on its way to each node."""
    kept: NDArray[np.float32]
    """``[n_nodes]``: what it keeps if it goes on with another letter."""
    complete: NDArray[np.float32]
    """``[n_nodes]``: what it keeps if the word ends here; 0 where no hotword is complete."""
    breaks: NDArray[np.bool_]
    """``[n_nodes]``: whether a space may follow within the hotword."""


NO_HOTWORDS = HotwordGraph(
    Tree(np.ones(2, np.int32), np.full(1, -1, np.int32)),
    bonuses=np.zeros(1, np.float32),
    kept=np.zeros(1, np.float32),
    complete=np.zeros(1, np.float32),
    breaks=np.zeros(1, np.bool_),
)


def spell_hotwords(hotwords: Sequence[Hotword], alphabet: Alphabet) -> HotwordGraph:
    """Spell hotwords with a checkpoint's letters.

    In Korean, particles may follow a hotword, and spaces in it do not matter. In other scripts with
    spaces the word must end where the hotword does.

    Raises:
        InvalidHotwords: the checkpoint cannot write one; the message names it.
    """
    spelled = [_spell(hotword, alphabet) for hotword in hotwords]
    tree, nodes = grow([letters for letters, _ in spelled])
    n_nodes = len(tree.letters)
    bonuses, kept, complete = np.zeros((3, n_nodes), np.float32)
    breaks = np.zeros(n_nodes, np.bool_)
    parents = parents_of(tree)
    for hotword, (_, at_spaces), node in zip(hotwords, spelled, nodes.tolist(), strict=True):
        path = [node]
        while path[-1] > 0:
            path.append(int(parents[path[-1]]))
        path.reverse()  # from the root
        for depth, each in enumerate(path):
            bonuses[each] = max(bonuses[each], depth * hotword.weight * LETTER_BONUS)
        earned = (len(path) - 1) * hotword.weight * LETTER_BONUS
        complete[node] = max(complete[node], earned)
        if _may_continue(hotword.text):
            kept[node] = max(kept[node], earned)
            breaks[path[1:]] = True
        breaks[[path[depth] for depth in at_spaces]] = True
    for node in range(1, n_nodes):  # parents come before their children
        bonuses[node] = max(bonuses[node], bonuses[parents[node]])
        kept[node] = max(kept[node], kept[parents[node]])
    return HotwordGraph(tree, bonuses, kept, complete, breaks)


def say_hotwords(
    hotwords: Iterable[Hotword], alphabet: Alphabet, abbreviations: Mapping[str, str]
) -> tuple[Hotword, ...]:
    """Korean hotwords as they are said, where a checkpoint lacks their digits, letters or signs.

    Each becomes one hotword for each of its `ways_to_say`, up to `MOST_WAYS`. Those that cannot be
    said by rule either stay, for `spell_hotwords` to refuse.

    Args:
        hotwords: As they were given.
        alphabet: The checkpoint's letters.
        abbreviations: Written forms by spoken ones.
    """
    found: dict[str, Hotword] = {}
    for hotword in hotwords:
        ways: Iterable[str] = (hotword.text,)
        if not _can_write(hotword.text, alphabet):
            spoken = ways_to_say(hotword.text, abbreviations)
            writable = (way for way in spoken if way and _can_write(way, alphabet))
            ways = list(islice(writable, max(1, MOST_WAYS - len(found)))) or ways
        for way in ways:
            written = "" if way == hotword.text else hotword.text
            found[way] = Hotword(way, hotword.weight, written)
    return tuple(found.values())


def _can_write(text: str, alphabet: Alphabet) -> bool:
    return not any(alphabet.spell(word)[1] for word in text.split())


def _spell(hotword: Hotword, alphabet: Alphabet) -> tuple[list[int], list[int]]:
    """The letters of a hotword, and after how many of them it has spaces."""
    letters: list[int] = []
    at_spaces = []
    for word in hotword.text.split():
        more, missing = alphabet.spell(word)
        if missing:
            raise InvalidHotwords(
                f"The model cannot write {_quoted(missing)} of the hotword {hotword.text!r}. "
                "Write hotwords as they are spoken, with the letters of the language."
            )
        at_spaces.append(len(letters))
        letters += more
    if not letters:
        raise InvalidHotwords(f"The hotword {hotword.text!r} has no letter.")
    return letters, [n for n in at_spaces if n]


def _quoted(characters: Iterable[str]) -> str:
    return ", ".join(repr(each) for each in dict.fromkeys(characters))


def _may_continue(text: str) -> bool:
    """Whether something may follow without a space: a Korean particle, or any next word."""
    return is_hangul(text[-1]) or has_unspaced(text[-1])
