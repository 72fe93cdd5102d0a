import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt.evaluation.errors import score
from stt.evaluation.html_report.alignment import DELETED, EQUAL, INSERTED, SUBSTITUTED, Piece, align

TEXTS = st.text("가나다 1", max_size=20).map(lambda text: " ".join(text.split()))


@pytest.mark.parametrize(
    ("reference", "hypothesis", "pieces"),
    [
        ("가나다", "가라다", [(EQUAL, "가", "가"), (SUBSTITUTED, "나", "라"), (EQUAL, "다", "다")]),
        ("가 나", "가나", [(EQUAL, "가", "가"), (DELETED, " ", ""), (EQUAL, "나", "나")]),
        ("가", "가나", [(EQUAL, "가", "가"), (INSERTED, "", "나")]),
        ("", "", []),
    ],
)
def test_small_texts(reference: str, hypothesis: str, pieces: list[tuple[str, str, str]]) -> None:
    assert align(reference, hypothesis) == tuple(Piece(*each) for each in pieces)


@given(TEXTS, TEXTS)
def test_the_pieces_are_the_texts_and_have_the_errors_of_the_cer(
    reference: str, hypothesis: str
) -> None:
    pieces = align(reference, hypothesis)
    assert "".join(each.reference for each in pieces) == reference
    assert "".join(each.hypothesis for each in pieces) == hypothesis
    differing = [each for each in pieces if each.kind != EQUAL]
    n_errors = sum(max(len(each.reference), len(each.hypothesis)) for each in differing)
    assert n_errors == score([(reference, hypothesis)]).characters.total
