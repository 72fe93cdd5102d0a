"""The languages that have a written form."""

from pathlib import Path

import pytest

from stt.abbreviations import read_abbreviations
from stt.decoding.hotwords import Hotword
from stt.errors import ConfigurationError, NotSupported
from stt.languages import SUPPORTED_LANGUAGES
from stt.recognition.writer import AsSpoken
from stt.recognition.written_forms import RULES, WrittenForms, names
from stt.settings import load_settings
from stt.types import join_words
from tests.unit.recognition.test_writer import say


@pytest.mark.parametrize(
    ("code", "spoken", "expected"),
    [("KR", "세 시에 봐요", "3시에 봐요"), ("EN", "twenty five of us", "25 of us")],
)
def test_a_language_is_written_by_its_rules(code: str, spoken: str, expected: str) -> None:
    writer = WrittenForms(load_settings()).choose(SUPPORTED_LANGUAGES[code], wanted=True)()
    assert join_words(writer.feed(say(spoken)) + writer.finish()) == expected


def test_other_languages_are_refused_and_words_stay_as_spoken_by_default() -> None:
    forms = WrittenForms(load_settings())
    assert isinstance(forms.choose(SUPPORTED_LANGUAGES["EN"], wanted=False)(), AsSpoken)
    japanese = SUPPORTED_LANGUAGES["JA"]
    assert not forms.has(japanese)
    with pytest.raises(NotSupported, match="Japanese has no written form here, only Korean and"):
        forms.choose(japanese, wanted=True)


def test_messages_name_every_language_of_the_table() -> None:
    assert names() == "Korean and English"
    assert len(RULES) == 2


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
