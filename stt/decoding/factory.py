"""Makes the decoder that a request asks for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from stt.decoding.base import Decoder
from stt.decoding.greedy import GreedyDecoder
from stt.engines.base import Engine
from stt.engines.wants import BEST, DecodingWant
from stt.frames import DecodableFrames

D = TypeVar("D", bound=DecodableFrames)
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Opened(Generic[D]):
    """A decoder for one recording, and the frames that it takes."""

    want: DecodingWant[D]
    decoder: Decoder[D]
    is_slow: bool
    """Whether it would hold up an event loop."""

    async def run(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a step of the decoder, in a thread if it is slow."""
        if self.is_slow:
            return await asyncio.to_thread(step, *args, **kwargs)
        return step(*args, **kwargs)


@dataclass(frozen=True)
class Decoding:
    """How to decode a recording."""

    def open(self, engine: Engine) -> Opened[Any]:
        """Make a decoder for the frames of an engine."""
        decoder = GreedyDecoder(engine.vocabulary, engine.grid, engine.calibration)
        return Opened(BEST, decoder, is_slow=False)


GREEDY = Decoding()
"""The best path, without a language model."""
