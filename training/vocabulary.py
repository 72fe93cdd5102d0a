"""The characters of a model: token ids and processor files."""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

PAD, WORD_DELIMITER = "<pad>", "|"
SPECIAL_TOKENS = (PAD, "<s>", "</s>", "<unk>")

_JAMO = (
    *(chr(0x1100 + position) for position in range(19)),  # initials
    *(chr(0x1161 + position) for position in range(21)),  # medials
    *(chr(0x11A8 + position) for position in range(27)),  # finals
)
# In the order of facebook/wav2vec2-base-960h's vocab.json (by frequency).
_ENGLISH_LETTERS = tuple("ETAONIHSRDLUMWCFGYPBVK'XJQZ")


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by id. ``<pad>`` (0) is the CTC blank, ``|`` stands between words."""

    letters: tuple[str, ...]
    decomposed: bool
    """Whether texts are spelled in conjoining jamo (NFD) and composed afterwards (NFC)."""

    @property
    def tokens(self) -> tuple[str, ...]:
        return (*SPECIAL_TOKENS, WORD_DELIMITER, *self.letters)

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``; raises ``KeyError`` for an unknown character."""
        ids = {token: position for position, token in enumerate(self.tokens)}
        spelled = unicodedata.normalize("NFD", text) if self.decomposed else text
        return [ids[WORD_DELIMITER if letter == " " else letter] for letter in spelled]

    def decode(self, frame_ids: list[int]) -> str:
        """Greedy CTC: merge repeats, drop blanks and special tokens, compose syllables."""
        tokens, letters, previous = self.tokens, [], -1
        for token_id in frame_ids:
            if token_id != previous and token_id >= len(SPECIAL_TOKENS):
                letters.append(tokens[token_id])
            previous = token_id
        text = " ".join("".join(letters).replace(WORD_DELIMITER, " ").split())
        return unicodedata.normalize("NFC", text)

    def write_processor(self, folder: Path, *, attention_mask: bool) -> None:
        """``vocab.json``, ``tokenizer_config.json`` and ``preprocessor_config.json``.

        Written by hand in the layout of published checkpoints: transformers 5 would write one
        ``processor_config.json`` that older readers do not look for.
        """
        files = {
            "vocab.json": {token: position for position, token in enumerate(self.tokens)},
            "tokenizer_config.json": {
                "tokenizer_class": "Wav2Vec2CTCTokenizer",
                "bos_token": "<s>",
                "eos_token": "</s>",
                "unk_token": "<unk>",
                "pad_token": PAD,
                "word_delimiter_token": WORD_DELIMITER,
                "do_lower_case": False,
                "replace_word_delimiter_char": " ",
            },
            "special_tokens_map.json": {
                "bos_token": "<s>",
                "eos_token": "</s>",
                "unk_token": "<unk>",
                "pad_token": PAD,
            },
            "preprocessor_config.json": {
                "feature_extractor_type": "Wav2Vec2FeatureExtractor",
                "processor_class": "Wav2Vec2Processor",
                "feature_size": 1,
                "sampling_rate": 16_000,
                "padding_value": 0.0,
                "padding_side": "right",
                "do_normalize": True,
                "return_attention_mask": attention_mask,
            },
        }
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            (folder / name).write_text(text, encoding="utf-8")


KOREAN = Vocabulary(_JAMO, decomposed=True)
ENGLISH = Vocabulary(_ENGLISH_LETTERS, decomposed=False)
