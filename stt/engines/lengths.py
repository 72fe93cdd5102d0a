"""Lengths that oneDNN has kernels for.

oneDNN builds kernels for each new length. In int8 that added a third to the time of a 3 s clip; in
bf16 on AMX 160 ms to each of 16 recordings of XLSR-large that had other lengths
(docs/benchmarks-history.md). So lengths are rounded up. A product of 149 rows is also slower than
one of 160.
"""

CONTEXT_FRAMES, ENCODER_FRAMES = 16, 20
"""The context network and the pieces of the feature encoder get multiples of these."""


def round_up(number: int, step: int) -> int:
    """The least multiple of ``step`` that is no less than a number."""
    return -(-number // step) * step
