"""Spoken words as they are written."""

import random
import time
from pathlib import Path

import pytest

from stt.korean.written import Written, open_from, written

ROOT = Path(__file__).parents[3]


def text_of(spoken: str, **options: object) -> str:
    return " ".join(span.text for span in written(spoken.split(), **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("세 시 삼십 분", "3시 30분"),
        ("세시삼십분에", "3시 30분에"),
        ("삼십 분까지는", "30분까지는"),
        ("이천이십육 년 십일월 이십육 일", "2026년 11월 26일"),
        ("이 천 이 십 육 년", "2026년"),
        ("이공이육 년", "2026년"),
        ("삼월 일일", "3월 1일"),
        ("이박 삼일", "2박 3일"),
        ("헤어진지 이십일째", "헤어진지 20일째"),
        ("이십일 동안", "20일 동안"),
        ("오백일을 앞두고", "오백일을 앞두고"),  # 501, or 500 days
        ("이별한지 십일차", "이별한지 십일차"),
        ("십일차 면접", "11차 면접"),
        ("팔 차를 닦았어", "팔 차를 닦았어"),
        ("천 위에 놓아", "천 위에 놓아"),
        ("팔 위로 올라섰다", "8위로 올라섰다"),
        ("거기 두시면 돼요", "거기 두시면 돼요"),
        ("두시에 봐요", "2시에 봐요"),
        ("문 열 시간이야", "문 열 시간이야"),
        ("열 시간이야", "10시간이야"),
        ("사번을 잊었어", "사번을 잊었어"),
        ("이점이 많아", "이점이 많아"),
        ("이 점 이", "2.2"),
        ("이 조건이면", "이 조건이면"),
        ("이 천 원래 비싸", "이 천 원래 비싸"),
        ("이천 원이래", "2,000원이래"),
        ("스무 살", "20살"),
        ("백스물다섯 명", "125명"),
        ("열 두 시", "12시"),
        ("백여 명", "100여 명"),
        ("만 오천 원", "15,000원"),
        ("일억 오천만 원", "1억 5,000만 원"),
        ("백만 명", "100만 명"),
        ("영 점 영일 초", "0.01초"),
        ("삼 점 일사", "3.14"),
        ("학점이 사 점 삼이야", "학점이 4.3이야"),
        ("삼분의 이", "2/3"),
        ("삼 대 일로", "3 대 1로"),
        ("이 점 칠 퍼센트", "2.7%"),
        ("삼십만 킬로미터를", "30만 km를"),
        ("공일공 일이삼사 오육칠팔", "010-1234-5678"),
        ("공일공에 일이삼사에 오육칠팔이요", "010-1234-5678이요"),
        ("일오팔팔 삼공공공", "1588-3000"),
        ("일일구에", "119에"),
        ("에이비씨 골뱅이 네이버 점 컴", "abc@naver.com"),
        ("더블유 더블유 더블유 닷 구글 닷 컴", "www.google.com"),
        ("에이비씨 점 씨오 점 케이알", "abc.co.kr"),
        ("에이아이가", "AI가"),
        ("에이 아이 시대", "AI 시대"),
    ],
)
def test_numbers_and_names_are_written(spoken: str, expected: str):
    assert text_of(spoken) == expected


@pytest.mark.parametrize(
    "spoken",
    [
        "친구를 만났다",
        "이사 구두 오이 일이 사이 천천히",
        "이 사람이 좋아",
        "한 번 해 보자",
        "그냥 두고 가",
        "네 마음을 몰라",
        "네 번호 알려 줘",
        "네 개인 사정",
        "이 분 남자친구",
        "일 보고 올게",
        "이거 사 주는 거야",
        "두세 명",
        "일이십 분",
        "삼 사십 명",
        "몇 시",
        "수 백 명",
        "이월 상품",
        "세대 차이",
        "만원 버스",
        "아이티에 갔어",
        "에이 설마",
        "구구단",
        "일 이 삼",
    ],
)
def test_words_that_only_look_like_numbers_stay(spoken: str):
    assert text_of(spoken) == spoken


def test_the_examples_of_the_documentation_are_right():
    text = (ROOT / "docs" / "korean.md").read_text(encoding="utf-8")
    tables = text.split("| 들리는 대로 | 표기 |\n|---|---|\n")[1:]
    rows = [
        row.strip("|").split("|")
        for table in tables
        for row in table.partition("\n\n")[0].splitlines()
    ]
    assert len(rows) > 30
    assert [[said, f" {text_of(said)} "] for said, _ in rows] == rows


def test_a_span_names_the_words_that_it_replaces():
    assert written(["내일", "세", "시에", "공일공", "일이삼사", "오육칠팔로"]) == [
        Written("내일", 0, 0),
        Written("3시에", 1, 2),
        Written("010-1234-5678로", 3, 5),
    ]


@pytest.mark.parametrize(
    ("spoken", "n_final"),
    [
        ("", 0),
        ("내일", 0),
        ("내일 세", 1),
        ("내일 만 오천", 1),
        ("에이비씨 골뱅이 네이버 점", 0),
        ("세 시에 봐", 2),
    ],
)
def test_the_last_words_may_still_change(spoken: str, n_final: int):
    assert open_from(spoken.split()) == n_final


def test_abbreviations_can_be_added():
    assert text_of("엘엘엠이 좋아", abbreviations={"엘엘엠": "LLM"}) == "LLM이 좋아"
    assert text_of("엘엘엠이 좋아") == "엘엘엠이 좋아"


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "hello",
        "3시",
        "이천26년",
        "你好",
        "Привет",
        "십" * 60,
        "일" * 10_000,
        "ㅋㅋ",
        "경",
        "해",
    ],
)
def test_other_words_stay_as_they_are(word: str):
    assert written([word]) == [Written(word, 0, 0)]


def test_decomposed_words_are_read_and_unread_ones_keep_their_form():
    import unicodedata

    words = [unicodedata.normalize("NFD", word) for word in ("세", "시에", "만나")]
    assert [span.text for span in written(words)] == ["3시에", words[2]]


def test_any_words_make_spans_in_order_and_fast():
    rng = random.Random(0)
    syllables = "영공일이삼사오육칠팔구십백천만억조점분의시원년월한두세네열스무개명번대에는까지컴a1"
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 9))) for _ in range(2_000)]
    started = time.process_time()
    spans = written(words)
    assert time.process_time() - started < 2.0, "a millisecond a word"
    covered = [n for span in spans for n in range(span.first_word, span.last_word + 1)]
    assert covered == list(range(len(words)))


def test_a_long_word_of_letters_names_is_found_at_once() -> None:
    # 브이 could be V, or 브 and 이: the ways to split this would be 2 ** 40.
    words = ["브이" * 40 + "가", "다"]
    assert open_from(words) == 1
    assert [span.text for span in written(words)] == words
