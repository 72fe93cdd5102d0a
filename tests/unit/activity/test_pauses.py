import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES
from stt.activity.pauses import Pause, Pauses
from stt.types import Waveform
from tests.fakes import Loud


class Keen(Loud):
    """Listens to stretches of two chunks or more; hears a chunk before them, and low voices."""

    least_chunks = 2
    lead_chunks = 1

    def __init__(self) -> None:
        super().__init__(0.5)
        self.n_heard = 0

    def listen(self) -> "Keen.Ear":
        return Keen.Ear(self)

    class Ear:
        def __init__(self, detector: "Keen") -> None:
            self._detector = detector

        def feed(self, samples: Waveform) -> NDArray[np.bool_]:
            self._detector.n_heard += len(samples) // CHUNK_SAMPLES
            return samples[::CHUNK_SAMPLES] == 0


def heard(pattern: str, blocks: int = 1, more: int = 0, detector: Loud | None = None) -> Pauses:
    """The pauses of chunks and some samples: ``-`` is silence, ``#`` loud, ``.`` a low voice."""
    chunks = np.repeat([{"-": 0.0, ".": 0.3, "#": 1.0}[char] for char in pattern], CHUNK_SAMPLES)
    pauses = Pauses(detector or Loud())
    for block in np.array_split(np.append(chunks, np.zeros(more)).astype(np.float32), blocks):
        pauses.feed(block)
    return pauses


def test_pauses_are_runs_of_quiet_chunks() -> None:
    pauses = heard("--##---#-", more=100)
    found = [(pause.begin // 512, pause.end // 512, pause.is_open) for pause in pauses.after(0)]
    assert found == [(0, 2, False), (4, 7, False), (8, 9, True)]
    assert [pause.begin // 512 for pause in pauses.after(2 * 512)] == [4, 8]
    pauses.forget_before(7 * 512)
    assert list(pauses.after(0)) == [Pause(8 * 512, 9 * 512, is_open=True)]


@given(pattern=st.text("-#", max_size=30), blocks=st.integers(1, 40), more=st.integers(0, 511))
@settings(max_examples=80)
def test_blocks_do_not_matter(pattern: str, blocks: int, more: int) -> None:
    assert list(heard(pattern, blocks, more).after(0)) == list(heard(pattern).after(0))


@given(pattern=st.text("-.#", max_size=30), blocks=st.integers(1, 40))
@settings(max_examples=80)
def test_a_listener_decides_about_each_stretch(pattern: str, blocks: int) -> None:
    found = list(heard(pattern, blocks, detector=Keen()).after(0))
    quiet = list(heard(pattern.replace(".", "#")).after(0))
    assert found == [pause for pause in quiet if pause.length >= 2 * 512]


@given(pattern=st.text("-.#", max_size=30), asked=st.integers(0, 30), least=st.integers(0, 6))
@settings(max_examples=80)
def test_when_somebody_asks_does_not_matter(pattern: str, asked: int, least: int) -> None:
    pauses = Pauses(Keen())
    for index, char in enumerate(pattern):
        pauses.feed(np.full(CHUNK_SAMPLES, {"-": 0.0, ".": 0.3, "#": 1.0}[char], np.float32))
        if index == asked:
            list(pauses.after(0, at_least=least * CHUNK_SAMPLES))
            pauses.open_pause()
    expected = list(heard(pattern, detector=Keen()).after(0))
    assert list(pauses.after(0)) == expected
    assert list(pauses.last_after(0)) == expected[::-1]
    last = expected[-1] if expected else None
    assert pauses.open_pause() == (last if last and last.is_open else None)


def test_only_stretches_of_the_length_asked_for_are_listened_to() -> None:
    detector = Keen()
    pauses = heard("#--#-#----##.....-#", detector=detector)
    assert [pause.length // 512 for pause in pauses.after(0, at_least=4 * 512)] == [4]
    assert detector.n_heard == 1 + 4 + 1 + 6
    assert len(list(pauses.after(0))) == 2
    assert detector.n_heard == 12 + 1 + 2


def test_what_is_forgotten_is_not_held_and_a_stretch_keeps_its_lead() -> None:
    detector = Keen()
    pauses = heard("##--##" * 50, detector=detector)
    assert sum(map(len, pauses._held)) == 300 * 512
    pauses.forget_before((300 - 6) * 512 + 1)
    assert sum(map(len, pauses._held)) == (4 + 1) * 512
    assert [pause.begin // 512 for pause in pauses.after(0)] == [296]
    pauses.forget_before(300 * 512)
    assert sum(map(len, pauses._held)) == 512


def test_pauses_are_forgotten_while_their_stretch_goes_on() -> None:
    pauses = heard("--.." * 50 + "--", detector=Keen())
    assert len(list(pauses.after(0))) == 51
    pauses.forget_before(190 * 512)
    assert [len(stretch.quiet) for stretch in pauses._stretches] == [3]
    pauses.forget_before(202 * 512 - 1)
    pauses.feed(np.zeros(512, np.float32))
    assert list(pauses.after(0)) == [Pause(200 * 512, 203 * 512, is_open=True)]


def test_a_range_is_covered_by_what_was_heard_up_to_its_end() -> None:
    pauses = heard("##----#")
    assert pauses.cover(2 * 512, 6 * 512)
    assert pauses.cover(2 * 512 + 40, 6 * 512 + 511)
    assert not pauses.cover(2 * 512, 7 * 512)
    assert not pauses.cover(2 * 512 - 1, 6 * 512)
    assert pauses.cover(3 * 512 + 1, 3 * 512 + 9)
