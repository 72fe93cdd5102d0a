"""Words with restored spaces: their times, confidence and tokens, and what writes them."""

import math
import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.asked import Asked
from stt.errors import ConfigurationError, NotSupported
from stt.languages import SUPPORTED_LANGUAGES
from stt.recognition.spacing import KoreanSpacer, Spacings, split
from stt.recognition.writer import OpenWriter
from stt.recognition.writings import Writings
from stt.settings import load_settings
from stt.types import Token, Word, join_words

KOREAN, ENGLISH = SUPPORTED_LANGUAGES["KR"], SUPPORTED_LANGUAGES["EN"]
TOMORROW = Word(
    "내일세시에만나요",
    1.0,
    3.0,
    0.5,
    tuple(
        Token(text, math.log(0.5) / 8, (1 + index / 4, 1.2 + index / 4))
        for index, text in enumerate("내일세시에만나요")
    ),
    space_before=False,
)


@pytest.fixture(scope="module")
def writings() -> Writings:
    return Writings(load_settings([]))


def write(opened: OpenWriter, *words: Word) -> list[Word]:
    writer = opened()
    return writer.feed(words) + writer.finish()


def test_a_part_has_the_times_and_the_confidence_of_its_tokens() -> None:
    first, second = split(TOMORROW, [2])
    assert (first.text, first.start, first.end, first.space_before) == ("내일", 1.0, 1.45, False)
    assert first.confidence == pytest.approx(0.5 ** (2 / 8))
    assert first.tokens == TOMORROW.tokens[:2]
    assert (second.text, second.start, second.end) == ("세시에만나요", 1.5, 2.95)
    assert second.space_before


def test_without_tokens_times_and_confidence_are_in_proportion_to_characters() -> None:
    first, second = split(Word("내일만나요", 1.0, 2.0, 0.4), [2])
    assert (first.start, first.end, second.start, second.end) == (1.0, 1.4, 1.4, 2.0)
    assert first.confidence == pytest.approx(0.4 ** (2 / 5))
    assert second.confidence == pytest.approx(0.4 ** (3 / 5))
    assert [part.confidence for part in split(Word("내일", 0, 1, 0.0), [1])] == [0, 0]


def test_a_token_of_several_syllables_may_be_cut() -> None:
    tokens = (Token("내일만", -0.3, (0.0, 0.3)), Token("나요", -0.1, (0.4, 0.5)))
    first, second = split(Word("내일만나요", 0.0, 0.5, math.exp(-0.4), tokens), [2])
    assert [token.text for token in (*first.tokens, *second.tokens)] == ["내일", "만", "나요"]
    assert (first.end, second.start) == (pytest.approx(0.2), pytest.approx(0.2))
    assert first.confidence == pytest.approx(math.exp(-0.2))


@given(
    tokens=st.lists(
        st.tuples(st.text("가나다", min_size=1, max_size=3), st.floats(-5, 0), st.floats(0, 0.3)),
        min_size=1,
        max_size=12,
    ),
    overlap=st.floats(0, 0.2),
    where=st.sets(st.integers(1, 40)),
)
def test_parts_are_the_word(
    tokens: list[tuple[str, float, float]], overlap: float, where: set[int]
) -> None:
    now, made = 1.0, []
    for text, log_posterior, seconds in tokens:
        made.append((text, log_posterior, (now, now + seconds + overlap)))
        now += seconds
    now += overlap
    spelled = "".join(text for text, _, _ in tokens)
    word = Word(
        spelled, 1.0, now, math.exp(sum(log for _, log, _ in tokens)),
        tuple(Token(text, log, (start, min(end, now))) for text, log, (start, end) in made),
    )  # fmt: skip
    breaks = sorted(each for each in where if each < len(spelled))
    parts = split(word, breaks)
    assert len(parts) == len(breaks) + 1
    assert join_words(parts).replace(" ", "") == spelled
    assert all("".join(token.text for token in part.tokens) == part.text for part in parts[1:])
    assert parts[0].start == word.start
    assert all(part.start <= part.end <= word.end + 1e-9 for part in parts)
    assert all(one.end <= other.start for one, other in pairwise(parts))
    assert math.prod(part.confidence for part in parts) == pytest.approx(word.confidence)


HOSTILE = st.text(
    st.sampled_from("내일강남역앞에서만나요세시의이가ㅋ\u1100\u1161aZ9.😀日\0\u200b")
    | st.characters(),
    min_size=1,
    max_size=40,
).map(lambda text: unicodedata.normalize("NFC", text))


@settings(deadline=None)  # the analyser is loaded in the first
@given(texts=st.lists(HOSTILE, max_size=5))
def test_spaces_are_all_that_changes(writings: Writings, texts: list[str]) -> None:
    words = [Word(text, n, n + 1, 0.9) for n, text in enumerate(texts)]
    spaced = write(writings.choose(KOREAN, Asked(spacing="restored")), *words)
    assert "".join(word.text for word in spaced) == "".join(texts)
    assert math.prod(word.confidence for word in spaced) == pytest.approx(0.9 ** len(words))


def test_no_word_waits_and_partial_texts_have_the_same_spaces(writings: Writings) -> None:
    spacer = writings.choose(KOREAN, Asked(spacing="restored"))()
    preview = spacer.preview([TOMORROW])
    assert spacer.feed([TOMORROW]) == preview
    assert [word.text for word in preview] == ["내일", "세", "시에", "만나요"]
    assert spacer.is_slow


def test_the_written_form_follows_the_spaces(writings: Writings) -> None:
    words = write(writings.choose(KOREAN, Asked(written=True, spacing="restored")), TOMORROW)
    assert [word.text for word in words] == ["내일", "3시에", "만나요"]
    assert (words[1].start, words[1].end, words[1].spoken) == (1.5, 2.2, "세 시에")
    preview = writings.choose(KOREAN, Asked(written=True, spacing="restored"))()
    assert preview.preview([TOMORROW]) == words
    [alone] = write(writings.choose(KOREAN, Asked(written=True)), TOMORROW)
    assert alone == TOMORROW


def test_it_is_loaded_once_and_only_for_korean() -> None:
    spacings = Spacings()
    one, other = spacings.choose(KOREAN)(), spacings.choose(KOREAN)()
    assert isinstance(one, KoreanSpacer) and isinstance(other, KoreanSpacer)
    assert one._analyse is other._analyse
    assert spacings.has(KOREAN) and not spacings.has(ENGLISH)
    with pytest.raises(NotSupported, match="only for Korean, not for English"):
        spacings.choose(ENGLISH)


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    assert not Spacings().has(KOREAN)
    with pytest.raises(NotSupported, match=r"pip install 'stt-ctc\[spacing\]'"):
        Spacings().choose(KOREAN)
    with pytest.raises(ConfigurationError, match=r"STT_PRELOAD_SPACING: .*stt-ctc\[spacing\]"):
        Writings(load_settings([])).preload()
