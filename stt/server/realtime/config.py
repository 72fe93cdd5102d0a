"""The configuration of a transcription session: what a client's updates make of the defaults.

It has the keys of the Realtime API's general availability; `stt.server.realtime.shapes` translates
the beta's. Keys that are not here are ignored, as everywhere in OpenAI's API.
See https://platform.openai.com/docs/api-reference/realtime-client-events/session/update.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from stt.activity.detectors import Vad
from stt.activity.turns import TurnConfig
from stt.asked import Asked, Spacing
from stt.audio.limits import MAX_RATE, MIN_RATE
from stt.decoding.hotwords import MAX_HOTWORDS
from stt.errors import NotSupported
from stt.languages import Language, Languages
from stt.server.realtime.encodings import ENCODINGS, Encoding
from stt.server.routes.uploads import spoken_language

LOGPROBS = "item.input_audio_transcription.logprobs"
"""The value of ``include`` that asks for log-probs."""
MAX_PREFIX_MS, MAX_SILENCE_MS = 10_000, 60_000
STREAMING_MODELS = ("gpt-live-transcribe", "gpt-realtime-whisper")
"""OpenAI's models without turn detection: clients that name one commit by themselves."""
DEPTH = 4
"""How deep objects in a configuration may be nested."""


class Part(BaseModel):
    """Part of a configuration; it never changes."""

    model_config = ConfigDict(frozen=True)


class AudioFormat(Part):
    """How samples are encoded."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = "audio/pcm"
    rate: int | None = Field(default=None, ge=MIN_RATE, le=MAX_RATE)

    @model_validator(mode="after")
    def _check_rate(self) -> "AudioFormat":
        if self.type != "audio/pcm" and self.rate not in (None, self.encoding.rate):
            raise ValueError(f"{self.type} has a rate of {self.encoding.rate} Hz")
        return self

    @property
    def encoding(self) -> Encoding:
        """How to decode it."""
        return ENCODINGS[self.type]

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.rate or self.encoding.rate


class Transcription(Part):
    """What to listen for. The last five keys are ours, as in the forms of uploads."""

    model: str = Field(default="", max_length=200)
    language: str | None = Field(default=None, max_length=200)
    languages: list[str] = Field(default=[], max_length=100)
    prompt: str = ""
    keywords: list[str] = Field(default=[], max_length=MAX_HOTWORDS)
    hotwords: str = ""
    language_model: bool | None = None
    written: bool = False
    spacing: Spacing = "model"
    vad: Vad | None = None

    def asked(self) -> Asked:
        """What it asks of the decoding and the words."""
        hotwords = "\n".join([self.hotwords, *self.keywords]).strip()
        return Asked(
            hotwords,
            self.language_model,
            self.prompt,
            written=self.written,
            spacing=self.spacing,
            vad=self.vad,
        )


class ServerVad(Part):
    """When the service commits what somebody said."""

    type: Literal["server_vad"] = "server_vad"
    threshold: float = Field(default=0.5, ge=0, le=1, allow_inf_nan=False)
    prefix_padding_ms: int = Field(default=300, ge=0, le=MAX_PREFIX_MS)
    silence_duration_ms: int = Field(default=500, ge=0, le=MAX_SILENCE_MS)

    @property
    def turns(self) -> TurnConfig:
        """When turns begin and end."""
        return TurnConfig(self.threshold, self.silence_duration_ms / 1000)


def _as_server_vad(value: Any) -> Any:
    """Semantic detection counts as plain: nothing here knows when a sentence is complete."""
    is_semantic = isinstance(value, Mapping) and value.get("type") == "semantic_vad"
    return {} if is_semantic else value


class Input(Part):
    """What comes from the client."""

    format: AudioFormat = AudioFormat()
    transcription: Transcription = Transcription()
    turn_detection: Annotated[ServerVad | None, BeforeValidator(_as_server_vad)] = ServerVad()


class Audio(Part):
    """The only direction is in."""

    input: Input = Input()


class SessionConfig(Part):
    """The whole configuration."""

    type: Literal["transcription"] = "transcription"
    audio: Audio = Audio()
    include: list[str] = Field(default=[], max_length=100)

    @property
    def format(self) -> AudioFormat:
        """How samples are encoded."""
        return self.audio.input.format

    @property
    def transcription(self) -> Transcription:
        """What to listen for."""
        return self.audio.input.transcription

    @property
    def turn_detection(self) -> ServerVad | None:
        """When the service commits; None if the client does."""
        given = self.audio.input
        if "turn_detection" not in given.model_fields_set:
            return None if given.transcription.model in STREAMING_MODELS else ServerVad()
        return given.turn_detection

    @property
    def with_logprobs(self) -> bool:
        """Whether the events of transcripts have log-probs."""
        return LOGPROBS in self.include

    def language(self, languages: Languages) -> Language:
        """The language that it names.

        Raises:
            UnsupportedLanguage: it is not served; NotSupported: it names several.
        """
        given = self.transcription
        if len(given.languages) > 1 and not given.language:
            raise NotSupported(
                "languages has several entries, but a session transcribes one language. Send one, "
                "and open a session for each."
            )
        return spoken_language(languages, given.model, given.language or "".join(given.languages))

    def updated(self, update: Mapping[str, Any]) -> "SessionConfig":
        """The configuration with the values of an update; null is the default.

        Raises:
            ValidationError: a value is out of range.
        """
        return SessionConfig.model_validate(
            _merged(self.model_dump(exclude_unset=True), update, DEPTH)
        )


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], depth: int) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        if value is None and name != "turn_detection":
            merged.pop(name, None)
        elif isinstance(value, Mapping) and depth:
            before = old.get(name)
            if not isinstance(before, Mapping) or _type(value, before) != _type(before, {}):
                before = {}
            merged[name] = _merged(before, value, depth - 1)
        else:
            merged[name] = value
    return merged


def _type(new: Mapping[str, Any], old: Mapping[str, Any]) -> Any:
    """What an object is: one of another type has nothing in common with it."""
    return new.get("type", old.get("type"))
