"""libespeak-ng through ctypes: speech and the time of every phoneme.

About 1,000 seconds of speech per second; a process per clip would mostly spend time starting.
Constants and structures are from espeak-ng's ``speak_lib.h``.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS = 1
_EVENT_LIST_TERMINATED, _EVENT_PHONEME = 0, 7
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _VOLUME, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7


class _EventId(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Voice:
    """The parameters of espeak-ng for a text."""

    name: str
    """Language and variant: ``ko``, ``en-us+f2``."""
    words_per_minute: int = 175
    pitch: int = 50
    pitch_range: int = 50
    volume: int = 100
    word_gap: int = 0
    """Pause between words, in 10 ms at the default speed (``espeak-ng -g``)."""


@dataclass(frozen=True)
class Speech:
    """Synthesised speech."""

    waveform: np.ndarray
    """``[n_samples] int16`` at ``Espeak.sample_rate``."""
    phonemes: list[tuple[int, str]]
    """First sample and espeak-ng's name of each phoneme, in order."""


class Espeak:
    """One libespeak-ng per process: the library keeps its state in globals."""

    def __init__(self, library: str = "libespeak-ng.so.1"):
        self._library = ctypes.CDLL(library)
        self.sample_rate: int = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, None, _INITIALIZE_PHONEME_EVENTS
        )
        if self.sample_rate <= 0:
            raise RuntimeError(f"espeak-ng did not start (code {self.sample_rate})")
        self._chunks: list[np.ndarray] = []
        self._phonemes: list[tuple[int, str]] = []
        self._voice_name = ""
        self._callback = _Callback(self._receive)  # kept alive: the library has only a pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, n_samples: int, events: Any) -> int:
        if samples and n_samples > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        position = 0
        while events[position].type != _EVENT_LIST_TERMINATED:
            event = events[position]
            if event.type == _EVENT_PHONEME and event.id.string:
                self._phonemes.append((event.sample, event.id.string.decode()))
            position += 1
        return 0

    def speak(self, text: str, voice: Voice) -> Speech:
        if voice.name != self._voice_name:
            if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
                raise ValueError(f"expected a voice that espeak-ng has, got {voice.name!r}")
            self._voice_name = voice.name
        for parameter, value in (
            (_RATE, voice.words_per_minute),
            (_VOLUME, voice.volume),
            (_PITCH, voice.pitch),
            (_RANGE, voice.pitch_range),
            (_WORD_GAP, voice.word_gap),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks, self._phonemes = [], []
        encoded = text.encode() + b"\0"
        status = self._library.espeak_Synth(
            encoded,
            ctypes.c_size_t(len(encoded)),
            ctypes.c_uint(0),
            _POSITION_CHARACTER,
            ctypes.c_uint(0),
            ctypes.c_uint(_CHARS_UTF8),
            None,
            None,
        )
        if status != 0:
            raise RuntimeError(f"espeak-ng could not speak {text!r} (code {status})")
        self._library.espeak_Synchronize()
        waveform = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        return Speech(waveform, list(self._phonemes))
