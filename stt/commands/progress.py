"""Progress of a run: a bar on a terminal, else a log line for each recording."""

import io
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, BinaryIO, cast

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from stt.commands.recognition import RecognitionFailed
from stt.errors import SttError

logger = logging.getLogger(__name__)

BAR = "{percentage:3.0f}% |{bar:20}| {elapsed}<{remaining}{postfix}"


class Progress:
    """Counts recordings, seconds of audio and seconds of work; a context manager.

    The bar counts bytes read: the total is known, and they advance within a long recording too.
    """

    def __init__(self, n_files: int, n_bytes: int, *, terminal: bool | None = None) -> None:
        """
        Args:
            n_files: Recordings in total.
            n_bytes: Their size in bytes.
            terminal: Draw the bar; None: if standard error is a terminal.
        """
        self._n_files = n_files
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._bar: Any = None
        self._n_bytes = n_bytes
        self._stack = ExitStack()
        self.n_done = self.n_failed = 0
        self.audio_seconds = self.work_seconds = 0.0

    @property
    def speed(self) -> float:
        """RTFx: audio seconds per second of work; 0 at the start."""
        return self.audio_seconds / self.work_seconds if self.work_seconds else 0.0

    def __enter__(self) -> "Progress":
        if self._terminal:
            self._stack.enter_context(logging_redirect_tqdm())
            self._bar = self._stack.enter_context(
                tqdm(total=self._n_bytes, bar_format=BAR, dynamic_ncols=True, leave=False)
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @contextmanager
    def recording(self, name: str, n_bytes: int) -> Iterator[Callable[[BinaryIO], BinaryIO]]:
        """Track the work on one recording; yields a wrapper for the file to read.

        An error inside is logged in one line and counted, and the run continues.

        Args:
            name: The recording's name in messages.
            n_bytes: Its size; 0 if unknown.
        """
        started, audio_before = time.perf_counter(), self.audio_seconds
        self.show(name)
        counting = CountingFile(self.advance)
        try:
            yield counting.open
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:
            self.failed(name, error)
        else:
            seconds, audio = time.perf_counter() - started, self.audio_seconds - audio_before
            self.work_seconds += seconds
            self.done(name, audio, seconds)
        # Decoders may leave bytes unread: behind damage, or at the end of a container.
        self.advance(max(0, n_bytes - counting.furthest))
        self.show(name)

    def done(self, name: str, audio_seconds: float, seconds: float) -> None:
        """Count a recording as transcribed.

        Args:
            name: The recording's name.
            audio_seconds: Its length.
            seconds: How long the work on it took.
        """
        self.n_done += 1
        if self._bar is None:
            logger.info(
                "%s: %.1f s of audio in %.1f s, %.1f × real time",
                name, audio_seconds, seconds, audio_seconds / max(seconds, 1e-9),
            )  # fmt: skip

    def failed(self, name: str, error: Exception) -> None:
        """Count a recording as failed, and log why."""
        self.n_failed += 1
        logger.error("%s: %s", name, describe(error))
        logger.debug("the cause", exc_info=error)

    def count(self, audio_seconds: float) -> None:
        """Add the current recording's seconds of audio."""
        self.audio_seconds += audio_seconds

    def write(self, text: str) -> None:
        """Write a result to standard output without disturbing the bar."""
        if self._bar is not None:
            with tqdm.external_write_mode(file=sys.stdout):
                sys.stdout.write(text)
                sys.stdout.flush()
        else:
            sys.stdout.write(text)
            sys.stdout.flush()  # so that a pipe's reader gets each result at once

    def show(self, name: str) -> None:
        """Show the figures so far, and a recording's name, beside the bar."""
        if self._bar is None:
            return
        done = self.n_done + self.n_failed
        self._bar.set_postfix_str(
            f"{done}/{self._n_files} files, {self.audio_seconds:.0f} s of audio, "
            f"{self.speed:.1f} × real time, {name}"
        )

    def advance(self, n_bytes: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(n_bytes)


def describe(error: Exception) -> str:
    """Describe an error in one sentence, to follow the recording's name."""
    if isinstance(error, SttError | RecognitionFailed):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return f"{type(error).__name__}: {error} (--log-level debug shows where)"


class CountingFile(io.RawIOBase):
    """A file that reports how far it was read; decoders seek, so the furthest position counts."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        super().__init__()
        self._advance = advance
        self.furthest = 0
        """Bytes from the start."""
        self._file: BinaryIO = io.BytesIO()

    def open(self, file: BinaryIO) -> BinaryIO:
        """Read this file from now on."""
        self._file = file
        return cast(BinaryIO, io.BufferedReader(self, buffer_size=1 << 16))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        if (place := self._file.tell()) > self.furthest:
            self._advance(place - self.furthest)
            self.furthest = place
        return len(data)
