"""Latin letters: their Korean names, abbreviations spelled by them, hosts and domains."""

import re
from collections.abc import Mapping

LETTERS = {
    "a": "에이", "b": "비", "c": "씨", "d": "디", "e": "이", "f": "에프", "g": "지",
    "h": "에이치", "i": "아이", "j": "제이", "k": "케이", "l": "엘", "m": "엠", "n": "엔",
    "o": "오", "p": "피", "q": "큐", "r": "알", "s": "에스", "t": "티", "u": "유", "v": "브이",
    "w": "더블유", "x": "엑스", "y": "와이", "z": "제트",
}  # fmt: skip
_NAMES = {name: letter for letter, name in LETTERS.items()} | {"시": "c", "브": "v", "아르": "r"}
_NAME = re.compile("|".join(sorted(_NAMES, key=len, reverse=True)))
SPELLED_WORD = f"(?>{_NAME.pattern})+"
"""A pattern of words that are letters' names alone.

Atomic: 브이 is one name and never two (브, 이), or the ways to split a word would double with each.
"""
_NAMES_ONLY = re.compile(SPELLED_WORD)

ABBREVIATIONS: Mapping[str, str] = {
    "에이아이": "AI", "아이티": "IT", "티비": "TV", "티브이": "TV", "피시": "PC", "피씨": "PC",
    "피시방": "PC방", "피씨방": "PC방", "씨이오": "CEO", "시이오": "CEO", "유에스비": "USB",
    "디엔에이": "DNA", "에스엔에스": "SNS", "케이티엑스": "KTX", "에스알티": "SRT", "엘지": "LG",
    "에스케이": "SK", "케이티": "KT", "케이비에스": "KBS", "엠비씨": "MBC", "에스비에스": "SBS",
    "와이티엔": "YTN", "제이티비씨": "JTBC", "이비에스": "EBS", "지피에스": "GPS", "아이피": "IP",
    "피디에프": "PDF", "씨씨티브이": "CCTV", "시시티브이": "CCTV", "씨씨티비": "CCTV",
    "에이티엠": "ATM", "브이아이피": "VIP", "엠알아이": "MRI", "큐알": "QR", "지디피": "GDP",
    "오티티": "OTT", "피디": "PD", "디제이": "DJ", "엠씨": "MC", "유엔": "UN", "비티에스": "BTS",
    "에프티에이": "FTA", "에이피아이": "API", "씨피유": "CPU", "시피유": "CPU", "지피유": "GPU",
    "엘이디": "LED", "유알엘": "URL", "에이포": "A4", "브이알": "VR", "씨디": "CD",
    "디브이디": "DVD", "에이치알": "HR", "알앤디": "R&D", "지피티": "GPT", "챗지피티": "ChatGPT",
    "에이치티엠엘": "HTML", "에스큐엘": "SQL", "아이오티": "IoT", "에스유브이": "SUV",
    "유에프오": "UFO", "에프엠": "FM", "피피티": "PPT", "에이에스": "AS", "비엠더블유": "BMW",
    "에이치디": "HD", "오에스": "OS", "아이오에스": "iOS", "씨피알": "CPR", "티오": "TO",
    "에스오에스": "SOS", "엔지": "NG", "엠비티아이": "MBTI", "유에스에이": "USA", "에스엠": "SM",
    "와이지": "YG", "제이와이피": "JYP", "에이치디엠아이": "HDMI", "엠제트": "MZ",
    "비피엠": "BPM", "알지비": "RGB", "더블유에이치오": "WHO",
}  # fmt: skip
"""Written forms by spoken ones; without words that Korean writes in Hangul (아이디)."""
_NOT_WITH_PARTICLES = frozenset({"아이티", "티오"})
"""Also a country and a name: taken for an abbreviation only without a particle."""

HOSTS = {
    "네이버": "naver", "구글": "google", "지메일": "gmail", "다음": "daum", "한메일": "hanmail",
    "카카오": "kakao", "네이트": "nate", "유튜브": "youtube", "핫메일": "hotmail",
    "아웃룩": "outlook", "깃허브": "github", "야후": "yahoo", "쿠팡": "coupang",
}  # fmt: skip
DOMAINS = {
    "컴": "com", "넷": "net", "오알지": "org", "케이알": "kr", "씨오": "co", "에이씨": "ac",
    "지오": "go", "아이오": "io",
}  # fmt: skip


SAID_AS_WORDS: Mapping[str, tuple[str, ...]] = {
    "NASA": ("나사",), "UNESCO": ("유네스코",), "UNICEF": ("유니세프",), "NATO": ("나토",),
    "FIFA": ("피파",), "OPEC": ("오펙",), "ASEAN": ("아세안",), "APEC": ("에이펙",),
    "AIDS": ("에이즈",), "SARS": ("사스",), "MERS": ("메르스",), "COVID": ("코비드",),
    "KOSPI": ("코스피",), "KOSDAQ": ("코스닥",), "NASDAQ": ("나스닥",), "POSCO": ("포스코",),
    "KAIST": ("카이스트",), "KOTRA": ("코트라",), "KOICA": ("코이카",), "RAM": ("램",),
    "LAN": ("랜",), "SIM": ("심",), "PIN": ("핀",), "GIF": ("지프", "기프"), "JPEG": ("제이펙",),
    "OLED": ("올레드",), "VAR": ("바르",), "TOEIC": ("토익",), "TOEFL": ("토플",),
}  # fmt: skip
"""Abbreviations that are said like words too. For reading only: 나사 is a screw too, so it is never
written NASA."""
_OTHER_NAMES = {"c": "시", "r": "아르", "z": "지"}


def letters_of(text: str) -> str | None:
    """``"에이비씨" -> "abc"``; None unless the text is letters' names alone."""
    if not _NAMES_ONLY.fullmatch(text):
        return None
    return "".join(_NAMES[name] for name in _NAME.findall(text))


def takes_particles(abbreviation: str) -> bool:
    return abbreviation not in _NOT_WITH_PARTICLES


def spelled(letters: str) -> str:
    """The names of Latin letters: ``"abc" -> "에이비씨"``."""
    return "".join(LETTERS.get(letter, letter) for letter in letters.lower())


def spellings(letters: str) -> tuple[str, ...]:
    """Their names, the usual ones first: ``"c" -> "씨", "시"``."""
    usual = spelled(letters)
    other = "".join(
        _OTHER_NAMES.get(letter, LETTERS.get(letter, letter)) for letter in letters.lower()
    )
    return tuple(dict.fromkeys((usual, other)))
