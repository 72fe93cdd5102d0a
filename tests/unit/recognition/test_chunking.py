from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.recognition.chunking import KEPT_SECONDS, Window, WindowCutter
from stt.types import SAMPLE_RATE, FrameGrid, Waveform
from tests.fakes import Loud

GRID = FrameGrid(stride_samples=4, receptive_samples=6)


def cut(
    n_samples: int, blocks: list[int], window: float, context: float, search: float = 0
) -> list[Window]:
    """Cut a ramp (sample i has value i), fed in blocks whose lengths cycle through ``blocks``."""
    cutter = WindowCutter(
        GRID,
        window_seconds=window * 4 / 16000,
        context_seconds=context * 4 / 16000,
        cut_search_seconds=search * 4 / 16000,
    )
    ramp = np.arange(n_samples, dtype=np.float32)
    windows, position, turn = [], 0, 0
    while position < n_samples:
        length = blocks[turn % len(blocks)]
        windows += cutter.feed(ramp[position : position + length])
        position, turn = position + length, turn + 1
    return windows + cutter.finish()


@given(
    n_samples=st.integers(0, 400),
    blocks=st.lists(st.integers(1, 90), min_size=1, max_size=4),
    window=st.integers(3, 30),
    context=st.integers(0, 14),
    search=st.integers(0, 20),
)
@settings(max_examples=600, deadline=None)
def test_cores_partition_the_frames_of_the_whole_recording(
    n_samples: int, blocks: list[int], window: int, context: int, search: int
) -> None:
    context = min(context, (window - 1) // 2)
    search = min(search, window - 2 * context - 1)
    windows = cut(n_samples, blocks, window, context, search)
    covered = []
    for each in windows:
        begin = each.first_frame - each.core.start
        n_frames = GRID.n_frames(len(each.waveform))
        assert 0 <= each.core.start < each.core.stop <= n_frames
        # Frame i of the window covers the samples of frame `begin + i` of the whole.
        assert each.waveform[0] == begin * 4
        covered += range(begin + each.core.start, begin + each.core.stop)
    assert covered == list(range(GRID.n_frames(n_samples)))


@given(
    n_samples=st.integers(0, 400),
    window=st.integers(3, 30),
    context=st.integers(0, 14),
    search=st.integers(0, 20),
)
@settings(max_examples=300, deadline=None)
def test_windows_but_the_last_have_one_length_and_all_have_full_context(
    n_samples: int, window: int, context: int, search: int
) -> None:
    context = min(context, (window - 1) // 2)
    search = min(search, window - 2 * context - 1)
    windows = cut(n_samples, [17], window, context, search)
    if len(windows) > 1:
        *firsts, last = [len(each.waveform) for each in windows]
        assert set(firsts) == {GRID.n_samples(window)}
        assert GRID.n_samples(window // 2) <= last <= GRID.n_samples(window)
    for before, after in pairwise(windows):
        right = GRID.n_frames(len(before.waveform)) - before.core.stop
        assert context <= right <= context + search
        assert after.core.start >= context


def test_a_core_ends_at_the_quietest_moment() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(0, 1, 16000 * 40).astype(np.float32)
    pause = slice(round(16.9 * 16000), round(17.2 * 16000))
    samples[pause] *= 0.01
    grid = FrameGrid(stride_samples=320, receptive_samples=400)
    cutter = WindowCutter(grid, window_seconds=20, context_seconds=2, cut_search_seconds=2)
    first = cutter.feed(samples)[0]
    assert 16.9 < grid.seconds(first.core.stop) < 17.2


def test_a_recording_of_one_window_stays_whole() -> None:
    # 10 frames cover 42 samples; the 3 after them belong to no frame but stay in the waveform.
    [window] = cut(45, [7], window=10, context=2)
    assert window.waveform.tolist() == list(range(45))
    assert (window.core, window.first_frame) == (slice(0, 10), 0)


def test_the_last_window_has_at_least_half_of_the_others_length() -> None:
    first, last = cut(46, [46], window=10, context=2)  # 11 frames
    assert (first.core, first.first_frame) == (slice(0, 8), 0)
    assert last.waveform[0] == 6 * 4.0  # frame 6, the first of the context
    assert (last.core, last.first_frame) == (slice(2, 5), 8)
    first, last = cut(46, [46], window=10, context=1)
    assert (first.core, first.first_frame) == (slice(0, 9), 0)
    assert last.waveform[0] == 6 * 4.0  # with a context of 3 frames
    assert (last.core, last.first_frame) == (slice(3, 5), 9)


@pytest.mark.parametrize("n_samples", [0, 1, 5])
def test_less_than_a_frame_gives_no_window(n_samples: int) -> None:
    assert cut(n_samples, [3], window=10, context=2) == []


def test_the_buffer_does_not_grow_with_the_recording() -> None:
    cutter = WindowCutter(GRID, window_seconds=10 * 4 / 16000, context_seconds=2 * 4 / 16000)
    held = []
    for _ in range(500):
        cutter.feed(np.zeros(10, np.float32))
        held.append(sum(len(block) for block in cutter._blocks))
    assert max(held) <= 2 * GRID.n_samples(10) + 10


def test_the_grid_equals_transformers_arithmetic() -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    config = Wav2Vec2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=1,
                            intermediate_size=16, conv_dim=(8,) * 7, vocab_size=5,
                            num_conv_pos_embedding_groups=1)  # fmt: skip
    model = Wav2Vec2ForCTC(config)
    grid = FrameGrid.of_convolutions(config.conv_kernel, config.conv_stride)
    assert (grid.stride_samples, grid.receptive_samples) == (320, 400)
    for n_samples in [400, 401, 719, 720, 721, 16000, 16079, 16080, 123457]:
        assert grid.n_frames(n_samples) == int(model._get_feat_extract_output_lengths(n_samples))


@given(
    layers=st.lists(st.tuples(st.integers(1, 10), st.integers(1, 5)), min_size=1, max_size=5),
    n_samples=st.integers(1, 5000),
)
def test_one_floor_equals_the_nested_floors(layers: list[tuple[int, int]], n_samples: int) -> None:
    length = n_samples
    for kernel, stride in layers:
        length = (length - kernel) // stride + 1 if length >= kernel else 0
    grid = FrameGrid.of_convolutions([k for k, _ in layers], [s for _, s in layers])
    assert grid.n_frames(n_samples) == length


@given(n_samples=st.integers(0, 300), n_frames=st.integers(1, 40))
def test_pieces_partition_the_frames(n_samples: int, n_frames: int) -> None:
    pieces = list(GRID.pieces(n_samples, n_frames))
    starts = [piece.start // GRID.stride_samples for piece in pieces]
    counts = [GRID.n_frames(len(range(n_samples)[piece])) for piece in pieces]
    assert starts == list(range(0, GRID.n_frames(n_samples), n_frames))
    assert sum(counts) == GRID.n_frames(n_samples)
    assert all(count == n_frames for count in counts[:-1])


SPEECH_GRID = FrameGrid(stride_samples=320, receptive_samples=400)


def cut_speech(
    *stretches: tuple[float, bool], block: int = 5000, search: float = 2
) -> list[Window]:
    """Cut stretches of so many seconds, each speech or not; sample i of speech has value i + 1."""
    pieces = [np.full(round(seconds * SAMPLE_RATE), speaks) for seconds, speaks in stretches]
    speaks = np.concatenate(pieces)
    waveform = np.where(speaks, np.arange(1, len(speaks) + 1), 0).astype(np.float32)
    cutter = WindowCutter(
        SPEECH_GRID,
        window_seconds=20,
        context_seconds=2,
        cut_search_seconds=search,
        detector=Loud(),
    )
    windows = []
    for begin in range(0, len(waveform), block):
        windows += cutter.feed(waveform[begin : begin + block])
    windows += cutter.finish()
    check_cover(windows, waveform)
    return windows


def check_cover(windows: list[Window], waveform: Waveform) -> None:
    """Cores and silences cover all frames in order; what is in no core is no speech."""
    covered = 0
    for window in windows:
        assert window.first_frame == covered + window.silent_before
        begin = (window.first_frame - window.core.start) * 320
        assert np.array_equal(window.waveform, waveform[begin : begin + len(window.waveform)])
        n_frames = SPEECH_GRID.n_frames(len(window.waveform))
        assert 0 <= window.core.start < window.core.stop <= n_frames
        assert len(window.waveform) <= SPEECH_GRID.n_samples(1000) + 400
        kept = round(KEPT_SECONDS * SAMPLE_RATE)
        silent = waveform[
            max(0, covered * 320 - kept + 320) : window.first_frame * 320 + kept - 320
        ]
        assert not window.silent_before or not silent.any()
        covered = window.first_frame + window.core.stop - window.core.start
    assert not waveform[covered * 320 + 400 :].any()


def spans(windows: list[Window]) -> list[tuple[float, float]]:
    """Begin and end of each window, in seconds."""
    begins = [(each.first_frame - each.core.start) * 0.02 for each in windows]
    return [
        (round(begin, 1), round(begin + len(each.waveform) / SAMPLE_RATE, 1))
        for begin, each in zip(begins, windows, strict=True)
    ]


def test_long_pauses_are_in_no_window() -> None:
    windows = cut_speech((3, True), (5, False), (4, True), (30, False), (2, True), (9, False))
    assert spans(windows) == [(0.0, 3.4), (7.6, 12.4), (41.6, 44.4)]
    assert all(window.core.start == 0 for window in windows)


def test_what_a_pause_saves_is_counted_in_the_frames_of_the_grid() -> None:
    grid = FrameGrid(stride_samples=1280, receptive_samples=1280)
    cutter = WindowCutter(grid, window_seconds=20, context_seconds=2, detector=Loud())
    # 43 chunks of silence, less what is kept: 12 frames, as many as a second has.
    first, *_ = cutter.feed(np.repeat(np.float32([0, 1]), [43 * 512, 30 * SAMPLE_RATE]))
    assert (first.first_frame, first.silent_before) == (12, 12)


def test_short_pauses_leave_a_short_recording_whole() -> None:
    [window] = cut_speech((0.5, False), (3, True), (1.5, False), (4, True), (1, False))
    assert spans([window]) == [(0.0, 10.0)]


def test_a_full_window_ends_in_its_last_pause_and_the_next_begins_there() -> None:
    windows = cut_speech((12, True), (0.5, False), (5, True), (0.5, False), (14, True))
    assert spans(windows) == [(0.0, 17.7), (17.7, 32.0)]
    assert [window.core.start for window in windows] == [0, 0]


def test_speech_without_pauses_is_cut_as_without_a_detector() -> None:
    waveform = np.random.default_rng(0).normal(0, 1, 50 * SAMPLE_RATE).astype(np.float32)
    found = []
    for detector in (None, Loud()):
        cutter = WindowCutter(
            SPEECH_GRID, window_seconds=20, context_seconds=2, cut_search_seconds=2,
            detector=detector,
        )  # fmt: skip
        found.append(spans([*cutter.feed(waveform), *cutter.finish()]))
    assert found[0] == found[1]
    assert len(found[0]) == 3


def test_a_short_recording_without_speech_is_computed_once_a_long_one_never() -> None:
    assert spans(cut_speech((19, False))) == [(0.0, 19.0)]
    assert cut_speech((21, False)) == []
    assert cut_speech((600, False)) == []


@given(
    stretches=st.lists(st.tuples(st.floats(0.02, 25), st.booleans()), min_size=1, max_size=6),
    block=st.sampled_from([1700, 5000, 100_000]),
    search=st.sampled_from([0.0, 2.0]),
)
@settings(max_examples=40, deadline=None)
def test_no_speech_is_left_out_and_blocks_do_not_matter(
    stretches: list[tuple[float, bool]], block: int, search: float
) -> None:
    windows = cut_speech(*stretches, block=block, search=search)
    assert spans(windows) == spans(cut_speech(*stretches, block=16000, search=search))


def test_silence_takes_no_memory() -> None:
    cutter = WindowCutter(SPEECH_GRID, window_seconds=20, context_seconds=2, detector=Loud())
    held = []
    for _ in range(300):
        assert cutter.feed(np.zeros(SAMPLE_RATE, np.float32)) == []
        held.append(sum(len(block) for block in cutter._blocks))
    assert max(held[25:]) <= 2 * SAMPLE_RATE
