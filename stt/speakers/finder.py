"""Runs a process that finds speakers, for one recording at a time."""

import asyncio
import importlib.util
import json
import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import BinaryIO

from stt.audio.processes import worker_environment
from stt.errors import ConfigurationError, InferenceFailed, NotSupported
from stt.settings import Settings
from stt.speakers.turns import FindSpeakers, SpeakerTurn

logger = logging.getLogger(__name__)

EXTRA = "sherpa_onnx"
"""The package of the extra ``speakers``."""
SHOWN_BYTES = 2_000
"""How much of what a failed process wrote is logged."""


class Speakers:
    """Finds who speaks when, if the service has models for it.

    Each recording has a process: the library holds Python's lock for minutes, cannot be
    interrupted and needs memory by the square of the length. Cancelling ends the process.
    """

    def __init__(self, settings: Settings) -> None:
        """
        Raises:
            ConfigurationError: only one model is set, a file is missing, or the extra is.
        """
        segmentation, embedding = settings.speaker_segmentation, settings.speaker_embedding
        self._models: tuple[Path, Path] | None = None
        self._place = asyncio.Semaphore(1)
        if segmentation is None and embedding is None:
            return
        if segmentation is None or embedding is None:
            raise ConfigurationError(
                "STT_SPEAKER_SEGMENTATION and STT_SPEAKER_EMBEDDING need each other: set both, or "
                "neither."
            )
        for model in (segmentation, embedding):
            if not model.is_file():
                raise ConfigurationError(f"The speaker model {model} is not a file.")
        if importlib.util.find_spec(EXTRA) is None:
            raise ConfigurationError(
                "STT_SPEAKER_SEGMENTATION needs the extra `speakers`: pip install "
                "'stt-ctc[speakers]'."
            )
        self._models = segmentation, embedding

    def choose(self, n_speakers: int | None) -> FindSpeakers:
        """What finds the speakers of one recording.

        Args:
            n_speakers: How many there are; None if that is not known.

        Raises:
            NotSupported: the service has no models for it.
        """
        if self._models is None:
            raise NotSupported(
                "This service has no models that tell speakers apart. The operator can install the "
                "extra `speakers` and set STT_SPEAKER_SEGMENTATION and STT_SPEAKER_EMBEDDING. If "
                "each speaker has a channel, send channels=split instead."
            )
        return partial(self._find, self._models, n_speakers or 0)

    async def _find(
        self, models: tuple[Path, Path], n_speakers: int, samples: BinaryIO
    ) -> tuple[SpeakerTurn, ...]:
        """
        Raises:
            InferenceFailed: the models cannot be used, or failed.
        """
        descriptor = samples.fileno()
        async with self._place:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "stt.speakers.worker",
                str(descriptor), *map(os.fspath, models), str(n_speakers),
                pass_fds=[descriptor],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=worker_environment(),
                start_new_session=True,  # Ctrl+C belongs to the service
            )  # fmt: skip
            try:
                output, errors = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        try:
            return tuple(SpeakerTurn(*each) for each in json.loads(output))
        except (ValueError, TypeError):
            logger.error(
                "finding speakers ended with %s: %s",
                process.returncode, errors[-SHOWN_BYTES:].decode(errors="replace").strip(),
            )  # fmt: skip
            raise InferenceFailed("The models that tell speakers apart failed.") from None
