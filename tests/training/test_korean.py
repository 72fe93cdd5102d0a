"""Korean spelling rules, checked on dictionary forms."""

import pytest

from stt.korean.numerals import native, sino
from training import korean
from training.korean import Verb, join_syllable, particle


def test_syllables_split_and_join():
    assert korean.split_syllable("한") == (18, 0, 4)
    assert join_syllable(18, 0, 4) == "한"
    assert korean.with_final("가", "ㅂ") == "갑"
    assert korean.with_final("먹", "") == "머"


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("책", "이/가", "책이"),
        ("나무", "이/가", "나무가"),
        ("물", "을/를", "물을"),
        ("커피", "을/를", "커피를"),
        ("집", "으로/로", "집으로"),
        ("학교", "으로/로", "학교로"),
        ("서울", "으로/로", "서울로"),
        ("서울", "과/와", "서울과"),
        ("학교", "에서", "학교에서"),
        ("책", "도", "책도"),
    ],
)
def test_a_particle_follows_the_last_sound(word: str, pair: str, expected: str):
    assert particle(word, pair) == expected


@pytest.mark.parametrize(
    ("entry", "infinitive"),
    [
        # regular, by vowel harmony
        ("먹", "먹어"),
        ("받", "받아"),
        ("좋", "좋아"),
        ("입", "입어"),
        # contractions
        ("가", "가"),
        ("서", "서"),
        ("오", "와"),
        ("배우", "배워"),
        ("마시", "마셔"),
        ("보내", "보내"),
        ("세", "세"),
        ("펴", "펴"),
        ("되", "돼"),
        ("쉬", "쉬어"),
        ("공부하", "공부해"),
        # ㅡ drops
        ("쓰", "써"),
        ("바쁘", "바빠"),
        ("예쁘", "예뻐"),
        ("따르", "따라"),
        # ㅂ
        ("돕/ㅂ", "도와"),
        ("굽/ㅂ", "구워"),
        ("아름답/ㅂ", "아름다워"),
        # ㄷ
        ("듣/ㄷ", "들어"),
        ("걷/ㄷ", "걸어"),
        # ㅅ
        ("짓/ㅅ", "지어"),
        # 르
        ("부르/르", "불러"),
        ("빠르/르", "빨라"),
        ("모르/르", "몰라"),
        # ㅎ
        ("빨갛/ㅎ", "빨개"),
        ("하얗/ㅎ", "하얘"),
    ],
)
def test_infinitives(entry: str, infinitive: str):
    assert Verb.parse(entry).infinitive == infinitive


@pytest.mark.parametrize(
    ("entry", "ending", "expected"),
    [
        ("먹", "polite", "먹습니다"),
        ("살", "polite", "삽니다"),
        ("가", "question", "갑니까"),
        ("먹", "plain", "먹는다"),
        ("만들", "plain", "만든다"),
        ("먹", "u+면", "먹으면"),
        ("살", "u+면", "살면"),
        ("듣/ㄷ", "u+면", "들으면"),
        ("돕/ㅂ", "u+면", "도우면"),
        ("짓/ㅅ", "u+면", "지으면"),
        ("빨갛/ㅎ", "u+면", "빨가면"),
        ("먹", "udrop+세요", "먹으세요"),
        ("만들", "udrop+세요", "만드세요"),
        ("돕/ㅂ", "udrop+십시오", "도우십시오"),
        ("만들", "drop+네요", "만드네요"),
        ("살", "l+ 거예요", "살 거예요"),
        ("걷/ㄷ", "l+까요", "걸을까요"),
        ("마시", "past+어요", "마셨어요"),
        ("부르/르", "past+습니다", "불렀습니다"),
        ("하얗/ㅎ", "past+어요", "하얬어요"),
        ("묻/ㄷ", "stem+지 마세요", "묻지 마세요"),
    ],
)
def test_endings(entry: str, ending: str, expected: str):
    assert Verb.parse(entry).end(ending) == expected


def test_modifiers():
    assert Verb("먹").modifier == "먹는"
    assert Verb("살").modifier == "사는"
    assert Verb("살").past_modifier == "산"
    assert Verb("쉽", "ㅂ").past_modifier == "쉬운"
    assert Verb("맛있").past_modifier == "맛있는"
    assert Verb("빨갛", "ㅎ").past_modifier == "빨간"


def test_an_unknown_ending_is_rejected():
    with pytest.raises(ValueError, match="known form"):
        Verb("먹").end("other+요")


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0, "영"),
        (7, "칠"),
        (10, "십"),
        (21, "이십일"),
        (100, "백"),
        (365, "삼백육십오"),
        (2024, "이천이십사"),
        (10_000, "만"),
        (12_345, "만 이천삼백사십오"),
        (350_000, "삼십오만"),
    ],
)
def test_sino_korean_numbers(number: int, spelled: str):
    assert sino(number) == spelled


def test_natives_before_a_counter():
    assert [native(n) for n in (1, 11, 20, 21, 35, 99)] == [
        "한",
        "열한",
        "스무",
        "스물한",
        "서른다섯",
        "아흔아홉",
    ]
