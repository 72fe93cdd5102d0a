"""Reads a checkpoint's tokenizer files: what each column of the log-probs writes.

The files are read directly, not through transformers' tokenizers. transformers 5.23 forgets a saved
``word_delimiter_token`` other than ``|`` and then prints the delimiter instead of a space.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stt.errors import ModelBroken
from stt.types import Vocabulary

CHARACTERS, PIECES = "vocab.json", "tokenizer.json"
"""The file of a character tokenizer (Wav2Vec2CTCTokenizer) and of a word-piece one (Parakeet)."""
PHONEMES = "Wav2Vec2PhonemeCTCTokenizer"
WORD_START = "▁"
"""SentencePiece's mark of pieces that begin a word."""
MAX_UNNAMED = 64
"""Columns that may lack a token: some checkpoints round their number up to a multiple of 64."""
SPECIAL_TOKENS = {
    "pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>",
}  # fmt: skip
"""The special tokens and the defaults of transformers' CTC tokenizers."""


@dataclass(frozen=True)
class _Tokens:
    """The tokens of a checkpoint, from either kind of file."""

    by_column: Mapping[int, str]
    n_trained: int
    """Columns that the model must have: one more than the last token's, without those that
    transformers adds behind the vocabulary."""
    special: frozenset[str]
    settings: Mapping[str, Any]
    """``tokenizer_config.json``, with defaults."""


def languages_of(folder: Path) -> list[str]:
    """The languages of a nested vocabulary (MMS); empty if there is only one vocabulary."""
    try:
        vocabulary = _read(folder / CHARACTERS)
    except FileNotFoundError:
        return []
    return [name for name, entry in vocabulary.items() if isinstance(entry, dict)]


def read_vocabulary(
    folder: Path, n_columns: int | None, blank: int | None, language: str | None = None
) -> Vocabulary:
    """Read the vocabulary of a checkpoint.

    Args:
        folder: The checkpoint.
        n_columns: Columns of the model's output; None means as many as there are tokens.
        blank: The CTC blank's column according to config.json, if it says so.
        language: A language of a nested vocabulary.

    Raises:
        ModelBroken: the tokenizer does not fit the model, or is of an unknown kind.
        OSError, ValueError: a file cannot be read.
    """
    is_pieces = not (folder / CHARACTERS).is_file()
    tokens = _read_pieces(folder) if is_pieces else _read_characters(folder, language)
    n_columns = tokens.n_trained if n_columns is None else n_columns
    symbols = [tokens.by_column.get(column, "") for column in range(n_columns)]
    _check_size(tokens, symbols)
    pad = tokens.settings["pad_token"]
    pad_column = symbols.index(pad) if pad in symbols else None
    _check_blank(pad, pad_column, blank, symbols)
    assert pad_column is not None  # noqa: S101
    delimiter = str(tokens.settings.get("word_delimiter_token") or " ")
    written = str(tokens.settings.get("replace_word_delimiter_char", " "))
    is_phonemes = tokens.settings.get("tokenizer_class") == PHONEMES
    special = {
        column for column, symbol in enumerate(symbols) if not symbol or symbol in tokens.special
    }
    if not is_pieces and delimiter in symbols:
        column = symbols.index(delimiter)
        special.discard(column)
        if is_phonemes or not written:
            special.add(column)  # transformers drops it
            delimiter = " "
        elif written != " ":
            symbols[column], delimiter = written, " "
    return Vocabulary(
        symbols=tuple(symbols),
        blank=pad_column,
        delimiter=" " if is_pieces else delimiter,
        lower_case=bool(tokens.settings.get("do_lower_case")),
        special=frozenset(special - {pad_column}),
        word_start=WORD_START if is_pieces else "",
        symbols_are_words=is_phonemes,
        cleans_up=bool(tokens.settings.get("clean_up_tokenization_spaces")),
    )


def _read_characters(folder: Path, language: str | None) -> _Tokens:
    """Read ``vocab.json``, which names the column of each token."""
    vocabulary = _read(folder / CHARACTERS)
    is_nested = isinstance(next(iter(vocabulary.values()), None), dict)
    if is_nested:
        vocabulary = vocabulary[language or next(iter(vocabulary))]
    tokens = {int(column): token for token, column in vocabulary.items()}
    n_trained = max(tokens, default=-1) + 1
    settings = _read_settings(folder)
    added = {
        int(column): _content(entry)
        for column, entry in settings.get("added_tokens_decoder", {}).items()
    }
    if (folder / "added_tokens.json").is_file():
        added |= {
            int(column): token for token, column in _read(folder / "added_tokens.json").items()
        }
    if is_nested:
        added = {}  # they belong to the vocabulary of the language that was saved last
    settings = {"word_delimiter_token": "|", **settings}
    return _Tokens({**added, **tokens}, n_trained, _special_tokens(settings), settings)


def _read_pieces(folder: Path) -> _Tokens:
    """Read ``tokenizer.json``, the format of Hugging Face's tokenizers library."""
    content = _read(folder / PIECES)
    model = content["model"]
    entries = model["vocab"]
    if isinstance(entries, list):  # Unigram: [[piece, score], ...]
        entries = {piece: column for column, (piece, _) in enumerate(entries)}
    tokens = {int(column): piece for piece, column in entries.items()}
    added = content.get("added_tokens") or []
    tokens |= {int(entry["id"]): entry["content"] for entry in added}
    decoder = json.dumps(content.get("decoder"), ensure_ascii=False)
    if WORD_START not in decoder or "ByteLevel" in decoder:
        raise ModelBroken(
            "The tokenizer.json is of a kind that this service cannot spell; expected "
            f"SentencePiece's pieces, in which {WORD_START} begins a word. Choose another "
            "checkpoint with STT_MODELS."
        )
    if any(token.startswith("<0x") for token in tokens.values()):
        raise ModelBroken(
            "The tokenizer.json has pieces of single bytes, which this service cannot spell. "
            "Choose another checkpoint with STT_MODELS."
        )
    settings = _read_settings(folder)
    special = _special_tokens(settings)
    special |= {entry["content"] for entry in added if entry.get("special")}
    return _Tokens(tokens, max(tokens) + 1, special, settings)


def _read_settings(folder: Path) -> dict[str, Any]:
    """The special tokens and ``tokenizer_config.json``, which may lack any of them."""
    settings: dict[str, Any] = dict(SPECIAL_TOKENS)
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            settings |= _read(folder / name)
    for name in (*SPECIAL_TOKENS, "word_delimiter_token"):
        if name in settings:
            settings[name] = _content(settings[name])
    return settings


def _special_tokens(settings: Mapping[str, Any]) -> frozenset[str]:
    named = [settings[name] for name in SPECIAL_TOKENS]
    named += SPECIAL_TOKENS.values()  # a checkpoint may take <s> for its padding and keep <pad>
    added = settings.get("added_tokens_decoder", {}).values()
    named += [entry["content"] for entry in added if entry.get("special")]
    more = settings.get("additional_special_tokens") or settings.get("extra_special_tokens") or []
    more = more.values() if isinstance(more, dict) else more
    return frozenset(filter(None, [*named, *map(_content, more)]))


def _content(token: Any) -> Any:
    """A token, which may be saved with its options."""
    return token.get("content") if isinstance(token, dict) else token


def _read(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} is not a JSON object")
    return content


def _check_size(tokens: _Tokens, symbols: list[str]) -> None:
    n_unnamed = symbols.count("")
    if tokens.n_trained <= len(symbols) and n_unnamed <= MAX_UNNAMED:
        return
    raise ModelBroken(
        f"The tokenizer does not fit the model: it has {tokens.n_trained} tokens, but the model "
        f"has {len(symbols)} outputs. Take both from the same checkpoint."
    )


def _check_blank(pad: Any, column: int | None, configured: int | None, symbols: list[str]) -> None:
    """CTC needs a blank, and transformers takes the padding token for it."""
    if column is None:
        raise ModelBroken(
            f"The checkpoint has no CTC blank: its padding token {pad!r} is none of the model's "
            f"{len(symbols)} outputs. Check pad_token in tokenizer_config.json."
        )
    if configured is not None and configured != column:
        raise ModelBroken(
            f"The CTC blank is ambiguous: the tokenizer's padding token {pad!r} is output "
            f"{column}, but config.json has pad_token_id {configured}. Correct whichever is wrong, "
            "or choose another checkpoint with STT_MODELS."
        )
