"""The nearest spellings of two texts."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from stt.evaluation.errors import count_edits
from stt.evaluation.nearest import MOST_CELLS, Nearest, distance, nearest
from stt.evaluation.spellings import Lattice

WORDS = st.sampled_from(["", "가", "나", "다 라", "가나", "가 나다"])
LATTICES = st.lists(
    st.lists(WORDS, min_size=1, max_size=3, unique=True).map(tuple), max_size=4
).map(tuple)


def edits(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    return count_edits(*("".join(ways).replace(" ", "") for ways in (left, right)))


@settings(deadline=None, max_examples=300)
@given(LATTICES, LATTICES)
def test_no_other_spellings_are_nearer(left: Lattice, right: Lattice) -> None:
    assert distance(left, right) == min(
        edits(some, others) for some in product(*left) for others in product(*right)
    )


@settings(deadline=None)
@given(LATTICES, LATTICES)
def test_the_chosen_texts_are_spellings(left: Lattice, right: Lattice) -> None:
    chosen = nearest(left, right)
    assert chosen.reference in {" ".join(filter(None, ways)) for ways in product(*left)}
    assert chosen.hypothesis in {" ".join(filter(None, ways)) for ways in product(*right)}


def test_both_texts_may_have_a_choice() -> None:
    reference, hypothesis = (("스무 살", "이십 살"),), (("십",), ("이십", "오십"), ("살",))
    assert nearest(reference, hypothesis) == Nearest("이십 살", "십 이십 살", "스무 살")


def test_the_usual_spelling_is_chosen_if_no_other_is_nearer() -> None:
    assert nearest((("티비", "티브"),), (("가나",),)).reference == "티비"


def test_of_texts_too_long_for_the_table_the_usual_spellings_are_compared() -> None:
    long = (("세", "삼"),) * (int(MOST_CELLS**0.5) + 1)
    assert nearest(long, (("삼",),) * len(long)).reference == " ".join(["세"] * len(long))
