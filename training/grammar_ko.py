"""Korean sentences from a small weighted grammar."""

import random
import re
from dataclasses import dataclass

from stt.korean.numerals import native, sino
from training import korean, lexicon_ko, phrases_ko
from training.korean import Verb, particle

_NOUN_WEIGHTS = {
    "FOOD": 4, "DRINK": 1.5, "PLACE": 4, "CITY": 3, "COUNTRY": 2, "PERSON": 4, "OBJ": 6,
    "ANIMAL": 2, "NATURE": 2, "BODY": 1, "ABST": 7, "EXTRA": 7,
}  # fmt: skip
_OBJECT_WEIGHTS = {
    "FOOD": 3, "DRINK": 1.5, "OBJ": 5, "PERSON": 2.5, "ANIMAL": 1.5, "ABST": 5, "NATURE": 1.5,
    "BODY": 1, "PLACE": 2.5,
}  # fmt: skip
# (weight, pattern). A slot is {NAME}, {NAME:particle} or, for phrases that end in a verb,
# {NAME} in a closing and {NAME~} in a connective form. One of the alternatives in <a|b> is taken.
# fmt: off
_PATTERNS: list[tuple[float, str]] = [
    (11, "{SUBJECT} {DO}"),
    (6, "{SUBJECT} {MOVE}"),
    (6, "{SUBJECT} {STAY}"),
    (7, "{DESCRIBE}"),
    (4, "{DO}"),
    (2, "{MOVE}"),
    (2, "{STAY}"),
    (2, "{DO~} {DO}"),
    (2, "{MOVE~} {DO}"),
    (1, "{DESCRIBE~} {DO}"),
    (2, "{SUBJECT} {DO~} {MOVE}"),
    (1, "{SUBJECT} {STAY~} {DO}"),
    (2, "{COUNT} <주세요|있어요|샀어요|필요합니다|더 있습니다>"),
    (2, "{NP.OBJ:은/는} {MONEY}<입니다|이에요>"),
    (3, "<지금은|회의는|수업은|기차는|약속은|영화는> "
        "{CLOCK}<입니다|에 시작해요|에 끝나요|에 출발합니다>"),
    (2, "<오늘은|생일은|시험은|결혼식은|내일은> {DATE}<입니다|이에요|에 있어요|까지입니다>"),
    (2, "<전화번호는|번호는|비밀번호는|우편번호는> <{PHONE}|{DIGITS}><입니다|이에요|>"),
    (2, "{CITY}에서 {CITY}까지 <{NATIVE} 시간|{SINO} 분|{SINO} 킬로미터> "
        "<걸려요|걸립니다|걸렸어요>"),
    (3, "{NP.ANY:이/가} "
        "<어디에 있어요|없어요|있습니까|여기에 있습니다|보이지 않아요|왼쪽에 있어요>"),
    (3, "{NP.ANY:은/는} <{NP.ANY}입니다|{NP.ANY:이/가} 아닙니다>"),
    (2, "<저는|제 이름은|그 사람은|여기는> {NAME}<입니다| 씨예요| 씨를 만났어요| 선생님이십니다>"),
    (2, "{ANY:과/와} {ANY:을/를} {VERB.OBJ}"),
    (3, "{BEING:<이/가|은/는>} {VERB.INTRANSITIVE}"),
    (3, "{PLACE}<에| 앞에| 옆에| 뒤에| 안에| 근처에> {ANY:이/가} "
        "<있어요|있습니다|없어요|많아요|보여요>"),
    (2, "{NP.PERSON:<에게|한테>} {NP.OBJ:을/를} {GIVE}"),
    (2, "{ANY:<보다|부터|까지>} {ANY:이/가} 더 {ADJ}"),
    (2, "{ANY} {ANY} {ANY}"),
    (2, "<왜|언제|어디에서|어떻게|누구와|얼마나> {DO}"),
    (2, "{DO~} <괜찮아요|좋겠어요|큰일이에요|안 됩니다|연락 주세요|말해 주세요>"),
    (4, "{GREETING}"),
    (28, "{TEMPLATE}"),
]
# fmt: on
_SHORT_PATTERNS: list[tuple[float, str]] = [
    (35, "{ANY}"),
    (18, "{ANY:<이/가|은/는|을/를|으로/로|과/와|도|에|에서|의|만|까지|부터>}"),
    (16, "{VERB.ANY}"),
    (7, "{ADJ}"),
    (4, "{NAME}< 씨| 님|>"),
    (5, "{GREETING}"),
    (5, "{SINO}"),
    (6, "{ADJM} {ANY}"),
    (6, "{ADVERB} {VERB.ANY}"),
]
_PHRASES: dict[str, list[tuple[float, str]]] = {
    "SUBJECT": [
        (14, "<제가|내가|저는|나는|너는|우리는|그는|그녀는|저희는|여러분은|누가|당신은>"),
        (12, "{NAME}<|| 씨| 선생님>:<이/가|은/는>"),
        (52, "{PERSON}:<이/가|은/는|도>"),
        (22, "<우리|제|그|이|저|내> {PERSON}<||들>:<이/가|은/는>"),
    ],
    "DESCRIBE": [
        (60, "{NP.ANY:<이/가|은/는|도>} {ADJ}"),
        (40, "{NP.ANY:<이/가|은/는>} <아주|매우|정말|진짜|너무|조금|별로|가장|더|참|무척> {ADJ}"),
    ],
    "MOVE": [
        (60, "{<PLACE|PLACE|CITY|COUNTRY>:<에|에|으로/로>} {VERB.MOVE}"),
        (22, "{<PLACE|CITY|COUNTRY>:<에|으로/로>} {ADVERB} {VERB.MOVE}"),
        (18, "{OBJ:으로/로} {<PLACE|CITY>:에} {VERB.MOVE}"),
    ],
    "STAY": [
        (55, "{<PLACE|PLACE|CITY>:에서} {VERB.STAY}"),
        (25, "{<PLACE|PLACE|CITY>:에서} {ADVERB} {VERB.STAY}"),
        (20, "{<PLACE|CITY>:에서} {PERSON:<과/와|이랑/랑>} {VERB.STAY}"),
    ],
}
_DETERMINERS = ("이", "그", "저", "새", "모든", "어떤", "다른", "제", "우리")
_SLOT = re.compile(r"\{([A-Z.]+)(~?)(?::([^{}]+))?\}")
_CHOICE = re.compile(r"<([^<>{}]*|[^<>]*)>")

# Pronounceable non-words use only finals that are heard as they are written.
_PSEUDO_INITIALS = (
    0, 0, 2, 2, 3, 3, 5, 5, 6, 6, 7, 7, 9, 9, 9, 11, 11, 12, 12, 14, 15, 16, 17, 18, 1, 4,
)  # fmt: skip
_PSEUDO_MEDIALS = (0, 0, 0, 4, 4, 8, 8, 13, 13, 18, 20, 20, 20, 1, 5, 6, 2, 12, 9)
_PSEUDO_FINALS = (0,) * 16 + (1, 1, 4, 4, 4, 8, 8, 8, 16, 16, 17, 21, 21, 21)


@dataclass(frozen=True)
class Words:
    """The words that one sentence maker may use."""

    nouns: dict[str, list[str]]
    verbs: dict[str, list[Verb]]
    """By object category, and MOVE, STAY, INTRANSITIVE, ADJ."""


class SentenceMaker:
    """Random sentences of the grammar over ``words``."""

    def __init__(self, rng: random.Random, words: Words, pseudo_word_share: float = 0.0):
        self._rng = rng
        self._words = words
        self._pseudo_word_share = pseudo_word_share

    def sentence(self) -> str:
        text = self._expand(self._weighted(_PATTERNS))
        if self._rng.random() < 0.10 and not text.startswith(tuple(lexicon_ko.TIMES)):
            text = f"{self._rng.choice(lexicon_ko.TIMES)} {text}"
        if self._rng.random() < 0.04:
            text = f"{self._rng.choice(lexicon_ko.CONJUNCTIONS)} {text}"
        return text

    def short(self) -> str:
        return self._expand(self._weighted(_SHORT_PATTERNS))

    def _weighted(self, patterns: list[tuple[float, str]]) -> str:
        weights, choices = zip(*patterns, strict=True)
        return self._rng.choices(choices, weights)[0]

    def _expand(self, pattern: str) -> str:
        while "<" in pattern:
            pattern = _CHOICE.sub(lambda m: self._rng.choice(m[1].split("|")), pattern, count=1)
        text = _SLOT.sub(lambda m: self._fill(m[1], bool(m[2]), m[3]), pattern)
        head, colon, ending = text.partition(":")
        return particle(head, ending) if colon else text

    def _fill(self, slot: str, connective: bool, ending: str | None) -> str:
        name, _, category = slot.partition(".")
        if name in _PHRASES:
            text = self._phrase(name, connective)
        elif name in ("VERB", "ADJ", "GIVE", "DO"):
            return self._verb_phrase(name, category, connective)
        elif name == "NP":
            text = self._noun_phrase(category)
        elif name in self._words.nouns or name in ("ANY", "BEING"):
            text = self._noun(name)
        else:
            text = self._special(name)
        return particle(text, ending) if ending else text

    def _phrase(self, name: str, connective: bool) -> str:
        pattern = self._weighted(_PHRASES[name])
        if connective:
            pattern = re.sub(r"\{(VERB\.[A-Z]+|ADJ)\}$", r"{\1~}", pattern)
        return self._expand(pattern)

    def _verb_phrase(self, name: str, category: str, connective: bool) -> str:
        rng = self._rng
        if name == "ADJ":
            endings = korean.COMMON_CONNECTIVES if connective else korean.ADJECTIVE_ENDINGS
            return rng.choice(self._words.verbs["ADJ"]).end(rng.choice(endings))
        if name == "DO":
            category = rng.choices(list(_OBJECT_WEIGHTS), list(_OBJECT_WEIGHTS.values()))[0]
        if name == "GIVE":
            verb = Verb(rng.choice(("주", "보내", "보여주", "선물하", "팔")))
        else:
            if category == "ANY":
                category = rng.choice(("OBJ", "ABST", "FOOD", "MOVE", "STAY", "INTRANSITIVE"))
            verb = rng.choice(self._words.verbs[category])
        endings = korean.VERB_CONNECTIVES if connective else korean.VERB_ENDINGS
        spoken = verb.end(rng.choice(endings))
        if name != "DO":
            return spoken
        adverb = f"{self._noun('ADVERB')} " if rng.random() < 0.2 else ""
        ending = rng.choice(("을/를",) * 6 + ("도", "은/는", "만"))
        return f"{particle(self._noun_phrase(category), ending)} {adverb}{spoken}"

    def _noun(self, category: str) -> str:
        rng = self._rng
        if category == "BEING":
            category = rng.choice(("PERSON", "ANIMAL", "NATURE"))
        elif category == "ANY":
            category = rng.choices(list(_NOUN_WEIGHTS), list(_NOUN_WEIGHTS.values()))[0]
        elif category in ("OBJ", "ABST", "FOOD", "PERSON", "PLACE") and rng.random() < 0.10:
            category = "EXTRA"
        if category != "ADVERB" and rng.random() < self._pseudo_word_share:
            return pseudo_word(rng)
        return rng.choice(self._words.nouns[category])

    def _noun_phrase(self, category: str) -> str:
        rng, noun, draw = self._rng, self._noun(category), self._rng.random()
        if draw < 0.16:
            return f"{self._special('ADJM')} {noun}"
        if draw < 0.24:
            return f"{rng.choice(_DETERMINERS)} {noun}"
        if draw < 0.27:
            return f"{self._noun('PERSON')}의 {noun}"
        return noun

    def _special(self, name: str) -> str:
        rng = self._rng
        match name:
            case "NAME":
                return rng.choice(lexicon_ko.SURNAMES) + rng.choice(lexicon_ko.GIVEN_NAMES)
            case "TIME":
                return rng.choice(lexicon_ko.TIMES)
            case "ADJM":
                return rng.choice(self._words.verbs["ADJ"]).past_modifier
            case "GREETING":
                return rng.choice(phrases_ko.GREETINGS)
            case "TEMPLATE":
                return self._expand(rng.choice(phrases_ko.TEMPLATES))
            case "COUNT":
                category = rng.choice(list(lexicon_ko.COUNTERS))
                number = native(rng.randrange(1, 30 if rng.random() < 0.3 else 11))
                return f"{self._noun(category)} {number} {lexicon_ko.COUNTERS[category]}"
            case "NATIVE":
                return native(rng.randrange(1, 13 if rng.random() < 0.7 else 60))
            case "SINO":
                return sino(rng.choice((rng.randrange(1, 20), rng.randrange(1, 700))))
            case "MONEY":
                unit, top = rng.choice(((100, 100), (1000, 100), (10_000, 1000), (10, 9999)))
                return f"{sino(rng.randrange(1, top) * unit)} 원"
            case "CLOCK":
                part = rng.choice(("", "", "오전 ", "오후 ", "아침 ", "저녁 ", "밤 "))
                minute = rng.choice(("", " 반", f" {sino(rng.randrange(1, 60))} 분"))
                return f"{part}{native(rng.randrange(1, 13))} 시{minute}"
            case "DATE":
                month = rng.randrange(1, 13)
                spelled = {6: "유", 10: "시"}.get(month, sino(month)) + "월"
                year = f"{sino(rng.randrange(1950, 2040))}년 " if rng.random() < 0.25 else ""
                return f"{year}{spelled} {sino(rng.randrange(1, 32))}일"
            case "DIGITS":
                return self._digits(rng.randrange(3, 7))
            case "PHONE":
                return f"공일공 {self._digits(4)} {self._digits(4)}"
        raise ValueError(f"expected a slot that the grammar knows, got {name!r}")

    def _digits(self, n_digits: int) -> str:
        return "".join(self._rng.choice(korean.PHONE_DIGITS) for _ in range(n_digits))


def pseudo_word(rng: random.Random) -> str:
    """Two to four syllables that sound as they are written."""
    return "".join(
        korean.join_syllable(
            rng.choice(_PSEUDO_INITIALS), rng.choice(_PSEUDO_MEDIALS), rng.choice(_PSEUDO_FINALS)
        )
        for _ in range(rng.choice((2, 2, 3, 3, 4)))
    )
