"""Notes of the jobs that were submitted and not fetched yet, for the next run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stt.commands.inputs import Recording
from stt.commands.outputs import write_whole


@dataclass(frozen=True)
class Submitted:
    """The jobs of one service, for requests with the same options.

    A recording is known by its path, size and time of change: one that has changed is sent again.
    """

    folder: Path
    """Where the notes are."""
    url: str
    """The address of the service."""
    fields: Mapping[str, str]
    """The options of the requests."""

    def find(self, recording: Recording, track: int | None) -> str | None:
        """The id of a recording's job; None if there is none."""
        note = self._note(recording, track)
        try:
            return str(json.loads(note.read_bytes())["job"]) if note else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def add(self, recording: Recording, track: int | None, job_id: str) -> bool:
        """Note a recording's job; returns whether a later run will find it."""
        note = self._note(recording, track)
        if note is None:
            return False
        entry = {"job": job_id, "url": self.url, "file": recording.name}
        try:
            write_whole(note, json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError:
            return False
        return True

    def remove(self, recording: Recording, track: int | None) -> None:
        """Forget a recording's job."""
        note = self._note(recording, track)
        if note is not None:
            note.unlink(missing_ok=True)

    def _note(self, recording: Recording, track: int | None) -> Path | None:
        """The file of a note; None for what cannot be recognised, such as standard input."""
        if recording.path is None:
            return None
        try:
            path = recording.path.resolve()
            status = path.stat()
        except OSError:
            return None
        key = [self.url, sorted(self.fields.items()), track, str(path)]
        key += [status.st_size, status.st_mtime_ns]
        digest = hashlib.sha256(repr(key).encode("utf-8", "surrogateescape")).hexdigest()
        return self.folder / f"{digest[:32]}.json"
