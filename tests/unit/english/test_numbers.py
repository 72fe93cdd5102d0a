"""Numbers among spoken words."""

import pytest

from stt.english.numbers import find


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("the twenty five of us", [(1, 3, "25")]),
        ("twenty-five thousand", [(0, 2, "25000")]),
        ("three point oh five", [(0, 4, "3.05")]),
        ("twenty and five", [(0, 1, "20"), (2, 3, "5")]),
        ("one hundred and five", [(0, 4, "105")]),
        ("hundreds of them", []),
        ("seven o clock", [(0, 1, "7")]),
    ],
)
def test_numbers_have_their_places(spoken: str, expected: list[tuple[int, int, str]]) -> None:
    assert [(each.first, each.end, each.text) for each in find(spoken.split())] == expected


@pytest.mark.parametrize(
    ("spoken", "rank"),
    [("twenty first", 21), ("third", 3), ("thirds", 0), ("twentieths", 0), ("twenty one", 0)],
)
def test_ordinals_are_no_fractions(spoken: str, rank: int) -> None:
    assert [each.rank for each in find(spoken.split())] == [rank]
