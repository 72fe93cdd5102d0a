"""Words and the turns of speakers -> words with their speaker."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stt.speakers.turns import SpeakerTurn
from stt.types import Word


def with_speakers(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[Word]:
    """Give each word the speaker of the turn that it shares most time with, or that is nearest.

    Speakers are called A, B, ... in the order of their first words, as in OpenAI's API. Without
    turns, words have none.
    """
    if not turns:
        return list(words)
    starts = np.array([turn.start for turn in turns])
    ends = np.array([turn.end for turn in turns])
    names: dict[int, str] = {}
    found = []
    for word in words:
        # Negative: the time between them.
        shared = np.minimum(ends, word.end) - np.maximum(starts, word.start)
        speaker = turns[int(shared.argmax())].speaker
        name = names.setdefault(speaker, speaker_name(len(names)))
        found.append(replace(word, speaker=name))
    return found


def speaker_name(index: int) -> str:
    """A to Z, then AA, AB, ...: like columns of a spreadsheet."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
