"""Render results as text, captions or JSON, and write them to files."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stt.commands.inputs import Recording
from stt.commands.recognition import Recognition
from stt.errors import ConfigurationError
from stt.formats.base import Format
from stt.formats.findings import finding_fields
from stt.formats.table import TEXT, TEXT_FORMATS


def render_text(recognition: Recognition, name: str) -> str:
    """Plain text and a newline; if speakers were told apart, a line for each turn."""
    if recognition.transcript.turns is None:
        return recognition.text + "\n"
    return TEXT.render(recognition) + "\n"


def render_captions(captions: Format[Recognition], recognition: Recognition, name: str) -> str:
    """A text format that ends its lines itself."""
    return captions.render(recognition)


def render_json(recognition: Recognition, name: str) -> str:
    """One line of JSON with the whole result; times in seconds, to the millisecond."""
    transcript = recognition.transcript
    entry: dict[str, Any] = {
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
                **({} if word.space_before else {"space_before": False}),
                **({"spoken": word.spoken} if word.spoken else {}),
                **({"channel": word.channel} if word.channel else {}),
            }
            for word in transcript.words
        ],
    }
    found = finding_fields(transcript.report)
    if found["warnings"]:
        entry["warnings"] = [each.model_dump() for each in found["warnings"]]
    if found["track"]:
        entry |= {"track": found["track"], "tracks": found["tracks"]}
    if found["channels"]:
        entry["channels"] = found["channels"]
    return json.dumps(entry, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Recognition, str], str]] = {
    "txt": render_text,
    **{each.name: partial(render_captions, each) for each in TEXT_FORMATS if each is not TEXT},
    "json": render_json,
}
"""Renderers by format, which is also the suffix of its files."""


def plan_outputs(
    recordings: Iterable[Recording], folder: Path, suffix: str
) -> dict[Recording, Path]:
    """Choose the file of each recording's result: ``folder/<relative path>.<suffix>``.

    The recording's own suffix stays in the name, so that `a.wav` and `a.mp3` do not collide.

    Raises:
        ConfigurationError: two results would have the same file.
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
    """Write a file atomically, since the next run skips every file that exists.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not `tempfile`: its files are readable only by their owner, also once renamed.
    part = target.with_name(f".{target.name[:80]}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave an empty file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
