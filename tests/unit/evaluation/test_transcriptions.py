"""References in KsponSpeech's notation."""

import time

import pytest

from stt.evaluation.transcriptions import Passage, dual, looks_dual, plain


@pytest.mark.parametrize(
    ("text", "spoken", "written"),
    [
        ("(3시)/(세 시)에 만나", "세 시에 만나", "3시에 만나"),
        ("오후(3시)/(세 시)", "오후세 시", "오후3시"),
        ("(70%)/(칠 십 퍼센트) 확률이라니", "칠 십 퍼센트 확률이라니", "70% 확률이라니"),
        ("( 3시 ) / ( 세 시 ) 까지", "세 시 까지", "3시 까지"),
        ("(세 시)/(3시)", "세 시", "3시"),
        ("(그거는)/(그건) 안 돼", "그건 안 돼", "그거는 안 돼"),
        ("((KBS)/(케이비에스) 9시)/(케이비에스 아홉 시)", "케이비에스 아홉 시", "KBS 9시"),
        ("(3)/(삼) (4)/(사)", "삼 사", "3 4"),
        ("b/ 아/ 모+ 몬 소리야 n/", "아 모 몬 소리야", "아 모 몬 소리야"),
        ("o/n/ 그+ 그거*는 *좋아* l/", "그 그거*는 좋아", "그 그거*는 좋아"),
        ("n/그래서 u/ 음/ 어/+ 네/.", "그래서 음 어 네.", "그래서 음 어 네."),
        ("n/(1개)/(한 개)+ (1개)/(한 개)만*", "한 개 한 개만", "1개 1개만"),
        ("b/ (아/ 3개)/(아/ 세 개)", "아 세 개", "아 3개"),
    ],
)
def test_pairs_and_marks(text: str, spoken: str, written: str) -> None:
    assert dual(text, is_spoken=True).text == spoken
    assert dual(text, is_spoken=False).text == written


@pytest.mark.parametrize(
    "text",
    [
        "안녕하세요, 반가워요.",
        "C++ 10+5=15 2*3 A+ 학점",
        "km/h I/O 1/2 그/저 and/or",
        "괄호(설명)는 그대로 (둔다)",
        "(3시)/(세 시",
        "(3시/(세 시)",
        "3시)/(세 시)",
        ")(",
        "(" * 1_000,
        "",
    ],
)
def test_a_text_without_pairs_and_marks_is_unchanged(text: str) -> None:
    for is_spoken in (True, False):
        assert dual(text, is_spoken=is_spoken).text == text
    assert not looks_dual(text)


def test_a_word_goes_with_the_pair_that_it_touches() -> None:
    assert dual("나 (3시)/(세 시)에 가", is_spoken=True).passages == (
        Passage("나", "나"),
        Passage("3시에", "세 시에"),
        Passage("가", "가"),
    )


def test_a_plain_text_is_not_touched() -> None:
    text = "b/ (3시)/(세 시)  에 "
    assert plain(text).text == text


def test_no_text_takes_long() -> None:
    for text in ("(" * 5_000, "()/" * 5_000, "(a)/(b)" * 5_000, "아/" * 5_000):
        started = time.process_time()
        dual(text, is_spoken=True)
        looks_dual(text)
        assert time.process_time() - started < 2
