import html
import unicodedata
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
import srt
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.formats.captions import columns, cut_cues
from stt.formats.layout import Layout
from stt.formats.srt import to_srt
from stt.formats.table import to_text
from stt.formats.vtt import to_vtt
from stt.recognition.segments import split_turns
from stt.types import Transcript, Word
from tests.words import spoken, words

KOREAN = st.text("가나다뷁힣", min_size=1, max_size=8)
NO_SPACES = st.text("今日は良い天気ですねカタカナー", min_size=1, max_size=120)
MARKS = st.text("a&<>-'\"1é\u0301", min_size=1, max_size=60)
RESTS_MS = st.integers(50, 3_000)
"""Silence at the end, with room for 40 words without duration at 1 ms each."""
TEXTS = KOREAN | NO_SPACES | MARKS | st.sampled_from(["-->", "&amp;", "7", "<b>", "w" * 90])


def say(*parts: tuple[str, float, float], duration: float = 60) -> Transcript:
    return Transcript(spoken(*parts), duration)


def unspaced(parts: str | list[str], seconds: float = 0.3, start: float = 0.0) -> tuple[Word, ...]:
    """Words without spaces and without gaps."""
    return tuple(
        Word(part, start + i * seconds, start + (i + 1) * seconds, 0.9, space_before=False)
        for i, part in enumerate(parts)
    )


def evenly(text: str, seconds_per_word: float) -> Transcript:
    """The words of a text without gaps."""
    parts = text.split()
    said = spoken(
        *(
            (part, round(index * seconds_per_word, 3), round((index + 1) * seconds_per_word, 3))
            for index, part in enumerate(parts)
        )
    )
    return Transcript(said, len(parts) * seconds_per_word)


def lines(transcript: Transcript) -> list[tuple[str, ...]]:
    return [cue.lines for cue in cut_cues(transcript)]


def times(transcript: Transcript) -> list[tuple[int, int]]:
    return [(cue.start_ms, cue.end_ms) for cue in cut_cues(transcript)]


def test_exact_srt() -> None:
    said = say(("안녕하세요", 0.52, 1.4), ("네", 3725.0, 3725.9), duration=3726)
    assert to_srt(said) == (
        "1\n00:00:00,520 --> 00:00:01,400\n안녕하세요\n"
        "\n2\n01:02:05,000 --> 01:02:05,900\n네\n"
    )  # fmt: skip


def test_exact_vtt() -> None:
    said = say(("안녕하세요", 0.52, 1.4), ("네", 3725.0, 3725.9), duration=3726)
    assert to_vtt(said) == (
        "WEBVTT\n\n00:00:00.520 --> 00:00:01.400\n안녕하세요\n"
        "\n01:02:05.000 --> 01:02:05.900\n네\n"
    )  # fmt: skip


def test_no_speech() -> None:
    assert to_srt(Transcript((), 5)) == ""
    assert to_vtt(Transcript((), 5)) == "WEBVTT\n"
    assert webvtt.from_string("WEBVTT\n").captions == []


def test_markup_is_escaped_in_vtt_only() -> None:
    said = say(("<i>", 0, 1), ("-->", 1, 2), ("R&D", 2, 3))
    assert "&lt;i&gt; --&gt; R&amp;D\n" in to_vtt(said)
    assert to_vtt(said).count("-->") == 1
    assert "\n<i> --> R&D\n" in to_srt(said)


def test_times_are_rounded_and_not_truncated() -> None:
    assert times(say(("a", 0.0016, 1.9996))) == [(2, 2000)]


def test_a_short_cue_is_extended_at_its_end() -> None:
    assert times(say(("a", 1, 1.1))) == [(1000, 1800)]


def test_a_cue_is_not_extended_into_the_next_one() -> None:
    assert times(say(("a", 1, 1.02), ("b", 1.62, 3))) == [(1000, 1620), (1620, 3000)]


def test_a_cue_is_not_extended_past_the_end_of_the_audio() -> None:
    assert times(say(("a", 1, 1.1), duration=1.5009)) == [(1000, 1500)]
    assert times(say(("a", 1, 1.5009), duration=1.5009)) == [(1000, 1500)]


def test_two_lines_are_balanced_at_a_word_boundary() -> None:
    said = evenly("the museum is near the station and it opens every day at nine", 0.3)
    assert lines(said) == [("the museum is near the station", "and it opens every day at nine")]
    korean = evenly("친구가 도서관에서 책을 읽고 있어요 그리고 커피를 마셔요", 0.3)
    assert lines(korean) == [("친구가 도서관에서 책을 읽고", "있어요 그리고 커피를 마셔요")]


def test_hangul_counts_two_columns_and_a_combining_mark_none() -> None:
    assert columns("가a") == 3
    assert columns(unicodedata.normalize("NFD", "é")) == 1
    fits, fits_not = "가나다라마바사" * 3, "가나다라마바사" * 3 + "아"
    assert (columns(fits), lines(say((fits, 0, 3)))) == (42, [(fits,)])
    assert lines(say((fits_not, 0, 3))) == [("가나다라마바사가나다라", "마바사가나다라마바사아")]


def test_several_lines_are_balanced_too() -> None:
    said = evenly("the museum is near the station and it opens every day at nine", 0.3)
    for layout, expected in (
        (Layout(20, 4), ("the museum is", "near the station", "and it opens", "every day at nine")),
        (Layout(25, 3), ("the museum is near the", "station and it opens", "every day at nine")),
        (Layout(62, 4), ("the museum is near the station and it opens every day at nine",)),
        (Layout(60, 4), ("the museum is near the station", "and it opens every day at nine")),
    ):
        assert [cue.lines for cue in cut_cues(said, layout)] == [expected]


def test_times_of_narrow_cues_are_those_of_their_words() -> None:
    said = say(("안녕하세요", 0, 1), ("만나서", 1.1, 2), ("반가워요", 2.1, 3))
    cues = cut_cues(said, Layout(12, 1))
    assert [(cue.lines, cue.start_ms, cue.end_ms) for cue in cues] == [
        (("안녕하세요",), 0, 1000),
        (("만나서",), 1100, 2000),
        (("반가워요",), 2100, 3000),
    ]


def test_a_word_wider_than_a_narrow_line_has_one_for_itself() -> None:
    said = say(("a", 0, 1), ("transcription", 1, 2), ("of", 2, 3), ("it", 3, 4))
    assert [cue.lines for cue in cut_cues(said, Layout(10, 2))] == [
        ("a", "transcription"),
        ("of it",),
    ]


@given(words(TEXTS), st.integers(10, 60), st.integers(1, 10))
@settings(max_examples=200, deadline=None)
def test_any_layout_is_kept(said: tuple[Word, ...], width: int, count: int) -> None:
    transcript = Transcript(said, (said[-1].end if said else 0) + 3)
    cues = cut_cues(transcript, Layout(width, count))
    assert squeeze("".join("".join(cue.lines) for cue in cues)) == squeeze(transcript.text)
    whole = {word.text for word in said}
    for cue in cues:
        assert 1 <= len(cue.lines) <= count
        assert cue.end_ms - cue.start_ms <= 7000
        for line in cue.lines:
            assert columns(line) <= width or line in whole or columns(line) <= 42
            assert columns(line) <= width or " " not in line
    for cue, after in pairwise(cues):
        assert cue.end_ms <= after.start_ms


def on(channel: int, *parts: tuple[str, float, float]) -> tuple[Word, ...]:
    return tuple(replace(word, channel=channel) for word in spoken(*parts))


def test_speakers_on_channels_may_have_cues_at_the_same_time() -> None:
    said = (*on(1, ("well", 0, 2), ("then", 2.1, 4)), *on(2, ("no", 1, 1.5), ("never", 3, 3.9)))
    said = tuple(sorted(said, key=lambda word: word.start))
    talk = Transcript(said, 5, turns=split_turns(said))
    assert [(cue.channel, cue.lines, cue.start_ms, cue.end_ms) for cue in cut_cues(talk)] == [
        (1, ("well then",), 0, 4000),
        (2, ("no",), 1000, 1800),
        (2, ("never",), 3000, 3900),
    ]
    assert to_srt(talk).startswith("1\n00:00:00,000 --> 00:00:04,000\n[1] well then\n\n2\n")
    assert "\n00:00:01.000 --> 00:00:01.800\n<v Channel 2>no\n" in to_vtt(talk)
    assert to_text(talk) == "[1] well then\n[2] no never"


def test_a_label_is_part_of_its_line() -> None:
    said = on(1, ("x" * 38, 0, 1), ("y", 1, 2))
    talk = Transcript(said, 5, turns=split_turns(said))
    assert "[1] " + "x" * 38 + "\ny\n" in to_srt(talk)
    assert "<v Channel 1>" + "x" * 38 + " y\n" in to_vtt(talk)


def test_a_word_longer_than_a_line_is_broken_but_only_then() -> None:
    assert lines(say(("w" * 42, 0, 1), ("no", 1, 2))) == [("w" * 42, "no")]
    assert lines(say(("w" * 50, 0, 1))) == [("w" * 25, "w" * 25)]


def test_a_character_keeps_its_marks() -> None:
    accented = "q\u0301" * 43
    assert lines(say((accented, 0, 1))) == [("q\u0301" * 21, "q\u0301" * 22)]


def test_speech_without_spaces_is_split_into_cues_by_time() -> None:
    said = say(("今日は良い天気ですね" * 4, 10, 30))
    cues = cut_cues(said)
    assert "".join("".join(cue.lines) for cue in cues) == said.text
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [
        (10_000, 15_000),
        (15_000, 20_000),
        (20_000, 25_000),
        (25_000, 30_000),
    ]


def test_characters_keep_their_own_times_in_cues() -> None:
    said = unspaced("今日は良い天気" * 4, 0.4)
    cues = cut_cues(Transcript(said, 12))
    assert [(cue.lines, cue.start_ms, cue.end_ms) for cue in cues] == [
        (("今日は良い天気今日は良い天気",), 0, 5600),
        (("今日は良い天気今日は良い天気",), 5600, 11200),
    ]


def test_a_pause_between_characters_ends_a_cue() -> None:
    said = unspaced("今日は") + unspaced("良い", start=1.5)
    assert lines(Transcript(said, 3)) == [("今日は",), ("良い",)]


def test_latin_words_between_characters_stay_whole() -> None:
    said = unspaced([*"あいうえおかきくけ", "TRANSFORMERS", *"さしすせそたち"], 0.3)
    assert lines(Transcript(said, 9)) == [("あいうえおかきくけ", "TRANSFORMERSさしすせそたち")]


@pytest.mark.parametrize("late", ["ー", "ょ", "ッ", "。"])
def test_no_line_begins_with_what_belongs_to_the_line_before(late: str) -> None:
    # In the middle, where the lines would be equal.
    said = unspaced("あ" * 12 + late + "い" * 11, 0.25)
    assert lines(Transcript(said, 9)) == [("あ" * 11, "あ" + late + "い" * 11)]
    # Where a cue would end.
    said = unspaced("あ" * 12 + late + "い" * 11, 0.5)
    assert lines(Transcript(said, 12)) == [("あ" * 11,), ("あ" + late + "い" * 11,)]
    # Where a segment would.
    said = unspaced("あ" * 12 + late + "い" * 11, 0.8)
    assert not any(line.startswith(late) for cue in lines(Transcript(said, 20)) for line in cue)


@given(
    words(st.sampled_from([*"今日はきー", "PC", "2024年", "。"]), shortest_ms=1, longest_ms=3_000)
)
@settings(max_examples=150, deadline=None)
def test_words_without_spaces_stay_whole_at_their_times(said: tuple[Word, ...]) -> None:
    coming = [replace(word, space_before=False) for word in said]
    for cue in cut_cues(Transcript(tuple(coming), 1000)):
        assert cue.start_ms == round(coming[0].start * 1000)
        for line in cue.lines:
            while line:
                assert line.startswith(coming[0].text)
                line = line.removeprefix(coming.pop(0).text)
    assert coming == []


def test_a_drawn_out_word_stays_for_the_maximum_duration() -> None:
    said = say(("서울역", 1, 11), ("까지", 11, 12))
    assert (lines(said), times(said)) == ([("서울역",), ("까지",)], [(1000, 8000), (11000, 12000)])


def test_a_word_without_duration_is_shown() -> None:
    said = say(("a" * 42, 1, 1), ("b" * 42, 1, 1), ("c", 1, 1), duration=1)
    assert (times(said), lines(said)) == (
        [(998, 999), (999, 1000)],
        [("a" * 42,), ("b" * 42, "c")],
    )


def test_long_speech_is_split_at_pauses() -> None:
    said = say(("a", 0, 2), ("b", 2, 4), ("c", 4.3, 6), ("d", 6.1, 8))
    assert lines(said) == [("a b",), ("c d",)]


@pytest.mark.parametrize("seconds", [59.9996, 3599.9996, 359_999.9996])
def test_rounding_carries(seconds: float) -> None:
    said = say(("a", seconds, seconds + 1), duration=seconds + 9)
    (cue,) = srt.parse(to_srt(said))
    assert cue.start == timedelta(seconds=round(seconds))


@given(words(TEXTS), RESTS_MS)
@settings(max_examples=300, deadline=None)
def test_cues_follow_the_rules(said: tuple[Word, ...], rest_ms: int) -> None:
    duration = (said[-1].end if said else 0) + rest_ms / 1000
    transcript = Transcript(said, duration)
    cues = cut_cues(transcript)
    assert squeeze("".join("".join(cue.lines) for cue in cues)) == squeeze(transcript.text)
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        for line in cue.lines:
            assert line == line.strip() != ""
            assert columns(line) <= 42
        assert 0 <= cue.start_ms < cue.end_ms <= duration * 1000
        assert cue.end_ms - cue.start_ms <= 7000
    for cue, after in pairwise(cues):
        assert cue.end_ms <= after.start_ms
        assert cue.end_ms - cue.start_ms >= 800 or cue.end_ms == after.start_ms
    if said:
        assert abs(cues[0].start_ms - round(said[0].start * 1000)) < len(cues)
        assert cues[-1].end_ms >= min(cues[-1].start_ms + 800, int(duration * 1000))


@given(words(KOREAN | st.sampled_from(["one", "2"]), shortest_ms=1, longest_ms=3_000))
@settings(max_examples=150, deadline=None)
def test_words_that_fit_a_line_stay_whole_at_their_times(
    said: tuple[Word, ...],
) -> None:
    cues = cut_cues(Transcript(said, 1000))
    coming = list(said)
    for cue in cues:
        shown = " ".join(cue.lines).split()
        mine, coming = coming[: len(shown)], coming[len(shown) :]
        assert [word.text for word in mine] == shown
        assert cue.start_ms == round(mine[0].start * 1000)
        assert cue.end_ms >= round(mine[-1].end * 1000)
    assert coming == []


@given(words(TEXTS), RESTS_MS)
@settings(max_examples=150, deadline=None)
def test_common_parsers_read_the_same_cues(said: tuple[Word, ...], rest_ms: int) -> None:
    transcript = Transcript(said, (said[-1].end if said else 0) + rest_ms / 1000)
    expected = [(cue.start_ms, cue.end_ms, "\n".join(cue.lines)) for cue in cut_cues(transcript)]
    tick = timedelta(milliseconds=1)
    assert [
        (cue.start // tick, cue.end // tick, cue.content) for cue in srt.parse(to_srt(transcript))
    ] == expected
    assert [
        (milliseconds(caption.start), milliseconds(caption.end), html.unescape(caption.raw_text))
        for caption in webvtt.from_string(to_vtt(transcript)).captions
    ] == expected


def squeeze(text: str) -> str:
    return "".join(text.split())


def milliseconds(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)
