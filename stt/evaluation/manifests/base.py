"""What every format of manifests shares: the utterance, the seam, and finding the recordings."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stt.audio.containers import AUDIO_SUFFIXES
from stt.audio.headerless import HEADERLESS_SUFFIX
from stt.errors import ConfigurationError
from stt.evaluation.transcriptions import DEFAULT_TRANSCRIPTION
from stt.normalisation import PathFinder, compose

SUFFIXES = tuple(sorted(AUDIO_SUFFIXES | {HEADERLESS_SUFFIX}))
GENDERS = {"m": "male", "male": "male", "f": "female", "female": "female"}


@dataclass(frozen=True)
class Utterance:
    """One line of a manifest."""

    name: str
    """The path as written in the manifest, or relative to the folder."""
    path: Path
    """The path to open."""
    reference: str
    """The reference text as written in the manifest, in NFC; "" for silence."""
    speaker: str = ""
    """Who speaks, as the data set calls them; "" if it does not say."""
    gender: str = ""
    """``male`` or ``female``; "" if the data set does not say, or something else."""
    age: str = ""
    """As the data set writes it (``twenties``); "" if it does not say."""
    duration_seconds: float | None = None
    """What the manifest claims; None if it does not say."""


@dataclass(frozen=True)
class Head:
    """What shows which format a manifest is in."""

    path: Path
    """A file or a folder."""
    lines: tuple[str, ...]
    """The first lines of a file; none of a folder."""

    @property
    def first(self) -> str:
        """The first line; "" of a folder or an empty file."""
        return self.lines[0] if self.lines else ""


@dataclass(frozen=True)
class Manifest:
    """A manifest to read, and where its recordings are."""

    path: Path
    audio: Path | None = None
    """The folder that the user names; None: where the data set has them."""

    @property
    def folder(self) -> Path:
        """The folder that paths are relative to."""
        return self.path if self.path.is_dir() else self.path.parent


@dataclass(frozen=True)
class ManifestFormat:
    """One format."""

    name: str
    """As in ``--format``."""
    about: str
    """What it looks like, for error messages."""
    matches: Callable[[Head], bool]
    read: Callable[[Manifest], Iterable[Utterance]]
    """Raises ConfigurationError where the content is not as expected."""
    transcription: str = DEFAULT_TRANSCRIPTION
    """How its references are written, one of `TRANSCRIPTIONS`."""


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in CP949 as many files of AI Hub are.

    Raises:
        ConfigurationError: it cannot be read, or is in neither encoding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    # utf-8-sig: some editors put a byte order mark before the first column.
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return compose(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise ConfigurationError(
        f"{path} cannot be read: it is neither UTF-8 nor CP949 (EUC-KR). Save it as UTF-8."
    )


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers from 1."""
    # Not splitlines: it also splits at U+2028 and its like, which may occur in a text.
    for number, line in enumerate(read_text(path).replace("\r\n", "\n").split("\n"), start=1):
        if line.strip():
            yield number, line


def printable(path: Path) -> str:
    """A path as text: file names are bytes, and some are not valid UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def malformed(path: Path, line: int, expected: str) -> ConfigurationError:
    """The error of a line that is not as its format has it."""
    return ConfigurationError(f"{path}, line {line}: expected {expected}.")


def read_seconds(written: object, path: Path, line: int) -> float | None:
    """A duration as a manifest writes it; None if it is left out."""
    if written in (None, ""):
        return None
    try:
        seconds = float(str(written))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise malformed(
            path, line, f"a duration in seconds, such as 3.2, not {str(written)[:40]!r}"
        )
    return seconds


def read_gender(written: str) -> str:
    """``male``, ``female`` or ""; Common Voice writes ``male_masculine``."""
    return GENDERS.get(written.strip().lower().partition("_")[0], "")


class Finder:
    """Finds the recordings of a data set among the folders where it may have been unpacked."""

    def __init__(
        self, manifest: Manifest, folders: Sequence[Path], *, loosely: bool = False
    ) -> None:
        """
        Args:
            manifest: If it names a folder for audio, that is the only one.
            folders: Where the recordings may be, the likeliest first.
            loosely: Whether the first folders of a path may be missing, and the recordings may have
                been converted (``.wav`` for ``.pcm``).
        """
        self._manifest = manifest
        self._folders = [manifest.audio] if manifest.audio else list(dict.fromkeys(folders))
        self._loosely = loosely
        self._paths = PathFinder()
        self._n_found = self._n_missing = 0

    def find(self, name: str, line: int) -> Path:
        """The recording of that name; where it is likeliest if it is nowhere.

        Raises:
            ConfigurationError: the name leads out of the data set.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        if ".." in path.parts or not path.parts or path.is_absolute():
            raise malformed(self._manifest.path, line, f"a path inside the data set, not {name!r}")
        for begin in range(len(path.parts) if self._loosely else 1):
            for folder in self._folders:
                here = folder.joinpath(*path.parts[begin:])
                if found := existing(here, self._paths, converted=self._loosely):
                    self._n_found += 1
                    return found
        self._n_missing += 1
        return self._folders[0] / path

    def check(self) -> None:
        """Call after the last one.

        Raises:
            ConfigurationError: there are recordings, but none was found.
        """
        if self._n_missing and not self._n_found:
            looked = ", ".join(str(folder) for folder in self._folders)
            raise ConfigurationError(
                f"{self._manifest.path} lists {self._n_missing} recordings, and none of them is in "
                f"{looked}. Unpack them there, or name their folder with --audio."
            )


def existing(path: Path, paths: PathFinder, *, converted: bool = False) -> Path | None:
    """The file at a path, in whatever form of Unicode its name is, or None.

    Args:
        path: Where it should be.
        paths: Keeps what is in the folders: one for a whole manifest.
        converted: It may have another suffix.
    """
    others = (path.with_suffix(suffix) for suffix in SUFFIXES) if converted else ()
    return next(filter(_is_file, (paths.find(path), *others)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False
