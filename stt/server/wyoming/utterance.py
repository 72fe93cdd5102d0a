"""One utterance of a connection: what was asked of it, its samples and its words."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError
from wyoming.event import Event

from stt.asked import Asked
from stt.decoding.decodings import MAX_PROMPT_WORDS
from stt.decoding.hotwords import MAX_HOTWORDS
from stt.errors import UnknownModel
from stt.languages import Language, Languages
from stt.recognition.streaming import LiveSession
from stt.server.state import Service
from stt.server.wyoming.events import Refusal, invalid
from stt.server.wyoming.samples import Samples, Shape
from stt.types import Word, join_words

Names = Annotated[list[str], Field(max_length=MAX_HOTWORDS)]


class Transcribe(BaseModel):
    """What ``transcribe`` may ask; the rest of it has no meaning here."""

    name: str | None = None
    language: str | None = None
    transcript_names: Names | None = None
    transcript_terms: Names | None = None

    @classmethod
    def of(cls, event: Event) -> "Transcribe":
        """
        Raises:
            Refusal: a value is invalid.
        """
        try:
            return cls.model_validate(event.data)
        except ValidationError as error:
            raise invalid(error, event.type) from None

    def find_language(self, languages: Languages) -> Language:
        """The language to transcribe: by its name, else by its model's, else the default.

        Raises:
            UnsupportedLanguage: no served language has that name.
            UnknownModel: no served model has that name.
        """
        if self.language or not self.name:
            return languages.resolve(self.language)
        found = languages.find_model(self.name)
        if found is None:
            raise UnknownModel(
                f"The model {self.name[:40]!r} is not served here. Leave `name` out, or take one "
                "from the answer to `describe`."
            )
        return found

    @property
    def asked(self) -> Asked:
        """What it asks of the decoding: names first, as they matter more than terms."""
        return Asked(
            prompt=as_prompt([*(self.transcript_names or ()), *(self.transcript_terms or ())])
        )


def as_prompt(names: Sequence[str]) -> str:
    """Names as a list of hotwords, of which those that a model cannot write are left out.

    The sender lists what its home has, in whatever language; nothing of it is a reason to fail.
    """
    plain = [" ".join(re.sub(r"[,、，:.?!。？！\s]", " ", name).split()) for name in names]
    short = [name for name in plain if 0 < len(name.split()) <= MAX_PROMPT_WORDS]
    if len(short) == 1:  # several words alone would count as prose
        short = short[0].split()
    return ", ".join(short)


class Utterance:
    """What is said between ``audio-start`` and ``audio-stop``."""

    def __init__(self, service: Service, transcribe: Transcribe) -> None:
        """
        Raises:
            UnsupportedLanguage, UnknownModel: see `Transcribe.find_language`.
        """
        self._service = service
        self._asked = transcribe.asked
        self.language = transcribe.find_language(service.languages)
        self._shape: Shape | None = None
        self._samples: Samples | None = None
        self._session: LiveSession | None = None
        self._words: list[Word] = []

    @property
    def has_audio(self) -> bool:
        """Whether samples have come."""
        return self._session is not None

    @property
    def seconds(self) -> float:
        """Length of the audio received so far."""
        return 0.0 if self._session is None else self._session.received_seconds

    @property
    def text(self) -> str:
        """All settled words."""
        return join_words(self._words)

    def begin(self, event: Event) -> None:
        """Note the shape of the samples to come.

        Raises:
            Refusal: it is invalid, or differs from that of samples before.
        """
        try:
            shape = Shape.model_validate(event.data)
        except ValidationError as error:
            raise invalid(error, event.type) from None
        if shape != (self._shape or shape):
            raise Refusal(
                "wrong_order",
                f"{event.type} has another rate, width or number of channels than the audio "
                "before. Send audio-stop first.",
            )
        self._shape = shape

    async def hear(self, chunk: Event) -> str:
        """Add an ``audio-chunk``; returns the text that has settled since the last one.

        Raises:
            Refusal: its shape is invalid, or not that of the audio before.
            SttError: see `stt.recognition.streaming.LiveSession.hear`.
        """
        self.begin(chunk)
        assert self._shape is not None  # noqa: S101
        self._samples = self._samples or Samples(self._shape)
        self._session = self._session or await self._open(self._shape.rate)
        result = await self._session.hear(await self._samples.feed(chunk.payload or b""))
        return self._settle(result.settled)

    async def finish(self) -> str:
        """End the audio; returns the rest of the text. Errors are those of `hear`."""
        if self._session is None or self._samples is None:
            return ""
        heard = self._settle((await self._session.hear(await self._samples.finish())).settled)
        return heard + self._settle((await self._session.finish()).settled)

    async def close(self) -> None:
        """Drop unfinished work."""
        if self._session is not None:
            await self._session.close()

    def _settle(self, words: Sequence[Word]) -> str:
        first = not self._words
        self._words += words
        text = "".join(word.continued for word in words)
        return text.removeprefix(" ") if first else text

    async def _open(self, rate: int) -> LiveSession:
        service = self._service
        engine = await service.engines.acquire(self.language)
        plan = await service.plan(self.language, engine, self._asked)
        return LiveSession(engine, service.scheduler, service.settings, rate, plan)
