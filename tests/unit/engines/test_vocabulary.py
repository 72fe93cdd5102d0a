"""Tokenizer files -> vocabulary, held to transformers where transformers is right."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2PhonemeCTCTokenizer

from stt.engines.vocabulary import read_vocabulary
from stt.errors import ModelBroken
from tests.checkpoints import PIECES, TOKENS, save_pieces, save_tokenizer

LETTERS = ("<pad>", "<s>", "</s>", "<unk>", "|", "a", "b")


def change(file: Path, **fields: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    content.update(fields)
    file.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("delimiter", ["|", "_", "*", "▁", " "])
def test_any_delimiter_is_a_space(tmp_path: Path, delimiter: str) -> None:
    tokens = [delimiter if token == "|" else token for token in LETTERS]
    save_tokenizer(tmp_path, tokens, word_delimiter_token=delimiter)
    vocabulary = read_vocabulary(tmp_path, len(tokens), 0)
    assert [vocabulary.written(column) for column in range(7)] == ["", "", "", "", " ", "a", "b"]
    assert vocabulary.special == {1, 2, 3}


@pytest.mark.parametrize(("written", "text"), [("-", "a-b"), ("", "ab")])
def test_delimiters_that_are_written_otherwise(tmp_path: Path, written: str, text: str) -> None:
    tokenizer = save_tokenizer(tmp_path, LETTERS, replace_word_delimiter_char=written)
    vocabulary = read_vocabulary(tmp_path, len(LETTERS), 0)
    assert tokenizer.decode([5, 4, 6]) == text
    assert "".join(map(vocabulary.written, [5, 4, 6])) == text


def test_phonemes_are_words(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps({token: column for column, token in enumerate(LETTERS)}))
    tokenizer = Wav2Vec2PhonemeCTCTokenizer(str(file), word_delimiter_token="|", do_phonemize=False)
    tokenizer.save_pretrained(tmp_path)
    vocabulary = read_vocabulary(tmp_path, len(LETTERS), 0)
    assert tokenizer.decode([5, 4, 6]) == "a b"
    assert vocabulary.symbols_are_words
    assert vocabulary.special == {1, 2, 3, 4}


def test_pieces(tmp_path: Path) -> None:
    tokenizer = save_pieces(tmp_path)
    vocabulary = read_vocabulary(tmp_path, len(PIECES), 0)
    assert tokenizer.decode([2, 5, 3, 7]) == "ab b "
    assert vocabulary.symbols == PIECES
    assert vocabulary.word_start == "▁"
    assert vocabulary.special == {1}


def test_pieces_that_cannot_be_spelled_are_refused(tmp_path: Path) -> None:
    save_pieces(tmp_path)
    file = tmp_path / "tokenizer.json"
    original = file.read_text(encoding="utf-8")
    change(file, decoder={"type": "ByteLevel"})
    with pytest.raises(ModelBroken, match="expected SentencePiece's pieces"):
        read_vocabulary(tmp_path, len(PIECES), 0)
    file.write_text(original.replace('"cd"', '"<0x41>"').replace('"c"', '"<0x41>"'))
    with pytest.raises(ModelBroken, match="single bytes"):
        read_vocabulary(tmp_path, len(PIECES), 0)


def test_tokens_that_were_added_behind_the_vocabulary(tmp_path: Path) -> None:
    """transformers 4 saved them in added_tokens.json, and special tokens in a file of their own."""
    tokens = ["a", "b", "[UNK]", "[PAD]", "|"]
    (tmp_path / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (tmp_path / "added_tokens.json").write_text('{"<s>": 5, "</s>": 6}')
    (tmp_path / "special_tokens_map.json").write_text(
        '{"pad_token": {"content": "[PAD]", "lstrip": false}, "unk_token": "[UNK]"}'
    )
    assert read_vocabulary(tmp_path, 5, 3).symbols == tuple(tokens)
    wide = read_vocabulary(tmp_path, 8, 3)
    assert wide.symbols == (*tokens, "<s>", "</s>", "")
    assert wide.special == {2, 5, 6, 7}


def test_lower_case(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, LETTERS, do_lower_case=True)
    assert read_vocabulary(tmp_path, len(LETTERS), 0).lower_case


def test_one_language_of_many(tmp_path: Path) -> None:
    korean = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "가": 5}
    english = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "a": 5, "b": 6}
    save_tokenizer(tmp_path, {"kor": korean, "eng": english}, target_lang="eng")
    for language, expected in [("kor", korean), ("eng", english)]:
        theirs = Wav2Vec2CTCTokenizer.from_pretrained(tmp_path, target_lang=language)
        vocabulary = read_vocabulary(tmp_path, None, 0, language)
        assert vocabulary.symbols == tuple(expected)
        assert theirs.convert_ids_to_tokens(list(range(len(expected)))) == list(expected)


@pytest.mark.parametrize(
    ("tokens", "n_columns", "blank", "sentence"),
    [
        (LETTERS, 7, 4, r"ambiguous: the tokenizer's padding token '<pad>' is output 0, but .* 4"),
        (LETTERS[1:], 6, 0, r"no CTC blank: its padding token '<pad>' is none of the model's 6"),
        (LETTERS, 5, 0, "it has 7 tokens, but the model has 5 outputs"),
        (LETTERS, 1205, 0, "it has 7 tokens, but the model has 1205 outputs"),
    ],
)
def test_tokenizers_that_do_not_fit(
    tmp_path: Path, tokens: tuple[str, ...], n_columns: int, blank: int, sentence: str
) -> None:
    save_tokenizer(tmp_path, tokens)
    with pytest.raises(ModelBroken, match=sentence):
        read_vocabulary(tmp_path, n_columns, blank)


def test_a_blank_without_tokenizer_config_is_refused(tmp_path: Path) -> None:
    tokens = [{"<pad>": "[PAD]"}.get(token, token) for token in TOKENS]
    save_tokenizer(tmp_path, tokens, pad_token="[PAD]")
    assert read_vocabulary(tmp_path, len(tokens), 0).blank == 0
    (tmp_path / "tokenizer_config.json").unlink()
    with pytest.raises(ModelBroken, match="Check pad_token in tokenizer_config"):
        read_vocabulary(tmp_path, len(tokens), 0)
