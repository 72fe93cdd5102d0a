"""What the commands transcribe with: the `Recognizer` protocol, and the one in this process."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

from tqdm import tqdm

from stt.alignment.pipeline import align
from stt.alignment.words import Alignment
from stt.asked import Asked
from stt.audio.pool import ReaderPool
from stt.audio.reading import warming_clip
from stt.decoding.decodings import Decodings
from stt.decoding.factory import GREEDY
from stt.engines.base import Engine
from stt.engines.selection import open_engine
from stt.errors import ConfigurationError, ModelUnreachable
from stt.formats.layout import LAYOUT, Layout
from stt.inference.batcher import Batcher
from stt.languages import Language, Languages, ModelSource, choose_languages
from stt.models.source import find_model
from stt.recognition.pipeline import Transcriber
from stt.recognition.plan import AS_HEARD, Plan
from stt.recognition.writings import Writings
from stt.settings import Settings
from stt.speakers.finder import Speakers
from stt.types import Transcript, Waveform

logger = logging.getLogger(__name__)

PAUSES_SECONDS = (1.0, 4.0)
"""Before the second and third attempt to reach the hub; then a command gives up."""


class RecognitionFailed(Exception):
    """A remote service failed on one recording.

    Not part of `stt.errors`, which are the errors that this process's own service can report.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Recognition:
    """The result for one recording."""

    text: str
    transcript: Transcript
    language: str
    """Its code in the registry."""
    model: str
    """Id of the checkpoint."""
    layout: Layout = LAYOUT
    """How large subtitles may be."""


class Recognizer(Protocol):
    """Transcribes recordings, in this process or elsewhere."""

    def recognize(self, source: BinaryIO, name: str, track: int | None = None) -> Recognition:
        """Transcribe one recording; blocks until done.

        Args:
            source: Seekable; stays open.
            name: The recording's name; does not affect the result.
            track: Number of the audio track, from 1; None chooses one.

        Raises:
            SttError, RecognitionFailed, OSError: this recording cannot be transcribed.
        """
        ...


class LocalRecognizer:
    """Runs the service's pipeline in this process; a context manager."""

    def __init__(
        self,
        engine: Engine,
        language: Language,
        settings: Settings,
        *,
        checkpoint: Path | None = None,
        plan: Plan = AS_HEARD,
        readers: ReaderPool | None = None,
    ) -> None:
        """It closes the ``readers``; None makes some."""
        self.language = language
        self.checkpoint = checkpoint
        """Its folder; None if the engine comes from none."""
        # The hub's cache names each snapshot's folder after its commit.
        from_hub = checkpoint is not None and language.model.folder is None
        self.revision = checkpoint.name if checkpoint and from_hub else language.model.revision
        """Commit of the checkpoint if it is from the hub."""
        self.device, self.backend, self.precision = (
            engine.device,
            engine.backend,
            engine.precision,
        )
        self.engine = engine
        self.plan = plan
        self._batcher = Batcher(batch_seconds=settings.batch_seconds)
        self._readers = readers or ReaderPool(settings)
        self._transcriber = Transcriber(self._batcher, settings, self._readers.read)
        # One event loop for all recordings, since the batcher's consumer task lives in it.
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

    def recognize(
        self,
        source: BinaryIO,
        name: str,
        track: int | None = None,
        listen: Callable[[Waveform], None] | None = None,
    ) -> Recognition:
        """See `Recognizer.recognize`; ``listen`` is called with every block of samples."""
        language = self.language
        transcript = self._runner.run(
            self._transcriber.transcribe(source, self.engine, self.plan, track, listen)
        )
        return Recognition(transcript.text, transcript, language.code, language.model.name)

    def align(self, source: BinaryIO, text: str, track: int | None = None) -> Alignment:
        """Find when each word of a text is spoken; blocks until done.

        Raises:
            SttError, OSError: this recording and this text cannot be aligned.
        """
        return self._runner.run(
            align(self._transcriber, source, text, self.engine, self.language, track)
        )


def choose_language(spelling: str | None, settings: Settings) -> Language:
    """Choose the language to load; None means the default of STT_LANGUAGES, or Korean.

    Raises:
        ConfigurationError: the language is unknown.
    """
    codes = [spelling] if spelling else settings.languages
    try:
        return choose_languages(
            codes, settings.models, demo=settings.demo, conventions=settings.conventions
        ).default
    except ConfigurationError as error:
        # The message names the setting, which is a flag here.
        message = error.message
        if spelling:
            message = message.replace("STT_LANGUAGES:", "--lang:")
        raise ConfigurationError(message) from None


def with_language_model(settings: Settings, spelling: str | None, file: Path | None) -> Settings:
    """The settings with the language model of the flag ``--lm``, if it is given.

    Raises:
        ConfigurationError: the language is unknown.
    """
    if file is None:
        return settings
    code = choose_language(spelling, settings).code
    return settings.model_copy(update={"lms": {**settings.lms, code: file}})


def open_recognizer(
    spelling: str | None,
    settings: Settings,
    asked: Asked | None = None,
    *,
    pauses: Sequence[float] = PAUSES_SECONDS,
) -> LocalRecognizer:
    """Load the model of one language, downloading it if necessary.

    Args:
        spelling: Code or alias of the language; None for the default.
        settings: The settings.
        asked: What is asked of the decoding. None asks for the best path, whatever the settings
            say; no language model is read then.
        pauses: Seconds between attempts to reach the hub.

    Raises:
        ConfigurationError: the language or the device is unknown.
        InvalidHotwords: the hotwords are malformed.
        NotSupported: there is no language model, no written form, or nothing to restore spaces.
        ModelBroken: the model is missing or incomplete.
        ModelUnreachable: every attempt to reach the hub failed.
    """
    language = choose_language(spelling, settings)
    wanted = asked or Asked()
    writings = Writings(settings)
    # These refuse before the model is loaded.
    writings.choose(language, wanted)
    speakers = Speakers(settings).choose(wanted.num_speakers) if wanted.diarize else None
    if settings.demo:
        logger.warning("DEMO: a small model, trained on one synthetic voice, not on people")
    folder = find_checkpoint(language.model, settings, pauses)
    logger.info("%s: loading %s", language.name, language.model.name)
    with ExitStack() as opened:
        readers = ReaderPool(settings)
        opened.callback(readers.close)
        readers.start()  # its imports take seconds and overlap with the model's
        engine = open_engine(language.model, folder, settings).engine
        decoding = GREEDY
        if asked is not None:
            decoding = Decodings(Languages([language]), settings).choose(language, engine, asked)
        plan = Plan(
            decoding,
            writings.choose(language, wanted, decoding.hotwords),
            wanted.vad,
            wanted.channels,
            speakers,
        )
        recognizer = LocalRecognizer(
            engine, language, settings, checkpoint=folder, plan=plan, readers=readers
        )
        opened.enter_context(recognizer)
        # Decoder and model import and allocate at first use: keep it out of the first measurement.
        recognizer.recognize(warming_clip(), "")
        opened.pop_all()  # whoever has the recognizer closes it
    return recognizer


def find_checkpoint(
    source: ModelSource, settings: Settings, pauses: Sequence[float] = PAUSES_SECONDS
) -> Path:
    """Find a checkpoint's folder, downloading it if necessary, with a bar on a terminal.

    Raises:
        ModelBroken: the model is missing or incomplete.
        ModelUnreachable: every attempt to reach the hub failed.
    """
    for pause in (*pauses, None):
        # The bar appears after 0.5 s, and only on a terminal.
        with tqdm(
            desc=source.name, unit="B", unit_scale=True, disable=None, leave=False, delay=0.5
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
