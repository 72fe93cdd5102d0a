from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.recognition.chunking import Window, WindowCutter
from stt.types import FrameGrid

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
def test_windows_have_one_length_and_full_context(
    n_samples: int, window: int, context: int, search: int
) -> None:
    context = min(context, (window - 1) // 2)
    search = min(search, window - 2 * context - 1)
    windows = cut(n_samples, [17], window, context, search)
    if len(windows) > 1:
        assert {len(each.waveform) for each in windows} == {GRID.n_samples(window)}
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


def test_the_last_window_is_filled_with_earlier_audio() -> None:
    first, last = cut(46, [46], window=10, context=2)  # 11 frames
    assert (first.core, first.first_frame) == (slice(0, 8), 0)
    assert last.waveform[0] == 4.0
    assert (last.core, last.first_frame) == (slice(7, 10), 8)


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
