"""What engines reduce log-probs to, in numpy and in torch."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stt.cluster.wire import Reply
from stt.engines.wants import BEST, Columns, Top, Want
from stt.types import LogProbs

BLANK = 0
LOG_PROBS: LogProbs = np.log(
    np.array(
        [[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.05, 0.15], [0.01, 0.5, 0.29, 0.2]], dtype=np.float32
    )
)


def test_top_keeps_the_likeliest_symbols_and_the_blank() -> None:
    top = Top(BLANK, n=2).reduce(LOG_PROBS)
    assert top.columns.tolist() == [[3, 0], [0, 3], [1, 0]]
    assert np.allclose(np.exp(top.log_probs), [[0.4, 0.1], [0.7, 0.15], [0.5, 0.01]])
    assert top.best.tolist() == [3, 0, 1]
    assert np.allclose(top.log_norms, 0, atol=1e-6)


def test_the_norms_of_top_give_the_posteriors_of_best() -> None:
    top, best = Top(BLANK).reduce(LOG_PROBS, 1.5), BEST.reduce(LOG_PROBS, 1.5)
    assert np.allclose(top.log_probs[:, 0] / 1.5 - top.log_norms, best.log_posteriors, atol=1e-6)


def test_columns_come_in_the_order_asked_for() -> None:
    frames = Columns((2, 0)).reduce(LOG_PROBS)
    assert np.allclose(np.exp(frames.log_probs), [[0.3, 0.1], [0.05, 0.7], [0.29, 0.01]])
    assert np.allclose(np.exp(frames.best), [0.4, 0.7, 0.5])


@given(
    seed=st.integers(0, 999),
    n_vocab=st.integers(2, 60),
    want=st.sampled_from([BEST, Top(BLANK), Top(BLANK, n=4), Columns((1, 0))]),
)
def test_torch_reduces_as_numpy_does(seed: int, n_vocab: int, want: Want[Any]) -> None:
    # No two are equal: which of them is among the likeliest would be chance.
    distinct = np.tile(np.linspace(0, 9, n_vocab, dtype=np.float32), (9, 1))
    scores = np.random.default_rng(seed).permuted(distinct, axis=1)
    log_probs: LogProbs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    expected = want.reduce(log_probs, 1.4)
    tensors = want.reduce_tensor(torch.from_numpy(log_probs)[None], 1.4)
    frames = want.frames([tensor[0].numpy() for tensor in tensors])
    for mine, theirs in zip(frames.arrays(), expected.arrays(), strict=True):
        assert mine.dtype == theirs.dtype
        assert np.allclose(mine, theirs, atol=1e-5)


@pytest.mark.parametrize("want", [BEST, Top(BLANK, n=2), Columns((1, 3, 0))])
def test_frames_cross_the_network_unchanged_and_can_be_cut(want: Want[Any]) -> None:
    frames = want.reduce(LOG_PROBS)
    again = Reply.of(frames, 0.1, 0.2).frames(want)
    for mine, sent in zip(again.arrays(), frames.arrays(), strict=True):
        assert mine.dtype == sent.dtype
        assert np.array_equal(mine, sent)
    assert len(frames[1:]) == 2
    assert np.array_equal(frames[1:].log_probs, frames.log_probs[1:])
