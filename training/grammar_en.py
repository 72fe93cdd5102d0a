"""A template grammar over the English lexicon.

Words are dealt from decks instead of drawn independently: every word of a list comes up once
before any comes up twice, so that rare words are spelled often enough to be learned.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from training import lexicon_en as lexicon

NOVEL_BOOST, NOVEL_LIMIT = 4, 0.5
"""How much likelier novel words are dealt than their number says, and the highest share."""

SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
CLUMSY = re.compile(r"\b(i|i'm)\b.*\bme\b|\bwe\b.*\bus\b|\byou\b.*\byou\b|n't not\b|\bthat that\b")
"""A pronoun that should be reflexive, a double negation, a stutter."""
CHOICE = re.compile(r"\[([^][]*)\]")
DETERMINERS = ("the", "the", "the", "my", "your", "his", "her", "our", "their", "this", "that")
PLURAL_DETERMINERS = ("the", "the", "my", "your", "his", "her", "our", "their", "these", "those")
PRONOUNS = ("i", "i", "you", "he", "she", "we", "they")
PAST_ENDS = ("yesterday", "last {unit}", "last {day}", "{number} {units} ago", "on {day}")
FUTURE_ENDS = ("tomorrow", "soon", "later", "tonight", "next {unit}", "next {day}", "in {month}")
WAYS = ("to", "to", "to", "through", "into", "past", "across", "toward")
ADJECTIVES_FOR = {
    "profession": "person", "object": "thing", "clothes": "thing", "vehicle": "thing",
    "technology": "thing", "text": "abstract", "instrument": "thing", "body": "thing",
}  # fmt: skip
THINGS = ("object", "object", "object", "clothes", "vehicle", "technology", "text", "instrument")
PEOPLE = ("person", "profession")
WHO_DOES = (
    ("person", 30), ("thing", 26), ("abstract", 12), ("food", 8), ("place", 8), ("motion", 14),
    ("giving", 6), ("gerund", 4), ("infinitive", 5), ("animal", 4), ("clothes", 5), ("vehicle", 4),
    ("text", 6), ("technology", 5), ("instrument", 2), ("event", 5), ("drink", 2),
    ("somebody", 14),
)  # fmt: skip
PLACES_AT = ("in", "in", "at", "near", "behind", "outside", "inside", "next to", "in front of")
STATIVE = frozenset(
    """know like love hate need want own prefer believe understand see hear forget
    remember recognize suppose dislike mention notice receive fear trust mean
    """.split()
)
SIMPLE_KINDS = ("person", "thing", "thing", "food", "motion", "text", "somebody", "place", "event")
VERB_SLOTS = {"vb": "base", "vs": "s", "ved": "past", "ving": "ing", "ven": "part"}
MODALS = tuple(
    "can could should might must would may can't couldn't shouldn't wouldn't".split()
) + ("had to", "used to")
NOW, BEFORE, AFTER = ("{adv:time}", "every {day}", "{in_place}"), PAST_ENDS, FUTURE_ENDS
TENSES = (
    ("{subject}", "present", NOW), ("{subject} {adv}", "present", NOW),
    ("{subject}", "past", BEFORE),
    ("{subject} {adv}", "past", BEFORE),
    ("{subject} will", "base", AFTER), ("{subject} won't", "base", AFTER),
    ("{is_} going to", "base", AFTER), ("{is_}", "ing", NOW), ("{is_} not", "ing", NOW),
    ("{subject} {was}", "ing", BEFORE), ("{subject} {has}", "part", ("{adv:time}",)),
    ("{subject} {has} {adv}", "part", ("{adv:time}",)), ("{subject} {has}n't", "part", ("yet",)),
    ("{subject} {do}n't", "base", NOW), ("{subject} didn't", "base", BEFORE),
    ("{subject} {modal}", "base", NOW),
)  # fmt: skip
QUESTIONS = (
    ("{do} {subject}", "base"), ("did {subject}", "base"), ("{be} {subject}", "ing"),
    ("will {subject}", "base"), ("can {subject}", "base"), ("{has} {subject}", "part"),
    ("should {subject}", "base"), ("{was} {subject}", "ing"), ("didn't {subject}", "base"),
)  # fmt: skip
QUESTION_WORDS = ("why", "when", "where", "how", "how often", "what time")


class Decks:
    """Deals the words of each list in shuffled rounds; some from a second, novel set of lists."""

    def __init__(
        self,
        rng: random.Random,
        lists: dict[str, tuple[str, ...]],
        novel: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.rng, self.lists, self.novel = rng, lists, novel or {}
        self.left: dict[tuple[str, bool], list[str]] = {}
        self.forced: dict[str, str] = {}

    def deal(self, name: str) -> str:
        """The next entry of a list, or the one forced upon it."""
        if name in self.forced:
            return self.forced.pop(name)
        n_novel = len(self.novel.get(name, ()))
        share = NOVEL_BOOST * n_novel / (n_novel + len(self.lists[name]))
        novel = self.rng.random() < min(share, NOVEL_LIMIT)
        left = self.left.setdefault((name, novel), [])
        if not left:
            left.extend((self.novel if novel else self.lists)[name])
            self.rng.shuffle(left)
        return left.pop()

    def any_name(self, kind: str) -> str:
        """A category of a kind, as likely as it is large."""
        names = [name for name in self.lists if name.startswith(f"{kind}.")]
        name = self.rng.choices(names, [len(self.lists[name]) for name in names])[0]
        return name.partition(".")[2]


@dataclass(frozen=True)
class Subject:
    """A noun phrase or pronoun, and what agrees with it."""

    text: str
    be: str
    """am, is or are."""

    @property
    def singular(self) -> bool:
        return self.be == "is"

    def contracted(self) -> str:
        """A pronoun with its verb: "i'm", "she's"."""
        return self.text + {"am": "'m", "is": "'s", "are": "'re"}[self.be]

    @property
    def was(self) -> str:
        return "were" if self.be == "are" else "was"


class Grammar:
    """Fills the patterns of the lexicon; one method per slot, all of them lowercase."""

    def __init__(self, rng: random.Random, decks: Decks) -> None:
        self.rng, self.decks = rng, decks
        self.shares, self.patterns = zip(*lexicon.PATTERNS, strict=True)

    def sentence(self) -> str:
        """One text of any pattern."""
        while True:
            text = self.fill(self.rng.choices(self.patterns, self.shares)[0])
            if not CLUMSY.search(text):
                return text

    def fill(self, pattern: str) -> str:
        """Resolve the choices, then the slots from left to right."""
        while CHOICE.search(pattern):
            pattern = CHOICE.sub(lambda m: self.rng.choice(m[1].split("|")), pattern)
        return " ".join(SLOT.sub(lambda m: self.slot(m[1], m[2] or ""), pattern).split())

    def slot(self, name: str, category: str) -> str:
        """What a slot stands for: a method, a list of names, or a verb phrase in some form."""
        if name in VERB_SLOTS:
            return self.verb_phrase(VERB_SLOTS[name], category)
        if f"name.{name}" in self.decks.lists:
            return self.decks.deal(f"name.{name}")
        method: Callable[..., str] = getattr(self, name)
        return method(category) if category else method()

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    # ---- nouns
    def noun(self, category: str) -> tuple[str, str]:
        """A noun and the category that it was taken from."""
        if category == "any":
            category = self.decks.any_name("noun")
        elif category == "thing":
            category = self.rng.choice(THINGS)
        return self.decks.deal(f"noun.{category}"), category

    def described(self, category: str, plural: bool, share: float = 0.3) -> str:
        noun, category = self.noun(category)
        noun = lexicon.plural(noun) if plural else noun
        adjectives = ADJECTIVES_FOR.get(category, category)
        if not self.chance(share):
            return noun
        if adjectives == "thing" and self.chance(0.3):
            adjectives = "color"
        return f"{self.adj(adjectives)} {noun}"

    def noun_is(self, category: str) -> str:
        """A noun with an adjective that suits it: "soup is hot" rather than "soup is legal"."""
        noun, category = self.noun(category)
        degree = f"{self.deg()} " if self.chance(0.3) else ""
        return f"{noun} {self.be()} {degree}{self.adj(ADJECTIVES_FOR.get(category, category))}"

    def n(self, category: str) -> str:
        return self.noun(category)[0]

    def ns(self, category: str) -> str:
        return lexicon.plural(self.noun(category)[0])

    def m(self, category: str) -> str:
        return self.decks.deal(
            f"mass.{self.decks.any_name('mass') if category == 'any' else category}"
        )

    def a(self, category: str) -> str:
        noun = self.described(category, plural=False)
        return f"{lexicon.article(noun)} {noun}"

    def the(self, category: str) -> str:
        return "the " + self.described(category, plural=False)

    def pl(self, category: str) -> str:
        return self.described(category, plural=True)

    def np(self, category: str) -> str:
        """A singular noun phrase."""
        if self.chance(0.2):
            return self.a(category)
        return f"{self.det()} {self.described(category, plural=False)}"

    def some(self, category: str) -> str:
        """What one can ask for: one, several, or some of a mass."""
        if f"mass.{category}" in self.decks.lists and self.chance(0.4):
            return self.rng.choice(("some ", "")) + self.m(category)
        if self.chance(0.4):
            return self.rng.choice(("some ", "", f"{self.number()} ")) + self.pl(category)
        return self.a(category)

    def thing(self, category: str) -> str:
        """An object of a verb."""
        if f"mass.{category}" in self.decks.lists and self.chance(0.35):
            return self.m(category)
        if category == "drink":
            return self.rng.choice(("", "the ", "some ", "my ")) + self.m("drink")
        if self.chance(0.25):
            return f"{self.rng.choice(PLURAL_DETERMINERS)} {self.pl(category)}"
        return self.np(category)

    def somebody(self) -> str:
        if self.chance(0.35):
            return self.rng.choice(("me", "you", "him", "her", "us", "them", "everyone"))
        return self.decks.deal("name.name") if self.chance(0.25) else self.thing(self.people())

    def people(self) -> str:
        return self.rng.choice(PEOPLE)

    def det(self) -> str:
        return self.rng.choice(DETERMINERS)

    # ---- adjectives and adverbs
    def adj(self, category: str) -> str:
        return self.decks.deal(
            f"adj.{self.decks.any_name('adj') if category == 'any' else category}"
        )

    def er(self, category: str) -> str:
        return lexicon.comparison(self.adj(category))[0]

    def est(self, category: str) -> str:
        return lexicon.comparison(self.adj(category))[1]

    def adv(self, category: str) -> str:
        return self.decks.deal(f"adv.{category}")

    def deg(self) -> str:
        return self.rng.choice(("very", "so", "too", "really", self.adv("degree")))

    def be(self) -> str:
        """To be after a singular noun."""
        return self.rng.choice(("is", "is", "is", "was", "isn't", "wasn't", "will be"))

    def weather(self) -> str:
        return self.decks.deal("weather")

    def in_place(self) -> str:
        where = self.decks.deal("name.city") if self.chance(0.15) else ""
        return f"in {where}" if where else f"{self.rng.choice(PLACES_AT)} {self.the('place')}"

    # ---- verbs
    def verb(self, category: str, form: str) -> str:
        """A verb of a list in some form; knowing and wanting are not things in progress."""
        while True:
            forms = lexicon.verb_forms(self.decks.deal(f"verb.{category}"))
            if form != "ing" or forms["base"] not in STATIVE:
                return forms[form]

    def bare(self, category: str) -> str:
        return self.verb(category, "past")

    def verb_phrase(self, form: str, kind: str) -> str:
        """A verb in some form with all that it takes."""
        if kind == "any":
            kind = self.rng.choices(*zip(*WHO_DOES, strict=True))[0]
        phrase = self.verb(kind, form)
        if kind == "motion":
            city = f"to {self.decks.deal('name.city')}"
            where = f"{self.rng.choice(WAYS)} {self.the('place')}"
            phrase += " " + (city if self.chance(0.2) else where)
        elif kind == "giving":
            phrase += f" {self.somebody()} {self.np('thing')}"
        elif kind == "gerund":
            phrase += " " + self.verb_phrase("ing", self.rng.choice(SIMPLE_KINDS))
        elif kind == "infinitive":
            phrase += " to " + self.verb_phrase("base", self.rng.choice(SIMPLE_KINDS))
        elif kind == "saying":
            phrase += " so"
        elif kind == "somebody":
            phrase += " " + self.somebody()
        elif kind not in ("person", "creature"):
            phrase += " " + self.thing(kind)
        elif self.chance(0.3):
            phrase += " " + self.in_place()
        if kind not in ("gerund", "infinitive", "saying") and self.chance(0.15):
            phrase += " " + self.adv("manner")
        return phrase

    # ---- clauses
    def new_subject(self) -> Subject:
        if self.chance(0.5):
            text = self.rng.choice(PRONOUNS)
            return Subject(text, {"i": "am", "he": "is", "she": "is"}.get(text, "are"))
        if self.chance(0.25):
            return Subject(self.decks.deal("name.name"), "is")
        if self.chance(0.2):
            determiner = self.rng.choice(PLURAL_DETERMINERS)
            return Subject(f"{determiner} {self.pl(self.people())}", "are")
        return Subject(f"{self.det()} {self.described(self.people(), False, 0.2)}", "is")

    def subject(self) -> str:
        return self.new_subject().text

    def subject_is(self) -> str:
        """A subject and a form of to be."""
        subject = self.new_subject()
        if self.chance(0.3) and subject.text in PRONOUNS:
            return subject.contracted()
        be = self.rng.choice((subject.be, subject.be, subject.was, f"{subject.was}n't"))
        return f"{subject.text} {be}"

    def thinks(self) -> str:
        subject = self.new_subject()
        form = self.rng.choice(("past", "s" if subject.singular else "base"))
        return f"{subject.text} {self.verb('saying', form)} {self.rng.choice(('that', ''))}"

    def present(self) -> str:
        subject = self.new_subject()
        form = "s" if subject.singular else "base"
        return f"{subject.text} {self.verb_phrase(form, self.rng.choice(SIMPLE_KINDS))}"

    def clause(self) -> str:
        """A subject and a predicate in any tense, affirmed or denied."""
        if self.chance(0.08):
            return self.predicate(Subject(f"{self.det()} {self.n('animal')}", "is"), "creature")
        return self.predicate(self.new_subject(), "any")

    def predicate(self, subject: Subject, kind: str) -> str:
        frame, form, ends = self.rng.choice(TENSES)
        short = subject.contracted() if subject.text in PRONOUNS else f"{subject.text} {subject.be}"
        be = short if self.chance(0.6) else f"{subject.text} {subject.be}"
        frame = frame.format(
            subject=subject.text, is_=be, be=subject.be, was=subject.was,
            has="has" if subject.singular else "have",
            do="does" if subject.singular else "do",
            adv=self.adv("frequency"), modal=self.rng.choice(MODALS),
        )  # fmt: skip
        if form == "present":
            form = "s" if subject.singular else "base"
        phrase = f"{frame} {self.verb_phrase(form, kind)}"
        return f"{phrase} {self.fill(self.rng.choice(ends))}" if self.chance(0.2) else phrase

    def question(self) -> str:
        """Yes or no, or why, when and where."""
        subject = self.new_subject()
        frame, form = self.rng.choice(QUESTIONS)
        frame = frame.format(
            subject=subject.text, be=subject.be, was=subject.was,
            has="has" if subject.singular else "have", do="does" if subject.singular else "do",
        )  # fmt: skip
        if self.chance(0.15):
            form, frame = self.rng.choice((("past", "who"), ("past", "who"), ("ing", "who is")))
        elif self.chance(0.4):
            frame = f"{self.rng.choice(QUESTION_WORDS)} {frame}"
        return f"{frame} {self.verb_phrase(form, 'any')}"

    # ---- numbers, dates and money
    def number(self) -> str:
        top = self.rng.choice((12, 12, 30, 100, 1000, 10000))
        return lexicon.number_words(self.rng.randrange(2, top))

    def two_digits(self) -> str:
        return lexicon.number_words(self.rng.randrange(10, 100))

    def digits(self) -> str:
        count = self.rng.choice((3, 4, 5, 6, 7))
        return " ".join(self.rng.choice(lexicon.ONES[:10]) for _ in range(count))

    def time(self) -> str:
        hour, minute = lexicon.ONES[self.rng.randrange(1, 13)], self.rng.randrange(5, 60)
        return self.fill(self.rng.choice((
            f"{hour} o'clock", f"half past {hour}", f"quarter [to|past] {hour}", "[noon|midnight]",
            f"{hour} {lexicon.number_words(minute) if minute > 9 else 'fifteen'}",
            f"[ten|five|twenty] [to|past] {hour}", f"{hour} in the [morning|evening]",
        )))  # fmt: skip

    def price(self) -> str:
        coins = self.rng.choice(("", f" and {self.two_digits()} cents"))
        return f"{self.number()} {self.rng.choice(('dollars', 'euros', 'pounds'))}{coins}"

    def day(self) -> str:
        return self.rng.choice(lexicon.DAYS)

    def month(self) -> str:
        return self.rng.choice(lexicon.MONTHS)

    def season(self) -> str:
        return self.rng.choice(lexicon.SEASONS)

    def ordinal(self) -> str:
        return self.rng.choice(lexicon.ORDINALS)

    def unit(self) -> str:
        return self.rng.choice(("week", "month", "year", "night", "summer", "winter"))

    def units(self) -> str:
        return lexicon.plural(self.rng.choice(lexicon.TIME_UNITS))

    def phrase(self) -> str:
        return self.rng.choice(lexicon.PHRASES)
