"""Do the words of a script without spaces have the times and delays that Korean words have?

``uv run --group bench python -m benchmarks.unspaced``

No bundled model writes such a script. So this one is made up: the bundled Korean model with an
ideograph for each jamo and without its delimiter. The acoustics are real, the text means nothing,
and each ideograph must be a word of its own. The speech is the Korean samples, joined with pauses
of 0.1 to 0.8 s.

Delays count from the end of a word's last frame to the reply that has the word and all before it.
Time is simulated as in `benchmarks.live`, but a forward takes none: both ways compute the same
audio, so that only what decides about words makes a difference.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.live import Replies, stream, upload
from benchmarks.report import Percentiles, seconds, table
from benchmarks.setting import ROOT, describe
from stt.audio.reading import read_audio
from stt.engines.base import Engine
from stt.engines.torch import load_torch_engine
from stt.engines.wants import F, Want
from stt.formats.captions import cut_cues
from stt.frames import Frames
from stt.languages import BUNDLED_FOLDER
from stt.settings import load_settings
from stt.types import SAMPLE_RATE, Calibration, Transcript, Vocabulary, Waveform, Word

FIRST_IDEOGRAPH = 0x4E00


class Remembering:
    """An engine that computes equal waveforms once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[bytes, Frames] = {}
        self.vocabulary, self.grid, self.device = engine.vocabulary, engine.grid, engine.device
        self.limits, self.precision, self.backend = engine.limits, engine.precision, engine.backend
        self.calibration = Calibration()
        """None, so that times are those of the frames."""

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """The frames of each waveform."""
        keys = [hashlib.sha256(waveform).digest() for waveform in waveforms]
        for key, waveform in zip(keys, waveforms, strict=True):
            if key not in self._known:
                [self._known[key]] = self._engine.forward([waveform], want)
        return [self._known[key] for key in keys]


class Renamed:
    """An engine with an ideograph for each symbol; where it emits its delimiter, this is silent."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        old = engine.vocabulary
        self._silent = [i for i in range(len(old.symbols)) if not old.written(i).strip()]
        symbols = [chr(FIRST_IDEOGRAPH + index) for index in range(len(old.symbols))]
        self.vocabulary: Vocabulary = replace(
            old, symbols=tuple(symbols), special=frozenset(self._silent)
        )
        self.grid, self.calibration, self.device = engine.grid, engine.calibration, engine.device
        self.limits, self.precision, self.backend = engine.limits, engine.precision, engine.backend

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """The frames of the engine, with blanks for its delimiters."""
        return [
            replace(
                frames,
                columns=np.where(
                    np.isin(frames.columns, self._silent), self.vocabulary.blank, frames.columns
                ).astype(np.int32),
            )
            for frames in self._engine.forward(waveforms, want)
        ]


def speech(minutes: float) -> Waveform:
    """The Korean samples, in turn, with pauses between them."""
    random = np.random.default_rng(0)
    clips = []
    for path in sorted((ROOT / "samples").glob("ko-*")):
        with path.open("rb") as file:
            clips.append(np.concatenate(list(read_audio(file, max_seconds=60))))
    pieces: list[Waveform] = []
    while sum(map(len, pieces)) < minutes * 60 * SAMPLE_RATE:
        pause = np.zeros(int(random.uniform(0.1, 0.8) * SAMPLE_RATE), np.float32)
        pieces += [clips[len(pieces) // 2 % len(clips)], pause]
    return np.concatenate(pieces)


def cue_errors(words: Sequence[Word], duration_seconds: float) -> list[float]:
    """Seconds between each cue's start and the first frame of its first word."""
    coming, errors = list(words), []
    for cue in cut_cues(Transcript(tuple(words), duration_seconds)):
        errors.append(abs(cue.start_ms / 1000 - coming[0].start))
        shown = "".join(cue.lines).replace(" ", "")
        while shown:
            shown = shown.removeprefix(coming.pop(0).text)
    return errors


def delays(replies: Replies, states: list[list[str]]) -> list[float]:
    """Seconds from the end of each final word to the first state that begins with all up to it."""
    final = replies.words
    lengths = [
        next((i for i, (a, b) in enumerate(zip(state, final, strict=False)) if a != b),
             min(len(state), len(final)))
        for state in states
    ]  # fmt: skip
    reached = np.searchsorted(np.maximum.accumulate(lengths), np.arange(1, len(final) + 1))
    return [
        replies.times[reply] - word.end
        for reply, word in zip(reached.tolist(), replies.final, strict=True)
    ]


def measure(name: str, engine: Engine, waveform: Waveform) -> list[str]:
    """A row of the table."""
    settings = load_settings()
    duration = len(waveform) / SAMPLE_RATE
    words = upload(engine, waveform, settings)
    errors = cue_errors(words, duration)
    replies = stream(engine, waveform, settings, clock=lambda: 0.0)[0]
    shown, final = (
        Percentiles.of(delays(replies, states)) for states in (replies.shown, replies.settled)
    )
    return [
        name,
        f"{len(words) / duration * 60:.0f}",
        f"{len(replies.final) / duration * 60:.0f}",
        f"{len(errors)}",
        f"{seconds(float(np.median(errors)))}, {seconds(max(errors))}",
        f"{seconds(shown.p50)}, {seconds(shown.p95)}",
        f"{seconds(final.p50)}, {seconds(final.p95)}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="length of the recording")
    options = parser.parse_args()
    folder = BUNDLED_FOLDER / "ko-mini"
    korean = Remembering(load_torch_engine(folder, device="cpu", precision="auto"))
    waveform = speech(options.minutes)
    print(describe())
    print(f"\n{len(waveform) / SAMPLE_RATE:.0f} s of synthetic Korean speech.\n")
    heads = ["", "words per minute", "live", "cues", "cue against its first frame: median, most"]
    heads += ["shown: p50, p95", "final: p50, p95"]
    rows = [
        measure("Korean words", korean, waveform),
        measure("characters without spaces", Renamed(korean), waveform),
    ]
    print(table(heads, rows))


if __name__ == "__main__":
    main()
