"""A recognised recording as text, captions or JSON, on standard output or in files."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from stt.commands.inputs import Recording
from stt.commands.recognition import Recognition
from stt.errors import ConfigurationError
from stt.formats.base import Format
from stt.formats.table import TEXT, TEXT_FORMATS


def render_text(recognition: Recognition, name: str) -> str:
    """The words and a line end."""
    return recognition.text + "\n"


def render_captions(captions: Format[Recognition], recognition: Recognition, name: str) -> str:
    """A text format that ends its lines itself."""
    return captions.render(recognition)


def render_json(recognition: Recognition, name: str) -> str:
    """One line of JSON with all that is known; times in seconds, to the millisecond."""
    transcript = recognition.transcript
    entry = {
        "file": name,
        "text": recognition.text,
        "language": recognition.language,
        "model": recognition.model,
        "duration_seconds": round(transcript.duration_seconds, 3),
        "words": [
            {
                "word": word.text,
                "start": round(word.start, 3),
                "end": round(word.end, 3),
                "confidence": round(word.confidence, 4),
            }
            for word in transcript.words
        ],
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Recognition, str], str]] = {
    "txt": render_text,
    **{each.name: partial(render_captions, each) for each in TEXT_FORMATS if each is not TEXT},
    "json": render_json,
}
"""Each format, by the suffix of its files."""


def plan_outputs(
    recordings: Iterable[Recording], folder: Path, suffix: str
) -> dict[Recording, Path]:
    """Where each recording's result goes: ``folder/<relative path>.<suffix>``.

    The recording's own suffix stays in the name: `a.wav` and `a.mp3` are two recordings.

    Raises:
        ConfigurationError: two would go to one file.
    """
    targets: dict[Path, Recording] = {}
    for recording in recordings:
        target = folder / f"{recording.relative}.{suffix}"
        if other := targets.get(target):
            raise ConfigurationError(
                f"{other.name} and {recording.name} would both be written to {target}. Name the "
                "folder above them, or give each its own --output-dir."
            )
        targets[target] = recording
    return {recording: target for target, recording in targets.items()}


def write_whole(target: Path, text: str) -> None:
    """Write a file that is there whole or not at all, as what is there is not done again.

    Raises:
        OSError: it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not `tempfile`: its files are for their owner alone, and stay so when renamed.
    part = target.with_name(f".{target.name[:80]}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave a name without content
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
