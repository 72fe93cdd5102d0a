"""Names of Latin letters and digits as they are said."""

import pytest

from stt.korean.readings import readings, spoken_text, ways_to_say


@pytest.mark.parametrize(
    ("written", "ways"),
    [
        ("3M", ("쓰리엠", "삼엠")),
        ("5G", ("파이브지", "오지")),
        ("4K", ("포케이", "사케이")),
        ("3D프린터", ("쓰리디프린터", "삼디프린터")),
        ("GPT-4", ("지피티포", "지피티사")),
        ("MP3", ("엠피쓰리", "엠피삼")),
        ("B2B", ("비투비", "비이비")),
        ("S24", ("에스 이십사", "에스 이사")),
        ("KF94", ("케이에프 구십사", "케이에프 구사")),
        ("갤럭시 S24", ("갤럭시 에스 이십사", "갤럭시 에스 이사")),
        ("AI", ("에이아이",)),
    ],
)
def test_codes_are_said_as_people_say_them(written: str, ways: tuple[str, ...]) -> None:
    assert ways_to_say(written) == ways


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("A4", "에이포"),  # an abbreviation that is known
        ("5GB", "오 기가바이트"),
        ("5V", "오 볼트"),
        ("30GB", "삼십 기가바이트"),
        ("3시", "세 시"),
        ("12A", "십이에이"),
        ("1588-1234", "일오팔팔 일이삼사"),
        ("Wi-Fi", "Wi-Fi"),
        ("iPhone", "iPhone"),
    ],
)
def test_other_words_are_no_codes(written: str, spoken: str) -> None:
    assert spoken_text(written) == spoken


def test_the_ways_are_few_however_long_the_code() -> None:
    assert len(ways_to_say("R2D2C3 R2D2C3 R2D2C3")) == 16
    assert len(readings("A1B2C3")[0].spoken) == 8
    assert ways_to_say("") == ("",)
