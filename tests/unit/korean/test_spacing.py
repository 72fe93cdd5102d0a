"""Where long Korean words break, with the real analyser."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.korean.spacing import PIECE_CHARACTERS, Analyse, Morpheme, find_breaks, open_analyser


@pytest.fixture(scope="module")
def analyse() -> Analyse:
    return open_analyser()


def spaced(word: str, analyse: Analyse) -> str:
    places = [0, *find_breaks(word, analyse), len(word)]
    return " ".join(word[first:last] for first, last in pairwise(places))


@pytest.mark.parametrize(
    "text",
    [
        "내일 강남역 앞에서 만나요",
        "아버지가 방에 들어가신다",
        "선생님이 도서관에서 일하세요",
        "생각만 해도 좋아요",
        "오늘은10월에 만나요",  # digits stay where they are
    ],
)
def test_missing_spaces_are_found(text: str, analyse: Analyse) -> None:
    assert spaced(text.replace(" ", ""), analyse) == text


@pytest.mark.parametrize(
    "word",
    [
        "다잘해",  # short: the model may be right
        "놀러가세요",
        "서비스센터에서",  # nouns may be joined
        "천구백팔십구만",  # so may the parts of a number
        "공일공육일삼오공이삼공",
        "좋아했었습니다만",  # endings and suffixes are no words
        "행복해졌었는데요",
        "internationalisation",
        "東京都庁舎前駅で",
        "1234567890123",
        "",
    ],
)
def test_other_words_stay_whole(word: str, analyse: Analyse) -> None:
    assert find_breaks(word, analyse) == []


ALPHABET = st.sampled_from(
    "내일강남역앞에서만나요세시의이가ㅋㅏ\u1100\u1161\u11a8aZ9.,@#/:😀日\0\u200b\ufeff"
)


@settings(deadline=None, max_examples=300)
@given(text=st.text(ALPHABET | st.characters(), max_size=60))
def test_any_text_breaks_between_syllables_only(text: str, analyse: Analyse) -> None:
    breaks = find_breaks(text, analyse)
    assert breaks == sorted(set(breaks))
    for index in breaks:
        assert "가" <= text[index - 1] <= "힣" and "가" <= text[index] <= "힣"


@pytest.mark.parametrize(
    "text", ["내일강남역앞에서만나요" * 90, "가" * 1000, "백십" * 500, "9" * 1000, "1e20" * 250]
)
def test_long_words_are_analysed_piece_by_piece(text: str, analyse: Analyse) -> None:
    pieces = []

    def counting(piece: str) -> object:
        pieces.append(len(piece))
        return analyse(piece)

    breaks = find_breaks(text, counting)  # type: ignore[arg-type]
    assert max(pieces, default=0) <= PIECE_CHARACTERS
    assert sum(pieces) <= 3 * len(text)
    whole = find_breaks(text[:PIECE_CHARACTERS], analyse)
    assert breaks[: len(whole) // 2] == whole[: len(whole) // 2]


@pytest.mark.parametrize("step", [1, 2, 79, 80, 81, 159, 161, 199, 10**6])
def test_pieces_cost_no_more_than_a_few_times_their_length(step: int) -> None:
    """However often the analyser finds words, and 100,000 characters of them."""
    n_analysed = 0

    def cut(text: str) -> list[Morpheme]:
        nonlocal n_analysed
        n_analysed += len(text)
        places = [*range(0, len(text), step), len(text)]
        return [Morpheme("말", "VV", first, last) for first, last in pairwise(places)]

    text = "말" * 100_000
    breaks = find_breaks(text, cut)
    assert n_analysed <= 3 * len(text)
    assert all(0 < one < other < len(text) for one, other in pairwise(breaks))


def test_the_analyser_can_be_called_from_several_threads(analyse: Analyse) -> None:
    words = ["내일강남역앞에서만나요", "아버지가방에들어가신다", "점심은김밥으로먹을래요"]
    expected = [find_breaks(word, analyse) for word in words]
    found: list[list[list[int]]] = []

    def work() -> None:
        for _ in range(50):
            found.append([find_breaks(word, analyse) for word in words])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 200
