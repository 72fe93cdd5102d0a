"""Keeps the samples of a recording until all are there."""

from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, cast

import numpy as np

from stt.errors import AudioTooLong, OutOfStorage
from stt.types import SAMPLE_RATE, Waveform


class Recorder:
    """Writes samples to a temporary file, two bytes each; a context manager."""

    def __init__(self, max_seconds: float) -> None:
        """
        Raises:
            OutOfStorage: the temporary folder fails.
        """
        self._max_samples = round(max_seconds * SAMPLE_RATE)
        self._n_samples = 0
        try:
            self.file: BinaryIO = cast(BinaryIO, TemporaryFile())  # noqa: SIM115  # closed by `__exit__`
        except OSError as error:
            raise _storage_error() from error

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def feed(self, block: Waveform) -> None:
        """Add ``[n]`` samples.

        Raises:
            AudioTooLong: there are more than ``max_seconds``.
            OutOfStorage: they cannot be written.
        """
        self._n_samples += len(block)
        if self._n_samples > self._max_samples:
            raise AudioTooLong(
                f"Speakers are found in recordings of up to {self._max_samples / SAMPLE_RATE:g} s; "
                "this one is longer. Send it in parts, or without diarize."
            )
        samples = np.clip(block * 2**15, -(2**15), 2**15 - 1).astype("<i2")
        try:
            self.file.write(samples.tobytes())
            self.file.flush()
        except OSError as error:
            raise _storage_error() from error


def _storage_error() -> OutOfStorage:
    return OutOfStorage("The service cannot keep the samples to find speakers. Try again later.")
