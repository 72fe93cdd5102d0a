"""The seam between the commands and what recognises, and the recogniser in this process."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

from tqdm import tqdm

from stt.audio.pool import ReaderPool
from stt.audio.reading import warming_clip
from stt.engines.base import Engine
from stt.engines.selection import open_engine
from stt.errors import ConfigurationError, ModelUnreachable
from stt.inference.batcher import Batcher
from stt.languages import Language, ModelSource, choose_languages
from stt.models.source import find_model
from stt.recognition.pipeline import Transcriber
from stt.settings import Settings
from stt.types import Transcript

logger = logging.getLogger(__name__)

PAUSES_SECONDS = (1.0, 4.0)
"""Before the second and the third try to reach the hub; a command must come to an end."""


class RecognitionFailed(Exception):
    """What a recogniser elsewhere said of one recording; no part of `stt.errors`.

    That tree is what this process's service can answer; this is what another one did answer.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Recognition:
    """What was recognised, and by what."""

    text: str
    transcript: Transcript
    language: str
    """Code of the registry."""
    model: str
    """Id of the checkpoint."""


class Recognizer(Protocol):
    """What turns a recording into words, here or elsewhere."""

    def recognize(self, source: BinaryIO, name: str) -> Recognition:
        """Recognise one recording; blocks until it is done.

        Args:
            source: Seekable; not closed here.
            name: What the recording is called; has no influence on the result.

        Raises:
            SttError, RecognitionFailed, OSError: this recording cannot be transcribed.
        """
        ...


class LocalRecognizer:
    """The service's own path from bytes to words, without the service; a context manager."""

    def __init__(
        self, engine: Engine, language: Language, settings: Settings, *, revision: str = ""
    ) -> None:
        self.language = language
        self.revision = revision or language.model.revision
        """Commit of the checkpoint where it came from the hub."""
        self.device, self.backend, self.precision = (
            engine.device,
            engine.backend,
            engine.precision,
        )
        self._engine = engine
        self._batcher = Batcher(batch_seconds=settings.batch_seconds)
        self._readers = ReaderPool(settings)
        self._transcriber = Transcriber(self._batcher, settings, self._readers.read)
        # One loop for all recordings: the batcher's consumer lives in it from one to the next.
        self._runner = asyncio.Runner()

    def __enter__(self) -> "LocalRecognizer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.close()
        self._transcriber.close()
        self._readers.close()
        self._batcher.close()

    def recognize(self, source: BinaryIO, name: str) -> Recognition:
        """See `Recognizer.recognize`."""
        language = self.language
        transcript = self._runner.run(self._transcriber.transcribe(source, self._engine))
        return Recognition(transcript.text, transcript, language.code, language.model.id)


def choose_language(spelling: str | None, settings: Settings) -> Language:
    """The language to load; None is the first of STT_LANGUAGES, or Korean.

    Raises:
        ConfigurationError: there is no such language.
    """
    codes = [spelling] if spelling else settings.languages
    try:
        return choose_languages(codes, settings.models, demo=settings.demo).default
    except ConfigurationError as error:
        # The sentence names the setting it is about, which here is a flag.
        message = error.message
        if spelling:
            message = message.replace("STT_LANGUAGES:", "--lang:")
        raise ConfigurationError(message) from None


def open_recognizer(
    spelling: str | None, settings: Settings, *, pauses: Sequence[float] = PAUSES_SECONDS
) -> LocalRecognizer:
    """Find, fetch if need be, and load the model of one language.

    Args:
        spelling: Code or alias of the language; None is the default.
        settings: Which model, where from and on what device.
        pauses: Seconds between tries while the hub cannot be reached.

    Raises:
        ConfigurationError: no such language or device.
        ModelBroken: the model is not there or not whole.
        ModelUnreachable: the hub was not reached in any of the tries.
    """
    language = choose_language(spelling, settings)
    if settings.demo:
        logger.warning("DEMO: a small model, trained on one synthetic voice; it knows no people")
    folder = find_checkpoint(language.model, settings, pauses)
    logger.info("%s: reading %s", language.name, language.model.id)
    engine = open_engine(language.model, folder, settings).engine
    # The hub's cache keeps a snapshot under the name of its commit.
    from_hub = language.model.folder is None
    recognizer = LocalRecognizer(
        engine, language, settings, revision=folder.name if from_hub else ""
    )
    # Decoder and model import and allocate at first use; no recording's time is to tell of that.
    recognizer.recognize(warming_clip(), "")
    return recognizer


def find_checkpoint(
    source: ModelSource, settings: Settings, pauses: Sequence[float] = PAUSES_SECONDS
) -> Path:
    """A checkpoint's folder, fetched if need be, with a progress bar where somebody looks.

    Raises:
        ModelBroken: the model is not there or not whole.
        ModelUnreachable: the hub was not reached in any of the tries.
    """
    for pause in (*pauses, None):
        # Quiet until something has been fetched for a while, and where nobody looks.
        with tqdm(
            desc=source.id, unit="B", unit_scale=True, disable=None, leave=False, delay=0.5
        ) as bar:

            def report(done: int, total: int, bar: Any = bar) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                return find_model(source, cache_dir=settings.cache_dir, report=report)
            except ModelUnreachable as error:
                if pause is None:
                    raise
                logger.warning("%s", error.message)
        time.sleep(pause)
    raise AssertionError("unreachable")
