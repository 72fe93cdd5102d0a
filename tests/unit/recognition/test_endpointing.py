from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.activity.base import Detector
from stt.decoding.factory import GREEDY
from stt.decoding.greedy import GreedyDecoder
from stt.engines.wants import BEST
from stt.recognition.endpointing import Endpointer, StreamingConfig
from stt.recognition.writer import RuleWriter, Writer
from stt.recognition.written_forms import korean_rules
from stt.types import Waveform, Word
from tests.fakes import LETTERS, WAV2VEC2_GRID, EchoEngine, Loud, SpeaksKorean, say

CONFIG = StreamingConfig.of_seconds(WAV2VEC2_GRID, step=0.4, window=4, context=0.5, search=0.5)


class Listener:
    """An endpointer with an engine that computes at once, or on request."""

    def __init__(
        self,
        config: StreamingConfig = CONFIG,
        engine: EchoEngine | None = None,
        writer: Writer | None = None,
        detector: Detector | None = None,
    ) -> None:
        self.engine = engine or EchoEngine()
        opened, vocabulary = GREEDY.open(self.engine), self.engine.vocabulary
        self.endpointer = Endpointer(WAV2VEC2_GRID, vocabulary, opened, config, writer, detector)
        self.settled: list[Word] = []
        self.utterances: list[str] = []

    def hear(self, waveform: Waveform) -> str:
        """Feed and compute; return the provisional text."""
        self.endpointer.feed(waveform)
        self.compute()
        return " ".join(word.text for word in self.endpointer.provisional())

    def compute(self) -> None:
        while (due := self.endpointer.due()) is not None:
            (frames,) = self.engine.forward([due], BEST)
            self.endpointer.take(frames)
        if words := self.endpointer.take_settled():
            self.settled += words
            self.utterances.append(" ".join(word.text for word in words))

    def end(self) -> list[Word]:
        self.endpointer.end()
        self.compute()
        return self.settled


def heard(
    waveform: Waveform,
    cuts: Sequence[int],
    *,
    lazy: bool = False,
    detector: Detector | None = None,
) -> list[Word]:
    """All words of a waveform cut at ``cuts``; ``lazy`` computes only at the end."""
    listener = Listener(detector=detector)
    for block in np.split(waveform, sorted(cut for cut in cuts if cut < len(waveform))):
        if lazy:
            listener.endpointer.feed(block)
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


def test_a_number_ends_with_its_utterance_whenever_it_is_computed() -> None:
    waveform = say("a|b|c|a" + " " * 70 + "b|c" + " " * 60)
    for n_blocks in (1, 3, 40):
        listener = Listener(engine=SpeaksKorean(), writer=RuleWriter(korean_rules()))
        seen = [listener.hear(block) for block in np.array_split(waveform, n_blocks)]
        assert [word.text for word in listener.end()] == ["3시", "봐", "세", "시", "봐"]
    assert "3시 봐 세" in seen


def test_times_count_from_the_start_of_the_stream() -> None:
    words = heard(say(" " * 100 + "ab" + " " * 400 + "ca" + " " * 30), [])
    assert [(word.text, word.start) for word in words] == [("ab", 2.0), ("ca", 10.04)]


def test_speech_without_pauses_settles_at_quiet_moments_without_cutting_words() -> None:
    spoken = "|".join(["abc", "ca", "b", "abcabc"] * 60)
    listener = Listener()
    for block in np.array_split(say(spoken + " "), 40):
        listener.hear(block)
        assert listener.endpointer.behind_seconds < 0.5
    assert len(listener.utterances) > 3
    assert " ".join(word.text for word in listener.end()) == spoken.replace("|", " ")
    assert max(listener.engine.lengths) <= 4.1 * 16000


def test_digital_silence_costs_nothing_and_noise_little() -> None:
    listener = Listener()
    listener.hear(np.zeros(60 * 16000, np.float32))
    assert listener.end() == []
    assert listener.engine.lengths == []
    listener = Listener()
    for _ in range(100):
        listener.hear(say(" " * 25))
    assert listener.end() == []
    assert max(listener.engine.lengths) < 3 * 16000


def test_noise_without_speech_costs_nothing_if_a_detector_listens() -> None:
    spoken = say(" " * 90 + "ab|ca" + " " * 900 + "b" + " " * 500)
    listener, all_ears = Listener(detector=Loud(0.15)), Listener()
    for block in np.array_split(spoken, 80):
        listener.hear(block)
        all_ears.hear(block)
    assert listener.end() == all_ears.end()
    # Around each utterance the end of its pause is looked for.
    assert sum(listener.engine.lengths) < sum(all_ears.engine.lengths) / 3
    assert len(listener.engine.lengths) < 20


def test_computing_late_costs_little_more() -> None:
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
def test_results_do_not_depend_on_blocks_or_timing(spoken: str, cuts: list[int], tail: int) -> None:
    waveform = np.concatenate([say(spoken), np.zeros(tail, np.float32)])
    steady = heard(waveform, range(0, len(waveform), 1000))
    assert heard(waveform, cuts) == steady
    assert heard(waveform, cuts, lazy=True) == steady
    assert heard(waveform, []) == steady
    for lazy in (False, True):
        assert heard(waveform, cuts, lazy=lazy, detector=Loud(0.15)) == steady
    # A file has the same words.
    decoder = GreedyDecoder(LETTERS, WAV2VEC2_GRID)
    (frames,) = EchoEngine().forward([waveform], BEST)
    assert decoder.feed(frames) + decoder.finish() == steady


@given(spoken=st.lists(st.sampled_from(["a", "b|", "ca", " ", " " * 40]), max_size=60).map("".join))
@settings(max_examples=60, deadline=None)
def test_settled_words_never_change_and_precede_provisional_ones(spoken: str) -> None:
    listener = Listener()
    before: list[Word] = []
    for block in np.array_split(say(spoken), 30):
        listener.hear(block)
        assert listener.settled[: len(before)] == before
        before = list(listener.settled)
        for word in listener.endpointer.provisional()[:1]:
            assert not before or word.start >= before[-1].end
    letters = [char for char in spoken if char in "abc"]
    merged = "".join(word.text for word in listener.end())
    assert len(merged) <= len(letters)
