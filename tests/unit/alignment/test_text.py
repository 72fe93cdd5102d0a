"""Texts keep every word, as written; words become columns of any kind of vocabulary."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt.alignment.readings import read
from stt.alignment.spelling import WordSpeller, spell_all
from stt.alignment.text import GivenText
from stt.errors import NotSupported
from stt.types import Vocabulary


def shown(text: GivenText) -> list[str]:
    return [
        "".join(
            f" {word.text}" if word.space_before and index else word.text
            for index, word in enumerate(
                text.words[each.first_word : each.first_word + each.n_words]
            )
        )
        for each in text.segments
    ]


def test_lines_are_segments() -> None:
    text = GivenText.parse("\ufeffHello,  world!\r\n그리고 둘째 줄.\n")
    assert [word.text for word in text.words] == ["Hello,", "world!", "그리고", "둘째", "줄."]
    assert shown(text) == ["Hello, world!", "그리고 둘째 줄."]


def test_paragraphs_are_segments_if_there_are_any() -> None:
    text = GivenText.parse("A title\n\nOne line\nof two.\n \n\nAnd the end.")
    assert shown(text) == ["A title", "One line of two.", "And the end."]
    assert text.segments[1].lines == ("One line", "of two.")


def test_cues_of_captions_are_segments() -> None:
    first = "1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i>\nworld\n\n"
    text = GivenText.parse(
        first
        + "2\n00:00:03,000 --> 00:00:04,000\n{\\an8}둘째\n\n3\n00:00:05,000 --> 00:00:06,000\n\n"
    )
    assert shown(text) == ["Hello world", "둘째"]
    assert text.segments[0].lines == ("<i>Hello</i>", "world")
    assert text.is_captions
    vtt = GivenText.parse("WEBVTT\n\nNOTE no\n\nname\n00:01.000 --> 00:02.000 line:0\nHi there\n")
    assert shown(vtt) == ["Hi there"]


def test_every_character_is_a_word_in_scripts_without_spaces() -> None:
    text = GivenText.parse("「今日は」、OK です。\nきょう")
    words = ["「今", "日", "は」、", "OK", "で", "す。", "き", "ょ", "う"]
    assert [word.text for word in text.words] == words
    assert shown(text) == ["「今日は」、OK です。", "きょう"]
    assert shown(GivenText.parse("今日\nは\n\n次")) == ["今日は", "次"]


@given(st.text(st.sampled_from("ab ,.\n가각1今日「」\u3000"), max_size=40))
def test_no_character_is_lost(text: str) -> None:
    words = "".join(word.text for word in GivenText.parse(text).words)
    assert words == "".join(unicodedata.normalize("NFC", text).split())


def vocabulary(*symbols: str, **options: object) -> Vocabulary:
    return Vocabulary(("<pad>", "|", *symbols), 0, **options)  # type: ignore[arg-type]


def spelled(vocabulary: Vocabulary, word: str, language: str = "ko") -> tuple[list[str], str]:
    found = WordSpeller(vocabulary, language).spell(unicodedata.normalize("NFC", word))
    assert "".join(each.text for each in found.characters) == unicodedata.normalize("NFC", word)
    return [vocabulary.symbols[column] for column in found.columns], found.missing


LETTERS = vocabulary(*"ABCDEFGHIJKLMNOPQRSTUVWXYZ'")
SYLLABLES = vocabulary(*"가강남역에서삼십일점오퍼센트이비")
CONJOINING = vocabulary(*map(chr, [*range(0x1100, 0x1113), *range(0x1161, 0x1176), 0x11AB]))
COMPATIBILITY = vocabulary(*"ㄱㄴㄷㅅㅇㅏㅗㅡㅘ")


@pytest.mark.parametrize(
    ("symbols", "word", "columns"),
    [
        (LETTERS, "Don’t!", "DON'T"),
        (LETTERS, "café", "CAFE"),
        (SYLLABLES, "강남역에서,", "강남역에서"),
        (SYLLABLES, "31.5%", "삼십일점오퍼센트"),
        (SYLLABLES, "AB", "에이비"),
        (CONJOINING, "안", "\u110b\u1161\u11ab"),
        (COMPATIBILITY, "과", "ㄱㅘ"),
        (COMPATIBILITY, "값", "ㄱㅏ"),
        (vocabulary("ㄱ", "ㅅ", "ㅇ", "ㅏ", "ㅗ"), "왃", "ㅇㅗㅏㄱㅅ"),
    ],
)
def test_words_are_spelled_as_the_vocabulary_has_it(
    symbols: Vocabulary, word: str, columns: str
) -> None:
    if word == "값":  # its final cannot be spelled, so neither can the syllable
        assert spelled(symbols, word) == ([], "값")
    else:
        assert spelled(symbols, word) == (list(columns), "")


def test_word_pieces_are_as_few_as_possible() -> None:
    pieces = vocabulary("▁", "▁well", "▁we", "ll", "known", "▁know", "n", "▁known", word_start="▁")
    assert spelled(pieces, "well-known,", "en") == (["▁well", "▁known"], "")
    found = WordSpeller(pieces, "en").spell("wellknown", space_before=True)
    assert [each.columns for each in found.characters if each.columns] == [(3,), (6,)]


def test_what_cannot_be_spelled_is_reported_and_punctuation_is_not() -> None:
    assert spelled(LETTERS, "naïve日本—x", "en") == (list("NAIVEX"), "日本")
    assert spelled(LETTERS, "12", "en") == (list("TWELVE"), "")
    assert spelled(LETTERS, "12", "fr") == ([], "12")
    assert spelled(LETTERS, "--", "en") == ([], "")


def test_phonemes_are_refused() -> None:
    with pytest.raises(NotSupported, match="phonemes"):
        WordSpeller(vocabulary("a", symbols_are_words=True), "en")


@pytest.mark.parametrize(
    ("text", "language", "parts"),
    [
        ("오후 3시에 만나", "ko", [("3", "세 "), ("시에", "시에")]),
        ("값은 31.5%", "ko", [("31.5%", "삼십일 점 오 퍼센트")]),
        ("내일 KTX를 타고", "ko", [("KTX", "케이티엑스"), ("를", "를")]),
        ("이 단어는", "ko", [("단어는", "단어는")]),
        ("of $1,234.5!", "en", [
            ("$", " dollars "),
            ("1,234.5", " one thousand two hundred thirty four point five "),
            ("!", "!"),
        ]),
        ("the 90s", "en", [("90", " ninety "), ("s", "s")]),
        ("about 2000000", "en", [("2000000", " two million ")]),
        ("room 007", "en", [("007", " zero zero seven ")]),
        ("vers 12", "fr", [("12", "12")]),
    ],
)  # fmt: skip
def test_readings_of_the_second_word(
    text: str, language: str, parts: list[tuple[str, str]]
) -> None:
    before, word, *after = text.split()
    assert list(read(word, before, "".join(after), language)) == parts


def test_neighbours_decide_how_a_number_is_read() -> None:
    words = GivenText.parse("3 시 3 층").words
    symbols = vocabulary(*"세삼시층")
    spelled = [
        [symbols.symbols[c] for c in word.columns] for word in spell_all(words, symbols, "ko")
    ]
    assert spelled == [["세"], ["시"], ["삼"], ["층"]]
