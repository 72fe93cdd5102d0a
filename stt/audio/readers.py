"""Reads one recording with libsndfile or FFmpeg, as blocks of samples at their own rate.

libsndfile is used through soundfile. The header is checked before the first sample is read; samples
are counted as well, since a header may lie and a few kilobytes can hold hours.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from stt.audio.ffmpeg import BLOCK_SECONDS, Block, Source, read_with_ffmpeg
from stt.audio.structure import Layout
from stt.errors import InvalidAudio
from stt.notices import Code


def read_recording(source: Source, layout: Layout) -> Iterator[Block]:
    """Read a recording with the library that suits its container.

    libsndfile reads WAV and OGG, as librosa does, if the header tells the length. FFmpeg reads
    the rest, and what libsndfile cannot.

    Raises:
        AudioError: as `stt.audio.reading.read_audio`.
    """
    file = None
    if source.container.libsndfile_formats and layout.is_known and source.track is None:
        file = _open_with_libsndfile(source)
    if not layout.is_whole:
        source.findings.add(
            Code.CUT_OFF,
            f"The {source.container.name} file is cut off: its header claims more than there is, "
            "so text may be missing at the end.",
        )
    if file:
        return _read_with_libsndfile(file, source)
    if source.container.name == "WAV" and not layout.is_known:
        source = replace(source, options={"ignore_length": "1"})
    return read_with_ffmpeg(source)


def _open_with_libsndfile(source: Source) -> Any:
    """The opened file, or None if libsndfile cannot read it."""
    import soundfile

    try:
        file = soundfile.SoundFile(source.span.within(0))
    except soundfile.SoundFileError:
        return None
    if file.format in source.container.libsndfile_formats:
        return file
    file.close()
    return None


def _read_with_libsndfile(file: Any, source: Source) -> Iterator[Block]:
    import soundfile

    rate, channels, cap = file.samplerate, file.channels, source.cap
    with file:
        cap.check_header(rate, channels, file.frames / max(1, rate))
        try:
            # Not librosa.stream: if the header claims too much, soundfile's block iterator
            # underneath it repeats samples of the previous block.
            while len(block := file.read(BLOCK_SECONDS * rate, dtype="float32", always_2d=True)):
                cap.count(len(block), channels, rate)
                yield Block(block, rate)
        except soundfile.SoundFileError as error:
            raise InvalidAudio(
                f"The {source.container.name} data is damaged: decoding stopped before the end."
            ) from error
