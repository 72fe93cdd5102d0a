"""Telephone audio: G.711's eight bits of a sample -> sixteen (ITU-T G.711, 11/1988)."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""``[n]``, full scale is 2**15."""

MULAW_BIAS = 33
"""Added before the logarithm, so that the first segment begins at 0; in units of 14 bits."""


def mulaw(octets: bytes) -> Samples:
    """Expand μ-law, as in North America and Japan."""
    return _mulaw_table()[np.frombuffer(octets, np.uint8)]


def alaw(octets: bytes) -> Samples:
    """Expand A-law, as everywhere else."""
    return _alaw_table()[np.frombuffer(octets, np.uint8)]


Expand = Callable[[bytes], Samples]


@cache
def _mulaw_table() -> Samples:
    """``[256]``: all bits are inverted; sign, segment of 3 bits, place of 4 bits (table 2a)."""
    code = ~np.arange(256) & 0xFF
    segment, place = code >> 4 & 7, code & 15
    magnitude = (((place << 1) + MULAW_BIAS) << segment) - MULAW_BIAS
    return (np.where(code & 0x80, -magnitude, magnitude) * 4).astype(np.int16)


@cache
def _alaw_table() -> Samples:
    """``[256]``: even bits are inverted; a set sign bit is positive (table 1a)."""
    code = np.arange(256) ^ 0x55
    segment, place = code >> 4 & 7, code & 15
    linear = (place << 1) + 1
    magnitude = np.where(segment == 0, linear, (linear + 32) << np.maximum(segment - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) * 8).astype(np.int16)
