"""What an answer warns of: audio or text that is missing or doubtful although there is a result.

``code`` is what programs compare: it never changes. Messages are for people, in ASCII, and contain
no text from the file. To add a warning, add a `Code` and a row of docs/api.md.
"""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Every kind of warning."""

    UNREAD_DATA = "unread_data"
    """Bytes of the file are not audio that can be read."""
    CUT_OFF = "cut_off"
    """The file ends before its header says."""
    DAMAGED = "damaged_audio"
    """Some of the audio could not be decoded."""
    TIMESTAMPS = "implausible_timestamps"
    """A gap in the timestamps is too long to be one; later times may be early."""
    INVALID_SAMPLES = "invalid_samples"
    """Samples that are no number, or impossibly large, became silence."""
    OPPOSITE_CHANNELS = "opposite_channels"
    """The channels cancel each other, so one of them was used instead of their mean."""
    ONE_CHANNEL = "one_channel"
    """Channels were to be split, but there is only one."""
    SAME_CHANNELS = "same_channels"
    """Several channels have the same sound, which was transcribed once."""
    SKIPPED_TRACK = "skipped_track"
    """A track before the one that was read cannot be decoded."""
    NO_SPEAKERS = "no_speakers"
    """Speakers were to be told apart, but none was found."""
    UNUSED_PROMPT = "unused_prompt"
    """The prompt, or some of its words, had no effect."""
    NO_SPEECH = "no_speech"
    """Nothing was recognised."""
    MODEL_LOADED = "model_loaded"
    """The answer took longer, since its model had to be loaded again."""
    TEXT_NOT_SPOKEN = "text_not_spoken"
    """Words of the text to align were not found in the recording."""
    TEXT_NOT_SPELLED = "text_not_spelled"
    """The checkpoint cannot spell some of the text to align."""
    SPEECH_NOT_IN_TEXT = "speech_not_in_text"
    """Some of the speech is not in the text to align."""


@dataclass(frozen=True)
class Notice:
    """One warning."""

    code: str
    """A `Code`; a newer service may send others."""
    message: str
    """For people: what is missing, and what to do."""


@dataclass(frozen=True)
class Report:
    """What the reader of a recording found out about it."""

    warnings: tuple[Notice, ...] = ()
    track: int = 1
    """The audio track that was read, counted from 1."""
    n_tracks: int = 1
    """Audio tracks in the file."""
    n_channels: int = 1
    """Channels that were transcribed each by itself; 1 if they were mixed."""
