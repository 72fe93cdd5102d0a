"""The events that the service sends, in OpenAI's keys.

See https://platform.openai.com/docs/api-reference/realtime-server-events.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from stt.errors import AudioError, SttError, errors_by_code
from stt.formats.openai import logprob_entries
from stt.server.problems import BUG, STATUSES, openai_error
from stt.types import Word, join_words

Event: TypeAlias = Mapping[str, Any]

TRANSCRIPTION = "conversation.item.input_audio_transcription"
ID_BYTES = 12
MAX_EVENT_ID = 512
"""Characters of a client's id that an error repeats."""
STATUS_BY_CODE = {error.code: status for error, status in STATUSES.items()} | {BUG[0]: 500}
"""The HTTP status of an error; all other codes are the client's fault."""
AUDIO_CODES = frozenset(errors_by_code(AudioError))


def new_id(kind: str) -> str:
    """A new id, such as ``item_...``."""
    return f"{kind}_{secrets.token_hex(ID_BYTES)}"


def event(name: str, **fields: Any) -> Event:
    """An event of this type."""
    return {"type": name, "event_id": new_id("event"), **fields}


def error_event(code: str, message: str, *, param: str | None = None, cause: Any = None) -> Event:
    """An error.

    Args:
        code: For programs.
        message: For people.
        param: The field that caused it.
        cause: The client's id of the event that caused it.
    """
    if code in AUDIO_CODES:
        param = param or "audio"
    details = openai_error(STATUS_BY_CODE.get(code, 400), code, message, param).error
    shown: dict[str, Any] = details.model_dump()
    shown["event_id"] = cause[:MAX_EVENT_ID] if isinstance(cause, str) else None
    return event("error", error=shown)


def committed(item_id: str, previous: str | None) -> Event:
    """Audio has become an item."""
    return event("input_audio_buffer.committed", item_id=item_id, previous_item_id=previous)


def shown_item(name: str, item_id: str, previous: str | None) -> Event:
    """An event that shows an item whose audio is complete, and its transcript not."""
    item = {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
    return event(name, previous_item_id=previous, item=item)


def delta(item_id: str, words: Sequence[Word], *, begins: bool, with_logprobs: bool) -> Event:
    """Further words of an item; ``begins`` if they are its first."""
    text = "".join(word.continued for word in words)
    return event(
        f"{TRANSCRIPTION}.delta",
        item_id=item_id,
        content_index=0,
        delta=text.removeprefix(" ") if begins else text,
        logprobs=_logprobs(words, begins) if with_logprobs else None,
    )


def completed(item_id: str, words: Sequence[Word], seconds: float, *, with_logprobs: bool) -> Event:
    """All words of an item. The deltas, joined, are its transcript."""
    return event(
        f"{TRANSCRIPTION}.completed",
        item_id=item_id,
        content_index=0,
        transcript=join_words(words),
        usage={"type": "duration", "seconds": round(seconds, 3)},
        logprobs=_logprobs(words, True) if with_logprobs else None,
    )


def failed(item_id: str, error: SttError) -> Event:
    """An item cannot be transcribed."""
    details = openai_error(STATUSES[type(error)], error.code, error.message).error
    shown = {**details.model_dump(), "param": None}
    return event(f"{TRANSCRIPTION}.failed", item_id=item_id, content_index=0, error=shown)


def _logprobs(words: Sequence[Word], begins: bool) -> list[dict[str, Any]]:
    return [each.model_dump() for each in logprob_entries(words, begin_text=begins)]
