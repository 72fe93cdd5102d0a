"""Frames of the windows of a recording -> words, each channel with a decoder of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic

from stt.decoding.factory import D, Opened
from stt.engines.wants import DecodingWant
from stt.recognition.channels import MIXED, ChannelCutters
from stt.recognition.chunking import Window
from stt.recognition.writer import Writer
from stt.types import SAMPLE_RATE, Word


@dataclass(frozen=True)
class Voice(Generic[D]):
    """Decodes and writes one channel."""

    opened: Opened[D]
    writer: Writer
    blank: int
    """Column of the CTC blank."""

    async def feed(self, window: Window, frames: D) -> list[Word]:
        """Add the frames of a window's core; return the words that are settled."""
        words: list[Word] = []
        if window.silent_before:
            blanks = self.opened.want.blanks(window.silent_before, self.blank)
            words += await self.opened.run(self._decode, blanks)
        return words + await self.opened.run(self._decode, frames)

    async def finish(self) -> list[Word]:
        """Return the other words."""
        return await self.opened.run(self._finish)

    def _decode(self, frames: D) -> list[Word]:
        return self.writer.feed(self.opened.decoder.feed(frames))

    def _finish(self) -> list[Word]:
        return self.writer.feed(self.opened.decoder.finish()) + self.writer.finish()


class Voices:
    """The voices of all channels, each from its first window on."""

    def __init__(self, open_voice: Callable[[], Voice[Any]], cutters: ChannelCutters) -> None:
        """Raises what ``open_voice`` raises."""
        self._open_voice, self._cutters = open_voice, cutters
        self._unused: Voice[Any] | None = open_voice()
        self.want: DecodingWant[Any] = self._unused.opened.want
        """What each frame is reduced to."""
        self._voices: dict[int, Voice[Any]] = {}

    async def feed(self, window: Window, frames: Any) -> list[Word]:
        """Add the frames of a window's core; return the words of its channel that are settled."""
        if window.channel not in self._voices:
            self._voices[window.channel] = self._unused or self._open_voice()
            self._unused = None
        return self._placed(window.channel, await self._voices[window.channel].feed(window, frames))

    async def finish(self) -> list[Word]:
        """Return the other words, one channel after the other."""
        rest: list[Word] = []
        for number, voice in sorted(self._voices.items()):
            rest += self._placed(number, await voice.finish())
        return rest

    def _placed(self, number: int, words: list[Word]) -> list[Word]:
        if number == MIXED:
            return words
        seconds = self._cutters.begins[number] / SAMPLE_RATE
        return [on_channel(word, number, seconds) for word in words]


def on_channel(word: Word, channel: int, begin_seconds: float) -> Word:
    """A word of a channel, at its times in the recording.

    Args:
        word: At times from the first sample of its channel on.
        channel: Its number, from 1.
        begin_seconds: When the channel begins.
    """
    tokens = tuple(
        replace(each, times=(each.times[0] + begin_seconds, each.times[1] + begin_seconds))
        if each.times
        else each
        for each in word.tokens
    )
    start, end = word.start + begin_seconds, word.end + begin_seconds
    return replace(word, start=start, end=end, tokens=tokens, channel=channel)
