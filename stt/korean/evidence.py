"""Whether words that could be a number are one.

이, 네, 사, 구, 만 and others are words of their own as well: 이 분 is two minutes or this person.
Such a number counts only with further evidence; without it the text stays as it was spoken.
"""

import re
from dataclasses import dataclass

from stt.korean.counters import Counter


@dataclass(frozen=True)
class Phrase:
    """A number, its counter and what surrounds them."""

    value: int
    spoken: str
    """The number without spaces."""
    is_native: bool
    is_decimal: bool
    counter: Counter
    tail: str
    """Particles after the counter."""
    is_joined: bool
    """Whether number and counter are one word."""
    word_before: str
    counter_before: str
    word_after: str

    @property
    def is_day(self) -> bool:
        """A day after its month, or days after their nights: 삼월 일일, 이박 삼일."""
        return self.counter.spoken == "일" and self.counter_before in ("월", "박")


def _words(block: str) -> frozenset[str]:
    return frozenset(block.split())


_INEXACT = ("몇", "수", "여러")
_DIGITS = tuple("일이삼사오육칠팔구")
"""Alone before another number they make it inexact: 삼 사십 명."""
_MAKES_THIS_A_TWO = re.compile(
    r"(?:후|뒤|이후)(?:$|에|로|의|면|쯤)|전(?:$|에|부터|까지|쯤|이|의)|동안|만에|정도|남짓|간$|이상|이하|이내|안에|"
    r"더$|남[았은아겼긴을음]|걸[려리렸린릴]|넘|지나|지났|할부|코스|반$|연속|째|쯤|진단|차$|내내|늦|일찍|빨리"
)
"""The word after a time that is two of something, and not this one."""
_TAILS_OF_A_TWO = (
    "만에", "동안", "간", "째", "짜리", "씩", "쯤", "이나", "밖에", "이면", "치", "차",
)  # fmt: skip
_TAILS_OF_THIS = ("대", "여", "경", "당", "이", "은", "을")
_AFTER_PEOPLE = ("가구", "가족", "세트", "기준", "이상", "이하", "출판", "기업", "식탁")
_AFTER_ITEM = (
    "문제", "버스", "출구", "타자", "선수", "창구", "게이트", "버튼", "채널", "트랙", "타석",
)  # fmt: skip
_AFTER_ROUND = (
    "세계", "대전", "갈", "가자", "가서", "시험", "면접", "접종", "투표", "전형", "공연",
    "산업", "혁명",
)  # fmt: skip
_ALWAYS_TWO = _words(
    """
    층 등 급 박 평 톤 학년 호선 인분 인실 개월 주년 주일 개국 개국어
    """
)
_THIS_AS_WELL = _words(
    """
    포인트 단계 세트 페이지 프로 시간 세기 데시벨 년도
    """
)
_OTHER_WORDS = _words(
    """
    세배 삼배 이배 사배 오배 구배 일배 백배 천배 만배 십배 한시 세대 두통 세장 세통 만년 천년 백년
    백번 천번 만번 이년 오년 이월 일개 사개 오개 이개 세채 두채 네모 세모 두모 한살 십팔번
    """
)
_WORDS_OF_A_COUNTER = _words(
    """
    도로 회의 주의 동의 호의 강의 주인 원인 개인 장인 대인 대신 과로 세로 초면 대면 반면 반대 반도
    강도 과도 인도 차도 평가 인가 동네 회로 차로 차이 급여 호가 주가 주로 주도 주면 주고 주는
    주니까 주라고 주네요 주네 주지 주나 주던 주래 주든 보다 보라 보고 보면 보는 보니까 보라고 보니
    보지 보자 보네 보던 보나 보며 세고 세네 세지 세면 도와 도나 대로 번지 위치 위치가 위치는
    위치를 위치에 인간 인간이 인간은 인간들 층간 층간의
    """
)
"""Counters with particles that are other words too, taken for those after a short number."""
_APPROXIMATE = ("원", "명", "도", "번", "퍼센트", "프로", "점", "위", "호")
"""Counters that 대 may follow: 만 원대."""
_FESTIVALS = ("칠석", "칠석에", "칠석이")
_DAYS_AND_IFS = ("백일", "천일", "만일")
_SMALLER = {("학년", "반"), ("시", "분"), ("분", "초"), ("년", "개월"), ("동", "호"), ("도", "분")}
"""Counters that follow each other: 오 학년 이 반."""
_IDIOMS = frozenset({("오만", "가지"), ("일", "주일"), ("천", "조각")})
_SMALL_SINO = _words(
    """
    번 대 장 배 곡 모
    """
)
"""Native counters that a Sino-Korean number below ten goes with too: 오 번 출구, 삼 대."""
_YOURS_AS_WELL = _words(
    """
    잔 통 곡 배 달 곳 편 건 그릇 컵 팀
    """
)


_ANOTHER_READING = re.compile(
    r"""
      [두세]시(?:면|고|지|는|니|죠|던|더|려|라|네).*      # 두시면, 세시고: 두다 and 세다, honorific
    | [팔사일천열]\ (?:차|모).*                           # 팔 차를, 사 모은
    | [팔천만일이]\ ?위(?:로|에).*                        # 팔 위로, 천 위에: above an arm, on cloth
    | [팔일]\ ?반(?:쯤|만).*                              # 팔 반쯤
    | [일이삼사오육칠팔구십]\ ?초반.*                     # 일 초반에: at the beginning
    | [이일사오구]번(?:을|이|은|도|과|의|만|에는).*        # 사번을: a number of an employee
    | 이월(?!에|까지|부터).+                              # 이월이 안 돼: carried over
    | .*조건.*                                            # 이 조건이면
    """,
    re.VERBOSE,
)
"""Numbers with their counters and particles that say something else far more often."""
_RANKED = ("올", "랭", "그쳤", "머물", "자리", "입상", "내려", "밀려", "떨어", "마쳤", "마감", "뛰")
_WHAT_OPENS = ("문", "문을", "뚜껑", "뚜껑을", "창문", "창문을", "대문", "상자를", "봉투를")


def _is_another_reading(phrase: Phrase) -> bool:
    if phrase.spoken == "열" and phrase.word_before in _WHAT_OPENS:  # 문 열 시간
        return True
    if phrase.counter.spoken in ("위", "차") and phrase.word_after.startswith(
        (*_RANKED, *_AFTER_ROUND)
    ):
        return False
    space = "" if phrase.is_joined else " "
    said = f"{phrase.spoken}{space}{phrase.counter.spoken}{phrase.tail}"
    return bool(_ANOTHER_READING.fullmatch(said))


def is_number(phrase: Phrase) -> bool:
    if _is_another_reading(phrase):
        return False
    if phrase.word_before in _INEXACT or (
        phrase.word_before in _DIGITS and not phrase.is_native and not phrase.is_day
    ):
        return False
    if phrase.counter.most is not None and phrase.value > phrase.counter.most:
        return False
    if phrase.is_decimal:
        return True
    if _is_idiom(phrase):
        return False
    if phrase.spoken in _DAYS_AND_IFS and (phrase.counter.is_native or phrase.is_joined):
        return phrase.counter.spoken == "번" and not phrase.is_joined
    if len(phrase.spoken) == 1 and phrase.counter.spoken + phrase.tail in _WORDS_OF_A_COUNTER:
        return False
    if phrase.counter.spoken == "월":
        return _is_month(phrase)
    if phrase.is_day:
        return 1 <= phrase.value <= 31
    if phrase.counter.spoken == "차" and ends_like_days(phrase.spoken):  # 십일차: the tenth day
        return phrase.word_after.startswith(_AFTER_ROUND)
    if phrase.is_joined and not _is_clear_when_joined(phrase):
        return False
    return _is_native_number(phrase) if phrase.is_native else _is_sino_number(phrase)


def _is_idiom(phrase: Phrase) -> bool:
    counter, tail, after = phrase.counter.spoken, phrase.tail, phrase.word_after
    if (phrase.spoken, counter) in _IDIOMS or after in _FESTIVALS:
        return True
    if phrase.spoken == "두" and counter + tail == "번" and after.startswith("다시"):  # never again
        return True
    if counter == "세" and after.startswith(("번", "판")):  # 삼 세 번
        return True
    return tail.startswith("대") and counter not in _APPROXIMATE  # 시대


def _is_month(phrase: Phrase) -> bool:
    if phrase.is_native or phrase.value == 0:
        return False
    if phrase.spoken == "이" and phrase.is_joined and not phrase.tail:  # carried over: 이월 상품
        return phrase.word_after.endswith("일") or phrase.word_after[:2] in ("십", "이십")
    return True


def _is_clear_when_joined(phrase: Phrase) -> bool:
    joined = phrase.spoken + phrase.counter.spoken
    if joined in _OTHER_WORDS:
        return False
    if phrase.counter.spoken == "일":  # 이십일 is twenty days, or 21
        if len(phrase.spoken) == 1:  # 삼일 뒤에
            return phrase.spoken in "삼사오육칠팔구" and _is_span_of_time(phrase)
        is_date = phrase.tail.startswith(("에", "까지", "부터"))
        return phrase.value % 10 != 0 or is_date or _is_span_of_time(phrase)
    if phrase.counter.spoken == "박":
        return phrase.word_after.rstrip("로에의간은이").endswith("일")
    if phrase.counter.spoken == "원" and len(phrase.spoken) == 1:
        return phrase.tail not in ("", "이다") and phrase.spoken in "만천백"
    return phrase.counter.joins or len(phrase.spoken) > 1


def ends_like_days(spoken: str) -> bool:
    """Whether a number is a round number of days as well: 이십일 is 21, or twenty days."""
    return spoken[-1] == "일" and spoken[-2:-1] in ("십", "백", "천")


def _is_span_of_time(phrase: Phrase) -> bool:
    if phrase.tail:
        return phrase.tail.startswith(("간", "째", "동안", "만에"))
    return phrase.word_after.startswith(("동안", "뒤", "후", "전", "만에", "째"))


def _is_native_number(phrase: Phrase) -> bool:
    counter, tail = phrase.counter, phrase.tail
    if not counter.is_native:
        return False
    if counter.spoken == "시" and phrase.value > 12:
        return False
    if phrase.spoken == "한":
        is_idiom = (counter.spoken == "시" and tail.startswith(("도", "가"))) or tail == "이라도"
        return counter.takes_one and not is_idiom
    if phrase.spoken == "네":  # your
        return counter.spoken not in _YOURS_AS_WELL and tail not in ("인", "신")
    return True


def _is_sino_number(phrase: Phrase) -> bool:
    counter, spoken = phrase.counter, phrase.spoken
    if spoken == "이":
        return _is_two(phrase)
    if counter.spoken == "시":
        return phrase.value >= 12 or spoken == "영"
    if counter.is_native and phrase.value < 10 and counter.spoken not in _SMALL_SINO:
        return False
    if counter.spoken == "보" and phrase.value < 100:  # 일 보다: to go about one's business
        return False
    if spoken in "일사" and counter.spoken == "주":  # 사 주다: to buy for somebody
        return bool(_MAKES_THIS_A_TWO.match(phrase.word_after)) or phrase.tail in _TAILS_OF_A_TWO
    if spoken == "영":
        return counter.spoken in ("도", "퍼센트", "원", "시")
    return True


def _is_two(phrase: Phrase) -> bool:
    """Whether 이 is a two and not "this"."""
    counter = phrase.counter.spoken
    if phrase.word_before == "제" or (phrase.counter_before, counter) in _SMALLER:
        return True
    if phrase.tail in _TAILS_OF_THIS:
        return False
    if counter == "번":
        return phrase.word_after.startswith(_AFTER_ITEM)
    if counter == "차" and phrase.word_after.startswith(_AFTER_ROUND):
        return True
    if counter == "인":
        return not phrase.tail and phrase.word_after.startswith(_AFTER_PEOPLE)
    if counter in _ALWAYS_TWO:
        return True
    if len(counter) > 1 and counter not in _THIS_AS_WELL and not phrase.counter.is_native:
        return True
    if phrase.counter.is_native:
        return False
    has_tail = any(phrase.tail.startswith(tail) for tail in _TAILS_OF_A_TWO)
    return has_tail or (not phrase.tail and bool(_MAKES_THIS_A_TWO.match(phrase.word_after)))
