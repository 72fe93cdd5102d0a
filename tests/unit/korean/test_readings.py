"""Written words as they are spoken."""

import random
import time

import pytest

from stt.korean.readings import Reading, readings, spoken_text, ways_to_say


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("3시 30분에", "세 시 삼십 분에"),
        ("15:30", "십오 시 삼십 분"),
        ("2026년 6월 10일", "이천이십육 년 유월 십 일"),
        ("2026-11-26", "이천이십육 년 십일월 이십육 일"),
        ("3 명", "세 명"),
        ("3박4일", "삼 박 사 일"),
        ("제2차 대전", "제이 차 대전"),
        ("010-1234-5678로", "공일공 일이삼사 오육칠팔로"),
        ("₩15,000, 15,000원", "만 오천 원 만 오천 원"),
        ("1억 5,000만 원", "일억 오천만 원"),
        ("30만 km를", "삼십만 킬로미터를"),
        ("3.14", "삼 점 일사"),
        ("-5도", "마이너스 오 도"),
        ("2/3", "삼분의 이"),
        ("2:1", "이 대 일"),
        ("50%", "오십 퍼센트"),
        ("AI와 PC방", "에이아이와 피시방"),
        ("KBO", "케이비오"),
        ("R&D", "알앤디"),
        ("abc@naver.com", "에이비씨 골뱅이 네이버 점 컴"),
        ("https://www.google.com", "더블유더블유더블유 점 구글 점 컴"),
        ("네, 좋아요!", "네 좋아요"),
        ("네~ 10~20분", "네 십 에서 이십 분"),
        ("F-16", "에프 십육"),
        ("USB-C", "유에스비 씨"),
    ],
)
def test_what_is_written_is_said(text: str, spoken: str):
    assert spoken_text(text) == spoken


def test_each_written_word_keeps_its_own_reading():
    assert readings("세 시 AI!") == [
        Reading("세", ("세",)),
        Reading("시", ("시",)),
        Reading("AI!", ("에이아이",)),
    ]


@pytest.mark.parametrize(
    ("word", "ways"),
    [
        ("010", {"공일공", "영일영"}),
        ("20살", {"스무 살", "이십 살"}),
        ("30%", {"삼십 퍼센트", "삼십 프로"}),
        ("1502호", {"천오백이 호", "일오공이 호"}),
        ("18:30", {"십팔 시 삼십 분", "여섯 시 삼십 분"}),
        ("TV", {"티비", "티브이"}),
        ("256", {"이백오십육", "이오육"}),
        ("3", {"삼", "세", "셋"}),
        ("21", {"이십일", "스물한", "스물하나"}),
        ("1번째", {"한 번째", "첫 번째"}),
        ("-5도", {"마이너스 오 도", "영하 오 도"}),
        ("NASA", {"엔에이에스에이", "나사"}),
        ("CC", {"씨씨", "시시"}),
        ("ai", {"ai", "에이아이"}),
        ("MP3", {"엠피쓰리", "엠피삼"}),
    ],
)
def test_people_say_some_words_in_several_ways(word: str, ways: set[str]):
    [reading] = readings(word)
    assert ways <= set(reading.spoken)


@pytest.mark.parametrize(
    "word", ["Привет", "你好", "¼", "Ⅲ", "10^20", "1" * 21, "1" * 1_000, "hello", "안녕"]
)
def test_what_nobody_reads_by_rule_is_said_as_written(word: str):
    assert readings(word) == [Reading(word, (word,))]


def test_empty_text_has_no_words():
    assert readings("") == []
    assert readings(" \n") == []


def test_abbreviations_can_be_added():
    [reading] = readings("LLM이", {"엘엘엠": "LLM"})
    assert reading.spoken == ("엘엘엠이",)


def test_any_text_is_read_and_fast():
    rng = random.Random(0)
    characters = "0123456789,.:/-%₩$~&@()가나시원년월일분만억kmKGAI 你ñ\u0301"
    text = "".join(rng.choices(characters, k=12_000))
    started = time.process_time()
    read = readings(text)
    assert time.process_time() - started < 0.001 * len(read)
    assert [reading.written for reading in read] == text.split()


@pytest.mark.parametrize("word", ["." * 90 + "あ1", "1" + "-." * 45 + "あ", "브이" * 40 + "가1é"])
def test_what_cannot_be_read_is_found_at_once(word: str) -> None:
    # Each of these would take time exponential in its length if a pattern could match it twice.
    assert ways_to_say(word) == (word,)
