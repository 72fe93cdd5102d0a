import gzip
from pathlib import Path

import pytest

from stt.errors import ConfigurationError
from stt.language_model.texts import Sentences, is_held_out, normalise, read_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Don’t!” she said – it's 'late'.", "don't she said it's late"),
        ("the dogs' | ''tis", "the dogs tis"),
        ("밥을, 먹어요?", "밥을 먹어요"),
        ("\u1112\u1161\u11ab글", "한글"),
        ("...", ""),
    ],
)
def test_apostrophes_within_words_stay_and_other_punctuation_goes(text: str, expected: str) -> None:
    assert normalise(text) == expected
    assert normalise(expected) == expected


def test_the_case_can_stay() -> None:
    assert normalise("Go, NOW", lower_case=False) == "Go NOW"


def test_sentences_are_units_between_marks() -> None:
    sentences = Sentences.of(["가 나", "", "나"], "syllable")
    assert sentences.units == ("<unk>", "<s>", "</s>", "가", "|", "나")
    assert sentences.tokens.tolist() == [1, 3, 4, 5, 2, 1, 5, 2]
    assert len(sentences) == 2


def test_a_text_cannot_write_the_marks_themselves() -> None:
    words = Sentences.of(["a <s> b </s> <unk>"], "word")
    assert words.tokens.tolist() == [1, 3, 4, 2]


def test_copies_of_a_text_are_held_out_together_and_about_a_tenth_is() -> None:
    texts = [f"문장 {number}" for number in range(2000)]
    assert 150 < sum(map(is_held_out, texts)) < 250
    assert [is_held_out(text) for text in texts] == [is_held_out(text) for text in texts]


def test_lines_are_read_with_a_byte_order_mark_and_compressed(tmp_path: Path) -> None:
    data = "\ufeff하나\n둘".encode()
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(data))
    read: list[int] = []
    assert list(read_lines(tmp_path / "a.txt", read.append)) == ["하나\n", "둘"]
    assert sum(read) == len(data)
    assert list(read_lines(tmp_path / "a.txt.gz")) == ["하나\n", "둘"]
    (tmp_path / "cut.gz").write_bytes((tmp_path / "a.txt.gz").read_bytes()[:-9])
    with pytest.raises(ConfigurationError, match="is damaged"):
        list(read_lines(tmp_path / "cut.gz"))
