"""Random mutations of the corpus, as a fuzzer makes them; deterministic for a seed."""

import random
import struct
from collections.abc import Iterator

from tests.hostile import Hostile, corpus, mended_ogg, originals

HEAD_BYTES = 400
"""Half of all changes are in the headers, as samples are seldom interesting."""
NUMBERS = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 2**15 - 1, 2**15, 2**16 - 1, 2**24, 2**31 - 1,
           2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1]  # fmt: skip
LARGEST_BYTES = 60_000
"""Larger files, the bombs, take seconds each and are not mutated."""


def mutated(count: int, seed: int = 0) -> Iterator[Hostile]:
    """``count`` files; four of five mutate a valid recording, the others a broken one."""
    rng = random.Random(seed)
    whole = list(originals().items())
    broken = [(each.name, each.data) for each in corpus() if 0 < len(each.data) < LARGEST_BYTES]
    for index in range(count):
        name, data = rng.choice(whole if rng.random() < 0.8 else broken)
        _, other = rng.choice(whole)
        for _ in range(rng.choice((1, 1, 2, 3, 8))):
            data = _change(data, other, rng)
        # Decoders drop Ogg pages with wrong checksums, so most files get right ones.
        if b"OggS" in data[:4] and rng.random() < 0.8:
            data = mended_ogg(data)
        yield Hostile(f"{index}-{name}", data, frozenset())


def _change(data: bytes, other: bytes, rng: random.Random) -> bytes:
    end = min(HEAD_BYTES, len(data)) if rng.random() < 0.5 else len(data)
    at = rng.randrange(max(1, end))
    size = min(rng.choice((1, 2, 4, 16, 64, 300)), len(data) - at)
    match rng.randrange(9):
        case 0:  # one bit
            flipped = data[at] ^ 1 << rng.randrange(8) if data else 0
            return data[:at] + bytes((flipped,)) + data[at + 1 :]
        case 1:  # some bytes
            return data[:at] + rng.randbytes(size) + data[at + size :]
        case 2:  # a length, a rate, a count
            form = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
            value = rng.choice(NUMBERS) & (1 << 8 * struct.calcsize(form)) - 1
            return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]
        case 3:  # a run of zeros, or of ones
            return data[:at] + rng.choice((b"\0", b"\xff")) * size + data[at + size :]
        case 4:  # removed
            return data[:at] + data[at + size :]
        case 5:  # repeated
            return data[:at] + data[at : at + size] * rng.choice((2, 3, 50)) + data[at + size :]
        case 6:  # truncated
            return data[:at]
        case 7:  # the rest of another file
            return data[:at] + other[rng.randrange(len(other)) :]
        case _:  # two places swapped
            to = rng.randrange(max(1, len(data)))
            first, second = sorted((at, to))
            size = min(size, second - first, len(data) - second)
            one, two = data[first : first + size], data[second : second + size]
            return data[:first] + two + data[first + size : second] + one + data[second + size :]
