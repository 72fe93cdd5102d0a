"""English texts for the synthetic corpus, and which words and pairs training never sees."""

import random
import re
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from training import lexicon_en as lexicon
from training.grammar_en import Decks, Grammar
from training.splits import Splits

MAX_CHARACTERS = 60
MAX_WORDS = 10
HELD_OUT_NOUNS = 0.10
HELD_OUT_VERBS_AND_ADJECTIVES = 0.08
HELD_OUT_PAIRS = 12
"""One in this many neighbouring word pairs is held out."""
PAIR_SALT = 4
"""Found by search: leaves the grammar's own pairs ("IN THE", "YOU ARE") to training."""
MIN_USES = 5
"""How often each known word stands in the training texts, in any of its forms."""
SINGLES_SHARE, CARRIERS_AT = 0.25, 0.85
"""Single words take at most this share of train; rare words are topped up once it is this full."""
N_TEST, N_DEV = 300, 200

Lists = dict[str, tuple[str, ...]]


def is_held_pair(left: str, right: str) -> bool:
    """Whether two neighbouring words are kept from training; by hash, thus for every seed."""
    return zlib.crc32(f"{PAIR_SALT}:{left} {right}".encode()) % HELD_OUT_PAIRS == 0


def has_held_pair(text: str) -> bool:
    """Whether any two neighbouring words of the text are a held-out pair."""
    words = text.split()
    return any(map(is_held_pair, words, words[1:]))


@dataclass(frozen=True)
class Vocabulary:
    """The lexicon, parted into known and held-out words."""

    known: Lists
    held: Lists
    held_forms: frozenset[str]
    """Uppercase, every inflected form."""

    def has_held_word(self, text: str) -> bool:
        words = text.split()
        return any(w in self.held_forms or w.removesuffix("'S") in self.held_forms for w in words)


def fixed_words() -> set[str]:
    """Words that every split needs: of the grammar itself, of phrases, numbers and dates."""
    patterns = [pattern for _, pattern in lexicon.PATTERNS]
    patterns += [frame for frames in lexicon.CARRIERS.values() for frame in frames]
    text = " ".join(re.sub(r"\{.*?\}", " ", pattern) for pattern in patterns)
    numbers = (lexicon.ONES, lexicon.TENS, lexicon.ORDINALS, lexicon.DAYS, lexicon.MONTHS)
    times = (lexicon.TIME_UNITS, lexicon.DAY_PARTS, lexicon.SEASONS, lexicon.FUNCTION_WORDS)
    names = (lexicon.FIRST_NAMES, lexicon.SURNAMES, lexicon.CITIES, lexicon.COUNTRIES)
    words = {word for block in (*names, *numbers, *times) for word in block}
    words |= {word.removesuffix("'s") for phrase in lexicon.PHRASES for word in phrase.split()}
    return words | set(re.findall(r"[a-z']+", text))


def part_vocabulary(rng: random.Random) -> Vocabulary:
    """Hold out whole words: a word that shares any form with a held-out one goes with it."""
    lists, fixed = lexicon.word_lists(), fixed_words()
    shares = {"noun": HELD_OUT_NOUNS, "mass": HELD_OUT_NOUNS}
    shares |= dict.fromkeys(("verb", "adj"), HELD_OUT_VERBS_AND_ADJECTIVES)
    held_forms: set[str] = set()
    for kind, share in shares.items():
        entries = {e for name, words in lists.items() if name.startswith(kind) for e in words}
        forms = {entry: lexicon.word_forms(kind, entry) for entry in sorted(entries)}
        free = [entry for entry in forms if not forms[entry] & fixed]
        for entry in rng.sample(free, round(share * len(entries))):
            held_forms |= forms[entry]
    known, held = {}, {}
    for name, words in lists.items():
        kind = name.partition(".")[0]
        out = {e for e in words if lexicon.word_forms(kind, e) & held_forms}
        known[name] = tuple(entry for entry in words if entry not in out)
        held[name] = tuple(entry for entry in words if entry in out)
    return Vocabulary(known, held, frozenset(form.upper() for form in held_forms))


def known_singles(vocabulary: Vocabulary) -> list[str]:
    """Each known base word alone, and the words of the grammar."""
    words = {entry.partition(":")[0] for block in vocabulary.known.values() for entry in block}
    return sorted(word.upper() for word in words | set(lexicon.FUNCTION_WORDS))


class Corpus:
    """Collects distinct texts and counts their words."""

    def __init__(self, rng: random.Random, vocabulary: Vocabulary) -> None:
        self.rng, self.vocabulary = rng, vocabulary
        self.decks = Decks(rng, vocabulary.known)
        self.grammar = Grammar(rng, self.decks)
        self.texts: set[str] = set()
        self.counts: Counter[str] = Counter()

    def is_trainable(self, text: str) -> bool:
        return not has_held_pair(text) and not self.vocabulary.has_held_word(text)

    def is_known(self, text: str) -> bool:
        """Whether training has every word of the text."""
        return all(word in self.counts for word in text.split())

    def add(self, text: str) -> bool:
        """Take a text unless it is a repetition or too long."""
        n_words = len(text.split())
        if text in self.texts or len(text) > MAX_CHARACTERS or n_words > MAX_WORDS:
            return False
        self.texts.add(text)
        return True

    def train(self, n_texts: int) -> list[str]:
        """Single words first, then sentences, then frames for the words still rare."""
        singles = known_singles(self.vocabulary)
        self.rng.shuffle(singles)
        texts = singles[: int(SINGLES_SHARE * n_texts)]
        self.texts.update(texts)
        texts += [text for text in map(str.upper, lexicon.PHRASES) if self._takes(text)]
        self.counts.update(word for text in texts for word in text.split())
        self._fill(texts, int(CARRIERS_AT * n_texts))
        for name, entry in self._entries():
            for _ in range(12 * MIN_USES):
                if len(texts) >= n_texts or self._uses(name, entry) >= MIN_USES:
                    break
                self._keep(texts, self._carrier(name, entry))
        self._fill(texts, n_texts)
        texts = texts[:n_texts]
        self.rng.shuffle(texts)
        return texts

    def _takes(self, text: str) -> bool:
        return self.is_trainable(text) and self.add(text)

    def _keep(self, texts: list[str], text: str) -> None:
        if self._takes(text):
            texts.append(text)
            self.counts.update(text.split())

    def _fill(self, texts: list[str], n_texts: int) -> None:
        while len(texts) < n_texts:
            self._keep(texts, self.grammar.sentence().upper())

    def _entries(self) -> list[tuple[str, str]]:
        return [(name, e) for name, block in self.vocabulary.known.items() for e in block]

    def _uses(self, name: str, entry: str) -> int:
        forms = lexicon.word_forms(name.partition(".")[0], entry)
        return sum(self.counts[form.upper()] for form in forms)

    def _carrier(self, name: str, entry: str) -> str:
        """A short frame around one word."""
        kind, _, category = name.partition(".")
        frame = self.rng.choice(lexicon.CARRIERS[kind])
        frame = frame.replace(":C}", f":{category}}}").replace("{NAME}", f"{{{category}}}")
        self.decks.forced[name] = entry
        text = self.grammar.fill(frame).upper()
        self.decks.forced.clear()
        return text

    def draw(
        self, n_texts: int, grammar: Grammar, is_wanted: Callable[[str], bool], min_words: int = 3
    ) -> list[str]:
        """New sentences of a kind."""
        texts: list[str] = []
        while len(texts) < n_texts:
            text = grammar.sentence().upper()
            if len(text.split()) >= min_words and is_wanted(text) and self.add(text):
                texts.append(text)
        return texts


def make_splits(n_train: int, seed: int) -> Splits:
    """Texts of the English corpus; the same for the same seed.

    With fewer than some 20,000 texts not every known word fits ``MIN_USES`` times.
    """
    rng = random.Random(seed)
    vocabulary = part_vocabulary(rng)
    corpus = Corpus(rng, vocabulary)
    train = corpus.train(n_train)
    corpus.counts = Counter(word for text in train for word in text.split())
    novel = Grammar(rng, Decks(rng, vocabulary.known, novel=vocabulary.held))

    def new_sentence(text: str) -> bool:
        return corpus.is_trainable(text) and corpus.is_known(text)

    def new_pair(text: str) -> bool:
        return has_held_pair(text) and corpus.is_known(text)

    return Splits(
        train=train,
        dev=corpus.draw(N_DEV, corpus.grammar, new_sentence),
        test_sentences=corpus.draw(N_TEST, corpus.grammar, new_sentence),
        test_pairs=corpus.draw(N_TEST, corpus.grammar, new_pair),
        test_words=corpus.draw(N_TEST, novel, vocabulary.has_held_word),
    )
