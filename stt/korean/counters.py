"""What numbers count: how each counter is counted, and how number and counter are written."""

from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """How the number before a counter is written."""

    PLAIN = "1234"
    COMMAS = "1,234; 3만 and 2억 where nothing smaller follows"
    MONEY = "15,000; from 억 on 1억 5,000만"


@dataclass(frozen=True)
class Counter:
    spoken: str
    written: str
    is_native: bool = False
    """Counted with 한, 두, 세 up to 99 (two-digit Sino-Korean numbers are heard too)."""
    style: Style = Style.COMMAS
    takes_one: bool = True
    """Whether 한 before it is usually a number: 한 시 is, 한 번 is an adverb too."""
    joins: bool = True
    """Whether a number of one syllable is written together with it without being another word."""
    most: int | None = None
    """The largest number that makes sense, such as 12 of 월."""


def _all(words: str, **fields: object) -> tuple[Counter, ...]:
    return tuple(Counter(word, word, **fields) for word in words.split())  # type: ignore[arg-type]


_NATIVE = (
    Counter("시", "시", is_native=True, style=Style.PLAIN, most=24),
    Counter("살", "살", is_native=True, style=Style.PLAIN, most=150),
    *_all("시간 명 개 마리", is_native=True),
    *_all("권 그루 켤레 송이 채 척 자루 통 포기", is_native=True, joins=False),
    *_all("번째 가지 군데 번", is_native=True, style=Style.PLAIN, takes_one=False),
    Counter("배", "배", is_native=True, takes_one=False),
    *_all(
        "병 대 장 잔 벌 모 곳 달 봉지 상자 조각 곡 팀 편 건 박스 그릇 컵 종류",
        is_native=True,
        takes_one=False,
        joins=False,
    ),
)
_SINO = (
    Counter("월", "월", style=Style.PLAIN, most=12),
    Counter("월생", "월생", style=Style.PLAIN, most=12),
    Counter("일", "일", style=Style.PLAIN, joins=False, most=10_000),
    Counter("세", "세", style=Style.PLAIN, joins=False, most=150),
    *_all("년대 년생 년도 년", style=Style.PLAIN, most=9999),
    *_all("분 초 층 동 호 쪽 과 반 강 도 위 등 급 차 회 박", style=Style.PLAIN, joins=False),
    *_all("호선 호기 학년 페이지 세기 주년 개월 주일 단계 세트 인분 인실", style=Style.PLAIN),
    *_all("개국어 개국 데시벨 칼로리 포인트", style=Style.COMMAS),
    *_all("주 평 점 보 인 톤 인치 마일 차선 번지", joins=False),
    *_all("프로 기가 메가 테라 센티 킬로", joins=False),
)
_MONEY = (
    Counter("원", "원", style=Style.MONEY, joins=False),
    *_all("달러 불 유로 엔 위안 파운드", joins=False),
)
_UNITS = tuple(
    Counter(spoken, written)
    for spoken, written in (
        ("퍼센트", "%"), ("퍼센트포인트", "%포인트"),
        ("킬로미터", "km"), ("센티미터", "cm"), ("밀리미터", "mm"), ("미터", "m"),
        ("킬로그램", "kg"), ("밀리그램", "mg"), ("그램", "g"), ("밀리리터", "mL"), ("리터", "L"),
        ("제곱미터", "m²"), ("테라바이트", "TB"), ("기가바이트", "GB"), ("메가바이트", "MB"),
        ("킬로바이트", "KB"), ("메가헤르츠", "MHz"), ("기가헤르츠", "GHz"), ("킬로헤르츠", "kHz"),
        ("헤르츠", "Hz"), ("킬로와트", "kW"), ("와트", "W"), ("볼트", "V"), ("킬로칼로리", "kcal"),
    )
)  # fmt: skip
COUNTERS = {
    counter.spoken: counter
    for counter in sorted(
        (*_NATIVE, *_SINO, *_MONEY, *_UNITS), key=lambda counter: -len(counter.spoken)
    )
}
"""By spoken form, the longest first."""
SPOKEN_UNITS = {counter.written: counter.spoken for counter in _UNITS}
"""Spoken forms of what is written in Latin letters or signs."""
