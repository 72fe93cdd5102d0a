"""Texts compared by how they are said."""

import random
import time
import unicodedata
from pathlib import Path

import pytest

from stt.errors import ConfigurationError
from stt.evaluation.comparison import Comparison, choose_comparison
from stt.evaluation.manifests import Utterance
from stt.evaluation.results import Result
from stt.languages import SUPPORTED_LANGUAGES

KOREAN = SUPPORTED_LANGUAGES["KR"]


def compare(reference: str, hypothesis: str, **choices: str) -> Result:
    comparison = choose_comparison(KOREAN, **choices)  # type: ignore[arg-type]
    return comparison.compare(Utterance("a.wav", Path("a.wav"), reference), hypothesis, 1.0)


def edits(reference: str, hypothesis: str) -> int:
    result = compare(reference, hypothesis)
    assert result.by_reading is not None
    return result.by_reading.total


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3시", "세 시"),
        ("3시", "세시"),
        ("3 시에", "세시에"),
        ("2시 30분", "두 시 삼십 분"),
        ("14시", "십사 시"),
        ("14시", "두 시"),
        ("20살", "스무 살"),
        ("20살", "이십 살"),
        ("1일", "일 일"),
        ("3명", "세 명"),
        ("3 사람", "세 사람"),
        ("3층", "삼 층"),
        ("35명", "서른다섯 명"),
        ("35명", "삼십오 명"),
        ("1번째", "첫 번째"),
        ("6월 10일", "유월 십 일"),
        ("2024년", "이천이십사 년"),
        ("12,345원", "만 이천삼백사십오 원"),
        ("1만 원", "만 원"),
        ("1만 원", "일만 원"),
        ("3.14", "삼 점 일사"),
        ("50%", "오십 퍼센트"),
        ("50%", "오십프로"),
        ("-5도", "영하 오 도"),
        ("5km", "오 킬로미터"),
        ("010-1234-5678", "공일공 일이삼사 오육칠팔"),
        ("AI", "에이아이"),
        ("ai로", "에이아이로"),
        ("NASA에서", "나사에서"),
        ("CC", "씨씨"),
        ("CC", "시시"),
        ("MP3", "엠피삼"),
        ("$100", "백 달러"),
        ("３시", "세 시"),
        ("세\u200b 시", "3시"),
        ("네, 좋아요!", "네 좋아요"),
        ("Hello", "hello"),
        ("20살인데 3시까지 AI로", "스무살인데 세시까지 에이아이로"),
    ],
)
def test_two_spellings_of_one_reading_are_equal(one: str, other: str) -> None:
    assert edits(one, other) == 0
    assert edits(other, one) == 0
    assert edits(unicodedata.normalize("NFD", one), other) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2시", "이 시"),
        ("이 시", "두 시"),
        ("3층", "세 층"),
        ("스무 살", "이십 살"),
        ("3시", "네 시"),
        ("3시", "13시"),
        ("30분", "13분"),
        ("3개월", "세 개월"),
        ("34일", "삼 사 일"),
        ("AI", "에이에이"),
        ("나사", "엔에이에스에이"),
        ("5km", "오 킬로그램"),
        ("가게", "가계"),
    ],
)
def test_texts_that_sound_different_stay_different(one: str, other: str) -> None:
    assert edits(one, other) > 0
    assert edits(other, one) > 0


def test_the_reading_does_not_depend_on_how_the_reference_is_written() -> None:
    for hypothesis in ("세 시", "네 시", "8시", "여덟시", "사 시"):
        assert edits("3시", hypothesis) == edits("세 시", hypothesis)


def test_the_denominator_does_not_depend_on_the_hypothesis() -> None:
    units = {
        compare("NASA가 20살", text).by_reading.reference_units  # type: ignore[union-attr]
        for text in ("나사가 스무살", "엔에이에스에이가 이십 살", "", "20")
    }
    assert units == {len("엔에이에스에이가스무살")}


def test_spaces_are_errors_of_their_own_by_reading() -> None:
    result = compare("세 시에", "3시에", normaliser="reading")
    assert result.compared == ("세 시에", "세 시에")
    assert result.scores.characters.total == 0
    result = compare("3시에", "세시에", normaliser="reading")
    assert result.compared == ("세 시에", "세시에")
    assert result.scores.characters.total == 1
    assert result.scores.characters_without_spaces.total == 0


@pytest.mark.parametrize("hypothesis", ["세 시에 만나", "3시에 만나", "세시에 만나"])
@pytest.mark.parametrize("transcription", ["dual-spoken", "dual-written"])
def test_either_form_of_a_dual_reference_is_right(transcription: str, hypothesis: str) -> None:
    result = compare("b/ (3시)/(세 시)에 만나 n/", hypothesis, transcription=transcription)
    assert result.by_reading is not None
    assert result.by_reading.total == 0
    assert result.kinds.real == 0
    # Where the readings differ too.
    said = compare("(그거는)/(그건) (3층)/(세 층)", "그거는 세 층", transcription=transcription)
    assert said.by_reading is not None
    assert said.by_reading.total == 0


def test_only_the_reading_takes_both_forms() -> None:
    result = compare("(3시)/(세 시)", "3시", transcription="dual-spoken")
    assert result.compared == ("세 시", "3시")
    result = compare("(3시)/(세 시)", "3시", transcription="dual-written")
    assert result.compared == ("3시", "3시")


def test_a_language_that_nobody_reads_is_refused_by_reading_alone() -> None:
    english = SUPPORTED_LANGUAGES["EN"]
    with pytest.raises(ConfigurationError, match=r"only Korean can be read aloud, not English"):
        choose_comparison(english, "reading")
    result = choose_comparison(english).compare(
        Utterance("a", Path("a"), "Three o'clock."), "3 oclock", 1.0
    )
    assert result.by_reading is None
    assert (result.kinds.notation, result.kinds.real) == (2, 5)


def test_abbreviations_can_be_added() -> None:
    comparison = choose_comparison(KOREAN, "reading", "plain", {"지팔": "G8"})
    [result] = [comparison.compare(Utterance("a", Path("a"), "G8은"), "지팔은", 1.0)]
    assert result.scores.characters_without_spaces.total == 0


@pytest.mark.parametrize("normaliser", ["basic", "none", "reading"])
def test_no_text_is_an_error(normaliser: str) -> None:
    rng = random.Random(0)
    characters = "0123456789,.:/-%₩$~&@()+*bn가나시원년 월일\u1100\u1161\u200b你éкб١½²Ⅲ\u0301🎉"
    texts = [
        "",
        " ",
        "1" * 1_000,
        "100000000000000000000",
        "(" * 50,
        *("".join(rng.choices(characters, k=60)) for _ in range(60)),
    ]
    for transcription in ("plain", "dual-spoken", "dual-written"):
        for reference, hypothesis in zip(texts, [*texts[1:], texts[0]], strict=True):
            kinds = compare(
                reference, hypothesis, normaliser=normaliser, transcription=transcription
            ).kinds
            assert min(kinds.spacing, kinds.notation, kinds.real) >= 0


def test_thousands_of_recordings_are_scored_in_seconds() -> None:
    comparison = choose_comparison(KOREAN, "reading")
    comparison.scores([("3시", "네 시")])  # compile
    started = time.process_time()
    for number in range(500):
        comparison.compare(
            Utterance("a", Path("a"), f"오늘 아침 {number}시 30분에 일어나, 커피 두 잔을 마셨다."),
            f"오늘 아침 일곱시 {number}분에 일어나 커피 2잔을 마셨다",
            1.0,
        )
    assert time.process_time() - started < 5


def test_the_default_reads_nothing() -> None:
    result = Comparison().compare(Utterance("a", Path("a"), "3시"), "세 시", 1.0)
    assert result.by_reading is None
