from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.recognition.ctc import GreedyDecoder
from stt.recognition.endpointing import Endpointer, StreamingConfig
from stt.types import Waveform, Word
from tests.fakes import LETTERS, WAV2VEC2_GRID, EchoEngine, say

CONFIG = StreamingConfig.of_seconds(WAV2VEC2_GRID, step=0.4, window=4, context=0.5, search=0.5)


class Listener:
    """A cutter with an engine that computes at once, or only when told to."""

    def __init__(self, config: StreamingConfig = CONFIG) -> None:
        self.engine = EchoEngine()
        decoder = GreedyDecoder(LETTERS, WAV2VEC2_GRID)
        self.cutter = Endpointer(WAV2VEC2_GRID, LETTERS, decoder, config)
        self.settled: list[Word] = []
        self.utterances: list[str] = []

    def hear(self, waveform: Waveform) -> str:
        """Feed and compute; the text that is provisional then."""
        self.cutter.feed(waveform)
        self.compute()
        return " ".join(word.text for word in self.cutter.provisional())

    def compute(self) -> None:
        while (due := self.cutter.due()) is not None:
            (frames,) = self.engine.forward([due])
            self.cutter.take(frames)
        if words := self.cutter.take_settled():
            self.settled += words
            self.utterances.append(" ".join(word.text for word in words))

    def end(self) -> list[Word]:
        self.cutter.end()
        self.compute()
        return self.settled


def heard(waveform: Waveform, cuts: Sequence[int], *, lazy: bool = False) -> list[Word]:
    """All words of a waveform that comes in these parts; lazy: computed at the end only."""
    listener = Listener()
    for block in np.split(waveform, sorted(cut for cut in cuts if cut < len(waveform))):
        if lazy:
            listener.cutter.feed(block)
        else:
            listener.hear(block)
    return listener.end()


def test_words_are_provisional_until_a_pause() -> None:
    listener = Listener()
    assert listener.hear(say("ab".ljust(22))) == "ab"
    assert listener.hear(say("|ca".ljust(20))) == "ab ca"
    assert listener.utterances == []
    listener.hear(say(" " * 60))
    assert listener.utterances == ["ab ca"]
    assert listener.hear(say("b" + " " * 20)) == "b"
    assert [word.text for word in listener.end()] == ["ab", "ca", "b"]
    assert listener.utterances == ["ab ca", "b"]


def test_a_pause_ends_a_word_without_a_delimiter_but_a_hesitation_does_not() -> None:
    assert [word.text for word in heard(say("ab" + " " * 60 + "ca "), [])] == ["ab", "ca"]
    assert [word.text for word in heard(say("ab" + " " * 20 + "ca "), [])] == ["abca"]


def test_times_are_those_of_the_stream() -> None:
    words = heard(say(" " * 100 + "ab" + " " * 400 + "ca" + " " * 30), [])
    assert [(word.text, word.start) for word in words] == [("ab", 2.0), ("ca", 10.04)]


def test_speech_without_a_pause_is_settled_at_quiet_moments_and_no_word_is_cut() -> None:
    spoken = "|".join(["abc", "ca", "b", "abcabc"] * 60)
    listener = Listener()
    for block in np.array_split(say(spoken + " "), 40):
        listener.hear(block)
        assert listener.cutter.behind_seconds < 0.5
    assert len(listener.utterances) > 3
    assert " ".join(word.text for word in listener.end()) == spoken.replace("|", " ")
    assert max(listener.engine.lengths) <= 4.1 * 16000


def test_nothing_is_computed_for_digital_silence_and_little_where_nothing_is_said() -> None:
    listener = Listener()
    listener.hear(np.zeros(60 * 16000, np.float32))
    assert listener.end() == []
    assert listener.engine.lengths == []
    listener = Listener()
    for _ in range(100):
        listener.hear(say(" " * 25))
    assert listener.end() == []
    assert max(listener.engine.lengths) < 3 * 16000


def test_a_stream_that_is_computed_late_costs_little_more() -> None:
    waveform = say(("abc|ca" + " " * 70) * 20)
    in_time, late = Listener(), Listener()
    for block in np.array_split(waveform, 300):
        in_time.hear(block)
    late.hear(waveform)
    assert late.end() == in_time.end()
    assert sum(late.engine.lengths) < 4 * len(waveform)


@given(
    spoken=st.lists(
        st.one_of(
            st.sampled_from(["a", "bc", "cab|a", "|", "|b"]),
            st.integers(1, 90).map(lambda n: " " * n),
            st.integers(1, 90).map(lambda n: "0" * n),
        ),
        max_size=14,
    ).map("".join),
    cuts=st.lists(st.integers(0, 320 * 400), max_size=12),
    tail=st.integers(0, 700),
)
@settings(max_examples=150, deadline=None)
def test_how_the_samples_come_and_when_they_are_computed_changes_nothing(
    spoken: str, cuts: list[int], tail: int
) -> None:
    waveform = np.concatenate([say(spoken), np.zeros(tail, np.float32)])
    steady = heard(waveform, range(0, len(waveform), 1000))
    assert heard(waveform, cuts) == steady
    assert heard(waveform, cuts, lazy=True) == steady
    assert heard(waveform, []) == steady


@given(spoken=st.lists(st.sampled_from(["a", "b|", "ca", " ", " " * 40]), max_size=60).map("".join))
@settings(max_examples=60, deadline=None)
def test_what_is_settled_stays_and_goes_before_what_is_provisional(spoken: str) -> None:
    listener = Listener()
    before: list[Word] = []
    for block in np.array_split(say(spoken), 30):
        listener.hear(block)
        assert listener.settled[: len(before)] == before
        before = list(listener.settled)
        for word in listener.cutter.provisional()[:1]:
            assert not before or word.start >= before[-1].end
    letters = [char for char in spoken if char in "abc"]
    merged = "".join(word.text for word in listener.end())
    assert len(merged) <= len(letters)
