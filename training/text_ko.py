"""Korean texts for training and testing, and what is held out of training."""

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from stt.korean.numerals import native, sino
from training import korean, lexicon_ko, phrases_ko
from training.grammar_ko import SentenceMaker, Words
from training.korean import Verb, particle
from training.splits import Splits

MAX_CHARACTERS = 46
N_DEV, N_TEST_SENTENCES, N_TEST_PAIRS, N_TEST_WORDS = 160, 300, 200, 300
HELD_OUT_NOUNS = {"EXTRA": 0.40}
"""Share of a category's nouns never seen in training; ``HELD_OUT_SHARE`` for the others."""
HELD_OUT_SHARE = 0.08
PSEUDO_WORD_SHARE = 0.12
"""Share of training sentences in which pronounceable non-words stand in for one noun in four."""

_NOUN_PARTICLES = ("이/가",
    "은/는", "을/를", "으로/로", "과/와", "도", "에", "에서", "의", "만", "까지", "부터", "보다",
    "에게", "한테", "이랑/랑", "하고", "들", "들이", "들은", "들도", "들을", "에는", "에도",
    "에서는", "이나/나", "이라도/라도", "처럼", "마다",
)  # fmt: skip
_COPULAS = (
    "입니다", "이에요/예요", "입니까", "이었습니다/였습니다", "이라고/라고", "이다/다", "씨", "역",
    "행",
)  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """What training never sees: dictionary words, and every surface form they can take."""

    known: Words
    unseen: Words
    surfaces: frozenset[str]

    def has_word(self, text: str) -> bool:
        return not self.surfaces.isdisjoint(text.split())


def pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return list(pairwise(words))


_FIXED_PAIRS = frozenset(
    pair
    for text in (*phrases_ko.GREETINGS, "수 있어요", "수 없습니다", "수 있습니까", "것 같아요")
    for pair in pairs(text)
)


def has_held_out_pair(text: str) -> bool:
    """Whether two neighbouring words are one of the pairs (one in twelve) kept out of training.

    Pairs inside the fixed everyday sentences are always allowed.
    """
    return any(
        zlib.crc32("|".join(pair).encode()) % 12 == 0 and pair not in _FIXED_PAIRS
        for pair in pairs(text)
    )


def hold_out(seed: int) -> HeldOut:
    """Choose the words that training never sees. Words of one syllable are always known."""
    rng = random.Random(seed)
    nouns = {**lexicon_ko.NOUNS, "ADVERB": lexicon_ko.ADVERBS}
    held_nouns = {
        noun
        for category, words in nouns.items()
        for noun in words
        if rng.random() < HELD_OUT_NOUNS.get(category, HELD_OUT_SHARE) and len(noun) > 1
    }
    verbs = {category: _verbs(entries) for category, entries in _verb_entries().items()}
    stems = sorted({verb.stem for members in verbs.values() for verb in members})
    held_stems = {stem for stem in stems if rng.random() < HELD_OUT_SHARE and len(stem) > 1}
    surfaces = set()
    for noun in held_nouns:
        surfaces |= {noun, *(particle(noun, ending) for ending in _NOUN_PARTICLES + _COPULAS)}
    for verb in {verb for members in verbs.values() for verb in members}:
        if verb.stem in held_stems:
            surfaces |= _verb_surfaces(verb)
    in_held = {c: [n for n in words if n in held_nouns] for c, words in nouns.items()}
    out_held = {c: [n for n in words if n not in held_nouns] for c, words in nouns.items()}
    known_verbs = {c: [v for v in vs if v.stem not in held_stems] for c, vs in verbs.items()}
    unseen_verbs = {c: [v for v in vs if v.stem in held_stems] for c, vs in verbs.items()}
    return HeldOut(
        known=Words(out_held, known_verbs),
        unseen=Words(in_held, unseen_verbs),
        surfaces=frozenset(surfaces),
    )


def _verb_entries() -> dict[str, list[str]]:
    return {
        **lexicon_ko.TRANSITIVE_VERBS,
        "MOVE": lexicon_ko.MOTION_VERBS,
        "STAY": lexicon_ko.PLACE_VERBS,
        "INTRANSITIVE": lexicon_ko.INTRANSITIVE_VERBS,
        "ADJ": lexicon_ko.ADJECTIVES,
    }


def _verbs(entries: list[str]) -> list[Verb]:
    return [Verb.parse(entry) for entry in entries]


def _verb_surfaces(verb: Verb) -> set[str]:
    endings = korean.VERB_ENDINGS + korean.ADJECTIVE_ENDINGS + korean.VERB_CONNECTIVES
    forms = {verb.end(ending).split()[0] for ending in endings}
    return forms | {verb.past_modifier, verb.modifier, verb.infinitive, verb.stem + "다"}


def _mixed(held: HeldOut) -> Words:
    """Held-out words wherever there are any, beside as many known ones."""

    def mix(unseen: list, known: list, rng: random.Random) -> list:
        return unseen + rng.sample(known, min(len(known), len(unseen))) if unseen else known

    rng = random.Random(len(held.surfaces))
    return Words(
        {c: mix(held.unseen.nouns[c], known, rng) for c, known in held.known.nouns.items()},
        {c: mix(held.unseen.verbs[c], known, rng) for c, known in held.known.verbs.items()},
    )


def make_splits(n_train: int, seed: int) -> Splits:
    """``n_train`` training texts (at least one of every known word alone) and the held-out sets."""
    held = hold_out(seed)
    rng = random.Random(seed + 1)
    plain = SentenceMaker(rng, held.known)
    inventive = SentenceMaker(rng, held.known, pseudo_word_share=0.25)
    taken: set[str] = set()

    def add(texts: list[str], text: str, *, least: int = 1) -> bool:
        if not least <= len(text) <= MAX_CHARACTERS or text in taken:
            return False
        taken.add(text)
        texts.append(text)
        return True

    def is_trainable(text: str) -> bool:
        return not held.has_word(text) and not has_held_out_pair(text)

    train: list[str] = []
    singles = [noun for words in held.known.nouns.values() for noun in words]
    singles += lexicon_ko.TIMES + phrases_ko.GREETINGS
    singles += [sino(n) for n in range(101)] + [native(n) for n in range(1, 61)]
    for text in singles:
        if is_trainable(text):
            add(train, text)

    # The held-out sentences are drawn first, so that their number never depends on n_train.
    def draw(n_texts: int, maker: SentenceMaker, is_wanted: Callable[[str], bool]) -> list[str]:
        texts: list[str] = []
        while len(texts) < n_texts:
            text = maker.sentence()
            if is_wanted(text):
                add(texts, text, least=6)
        return texts

    test_rng = random.Random(seed + 2)
    test_maker = SentenceMaker(test_rng, held.known)
    dev = draw(N_DEV, test_maker, is_trainable)
    test_sentences = draw(N_TEST_SENTENCES, test_maker, is_trainable)
    test_pairs = draw(
        N_TEST_PAIRS, test_maker, lambda t: has_held_out_pair(t) and not held.has_word(t)
    )
    test_words = draw(N_TEST_WORDS, SentenceMaker(test_rng, _mixed(held)), held.has_word)

    while len(train) < n_train:
        draw_kind = rng.random()
        if draw_kind < 0.12:
            text = plain.short()
        elif draw_kind < 0.12 + PSEUDO_WORD_SHARE:
            text = inventive.sentence()
        else:
            text = plain.sentence()
        if is_trainable(text):
            add(train, text)
    rng.shuffle(train)
    return Splits(train, dev, test_sentences, test_pairs, test_words)
