"""The two shapes of a session's configuration on the wire: general availability, and the beta's."""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from stt.errors import NotSupported
from stt.languages import Language
from stt.server.realtime.config import LOGPROBS, ServerVad, SessionConfig
from stt.server.realtime.encodings import ENCODINGS
from stt.server.realtime.refusals import invalid_field

OBJECT = "realtime.transcription_session"
BETA_KEYS = {
    "input_audio_transcription": "audio.input.transcription",
    "turn_detection": "audio.input.turn_detection",
    "input_audio_format": "audio.input.format.type",
    "include": "include",
}
"""The beta's keys, and where their values are now."""


class Shape(Protocol):
    """How a configuration is written."""

    created: str
    updated: str
    """Types of the events that show it."""
    added: tuple[str, ...]
    """Types of the events that show an item after it was committed."""

    def update(self, config: SessionConfig, session: Any) -> SessionConfig:
        """The configuration after a client's update.

        Raises:
            Refusal: a value is out of range.
            NotSupported: it is no transcription.
        """
        ...

    def show(self, session_id: str, config: SessionConfig, language: Language) -> dict[str, Any]:
        """What is in effect."""
        ...


class Current:
    """The shape of the generally available API."""

    created, updated = "session.created", "session.updated"
    added: tuple[str, ...] = ("conversation.item.added", "conversation.item.done")

    def update(self, config: SessionConfig, session: Any) -> SessionConfig:
        """See `Shape.update`."""
        given = _checked(session)
        kind = given.get("type", "transcription")
        if kind != "transcription":
            raise NotSupported(
                f"Sessions of the type {str(kind)[:80]!r} are not supported, since this service "
                "only transcribes. Send a session of the type 'transcription'."
            )
        return _updated(config, given, {})

    def show(self, session_id: str, config: SessionConfig, language: Language) -> dict[str, Any]:
        """See `Shape.show`."""
        encoding, rate = config.format.encoding, config.format.sample_rate
        return {
            "id": session_id,
            "object": OBJECT,
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": encoding.name}
                    | ({"rate": rate} if encoding.name == "audio/pcm" else {}),
                    "transcription": _transcription(config, language),
                    "noise_reduction": None,
                    "turn_detection": _turn_detection(config.turn_detection),
                }
            },
            "include": _include(config),
        }


class Beta:
    """The shape of the beta: flat."""

    created, updated = "transcription_session.created", "transcription_session.updated"
    added: tuple[str, ...] = ("conversation.item.created",)

    def update(self, config: SessionConfig, session: Any) -> SessionConfig:
        """See `Shape.update`."""
        given = _checked(session)
        update: dict[str, Any] = {}
        for key, place in BETA_KEYS.items():
            if key not in given:
                continue
            *parents, last = place.split(".")
            inner = update
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = given[key]
        if (name := given.get("input_audio_format")) is not None:
            names = {each.beta_name: each.name for each in ENCODINGS.values()}
            update["audio"]["input"]["format"] = {"type": names.get(str(name), name), "rate": None}
        return _updated(config, update, {place: key for key, place in BETA_KEYS.items()})

    def show(self, session_id: str, config: SessionConfig, language: Language) -> dict[str, Any]:
        """See `Shape.show`."""
        return {
            "id": session_id,
            "object": OBJECT,
            "input_audio_format": config.format.encoding.beta_name,
            "input_audio_transcription": _transcription(config, language),
            "input_audio_noise_reduction": None,
            "turn_detection": _turn_detection(config.turn_detection),
            "include": _include(config),
        }


CURRENT, BETA = Current(), Beta()


def _checked(session: Any) -> Mapping[str, Any]:
    if not isinstance(session, Mapping):
        raise invalid_field("session", "Expected an object with the configuration.")
    return session


def _updated(
    config: SessionConfig, update: Mapping[str, Any], names: Mapping[str, str]
) -> SessionConfig:
    """The configuration after an update; ``names`` are the client's for the places of faults."""
    try:
        return config.updated(update)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        for known, name in names.items():
            place = place.replace(known, name)
        raise invalid_field(f"session.{place}", f"{fault['msg']}.") from None


def _transcription(config: SessionConfig, language: Language) -> dict[str, Any]:
    shown = config.transcription.model_dump(exclude_unset=True, exclude={"languages"})
    return shown | {
        "model": config.transcription.model or language.model.name,
        "language": language.iso_639_1,
    }


def _turn_detection(detection: ServerVad | None) -> dict[str, Any] | None:
    return None if detection is None else detection.model_dump()


def _include(config: SessionConfig) -> list[str] | None:
    return [LOGPROBS] if config.with_logprobs else None
