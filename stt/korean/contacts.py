"""Spoken phone numbers, e-mail addresses and hosts of the web, at the start of a text."""

import re
from collections.abc import Iterator

from stt.korean import latin, numerals
from stt.korean.numbers import Context, Found, tail_at
from stt.korean.numerals import DIGIT

_LINK = r"(?:에|다시)?"
_PHONE = re.compile(
    rf"([공영]{DIGIT}{{1,2}}){_LINK} ?(?:다시 )?({DIGIT}{{3,4}}){_LINK} ?(?:다시 )?({DIGIT}{{4}})|"
    rf"(일[오육팔]{DIGIT}{{2}}){_LINK} ?(?:다시 )?({DIGIT}{{4}})"
)


def phone(text: str, _: Context) -> Found | None:
    """공일공 일이삼사 오육칠팔, with or without spaces."""
    match = _PHONE.match(text)
    if match is None:
        return None
    suffix = "번" if text.startswith("번", match.end()) else ""
    tail = tail_at(text, match.end() + len(suffix))
    if tail is None:
        return None
    tail = suffix + tail
    groups = [numerals.parse_digits(group) or "" for group in match.groups() if group]
    return Found("-".join(groups) + tail, match.end() + len(tail))


_AT = "골뱅이"
_DOT = re.compile(r" ?(?:점|닷|쩜) ?")
_MOST_WORDS = 7
INNER_WORD = (
    rf"{_AT}|점|닷|쩜|다시|{DIGIT}+{_LINK}|{'|'.join(latin.HOSTS)}|{'|'.join(latin.DOMAINS)}|"
    rf"(?:{'|'.join(latin.HOSTS)})(?:점|닷|쩜)"
)
"""A pattern of words within phone numbers and addresses."""
_WWW = ("더블유더블유더블유", "더블유 더블유 더블유")


def email(text: str, _: Context) -> Found | None:
    """에이비씨 골뱅이 네이버 점 컴."""
    words = text.split(" ", _MOST_WORDS + 1)[: _MOST_WORDS + 1]
    if _AT not in words[1:]:
        return None
    position = words.index(_AT)
    local = [_local_part(word) for word in words[:position]]
    if not all(local):
        return None
    start = len(" ".join(words[: position + 1])) + 1
    for host, end in _hosts(text, start):
        tail = tail_at(text, end)
        if tail is not None:
            return Found(f"{''.join(map(str, local))}@{host}{tail}", end + len(tail))
    return None


def _local_part(word: str) -> str | None:
    return numerals.parse_digits(word) or latin.letters_of(word)


def web(text: str, _: Context) -> Found | None:
    """더블유더블유더블유 점 네이버 점 컴, 네이버 점 컴."""
    start, prefix = 0, ""
    for spoken in _WWW:
        dot = _DOT.match(text, len(spoken)) if text.startswith(spoken) else None
        if dot:
            start, prefix = dot.end(), "www."
    for host, end in _hosts(text, start):
        tail = tail_at(text, end)
        if tail is not None:
            return Found(prefix + host + tail, end + len(tail))
    return None


_NAME = re.compile(r"[가-힣]{1,20}?(?= ?(?:점|닷|쩜))")


def _hosts(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Hosts from ``start`` on, and where each ends, the longest first."""
    name = _NAME.match(text, start)
    written = (latin.HOSTS.get(name[0]) or latin.letters_of(name[0])) if name else None
    if name is None or written is None:
        return
    found: list[tuple[str, int]] = []
    end = name.end()
    while dot := _DOT.match(text, end):
        spoken = next((d for d in latin.DOMAINS if text.startswith(d, dot.end())), None)
        if spoken is None:
            break
        written, end = f"{written}.{latin.DOMAINS[spoken]}", dot.end() + len(spoken)
        found.append((written, end))
    yield from reversed(found)
