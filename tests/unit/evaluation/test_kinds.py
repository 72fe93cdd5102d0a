"""Errors by kind."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.evaluation.errors import count_edits
from stt.evaluation.kinds import Kinds, kinds
from stt.evaluation.readers import KoreanReader, Unread
from stt.evaluation.transcriptions import dual, plain


@pytest.mark.parametrize(
    ("reference", "hypothesis", "spacing", "notation", "real"),
    [
        ("할 수 있다", "할수 있다", 1, 0, 0),
        ("네, 좋아요.", "네 좋아요", 0, 2, 0),
        ("3시에", "세 시에", 1, 1, 0),
        ("AI", "에이아이", 0, 4, 0),
        ("집에 갔다", "짐에 갔다", 0, 0, 1),
        # One wrong digit is one wrong character, though 여덟 and 아홉 have two.
        ("8시", "9시", 0, 0, 1),
        # Each word for itself.
        ("3시에 8명", "세시에 9명", 0, 1, 1),
        ("", "가 나", 1, 0, 2),
        ("같다", "같다", 0, 0, 0),
    ],
)
def test_what_kind_an_error_is(
    reference: str, hypothesis: str, spacing: int, notation: int, real: int
) -> None:
    found = kinds(KoreanReader(), plain(reference), hypothesis)
    assert found == Kinds(spacing, notation, real, len(reference))


TEXTS = st.lists(
    st.sampled_from(
        ["3시", "세", "시", "시,", "AI", "에이아이", "50%", "오십", "퍼센트", "갔다", "집"]
    ),
    max_size=6,
).map(" ".join)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_together_they_are_all_edits_of_the_raw_texts(reference: str, hypothesis: str) -> None:
    for reader in (KoreanReader(), Unread()):
        found = kinds(reader, plain(reference), hypothesis)
        assert found.total == count_edits(reference, hypothesis)
        assert min(found.spacing, found.notation, found.real) >= 0


def test_of_a_dual_reference_the_chosen_form_is_the_raw_text() -> None:
    reference = dual("(3시)/(세 시)에", is_spoken=True)
    assert kinds(KoreanReader(), reference, "3시에") == Kinds(1, 1, 0, 4)


def test_rates_and_sums() -> None:
    total = Kinds(1, 2, 3, 10) + Kinds(0, 0, 2, 10)
    assert total == Kinds(1, 2, 5, 20)
    assert total.raw_rate == 8 / 20
    assert Kinds().raw_rate == 0.0
    assert Kinds(real=1).raw_rate is None
