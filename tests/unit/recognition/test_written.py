"""Words as they are written, with the times of what was spoken."""

import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.written import cases
from stt.abbreviations import read_abbreviations
from stt.decoding.hotwords import Hotword
from stt.errors import ConfigurationError, NotSupported
from stt.languages import SUPPORTED_LANGUAGES
from stt.recognition.written import AsSpoken, KoreanWriter, WrittenForms
from stt.settings import load_settings
from stt.types import Token, Word, join_words
from tests.words import spoken

SENTENCES = [case.spoken for kind in ("numbers", "look_alikes") for case in cases(kind, "dev")[::7]]


def say(text: str) -> list[Word]:
    """Half a second for each word."""
    return list(spoken(*((word, n / 2, n / 2 + 0.4) for n, word in enumerate(text.split()))))


def said(words: list[Word]) -> str:
    """What was spoken, of written words."""
    return "".join(
        (" " if word.space_before else "") + (word.spoken or word.text) for word in words
    ).removeprefix(" ")


def test_a_written_word_has_the_times_the_confidence_and_the_tokens_of_its_words() -> None:
    words = [
        Word("세", 1.0, 1.2, 0.9, (Token("세", -0.1),), space_before=False),
        Word("시에", 1.3, 1.7, 0.8, (Token("시", -0.1), Token("에", -0.2))),
        Word("봐요", 1.9, 2.4, 0.7),
    ]
    writer = KoreanWriter()
    written = writer.feed(words) + writer.finish()
    tokens = (Token("세", -0.1), Token("시", -0.1), Token("에", -0.2))
    assert written == [
        Word("3시에", 1.0, 1.7, 0.9 * 0.8, tokens, space_before=False, spoken="세 시에"),
        words[2],
    ]


def test_words_leave_once_no_later_word_can_change_them() -> None:
    writer = KoreanWriter()
    left = [
        [word.text for word in writer.feed([each])] for each in say("내일 세 시 삼십 분에 봐요")
    ]
    assert left == [[], ["내일"], [], [], [], ["3시", "30분에"]]
    assert writer.finish() == say("내일 세 시 삼십 분에 봐요")[-1:]
    assert writer.finish() == []


def test_a_preview_shows_all_words_and_changes_nothing() -> None:
    writer = KoreanWriter()
    words = say("내일 세 시에 봐요")
    assert [word.text for word in writer.feed(words[:2])] == ["내일"]
    assert [word.text for word in writer.preview(words[2:])] == ["3시에", "봐요"]
    assert [word.text for word in writer.preview([])] == ["세"]
    assert [word.text for word in writer.feed(words[2:])] == ["3시에"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([*SENTENCES, " ".join(SENTENCES[:9])]))
def test_any_split_into_feeds_gives_the_same_words_and_loses_nothing(seed: int, text: str) -> None:
    rng, words = random.Random(seed), say(text)
    at_once = KoreanWriter()
    whole = at_once.feed(words) + at_once.finish()
    cuts = sorted(rng.choices(range(len(words) + 1), k=rng.randint(0, len(words))))
    writer, pieces = KoreanWriter(), []
    for begin, end in pairwise([0, *cuts, len(words)]):
        pieces += writer.feed(words[begin:end])
    pieces += writer.finish()
    assert pieces == whole
    assert said(pieces) == text == join_words(words)
    assert math.prod(word.confidence for word in pieces) == pytest.approx(0.9 ** len(words))
    assert all(one.end <= other.start for one, other in pairwise(pieces))


def test_an_endless_number_is_not_held_back_for_ever() -> None:
    writer, n_left = KoreanWriter(), 0
    for n, word in enumerate(say("일 " * 500), 1):
        n_left += sum(len((each.spoken or each.text).split()) for each in writer.feed([word]))
        assert n - n_left < 24, "two of the longest written forms"


def test_a_long_pause_ends_a_number() -> None:
    def write(pause: float) -> list[str]:
        writer = KoreanWriter()
        words = spoken(("세", 0.0, 0.4), ("시", 0.4 + pause, 1.0 + pause))
        return [word.text for word in writer.feed(words) + writer.finish()]

    assert write(1.5) == ["3시"]
    assert write(2.5) == ["세", "시"]


def test_only_korean_has_a_written_form() -> None:
    forms = WrittenForms(load_settings())
    korean, english = SUPPORTED_LANGUAGES["KR"], SUPPORTED_LANGUAGES["EN"]
    assert isinstance(forms.choose(korean, wanted=True)(), KoreanWriter)
    assert isinstance(forms.choose(english, wanted=False)(), AsSpoken)
    with pytest.raises(NotSupported, match="English has no written form here"):
        forms.choose(english, wanted=True)


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("쓰리엠 제품", "3M 제품"),
        ("지피티 포를 써요", "GPT-4를 써요"),
        ("지피티포가 나왔어요", "GPT-4가 나왔어요"),
        ("갤럭시 에스 이십사를 샀어요", "갤럭시 S24를 샀어요"),
        ("파이브지 요금제", "5G 요금제"),
        ("오지 마세요", "오지 마세요"),  # also a way to say 5G
        ("세 시에 와요", "3시에 와요"),
        ("에이아이와", "AI와"),
    ],
)
def test_hotwords_are_written_as_they_were_given(spoken: str, written: str) -> None:
    given = ("3M", "GPT-4", "갤럭시 S24", "5G", "3시")
    hotwords = [Hotword("any", written=each) for each in given]
    korean = SUPPORTED_LANGUAGES["KR"]
    writer = WrittenForms(load_settings()).choose(korean, wanted=True, hotwords=hotwords)()
    assert join_words(writer.feed(say(spoken)) + writer.finish()) == written


def test_the_operators_abbreviations_come_beside_the_known_ones(tmp_path: Path) -> None:
    file = tmp_path / "abbreviations.txt"
    file.write_text("\ufeff엘엘엠 LLM\r\n\n에이포 a4\n", encoding="utf-8")
    forms = WrittenForms(load_settings(abbreviations=file))
    writer = forms.choose(SUPPORTED_LANGUAGES["KR"], wanted=True)()
    written = writer.feed(say("엘엘엠과 에이아이를 에이포 용지에")) + writer.finish()
    assert join_words(written) == "LLM과 AI를 a4 용지에"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("에이아이 AI\n엘엘엠\n".encode(), "line 2: '엘엘엠' is not an abbreviation"),
        (b"LLM LLM", "2 to 40 syllables of Hangul"),
        ("엘 엘 엠 LLM".encode(), "expected two words"),
        (b"\xff\xfe", "it is not UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_bad_file_of_abbreviations_is_named(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "abbreviations.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"abbreviations\.txt") as raised:
        read_abbreviations(file)
    assert sentence in raised.value.message
