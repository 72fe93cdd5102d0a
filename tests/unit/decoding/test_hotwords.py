"""Hotwords that a checkpoint cannot write become the ways to say them."""

import pytest

from stt.asked import Asked
from stt.decoding.alphabet import Alphabet
from stt.decoding.decodings import Decodings
from stt.decoding.hotwords import (
    MAX_HOTWORDS,
    MOST_WAYS,
    Hotword,
    parse_hotwords,
    say_hotwords,
    spell_hotwords,
)
from stt.errors import InvalidHotwords
from stt.korean.latin import ABBREVIATIONS
from stt.languages import choose_languages
from stt.settings import load_settings
from stt.types import Vocabulary
from tests.fakes import FakeEngine

SYLLABLES = "쓰리엠삼지피티포사에스이십갤럭시오파브백퍼센트프로세우리카"
HANGUL = Vocabulary(symbols=("<pad>", "|", *SYLLABLES), blank=0)
MIXED = Vocabulary(symbols=("<pad>", "|", *SYLLABLES, "3", "M"), blank=0)


def said(text: str, vocabulary: Vocabulary = HANGUL) -> list[str]:
    hotwords = say_hotwords(parse_hotwords(text), Alphabet.of(vocabulary), ABBREVIATIONS)
    return [each.text for each in hotwords]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("3M", ["쓰리엠", "삼엠"]),
        ("GPT-4", ["지피티포", "지피티사"]),
        ("갤럭시 S24", ["갤럭시 에스 이십사", "갤럭시 에스 이사"]),
        ("100%", ["백 퍼센트", "백 프로"]),
        ("3시", ["세 시"]),
        ("갤럭시", ["갤럭시"]),  # nothing to say
        ("MP3", ["엠피쓰리", "엠피삼"]),
    ],
)
def test_each_way_to_say_a_hotword_is_a_hotword(given: str, expected: list[str]) -> None:
    assert said(given) == expected


def test_a_checkpoint_that_can_write_a_hotword_gets_it_as_it_is() -> None:
    assert said("3M", MIXED) == ["3M"]


def test_the_weight_and_what_was_written_stay_with_each_way() -> None:
    hotwords = say_hotwords(parse_hotwords("3M:2, 우리"), Alphabet.of(HANGUL), ABBREVIATIONS)
    assert hotwords == (
        Hotword("쓰리엠", 2.0, "3M"),
        Hotword("삼엠", 2.0, "3M"),
        Hotword("우리"),
    )


def test_many_hotwords_have_at_most_so_many_ways() -> None:
    few = ",".join(f"{n}M" for n in (3, 5, 13, 53))
    assert len(said(few)) > 4
    codes = [f"{a}{b}{c}" for a in "MTGPS" for b in ("33", "35", "53") for c in "MTGPS"]
    many = ",".join(f"{one} {other}" for one in codes for other in codes[:13])
    assert MOST_WAYS <= len(said(many)) <= MOST_WAYS + MAX_HOTWORDS


def test_only_ways_that_the_checkpoint_can_write_count() -> None:
    few = Vocabulary(symbols=("<pad>", "|", *"삼엠"), blank=0)
    assert said("3M", few) == ["삼엠"]
    assert said("U2, 3M", few) == ["U2", "삼엠"]  # the first is for `spell_hotwords` to refuse


class Writes(FakeEngine):
    vocabulary = HANGUL


@pytest.mark.parametrize("text", ["Wi-Fi", "3M, OpenAI", "Привет", "你好"])
def test_what_cannot_be_said_by_rule_is_refused_by_its_name(text: str) -> None:
    settings = load_settings()
    languages = choose_languages([], {}, demo=False)
    with pytest.raises(InvalidHotwords, match=f"of the hotword '{text.split(', ')[-1]}'"):
        Decodings(languages, settings).choose(languages.default, Writes(), Asked(text))


def test_other_languages_say_nothing() -> None:
    languages = choose_languages(["EN"], {}, demo=False)
    with pytest.raises(InvalidHotwords, match="of the hotword '3M'"):
        Decodings(languages, load_settings()).choose(languages.default, Writes(), Asked("3M"))


def test_the_operators_abbreviations_are_said_too() -> None:
    alphabet = Alphabet.of(HANGUL)
    hotwords = say_hotwords(parse_hotwords("Sprite, LLM"), alphabet, {"스프라이트": "Sprite"})
    assert [each.text for each in hotwords] == ["Sprite", "LLM"]  # 라 and 엘 are not in it
    hotwords = say_hotwords(parse_hotwords("Cepheus"), alphabet, {"세피우스": "Cepheus"})
    assert hotwords == (Hotword("세피우스", written="Cepheus"),)


def test_names_in_latin_letters_are_not_spelled_out() -> None:
    alphabet = Alphabet.of(HANGUL)
    [hotword] = say_hotwords(parse_hotwords("Zara"), alphabet, ABBREVIATIONS)
    with pytest.raises(InvalidHotwords, match="of the hotword 'Zara'"):
        spell_hotwords([hotword], alphabet)
