"""Upload -> blocks of samples at 16 kHz, mixed to mono or with all channels, within limits.

The first bytes choose the library and the format that it may open (`containers`). A file may hold
several recordings one after the other, each of which is opened separately. Everything is a
generator of blocks, so memory does not grow with the length of a recording.

Both libraries are native code that gets whatever a stranger sends, so the service runs
`read_audio` in the processes of `stt.audio.pool`.
"""

import wave
from collections.abc import Generator, Iterator
from io import BytesIO
from typing import BinaryIO, Protocol

import numpy as np

from stt.audio.channels import Splitter
from stt.audio.containers import Container, Found, explain, identify, next_beginning
from stt.audio.downmix import Downmix
from stt.audio.ffmpeg import Block, Source, unsupported
from stt.audio.findings import Findings
from stt.audio.limits import Cap
from stt.audio.readers import read_recording
from stt.audio.resampler import Resampler
from stt.audio.span import Span
from stt.audio.structure import Layout
from stt.errors import InvalidAudio, UnsupportedFormat
from stt.notices import Report
from stt.types import Waveform

MAX_RECORDINGS = 1000
"""In one file, behind each other."""
MIN_UNREAD_BYTES = 64
"""Fewer bytes hold no audio."""


class Blocks(Protocol):
    """Iterates over the blocks of a recording."""

    def __iter__(self) -> Iterator[Waveform]: ...
    def __next__(self) -> Waveform: ...

    @property
    def report(self) -> Report:
        """What was found out about the recording; complete after the last block."""
        ...

    @property
    def expected_seconds(self) -> float:
        """Length of the whole recording, as far as it shows by now: an estimate, or 0."""
        ...

    def close(self) -> None:
        """Stop reading.

        While another thread waits for a block, this either ends that wait or raises ValueError, as
        a generator does; then call it again later.
        """
        ...


class ReadAudio(Protocol):
    """`read_audio`, in this or another process."""

    def __call__(
        self,
        source: BinaryIO,
        *,
        max_seconds: float,
        track: int | None = None,
        split: bool = False,
    ) -> Blocks:
        """See `read_audio`."""
        ...


class Recording:
    """The `Blocks` of a generator that returns the report."""

    def __init__(self, blocks: Generator[Waveform, None, Report], cap: Cap | None = None) -> None:
        """``cap`` is the one that the generator uses."""
        self._blocks, self._cap = blocks, cap
        self.report = Report()

    def __iter__(self) -> "Recording":
        return self

    def __next__(self) -> Waveform:
        try:
            return next(self._blocks)
        except StopIteration as end:
            self.report = end.value or self.report
            raise

    @property
    def expected_seconds(self) -> float:
        """See `Blocks.expected_seconds`."""
        return max(self._cap.claimed_seconds, self._cap.seconds) if self._cap else 0.0

    def close(self) -> None:
        """See `Blocks.close`."""
        self._blocks.close()


def read_audio(
    source: BinaryIO, *, max_seconds: float, track: int | None = None, split: bool = False
) -> Recording:
    """Read a recording as blocks of about a second.

    The first `next` opens the file, so that this too happens off the event loop.

    For files that librosa can read, the joined blocks are within 1e-4 of
    ``librosa.load(source, sr=16000, mono=True)`` and have its length, unless the channels cancel
    each other or the file holds more than its first header claims.

    Args:
        source: Seekable; read from its start.
        max_seconds: Maximum length, by the header and by count. The samples of all channels are
            limited to those of ``max_seconds`` of stereo at 96 kHz.
        track: Number of the audio track, from 1. None: the default one, or the first with sound
            that can be decoded.
        split: Keep the channels apart instead of mixing them; a copy of another one is silent.

    Returns:
        Blocks of ``[n]`` float32 at 16 kHz, mono, or with ``split`` of ``[n_channels, n]``; finite.
        Where a file joins recordings, the number of channels may change. They raise

        - UnsupportedFormat: the file is in none of `stt.audio.containers.CONTAINERS`, or its codec
          is not accepted.
        - InvalidAudio: the content cannot be decoded, or is out of bounds.
        - AudioTooLong: more than ``max_seconds``.
    """
    cap = Cap(max_seconds)
    return Recording(_read(source, cap, track, split), cap)


def _read(
    source: BinaryIO, cap: Cap, track: int | None, split: bool
) -> Generator[Waveform, None, Report]:
    findings = Findings()
    mixer = Splitter(findings) if split else Mixer(findings)
    whole = Span(source, 0, source.seek(0, 2))
    if not len(whole):
        raise InvalidAudio("The file is empty (0 bytes); expected a recording.")
    is_first = True
    for span, found in _recordings(whole):
        if found is None:
            findings.unread_bytes += len(span)
            continue
        opened = Source(span, found.container, cap, findings, track)
        try:
            for block in read_recording(opened, found.container.layout(span)):
                yield from mixer.feed(block)
        except (InvalidAudio, UnsupportedFormat):
            if is_first:
                raise
            findings.unread_bytes += len(span)  # all or the rest of it
        is_first = False
    yield from mixer.finish()
    return findings.report()


def _recordings(whole: Span) -> Iterator[tuple[Span, Found | None]]:
    """The recordings in a file and, with None, the bytes between them.

    Raises:
        UnsupportedFormat: the file does not begin with a recording.
        InvalidAudio: it begins with the middle of one.
    """
    rest = whole
    for index in range(MAX_RECORDINGS):
        found = identify(rest)
        if found is None and index == 0:
            explain(rest)
            raise unsupported("The file is in no accepted audio format.")
        begin = found.begin if found else 0
        try:
            end = _end(rest.within(begin), found.container if found else None)
        except InvalidAudio:
            if index == 0:
                raise
            found, end = None, _end(rest.within(begin), None)
        yield rest.within(begin, begin + end), found
        rest = rest.within(begin + end)
        if len(rest) - rest.skip_zeros() < MIN_UNREAD_BYTES:
            return
    yield rest, None


def _end(span: Span, container: Container | None) -> int:
    """Where the recording ends that a span begins with, or the bytes that are none."""
    layout = container.layout(span) if container else Layout(None)
    if layout.end is None:
        return next_beginning(span, container) or len(span)
    behind = span.within(layout.end)
    is_doubtful = not layout.is_whole or (
        len(behind) - behind.skip_zeros() >= MIN_UNREAD_BYTES and identify(behind) is None
    )
    # A file that was cut off may reach into the next one, if its header is believed.
    found = next_beginning(span.within(0, layout.end), container) if is_doubtful else None
    return found or layout.end


class Mixer:
    """Blocks of any rate and channels -> mono at 16 kHz, without a seam."""

    def __init__(self, findings: Findings) -> None:
        self._downmix = Downmix(findings)
        self._resampler: Resampler | None = None
        self._rate = 0

    def feed(self, block: Block) -> Iterator[Waveform]:
        """Add a block; yields the samples that are final."""
        if self._resampler is None or block.rate != self._rate:
            yield from self.finish()
            self._resampler, self._rate = Resampler(block.rate), block.rate
        mono = self._downmix.feed(block.samples.T, block.rate)
        if len(resampled := self._resampler.feed(mono)):
            yield resampled

    def finish(self) -> Iterator[Waveform]:
        """Yield the rest. The total length is ``ceil(n * 16000 / rate)``, as librosa's."""
        if self._resampler is not None and len(tail := self._resampler.finish()):
            yield tail
        self._resampler, self._rate = None, 0


def warming_clip() -> BytesIO:
    """A second of faint stereo noise at 44.1 kHz, to warm up reader, resampler and model."""
    noise = np.random.default_rng(0).normal(0, 30, (44_100, 2)).astype("<i2")
    clip = BytesIO()
    with wave.open(clip, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    return clip
