import json
import re
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stt.decoding.greedy import GreedyDecoder
from stt.decoding.hangul import Composer
from stt.engines.vocabulary import read_vocabulary
from stt.engines.wants import BEST
from stt.types import Calibration, LogProbs, Vocabulary, Word, join_words
from tests.fakes import LETTERS, WAV2VEC2_GRID, spell, spell_log_probs
from tests.jamo import repaired

BLANK, SPACE, A, B, C = range(5)
SYLLABLES = [chr(0xAC00 + 97 * i) for i in range(60)]
JAMO = [chr(0x1100 + i) for i in range(19)] + [chr(0x1161 + i) for i in range(21)] + [
    chr(0x11A8 + i) for i in range(27)
]  # fmt: skip
COMPOUNDS = {
    "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ",
    "ㅢ": "ㅡㅣ", "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ",
    "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip
ALPHABET = [chr(ord("A") + i) for i in range(26)] + ["'"]


SPECIAL = re.compile(r"</?s>|\[UNK\]", re.IGNORECASE)


def as_typed(text: str) -> str:
    """Lone jamo as compatibility jamo, by their names."""
    return "".join(
        unicodedata.lookup(f"HANGUL LETTER {unicodedata.name(char).split()[-1]}")
        if "\u1100" <= char <= "\u11ff"
        else char
        for char in text
    )


def read(vocabulary: Vocabulary, *symbols: str) -> list[Word]:
    """Decode one frame per symbol, each with a blank after it; "" is a blank."""
    columns = [vocabulary.symbols.index(symbol or "<pad>") for symbol in symbols]
    spaced = [column for each in columns for column in (each, vocabulary.blank)]
    decoder = GreedyDecoder(vocabulary, WAV2VEC2_GRID)
    return decoder.feed(spell(spaced, len(vocabulary.symbols))) + decoder.finish()


def texts(words: list[Word]) -> list[str]:
    return [word.text for word in words]


def decode(
    log_probs: LogProbs, cuts: list[int] | None = None, calibration: Calibration | None = None
) -> list[Word]:
    calibration = calibration or Calibration()
    decoder = GreedyDecoder(LETTERS, WAV2VEC2_GRID, calibration)
    words: list[Word] = []
    for piece in np.split(log_probs, cuts or []):
        words += decoder.feed(BEST.reduce(piece, calibration.temperature))
    return words + decoder.finish()


def text(columns: list[int]) -> str:
    return join_words(decode(spell_log_probs(columns)))


def test_repeats_are_merged_and_blanks_dropped() -> None:
    assert text([A, A, BLANK, A, B, B]) == "aab"


def test_delimiters_separate_words_and_make_no_empty_ones() -> None:
    assert text([SPACE, A, SPACE, BLANK, SPACE, B, SPACE]) == "a b"


def test_blanks_give_no_words() -> None:
    assert decode(spell_log_probs([BLANK] * 5)) == []
    assert decode(spell_log_probs([])) == []


def test_times_follow_the_frames() -> None:
    # Frames begin every 20 ms, from 0 s.
    [first, second] = decode(spell_log_probs([BLANK, A, A, B, SPACE, BLANK, C, BLANK]))
    assert (first.text, first.start, first.end) == ("ab", 0.02, 0.08)
    assert (second.text, second.start, second.end) == ("c", 0.12, 0.14)


def test_confidence_is_the_product_of_the_symbols_best_posteriors() -> None:
    log_probs = np.concatenate(
        [
            spell_log_probs([A], posterior=0.5),
            spell_log_probs([A], posterior=0.8),
            spell_log_probs([B], posterior=0.6),
        ]
    )
    [word] = decode(log_probs)
    assert word.confidence == pytest.approx(0.8 * 0.6, abs=1e-6)
    # Cut within the run of A, so that its best frame is in the second feed.
    assert decode(log_probs, [1]) == [word]


def test_temperature_flattens_the_posteriors() -> None:
    # softmax of log(0.8, 0.05 x 4) / 2: sqrt(0.8) / (sqrt(0.8) + 4 sqrt(0.05)) = 0.5
    [word] = decode(spell_log_probs([A], posterior=0.8), calibration=Calibration(temperature=2.0))
    assert word.confidence == pytest.approx(0.5, abs=1e-6)


def test_lag_correction_keeps_words_apart_and_within_the_audio() -> None:
    columns = [A, BLANK, BLANK, BLANK, A, SPACE, BLANK, B, SPACE, C, BLANK]
    late = Calibration(start_lag_seconds=0.02, end_lag_seconds=-0.05)
    first, second, third = decode(spell_log_probs(columns), calibration=late)
    assert (first.start, first.end) == (0.0, pytest.approx(0.12))  # 0.15, but "b" begins then
    assert (second.start, second.end) == (pytest.approx(0.12), pytest.approx(0.16))
    assert (third.start, third.end) == (pytest.approx(0.16), pytest.approx(0.225))  # 3600 samples


@given(
    columns=st.lists(st.integers(0, 4), max_size=60),
    start_lag=st.floats(-0.3, 0.3),
    end_lag=st.floats(-0.3, 0.3),
)
@settings(deadline=None)
def test_times_never_go_back(columns: list[int], start_lag: float, end_lag: float) -> None:
    words = decode(spell_log_probs(columns), calibration=Calibration(start_lag, end_lag))
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    if words:
        assert times[0] >= 0
        assert times[-1] <= WAV2VEC2_GRID.n_samples(len(columns)) / 16000


@given(
    columns=st.lists(st.integers(0, 4), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
@settings(deadline=None)
def test_results_do_not_depend_on_how_frames_are_cut(columns: list[int], cuts: list[int]) -> None:
    random = np.random.default_rng(len(columns))
    log_probs = spell_log_probs(columns) + random.normal(0, 0.01, (len(columns), 5)).astype(
        np.float32
    )
    assert decode(log_probs, sorted(min(cut, len(columns)) for cut in cuts)) == decode(log_probs)


def test_a_word_is_returned_when_the_next_one_begins() -> None:
    decoder = GreedyDecoder(LETTERS, WAV2VEC2_GRID)
    assert decoder.feed(spell([A, B])) == []
    assert decoder.feed(spell([B, SPACE, BLANK])) == []
    assert [word.text for word in decoder.feed(spell([SPACE, C]))] == ["ab"]
    assert [word.text for word in decoder.finish()] == ["c"]
    assert decoder.finish() == []


@pytest.mark.parametrize(
    ("symbols", "delimiter"),
    [
        (SYLLABLES, "|"),
        (SYLLABLES, " "),
        (JAMO, "|"),
        (JAMO, " "),
        (ALPHABET, "|"),
        (ALPHABET, " "),
    ],
    ids=["syllables", "syllables, space", "jamo", "jamo, space", "letters", "letters, space"],
)
@pytest.mark.parametrize("lower", [False, True])
def test_text_equals_transformers_batch_decode_of_the_argmax(
    tmp_path: Path, symbols: list[str], delimiter: str, lower: bool
) -> None:
    from transformers import Wav2Vec2CTCTokenizer

    tokens = ["[PAD]", "<s>", "</s>", "[UNK]", delimiter, *symbols]
    vocab = tmp_path / "vocab.json"
    vocab.write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocab), pad_token="[PAD]", unk_token="[UNK]", word_delimiter_token=delimiter,
        do_lower_case=lower,
    )  # fmt: skip
    tokenizer.save_pretrained(tmp_path)
    vocabulary = read_vocabulary(tmp_path, len(tokens), blank=0)
    random = np.random.default_rng(7)
    for _ in range(25):
        # More blanks, delimiters and repeats than pure noise has.
        logits = random.normal(size=(200, len(tokens))) + np.repeat(
            random.normal(size=(50, len(tokens))), 4, axis=0
        )
        logits[:, [0, 4]] += 2.5
        logits[:, 1:4] -= 20  # transformers prints special tokens
        log_probs = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)
        [expected] = tokenizer.batch_decode(log_probs.argmax(1)[None])
        decoder = GreedyDecoder(vocabulary, WAV2VEC2_GRID)
        words = decoder.feed(BEST.reduce(log_probs)) + decoder.finish()
        ours = join_words(words)
        composed = unicodedata.normalize("NFC", SPECIAL.sub("", expected))
        assert ours == " ".join(repaired(composed).split())


def test_special_symbols_write_nothing_and_do_not_break_a_word() -> None:
    vocabulary = Vocabulary(("<pad>", "|", "<s>", "[UNK]", "a"), 0, special=frozenset({2, 3}))
    assert texts(read(vocabulary, "<s>", "a", "[UNK]", "a", "|", "[UNK]", "|", "a")) == ["aa", "a"]
    assert read(vocabulary, "<s>", "[UNK]") == []


def test_a_word_begins_at_the_mark_of_sentencepiece() -> None:
    vocabulary = Vocabulary(("<pad>", "▁", "▁the", "▁c", "at", "s"), 0, word_start="▁")
    words = read(vocabulary, "▁the", "▁c", "at", "s", "▁", "s")
    assert texts(words) == ["the", "cats", "s"]
    assert [token.text for token in words[1].tokens] == ["c", "at", "s"]


def test_phonemes_are_words() -> None:
    vocabulary = Vocabulary(("<pad>", "|", "tʰ", "ɑː"), 0, symbols_are_words=True)
    assert texts(read(vocabulary, "tʰ", "ɑː", "|", "tʰ", "tʰ")) == ["tʰ", "ɑː", "tʰ", "tʰ"]


@pytest.mark.parametrize(
    ("symbols", "spelled", "expected"),
    [
        ("ㅎㅏㄴㄱㅡㄹ", "ㅎㅏㄴㄱㅡㄹ", "한글"),
        ("ㅎㅏㄴ", "ㅎㅏㄴㅏ", "하나"),
        ("ㄷㅏㄹㄱㅇㅣㄺ", "ㄷㅏㄺㅇㅣ", "닭이"),
        ("ㄷㅏㄹㄱㅇㅣ", "ㄷㅏㄹㄱㅇㅣ", "닭이"),
        ("ㄷㅏㄹㄱㅇㅣ", "ㄷㅏㄹㄱㅣ", "달기"),
        ("ㄱㅗㅏㅈㅏ", "ㄱㅗㅏㅈㅏ", "과자"),
        ("ㄱㅗㅏㅘ", "ㄱㅗㅏ", "고ㅏ"),
        ("ㅋㅏ", "ㅋㅋㅋㅏㅏ", "ㅋㅋ카ㅏ"),
        ("하ㅋㅏ", "하ㅋㅏㅋㅋ", "하ㅋㅏㅋㅋ"),
    ],
)
def test_keyboard_letters_compose_into_syllables(symbols: str, spelled: str, expected: str) -> None:
    vocabulary = Vocabulary(("<pad>", "|", *dict.fromkeys(symbols)), 0)
    [word] = read(vocabulary, *spelled)
    assert word.text == expected == "".join(token.text for token in word.tokens)
    assert [len(token.text) for token in word.tokens] == [1] * len(expected)
    logs = [token.log_posterior for token in word.tokens]
    assert sum(logs) == pytest.approx(len(spelled) * np.log(0.9), abs=1e-4)


def test_every_syllable_is_composed_from_its_letters() -> None:
    symbols = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎㅏㅐㅑㅒㅓㅔㅕㅖㅗㅛㅜㅠㅡㅣ"
    composer = Composer(symbols)
    for syllable in map(chr, range(0xAC00, 0xD7A4)):
        letters = as_typed(unicodedata.normalize("NFD", syllable))
        for compound in set(letters) - set(symbols):
            letters = letters.replace(compound, COMPOUNDS[compound])
        assert composer.compose(letters) == syllable


def test_a_lower_case_letter_depends_on_its_place_in_the_word() -> None:
    vocabulary = Vocabulary(("<pad>", "|", "Σ", "Ο"), 0, lower_case=True)
    [word] = read(vocabulary, "Σ", "Ο", "Σ")
    assert word.text == "σος" == "ΣΟΣ".lower() == "".join(token.text for token in word.tokens)


JAPANESE = Vocabulary(("<pad>", "|", *"今日はPC3かてすきゃ、「」ー", "\u3099"), 0)
UNSEPARATED = Vocabulary(("<pad>", *"今日PC、하나"), 0)


@pytest.mark.parametrize(
    ("vocabulary", "symbols", "expected"),
    [
        (JAPANESE, "今日は", ["今", "日", "は"]),
        (JAPANESE, "今|日PC3は", ["今", " 日", "PC3", "は"]),
        (JAPANESE, "PC|PC", [" PC", " PC"]),
        (JAPANESE, "か\u3099きゃーす", ["が", "き", "ゃ", "ー", "す"]),
        (JAPANESE, "「今」、「PCて\u3099」は", ["「今」、", "「PC", "で」", "は"]),
        (UNSEPARATED, "今日PC하나PC、今", ["今", "日", "PC", "하", "나", "PC、", "今"]),
        (Vocabulary(("<pad>", *"abc"), 0), "abc", [" a", "b", "c"]),
        (Vocabulary(("<pad>", *"ㅎㅏㄴ"), 0), "ㅎㅏㄴㅎㅏㄴㅏ", [" 한", "하", "나"]),
        (Vocabulary(("<pad>", "|", *"เด็กำลัง"), 0), "เด็กกำลัง", ["เด็", "ก", "กำ", "ลั", "ง"]),
        (Vocabulary(("<pad>", "|", *"ក្រា"), 0), "ក្រា", ["ក្រា"]),
    ],
)
def test_characters_of_scripts_without_spaces_are_words(
    vocabulary: Vocabulary, symbols: str, expected: list[str]
) -> None:
    words = read(vocabulary, *symbols)
    assert [word.continued for word in words] == expected
    plain = unicodedata.normalize("NFC", symbols.replace("|", " "))
    assert join_words(words) == plain or set(symbols) <= set("ㅎㅏㄴ")
    for word in words:
        assert word.text == "".join(token.text for token in word.tokens)
        logs = [token.log_posterior for token in word.tokens]
        assert word.confidence == pytest.approx(np.exp(sum(logs)), abs=1e-6)


def test_characters_have_the_times_of_their_frames_and_leave_when_the_next_begins() -> None:
    decoder = GreedyDecoder(JAPANESE, WAV2VEC2_GRID)
    assert decoder.feed(spell([2, 2, 0], 18)) == []
    [first] = decoder.feed(spell([0, 3], 18))
    assert (first.text, first.start, first.end) == ("今", 0.0, 0.04)
    [second] = decoder.finish()
    assert (second.text, second.start, second.end) == ("日", 0.08, 0.1)
    assert not (first.space_before or second.space_before)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("P", "C", "P C"), ("今", "日", "今日"), ("P", "日", "P日"), ("今", "P", "今P")],
)
def test_after_an_utterance_words_are_separated_as_their_scripts_are(
    before: str, after: str, expected: str
) -> None:
    columns = [[JAPANESE.symbols.index(symbol)] for symbol in (before, after)]
    decoder = GreedyDecoder(JAPANESE, WAV2VEC2_GRID)
    words = decoder.feed(spell(columns[0], 18)) + decoder.finish()
    words += decoder.feed(spell(columns[1], 18)) + decoder.finish()
    assert join_words(words) == expected


@pytest.mark.parametrize("piece", [1, 7, 100])
@pytest.mark.parametrize(
    ("before", "after", "n_frames", "expected"),
    [
        ("P", "C", 29, "PC"),
        ("P", "C", 30, "P C"),
        ("今", "日", 30, "今日"),
        ("今", "P", 30, "今P"),
        ("3", "日", 30, "3日"),
        ("か", "\u3099", 29, "が"),
        ("「", "今", 30, "「今"),
    ],
)
def test_a_pause_ends_a_word(
    before: str, after: str, n_frames: int, expected: str, piece: int
) -> None:
    first, last = (JAPANESE.symbols.index(symbol) for symbol in (before, after))
    frames = spell([first, first, *[0] * n_frames, last], 18)
    decoder = GreedyDecoder(JAPANESE, WAV2VEC2_GRID)
    words: list[Word] = []
    for begin in range(0, len(frames), piece):
        words += decoder.feed(frames[begin : begin + piece])
    words += decoder.finish()
    assert join_words(words) == expected
    assert len(words) == (1 if len(expected) == 1 or n_frames < 30 else 2)


def test_special_symbols_are_part_of_a_pause() -> None:
    vocabulary = Vocabulary(("<pad>", "|", "<s>", "a"), 0, special=frozenset({2}))
    decoder = GreedyDecoder(vocabulary, WAV2VEC2_GRID)
    words = decoder.feed(spell([3, *[2, 0] * 15, 3], 4)) + decoder.finish()
    assert texts(words) == ["a", "a"]


@given(
    columns=st.lists(st.integers(0, 17), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
@settings(deadline=None)
def test_japanese_is_spelled_as_its_symbols_are(columns: list[int], cuts: list[int]) -> None:
    frames = spell([column for each in columns for column in (each, 0)], 18)
    decoder = GreedyDecoder(JAPANESE, WAV2VEC2_GRID)
    words: list[Word] = []
    edges = [0, *sorted(min(cut, len(frames)) for cut in cuts), len(frames)]
    for begin, end in pairwise(edges):
        words += decoder.feed(frames[begin:end])
    words += decoder.finish()
    written = "".join(map(JAPANESE.written, columns))
    assert join_words(words) == " ".join(unicodedata.normalize("NFC", written).split())
    assert all(word.text for word in words)


@given(
    columns=st.lists(st.integers(0, 4), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
@settings(deadline=None)
def test_frames_may_follow_finish_anywhere(columns: list[int], cuts: list[int]) -> None:
    log_probs = spell_log_probs(columns)
    decoder = GreedyDecoder(LETTERS, WAV2VEC2_GRID)
    words: list[Word] = []
    for piece in np.split(log_probs, sorted(min(cut, len(columns)) for cut in cuts)):
        words += decoder.feed(BEST.reduce(piece))
        words += decoder.finish()
    assert "".join(texts(words)) == "".join(texts(decode(log_probs)))
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)


def test_jamo_compose_into_syllables() -> None:
    vocabulary = Vocabulary(symbols=("<pad>", "|", *unicodedata.normalize("NFD", "한글")), blank=0)
    decoder = GreedyDecoder(vocabulary, WAV2VEC2_GRID)
    assert decoder.feed(spell([2, 3, 4, 5, 6, 7, 1], n_vocab=8)) == []
    [word] = decoder.finish()
    assert word.text == "한글" == unicodedata.normalize("NFC", word.text)


def test_a_syllable_without_its_silent_initial_is_a_syllable() -> None:
    symbols = ("<pad>", "|", *dict.fromkeys(unicodedata.normalize("NFD", "먹었다아")))
    vocabulary = Vocabulary(symbols=symbols, blank=0)
    left_out = [each for each in unicodedata.normalize("NFD", "먹었다아") if each != "\u110b"]
    [word] = read(vocabulary, *left_out)
    assert [token.text for token in word.tokens] == ["먹", "었", "다", "아"]
    assert read(vocabulary, "\u1106", "|") == []


@pytest.mark.parametrize(
    ("jamo", "text"),
    [
        ("하ᄀ에", "학에"),
        ("하ᄀ", "학"),
        ("오ᄈ아", "오빠"),
        # What belongs to no syllable is left out.
        ("한ᄀ에", "한에"),
        ("하ᄈ다", "하다"),
        ("ᄀᄂ하", "하"),
        ("하|ᄀ|다", "하 다"),
    ],
)
def test_consonants_without_a_vowel(jamo: str, text: str) -> None:
    symbols = tuple(unicodedata.normalize("NFD", jamo))
    vocabulary = Vocabulary(symbols=tuple(dict.fromkeys(("<pad>", "|", *symbols))), blank=0)
    words = read(vocabulary, *symbols)
    assert join_words(words) == text
    assert all("".join(token.text for token in word.tokens) == word.text for word in words)


def test_spell_gives_normalized_log_probs() -> None:
    assert_allclose(np.exp(spell_log_probs([A, B])).sum(axis=1), 1, rtol=1e-5)


def test_frames_hold_the_best_symbol_before_and_after_the_temperature() -> None:
    frames = BEST.reduce(spell_log_probs([A, BLANK, B], posterior=0.8), temperature=2.0)
    assert frames.columns.tolist() == [A, BLANK, B]
    assert_allclose(np.exp(frames.log_probs), 0.8, rtol=1e-5)
    assert_allclose(np.exp(frames.log_posteriors), 0.5, rtol=1e-5)
    assert frames[1:].columns.tolist() == [BLANK, B]


def test_a_words_tokens_are_its_symbols_with_their_posteriors() -> None:
    log_probs = np.concatenate(
        [spell_log_probs([A, SPACE, B], posterior=0.9), spell_log_probs([C], posterior=0.5)]
    )
    words = decode(log_probs)
    assert [[token.text for token in word.tokens] for word in words] == [["a"], ["b", "c"]]
    assert_allclose(
        [token.log_posterior for word in words for token in word.tokens],
        np.log([0.9, 0.9, 0.5]),
        atol=1e-5,
    )
    for word in words:
        logs = [token.log_posterior for token in word.tokens]
        assert np.exp(sum(logs)) == pytest.approx(word.confidence)


@given(
    columns=st.lists(st.sampled_from([BLANK, SPACE, A, A, B, C]), max_size=30),
    lags=st.tuples(*2 * [st.floats(-0.2, 0.2)]),
)
def test_tokens_are_in_order_and_within_their_word(
    columns: list[int], lags: tuple[float, float]
) -> None:
    for word in decode(spell_log_probs(columns), calibration=Calibration(*lags)):
        times = [token.times for token in word.tokens]
        assert (times[0][0], times[-1][1]) == (word.start, word.end)
        assert times == sorted(times)
        assert all(word.start <= start <= end <= word.end for start, end in times)


def test_a_token_has_the_times_of_its_frames() -> None:
    [word] = decode(spell_log_probs([A, A, BLANK, B]))
    stride = 0.02
    assert_allclose([each.times for each in word.tokens], [(0, 2 * stride), (3 * stride, word.end)])


def test_jamo_of_one_syllable_are_one_token() -> None:
    # The last jamo belongs to no syllable, and is left out.
    symbols = ("<pad>", "|", *unicodedata.normalize("NFD", "한글"), "\u1100")
    decoder = GreedyDecoder(Vocabulary(symbols=symbols, blank=0), WAV2VEC2_GRID)
    decoder.feed(spell([2, 3, 4, 5, 6, 7, 8, 1], n_vocab=9))
    [word] = decoder.finish()
    assert [token.text for token in word.tokens] == ["한", "글"]
    assert word.tokens[0].log_posterior == pytest.approx(3 * np.log(0.9), abs=1e-5)


def test_some_checkpoints_want_no_space_before_punctuation() -> None:
    from transformers import Wav2Vec2CTCTokenizer

    symbols = ("<pad>", "|", "it", "'s", "so", ".", "n't", "'t")
    spoken = ("it", "|", "'s", "|", "so", "|", ".", "|", "it", "|", "n't", "|", "'t")
    vocabulary = Vocabulary(symbols, 0, cleans_up=True)
    expected = Wav2Vec2CTCTokenizer.clean_up_tokenization(None, " ".join(spoken[::2]))
    assert join_words(read(vocabulary, *spoken)) == expected == "it's so. itn't 't"
    assert join_words(read(Vocabulary(symbols, 0), *spoken)) == " ".join(spoken[::2])
