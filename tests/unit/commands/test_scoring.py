from pathlib import Path

import pytest

from stt.commands.scoring import (
    NORMALISERS,
    Errors,
    Utterance,
    compare,
    read_manifest,
    score,
    worst,
)
from stt.errors import ConfigurationError


def test_rates_cover_the_whole_set() -> None:
    # One of two words wrong, then none of eight: 1/10, not the mean of 1/2 and 0.
    scores = score([("가 나", "가 다"), ("a b c d e f g h", "a b c d e f g h")])
    assert scores.words == Errors(substitutions=1, reference_units=10)
    assert scores.words.rate == 0.1


def test_a_missing_space_costs_two_words_one_character_or_nothing() -> None:
    scores = score([("할 수 있다", "할수 있다")])
    assert scores.words == Errors(substitutions=1, deletions=1, reference_units=3)
    assert scores.characters == Errors(deletions=1, reference_units=6)
    assert scores.characters_without_spaces == Errors(reference_units=4)


def test_with_an_empty_reference_all_words_are_insertions() -> None:
    scores = score([("", "가 나"), ("다 라", "다 라")])
    assert scores.words == Errors(insertions=2, reference_units=2)
    assert scores.words.rate == 1.0
    assert scores.characters == Errors(insertions=3, reference_units=3)


def test_the_rate_is_undefined_if_all_references_are_empty() -> None:
    assert score([("", "가")]).words.rate is None
    assert score([("", "")]).words.rate == 0.0
    assert score([]).words.rate == 0.0


def test_with_an_empty_hypothesis_all_words_are_deletions() -> None:
    assert score([("가 나", "")]).words == Errors(deletions=2, reference_units=2)


def test_without_a_normaliser_case_and_punctuation_count() -> None:
    utterance = Utterance("a", Path("a"), "Yes.")
    assert compare(utterance, "yes", 1.0, "none").scores.words.rate == 1.0
    assert compare(utterance, "yes", 1.0, "basic").scores.words.rate == 0.0
    assert set(NORMALISERS) == {"basic", "none"}


def test_the_worst_come_first_and_correct_ones_are_left_out() -> None:
    texts = {"right": ("가나", "가나"), "half": ("가나", "가"), "heard nothing said": ("", "가"),
             "all": ("가나", "다라")}  # fmt: skip
    results = [
        compare(Utterance(name, Path(name), reference), hypothesis, 1.0, "basic")
        for name, (reference, hypothesis) in texts.items()
    ]
    names = [result.utterance.name for result in worst(results, 10)]
    assert names == ["heard nothing said", "all", "half"]
    assert len(worst(results, 1)) == 1


def test_a_tsv_manifest(tmp_path: Path) -> None:
    file = tmp_path / "m.TSV"
    file.write_bytes(
        '\ufefffile\tlang\ttext\r\nsub/a.wav\tKR\t그는 "네" 했다\r\n/b.wav\tKR\t\r\n'.encode()
    )
    assert read_manifest(file) == [
        Utterance("sub/a.wav", tmp_path / "sub" / "a.wav", '그는 "네" 했다'),
        Utterance("/b.wav", Path("/b.wav"), ""),
    ]


def test_a_jsonl_manifest(tmp_path: Path) -> None:
    file = tmp_path / "m.jsonl"
    file.write_text(
        '{"path": "a.wav", "text": "가"}\n\n{"audio_filepath": "b.wav", "text": "나"}\n'
    )
    assert [each.name for each in read_manifest(file)] == ["a.wav", "b.wav"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.csv", "path,text\n", "named .tsv or .jsonl"),
        ("m.tsv", "path\ttext\n", "lists no recordings"),
        ("m.tsv", "path\ttext\na.wav\tb\nc.wav\n", "line 3: expected a path"),
        ("m.tsv", "name\ttext\na.wav\tb\n", "line 2: expected a path"),
        ("m.jsonl", '{"path": "a.wav", "text": "a"}\n[1]\n', "line 2: expected a JSON object"),
        ("m.jsonl", '{"path": "a.wav", "text": 3}\n', "line 1: expected a path"),
        ("m.jsonl", "{", "line 1: expected a JSON object"),
    ],
)
def test_a_malformed_manifest_is_reported_with_its_line(
    tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=sentence):
        read_manifest(file)


def test_an_unreadable_manifest_is_reported(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_bytes("path\ttext\n가\t나\n".encode("euc-kr"))
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_manifest(tmp_path / "m.tsv")
    with pytest.raises(ConfigurationError, match="No such file"):
        read_manifest(tmp_path / "none.tsv")
