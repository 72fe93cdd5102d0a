"""Everyday Korean sentences that people wrote, as ko-mini spells them and as they are spoken."""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stt.korean.numerals import native, sino
from training.splits import Splits, everyday_splits
from training.text_ko import has_held_out_pair, hold_out, pairs

_SINO_COUNTERS = (
    "개월", "년", "월", "일", "분", "초", "주", "박", "도", "퍼센트", "원", "위", "등", "층", "차",
    "만", "천", "학년", "킬로", "포인트", "프로",
)  # fmt: skip
_NATIVE_COUNTERS = (
    "시간", "시", "살", "달", "명", "번", "병", "잔", "개", "가지", "마리", "군데", "배", "장", "통",
    "끼", "쌍", "마디", "걸음",
)  # fmt: skip
_COUNTERS: dict[str, Callable[[int], str]] = {
    **dict.fromkeys(_SINO_COUNTERS, sino),
    **dict.fromkeys(_NATIVE_COUNTERS, native),
}
_LONGEST_FIRST = sorted(_COUNTERS, key=len, reverse=True)
_COUNTED = re.compile(r"(?<!중)(\d{1,4})\s?(" + "|".join(_LONGEST_FIRST) + ")")
_LATIN = {"sns": "에스엔에스", "ppl": "피피엘", "as": "에이에스", "tv": "티비", "cc": "씨씨"}
_IRREGULAR = {"6월": "유월", "10월": "시월", "중2": "중이"}
_EMOTICONS = re.compile(r"[ㄱ-ㅣ]+")
_HESITATIONS = ("어", "음", "그")
_HESITATION_SHARE, _PAUSE_SHARE = 0.08, 0.12
_COMMON = 5
"""A held-out word that everyday sentences have so often is not kept out of them."""


@dataclass(frozen=True)
class Utterance:
    """What a clip says."""

    text: str
    """As the model spells it."""
    spoken: str
    """As the synthesiser gets it: a comma is a pause."""


def spelled(sentence: str) -> str | None:
    """The sentence in Hangul and single spaces; None if it has numbers or letters of unknown sound.

    Numbers before a counter are spelled out. Letters that stand for laughs and tears are dropped.
    """
    text = unicodedata.normalize("NFC", sentence).replace("%", "퍼센트")
    for written, spoken in _IRREGULAR.items():
        text = re.sub(rf"(?<!\d){written}(?!\d)", spoken, text)
    text = _COUNTED.sub(_read_counted, text)
    text = re.sub(r"[A-Za-z]+", lambda match: _LATIN.get(match[0].lower(), match[0]), text)
    text = _EMOTICONS.sub(" ", text)
    text = " ".join(re.sub(r"[^\w]|_", " ", text).split())
    return text if re.fullmatch(r"[가-힣]+( [가-힣]+)*", text) else None


def _read_counted(match: re.Match[str]) -> str:
    number, counter = int(match[1]), match[2]
    read = _COUNTERS[counter]
    if not 1 <= number <= 99:
        read = sino
    space = " " if read is native else ""
    return read(number) + space + counter


def utterances(texts: Iterable[str], n_times: int, rng: random.Random) -> Iterator[Utterance]:
    """Each text ``n_times``, some with a hesitation (it is spelled) or a pause (it is not)."""
    for text in texts:
        for _ in range(n_times):
            words = text.split()
            if rng.random() < _HESITATION_SHARE:
                words.insert(rng.randrange(len(words)), rng.choice(_HESITATIONS))
            spoken = list(words)
            if rng.random() < _PAUSE_SHARE:
                spoken[rng.randrange(len(spoken))] += ","
            yield Utterance(" ".join(words), " ".join(spoken) + rng.choice(("", "", ".", "?")))


@dataclass(frozen=True)
class EverydayTexts:
    """Everyday sentences, spelled."""

    train: list[str]
    dev: list[str]
    held_out: list[str]
    common_words: frozenset[str]
    """Words held out of the generated texts that ``train`` has all the same."""


def spelled_once(sentences: Iterable[str]) -> list[str]:
    """The sentences that can be spelled, without repetitions."""
    return list(dict.fromkeys(filter(None, map(spelled, sentences))))


def everyday_texts(path: Path, splits: Splits, seed: int) -> EverydayTexts:
    """The sentences of a table (see `everyday_splits`) that can be spelled.

    Training sentences with a pair of words that ``splits.test_pairs`` tests are dropped, and those
    with a held-out word unless it is common: without 많이 and 같이 the rest would not be Korean.
    """
    everyday = everyday_splits(path)
    train, dev, held_out = (
        spelled_once(sentences) for sentences in (everyday.train, everyday.dev, everyday.held_out)
    )
    surfaces = hold_out(seed).surfaces
    counts = Counter(word for text in train for word in text.split() if word in surfaces)
    common = frozenset(word for word, count in counts.items() if count >= _COMMON)
    kept_out = surfaces - common
    tested_texts = {*splits.dev, *splits.test_sentences, *splits.test_pairs, *splits.test_words}
    tested_pairs = {
        pair
        for text in splits.test_pairs
        for pair in pairs(text)
        if has_held_out_pair(" ".join(pair))
    }
    train = [
        text
        for text in train
        if kept_out.isdisjoint(text.split())
        and tested_pairs.isdisjoint(pairs(text))
        and text not in tested_texts
    ]
    return EverydayTexts(train, dev, held_out, common)


def mixture(generated: list[str], everyday: list[str], n_times: int, seed: int) -> list[Utterance]:
    """Everyday sentences ``n_times`` each and as many generated texts, shuffled."""
    rng = random.Random(seed)
    mixed = list(utterances(everyday, n_times, rng))
    mixed += utterances(generated[: len(mixed)], 1, rng)
    rng.shuffle(mixed)
    return mixed
