"""How the page plays a recording: from its file, or from a copy in the page."""

import base64
import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from stt.audio.headerless import open_recording
from stt.audio.reading import read_audio
from stt.errors import SttError
from stt.evaluation.results import Result
from stt.types import SAMPLE_RATE

PLAYABLE = frozenset(
    (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".webm")
)
"""What browsers play, mostly."""
EMBED_BYTES = 20_000_000
"""Of all copies together; some 50 minutes of speech."""
MOST_BYTES_PER_SECOND = 8_000


def link(path: Path, page: Path) -> str:
    """The address of a recording, relative to the page; "" if browsers do not play its format."""
    if path.suffix.lower() not in PLAYABLE:
        return ""
    try:
        relative = os.path.relpath(path.absolute(), page.absolute().parent)
    except ValueError:  # another drive, on Windows
        return "file:///" + quote(os.fsencode(path.absolute().as_posix()), safe="/:")
    # A first part with a colon would be a scheme.
    return "./" + quote(os.fsencode(Path(relative).as_posix()))


def embed(results: Sequence[Result], most_bytes: int = EMBED_BYTES) -> Mapping[int, str]:
    """Copies as data URLs, by the result's index; those of the first results until they are full.

    The copies are MP3 of what the model heard, mono at 16 kHz.
    """
    copies: dict[int, str] = {}
    for index, result in enumerate(results):
        if result.audio_seconds * MOST_BYTES_PER_SECOND > most_bytes:
            continue
        if content := _mp3(result.utterance.path, result.audio_seconds):
            most_bytes -= len(content)
            copies[index] = "data:audio/mpeg;base64," + base64.b64encode(content).decode("ascii")
    return MappingProxyType(copies)


def _mp3(path: Path, seconds: float) -> bytes | None:
    import soundfile

    copy = BytesIO()
    try:
        with (
            open_recording(path) as source,
            soundfile.SoundFile(copy, "w", SAMPLE_RATE, 1, format="MP3") as file,
        ):
            for block in read_audio(source, max_seconds=seconds + 1):
                file.write(block)
    except (SttError, OSError):
        return None  # it could be read before; without it the page is still right
    return copy.getvalue()
