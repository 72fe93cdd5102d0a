"""Reads recordings with FFmpeg's libraries, through PyAV.

FFmpeg is told which container to open and is forbidden every protocol; otherwise it would follow
playlists and session descriptions to other files and hosts.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stt.audio.containers import ACCEPTED, Container
from stt.audio.findings import Findings
from stt.audio.limits import Cap, check_shape
from stt.audio.span import Span
from stt.errors import AudioError, InvalidAudio, UnsupportedFormat
from stt.notices import Code

BLOCK_SECONDS = 1
DECODERS = (
    "aac,aac_latm,ac3,eac3,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,flac,mp1,mp1float,"
    "mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,speex,gsm,gsm_ms,g722,g723_1,g726,g726le,"
    "adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,adpcm_yamaha,wmav1,wmav2,wmapro,wmavoice,wmalossless,"
    "pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)
"""What recorders put into these containers. FFmpeg has 200 more, and video, and would open any that
a file asks for."""
MAX_BAD_PACKETS = 500
"""Packets in a row that cannot be decoded: then there is nothing more to find."""
PROBE_SECONDS = 60.0
"""How far into a track to look for sound."""
SILENT = 1e-3
"""Peak below which a track counts as silent: -60 dBFS."""
MAX_PROBED_TRACKS = 8
IS_DEFAULT = 1
"""FFmpeg's flag of the track that players choose."""
MAX_BARE_AAC_BYTES = 2**20
"""AAC in WAV is decoded at once, to samples of 50 times its size."""
MIN_GAP_SECONDS = 0.01
"""Matroska rounds times to milliseconds."""
JUMP_SECONDS = 1.0
"""A time so far before the end of what was heard begins another clock."""


@dataclass(frozen=True)
class Block:
    """Some samples."""

    samples: NDArray[np.float32]
    """``[n, n_channels]`` float32, full scale at 1; not checked."""
    rate: int
    """Hz."""


@dataclass(frozen=True)
class Source:
    """What to read, and where to count and note."""

    span: Span
    container: Container
    cap: Cap
    findings: Findings
    track: int | None = None
    """Number of the audio track, from 1; None chooses one."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further ones of the demuxer."""


def read_with_ffmpeg(source: Source) -> Iterator[Block]:
    """Blocks of about a second.

    Raises:
        AudioError: as `stt.audio.reading.read_audio`.
    """
    container, cap = source.container, source.cap
    with _open(source) as file:
        stream = _choose(file, source)
        claimed = _claimed_seconds(file, stream)
        cap.check_header(int(stream.rate or 0), int(stream.channels or 0), claimed)
        before, n_blocks = cap.heard_seconds, 0
        for block in _grouped(_frames(file, stream, source)):
            n_blocks += 1
            yield block
        heard = cap.heard_seconds - before
        if not n_blocks and claimed > 0:
            raise InvalidAudio("The audio track cannot be decoded.")
        if container.is_exact and heard < claimed - 0.5 / stream.rate:
            raise InvalidAudio(
                f"The {container.name} data is cut off: there is less than its header says."
            )


@contextmanager
def _open(source: Source) -> Iterator[Any]:
    import av

    try:
        file = av.open(
            source.span,
            mode="r",
            format=source.container.demuxer,
            metadata_errors="ignore",
            options={"protocol_whitelist": "none", "codec_whitelist": DECODERS, **source.options},
        )
    except (av.FFmpegError, ValueError, OverflowError, MemoryError) as error:
        raise InvalidAudio(
            f"The file starts like {source.container.name} audio but cannot be decoded; it may be "
            "damaged."
        ) from error
    with file:
        yield file


def _choose(file: Any, source: Source) -> Any:
    """The stream of the track that was asked for, or of the best one."""
    tracks = file.streams.audio
    if not tracks:
        raise InvalidAudio("The file has no audio track.")
    wanted = source.track
    if wanted is not None and not 1 <= wanted <= len(tracks):
        raise InvalidAudio(
            f"The file has no audio track {wanted}; it has {len(tracks)}, counted from 1."
        )
    number = wanted or _find_track(tracks, source)
    chosen = tracks[number - 1]
    _check_codec(chosen)
    source.findings.track, source.findings.n_tracks = number, len(tracks)
    for stream in file.streams:
        if stream is not chosen:
            stream.discard = type(stream.discard).all
    return chosen


def _find_track(tracks: Any, source: Source) -> int:
    """The default track or the first, unless it is silent and another is not."""
    usable = [number for number, each in enumerate(tracks, 1) if _is_allowed(each)]
    if usable and usable[0] > 1:
        source.findings.add(
            Code.SKIPPED_TRACK,
            f"Audio track 1 is {_codec_name(tracks[0])}, which is not accepted; track {usable[0]} "
            "is the first that can be decoded.",
        )
    usable.sort(key=lambda number: not int(tracks[number - 1].disposition) & IS_DEFAULT)
    if len(usable) > 1:
        probed = usable[:MAX_PROBED_TRACKS]
        return next((each for each in probed if _has_sound(each, source)), usable[0])
    return usable[0] if usable else 1


def _has_sound(number: int, source: Source) -> bool:
    """Whether there is any in the first minute of a track."""
    cap = Cap(2 * PROBE_SECONDS)
    probe = replace(source, span=source.span.within(0), track=number, cap=cap, findings=Findings())
    try:
        for block in read_with_ffmpeg(probe):
            if np.abs(block.samples).max(initial=0) > SILENT:
                return True
            if cap.seconds > PROBE_SECONDS:
                break
    except AudioError:
        pass  # so another track is better
    return False


def _is_allowed(stream: Any) -> bool:
    codec = stream.codec_context
    return codec is not None and codec.name in DECODERS.split(",")


def _codec_name(stream: Any) -> str:
    """FFmpeg's name, never text from the file."""
    codec = stream.codec_context
    return "of an unknown codec" if codec is None else str(codec.codec.long_name)


def _check_codec(stream: Any) -> None:
    if stream.codec_context is None:  # unknown to FFmpeg, too
        raise InvalidAudio("The codec of the audio track is unknown; the file may be damaged.")
    if not _is_allowed(stream):
        raise unsupported(f"The codec of the audio track is not accepted: {_codec_name(stream)}.")


def unsupported(what: str) -> UnsupportedFormat:
    """The error for content that is not accepted."""
    return UnsupportedFormat(f"{what} Send one of {ACCEPTED}.")


def _claimed_seconds(file: Any, stream: Any) -> float:
    import av

    return max(
        float(file.duration or 0) / av.time_base,
        float((stream.duration or 0) * (stream.time_base or 0)),
    )


def _grouped(parts: Iterator[Block]) -> Iterator[Block]:
    """Blocks of about a second: a frame is 20 ms, too little to mix and resample efficiently."""
    held: list[Block] = []
    length = 0
    for part in parts:
        same = held and (part.rate, part.samples.shape[1]) == (
            held[0].rate,
            held[0].samples.shape[1],
        )
        if held and (length >= BLOCK_SECONDS * part.rate or not same):
            yield _joined(held)
            held, length = [], 0
        held.append(part)
        length += len(part.samples)
    if held:
        yield _joined(held)


def _joined(blocks: list[Block]) -> Block:
    return Block(np.concatenate([each.samples for each in blocks]), blocks[0].rate)


def _frames(file: Any, stream: Any, source: Source) -> Iterator[Block]:
    """The track's frames without damaged ones, with silence for the gaps between them."""
    has_clock = source.container.has_clock
    clock = Clock(_zero(file, stream, source.container)) if has_clock else None
    unpack = _Unpacker()
    for frame in _decoded(file, stream, source.findings):
        rate, n_channels = frame.sample_rate, frame.layout.nb_channels
        check_shape(rate, n_channels)
        gap = 0.0 if clock is None else clock.gap(frame.time, frame.samples / rate)
        if gap and not source.cap.add_silence(gap):
            source.findings.add(
                Code.TIMESTAMPS,
                f"The timestamps jump ahead by {gap:.0f} s, too far to be a pause. The jump is "
                "left out, so later times may be early.",
            )
            clock = None
            gap = 0.0
        source.cap.count(frame.samples, n_channels, rate)
        yield from _silence(round(gap * rate), n_channels, rate)
        for samples in unpack(frame):
            for begin in range(0, len(samples), BLOCK_SECONDS * rate):  # usually once
                yield Block(samples[begin : begin + BLOCK_SECONDS * rate], rate)


def _silence(n_samples: int, n_channels: int, rate: int) -> Iterator[Block]:
    """Block by block: minutes at once would exceed a reader's memory."""
    block = BLOCK_SECONDS * rate
    for begin in range(0, n_samples, block):
        yield Block(np.zeros((min(block, n_samples - begin), n_channels), np.float32), rate)


def _decoded(file: Any, stream: Any, findings: Findings) -> Iterator[Any]:
    """The frames of the packets that can be decoded."""
    import av

    damage: Exception | None = None
    found_any, n_bad = False, 0
    packets = _packets(file, stream)
    while n_bad < MAX_BAD_PACKETS:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            packet, damage = None, error  # cut off: keep what came before
            findings.damaged_packets += 1
        if packet is None:
            break
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError, MemoryError) as error:
            damage, n_bad = error, n_bad + 1  # a gap of about 20 ms, not the end
            findings.damaged_packets += 1
            continue
        for frame in frames:
            found_any, n_bad = True, 0
            yield frame
    if damage and not found_any:
        raise InvalidAudio("The audio track cannot be decoded.") from damage


def _packets(file: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream; those of AAC in WAV in one, as nothing says where its frames begin.

    Raises:
        UnsupportedFormat: that one would be too large.
    """
    import av

    packets = file.demux(stream)
    if file.format.name != "wav" or stream.codec_context.name != "aac":
        yield from packets
        return
    parts, length = [], 0
    for packet in packets:
        parts.append(bytes(packet))
        length += packet.size
        if length > MAX_BARE_AAC_BYTES:
            raise unsupported("The file is WAV with AAC in it, and too long for that.")
    whole = av.Packet(b"".join(parts))
    whole.stream = stream
    yield whole


def _zero(file: Any, stream: Any, container: Container) -> float:
    """The container's time at the start of the recording.

    It is that of the first packet of any track, as players count. Only an MP4's edit list begins at
    0, even if all tracks are late; one in fragments has none.
    """
    import av

    if container.demuxer == "mp4" and stream.frames:
        return 0.0
    return (file.start_time or 0) / float(av.time_base)


class Clock:
    """Finds gaps between frames by their timestamps.

    A gap is one if both the neighbouring frame and the sum of all agree: timestamps that jitter or
    drift, as recorders in browsers write them, add no silence.
    """

    def __init__(self, zero: float) -> None:
        """
        Args:
            zero: Time of the recording's start, in seconds.
        """
        self._zero = zero
        self._heard = 0.0
        """Seconds so far, gaps included."""
        self._expected = 0.0
        """Time at which the next frame follows without a gap."""

    def gap(self, time: float | None, seconds: float) -> float:
        """Seconds without sound before a frame of ``seconds`` at ``time``."""
        now = self._expected if time is None else time - self._zero
        gap = min(now - self._expected, now - self._heard)
        if now < self._heard - JUMP_SECONDS:  # another clock
            self._zero += now - self._heard
            now = self._heard
        if gap <= max(MIN_GAP_SECONDS, seconds / 2):
            gap = 0.0
        self._heard += gap + seconds
        self._expected = now + seconds
        return gap


_SCALES = {"flt": np.float32(1), "s16": np.float32(2**-15), "s32": np.float32(2**-31)}
"""What turns samples of these formats into floats; swresample converts the rest."""


class _Unpacker:
    """Frames -> ``[n, n_channels]`` float32, usually one array for each."""

    def __init__(self) -> None:
        self._converter: Any = None
        self._shape: tuple[str, str, int] | None = None

    def __call__(self, frame: Any) -> Iterator[NDArray[np.float32]]:
        import av

        n_channels = frame.layout.nb_channels
        scale = _SCALES.get(frame.format.packed.name)
        # PyAV 18.1 reads past its list of planes if there are eight.
        if scale is not None and n_channels < 8:
            array = frame.to_ndarray()
            array = array.T if frame.format.is_planar else array.reshape(-1, n_channels)
            yield array if scale == 1 else np.multiply(array, scale, dtype=np.float32)
            return
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:  # a stream may change its format midway
            self._converter, self._shape = av.AudioResampler(format="flt"), shape
        for part in self._converter.resample(frame):
            yield part.to_ndarray().reshape(-1, n_channels)
