"""Text to ids and back, and the processor files for transformers."""

from pathlib import Path

import numpy as np
import pytest
from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor

from training.vocabulary import ENGLISH, KOREAN, Vocabulary


def test_korean_is_spelled_in_jamo():
    assert len(KOREAN.tokens) == 72
    assert [KOREAN.tokens[i] for i in KOREAN.encode("한 가")] == ["ᄒ", "ᅡ", "ᆫ", "|", "ᄀ", "ᅡ"]


def test_greedy_decoding_merges_repeats_and_composes():
    h, a, n = KOREAN.encode("한")
    assert KOREAN.decode([0, h, h, a, 0, n, n, 0]) == "한"
    assert KOREAN.decode([4, 4, h, a, n, 4, 0, 4]) == "한"


def test_a_blank_separates_double_letters():
    letter = ENGLISH.encode("L")[0]
    assert ENGLISH.decode([letter, letter]) == "L"
    assert ENGLISH.decode([letter, 0, letter]) == "LL"


def test_english_has_the_ids_of_wav2vec2_base_960h():
    expected = {"<pad>": 0, "<unk>": 3, "|": 4, "E": 5, "T": 6, "'": 27, "Z": 31}
    assert {token: ENGLISH.tokens.index(token) for token in expected} == expected


def test_an_unknown_character_is_rejected():
    with pytest.raises(KeyError):
        ENGLISH.encode("é")


@pytest.mark.parametrize(("vocabulary", "mask"), [(KOREAN, True), (ENGLISH, False)])
def test_transformers_reads_the_processor(tmp_path: Path, vocabulary: Vocabulary, mask: bool):
    vocabulary.write_processor(tmp_path, attention_mask=mask)
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)
    assert (extractor.do_normalize, extractor.return_attention_mask) == (True, mask)
    tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(tmp_path)
    assert len(tokenizer) == len(vocabulary.tokens)
    processor = Wav2Vec2Processor.from_pretrained(tmp_path)
    text = "안녕 하세요" if vocabulary is KOREAN else "DON'T PANIC"
    ids = [frame for token in vocabulary.encode(text) for frame in (token, 0)]
    decoded = processor.tokenizer.decode(ids)
    assert vocabulary.decode(ids) == text
    assert decoded == (KOREAN_NFD if vocabulary is KOREAN else text)
    inputs = processor(np.ones(1600, np.float32), sampling_rate=16_000)
    assert ("attention_mask" in inputs) == mask


KOREAN_NFD = "".join(
    " " if t == "|" else t for t in (KOREAN.tokens[i] for i in KOREAN.encode("안녕 하세요"))
)
