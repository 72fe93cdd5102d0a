"""Korean spelling by rule: jamo, particles, conjugation. `stt.korean.numerals` has the numbers.

Pure functions over NFC strings. ``training.text_ko`` builds sentences from them.
"""

from dataclasses import dataclass

from stt.korean.numerals import SINO_DIGITS

_SYLLABLE_BASE = 0xAC00
_N_MEDIALS, _N_FINALS = 21, 28

# Positions of the jamo that the rules below name.
_MEDIAL = {
    "ㅏ": 0, "ㅐ": 1, "ㅑ": 2, "ㅒ": 3, "ㅓ": 4, "ㅔ": 5, "ㅕ": 6, "ㅖ": 7, "ㅗ": 8, "ㅘ": 9,
    "ㅙ": 10, "ㅚ": 11, "ㅛ": 12, "ㅜ": 13, "ㅝ": 14, "ㅞ": 15, "ㅟ": 16, "ㅠ": 17, "ㅡ": 18,
    "ㅢ": 19, "ㅣ": 20,
}  # fmt: skip
_FINAL = {
    "": 0, "ㄱ": 1, "ㄴ": 4, "ㄷ": 7, "ㄹ": 8, "ㅁ": 16, "ㅂ": 17, "ㅅ": 19, "ㅆ": 20, "ㅇ": 21,
    "ㅎ": 27,
}  # fmt: skip


def split_syllable(syllable: str) -> tuple[int, int, int]:
    """Initial, medial and final of one precomposed syllable, as positions in Unicode's tables."""
    code = ord(syllable) - _SYLLABLE_BASE
    return code // (_N_MEDIALS * _N_FINALS), code // _N_FINALS % _N_MEDIALS, code % _N_FINALS


def join_syllable(initial: int, medial: int, final: int) -> str:
    return chr(_SYLLABLE_BASE + (initial * _N_MEDIALS + medial) * _N_FINALS + final)


def final_of(word: str) -> int:
    """Final consonant of the last syllable; 0 where it ends in a vowel."""
    return split_syllable(word[-1])[2]


def with_final(word: str, final: str) -> str:
    """``word`` with the last final consonant replaced: ``with_final("가", "ㅂ") == "갑"``."""
    initial, medial, _ = split_syllable(word[-1])
    return word[:-1] + join_syllable(initial, medial, _FINAL[final])


def _with_medial(word: str, medial: str) -> str:
    initial, _, final = split_syllable(word[-1])
    return word[:-1] + join_syllable(initial, _MEDIAL[medial], final)


# ------------------------------------------------------------------------------------ particles


def particle(word: str, pair: str) -> str:
    """``word`` with the particle that fits its last sound.

    ``pair`` is "after a consonant/after a vowel", such as ``이/가``; a particle of one form is
    written once (``도``). 으로/로 takes 로 after ㄹ too.
    """
    after_consonant, _, after_vowel = pair.partition("/")
    final = final_of(word)
    if pair == "으로/로" and final == _FINAL["ㄹ"]:
        return word + after_vowel
    return word + (after_vowel if after_vowel and final == 0 else after_consonant)


# ---------------------------------------------------------------------------------- conjugation


@dataclass(frozen=True)
class Verb:
    """A verb or adjective by its dictionary stem, with its irregular class where it has one."""

    stem: str
    irregular: str = ""
    """One of ㅂ, ㄷ, ㅅ, 르, ㅎ; empty for regular ones (ㅡ and ㄹ drop by rule)."""

    @classmethod
    def parse(cls, entry: str) -> "Verb":
        """``"먹"`` or ``"듣/ㄷ"``."""
        stem, _, irregular = entry.partition("/")
        return cls(stem, irregular)

    @property
    def is_bright(self) -> bool:
        """Vowel harmony: whether the stem takes 아 (last vowel ㅏ, ㅑ or ㅗ) and not 어."""
        return split_syllable(self.stem[-1])[1] in (_MEDIAL["ㅏ"], _MEDIAL["ㅑ"], _MEDIAL["ㅗ"])

    @property
    def infinitive(self) -> str:
        """The 아/어 form, contracted: 가, 와, 배워, 마셔, 써, 불러, 도와, 들어, 지어, 빨개, 해."""
        stem = self.stem
        if stem.endswith("하"):
            return stem[:-1] + "해"
        match self.irregular:
            case "ㅂ":
                return with_final(stem, "") + ("와" if stem in ("돕", "곱") else "워")
            case "ㄷ":
                return with_final(stem, "ㄹ") + ("아" if self.is_bright else "어")
            case "ㅅ":
                return with_final(stem, "") + ("아" if self.is_bright else "어")
            case "르":
                before = Verb(stem[:-1])
                return with_final(before.stem, "ㄹ") + ("라" if before.is_bright else "러")
            case "ㅎ":
                return _with_medial(with_final(stem, ""), "ㅒ" if stem.endswith("얗") else "ㅐ")
        if final_of(stem):
            return stem + ("아" if self.is_bright else "어")
        return self._contracted()

    def _contracted(self) -> str:
        """The 아/어 form of a regular stem that ends in a vowel."""
        stem = self.stem
        medial = split_syllable(stem[-1])[1]
        for vowel, contracted in (("ㅗ", "ㅘ"), ("ㅜ", "ㅝ"), ("ㅣ", "ㅕ"), ("ㅚ", "ㅙ")):
            if medial == _MEDIAL[vowel]:
                return _with_medial(stem, contracted)
        if medial == _MEDIAL["ㅡ"]:
            bright = len(stem) > 1 and Verb(stem[:-1]).is_bright
            return _with_medial(stem, "ㅏ" if bright else "ㅓ")
        if medial in (_MEDIAL["ㅟ"], _MEDIAL["ㅢ"]):
            return stem + "어"
        return stem  # ㅏ ㅓ ㅐ ㅔ ㅕ swallow the ending

    @property
    def u_stem(self) -> str:
        """The stem before endings in 으: 먹으, 가, 살 (ㄹ stays), 도우, 들으, 지으, 빨가."""
        match self.irregular:
            case "ㅂ":
                return with_final(self.stem, "") + "우"
            case "ㄷ":
                return with_final(self.stem, "ㄹ") + "으"
            case "ㅅ":
                return with_final(self.stem, "") + "으"
            case "ㅎ":
                return with_final(self.stem, "")
        return self.stem if final_of(self.stem) in (0, _FINAL["ㄹ"]) else self.stem + "으"

    @property
    def past(self) -> str:
        return with_final(self.infinitive, "ㅆ")

    @property
    def future_modifier(self) -> str:
        """The -(으)ㄹ form."""
        u_stem = self.u_stem
        return u_stem if final_of(u_stem) else with_final(u_stem, "ㄹ")

    @property
    def modifier(self) -> str:
        """A verb's -는 form: 먹는, 사는 (살다)."""
        return _without_l(self.stem) + "는"

    @property
    def past_modifier(self) -> str:
        """A verb's -(으)ㄴ form, and an adjective's present one: 먹은, 산, 도운, 빨간."""
        if self.stem[-1] in "있없":
            return self.stem + "는"
        return with_final(_without_l(self.u_stem), "ㄴ")

    @property
    def polite(self) -> str:
        """갑니다, 먹습니다, 삽니다."""
        if final_of(self.stem) in (0, _FINAL["ㄹ"]):
            return with_final(self.stem, "ㅂ") + "니다"
        return self.stem + "습니다"

    @property
    def plain(self) -> str:
        """A verb's written present: 간다, 먹는다, 산다."""
        if final_of(self.stem) in (0, _FINAL["ㄹ"]):
            return with_final(self.stem, "ㄴ") + "다"
        return self.stem + "는다"

    def end(self, ending: str) -> str:
        """The form that ``ending`` names.

        An ending begins with the form that it attaches to: ``inf+``, ``past+``, ``u+``, ``l+``
        (future modifier), ``drop+`` (stem without ㄹ), ``udrop+`` (u-stem without ㄹ), ``stem+``;
        or it is ``polite``, ``question`` or ``plain``.
        """
        form, _, suffix = ending.partition("+")
        match form:
            case "stem":
                return self.stem + suffix
            case "inf":
                return self.infinitive + suffix
            case "past":
                return self.past + suffix
            case "u":
                return self.u_stem + suffix
            case "l":
                return self.future_modifier + suffix
            case "drop":
                return _without_l(self.stem) + suffix
            case "udrop":
                return _without_l(self.u_stem) + suffix
            case "polite":
                return self.polite
            case "question":
                return self.polite[:-1] + "까"
            case "plain":
                return self.plain
        raise ValueError(f"expected a known form before '+', got {ending!r}")


def _without_l(stem: str) -> str:
    return with_final(stem, "") if final_of(stem) == _FINAL["ㄹ"] else stem


COMMON_ENDINGS = (
    "polite", "question", "inf+요", "past+습니다", "past+어요", "l+ 거예요", "drop+네요",
    "stem+지요", "stem+지 않아요", "stem+지 않습니다", "past+다", "l+까요", "past+네요",
    "past+을 거예요",
)  # fmt: skip
VERB_ENDINGS = (
    *COMMON_ENDINGS,
    "l+ 것입니다", "udrop+세요", "udrop+십시오", "stem+지 마세요", "stem+고 싶어요",
    "stem+고 싶습니다", "stem+고 있어요", "stem+고 있습니다", "stem+자", "inf+야 해요",
    "inf+야 합니다", "inf+ 주세요", "inf+ 보세요", "inf+ 봤어요", "l+ 수 있어요", "l+ 수 없습니다",
    "l+게요", "plain", "inf+도 돼요", "u+려고 해요", "stem+기로 했어요", "u+면 안 돼요",
    "past+습니까", "l+ 수 있습니까", "stem+겠습니다",
)  # fmt: skip
ADJECTIVE_ENDINGS = (*COMMON_ENDINGS, "stem+다", "inf+졌어요", "l+ 것 같아요")
COMMON_CONNECTIVES = ("stem+고", "inf+서", "u+면", "udrop+니까", "stem+지만")
VERB_CONNECTIVES = (*COMMON_CONNECTIVES, "past+지만", "l+ 때", "stem+기 전에", "u+면서", "u+려고")

# -------------------------------------------------------------------------------------- numbers

PHONE_DIGITS = ("공", *SINO_DIGITS[1:])
