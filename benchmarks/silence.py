"""What does leaving out pauses save, does the text stay the same, and is all speech kept?

``uv run --group bench python -m benchmarks.silence ko-mini --speech FOLDER``

Held-out clips (synthetic speech) are transcribed alone and joined: without pauses, with pauses of
0.1 to 0.8 s, and like a meeting, with pauses of 45 % of the time and a room's noise. Each is
transcribed as the service does on a CPU, with pauses left out and without. The cost is the audio
that the model sees per second of recording.

``--speech`` names a folder of recordings of people. They are joined with pauses, and noise is
added. *Recall* is the share of their 32 ms chunks with speech that windows have: chunks within 33
dB of the loud ones before noise was added."""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.live import stream
from benchmarks.report import table
from benchmarks.setting import describe
from stt.activity.base import CHUNK_SAMPLES
from stt.activity.detectors import Vad, open_detector
from stt.activity.runs import runs
from stt.audio.reading import read_audio
from stt.decoding.greedy import GreedyDecoder
from stt.engines.torch import TorchEngine
from stt.engines.wants import BEST
from stt.evaluation.errors import score
from stt.languages import BUNDLED_MODELS
from stt.recognition.chunking import Window, WindowCutter
from stt.settings import Settings, load_settings
from stt.types import SAMPLE_RATE, FrameGrid, Waveform, join_words
from training.held_out import Corpus, Subject

RMS = 0.1
"""Of every clip."""
ROOM_DB = 45.0
"""Speech above the noise of a quiet room."""
PAUSE_SHARE = 0.45
SPEECH_DB = 33.0
MISSED_CHUNKS = 4
"""So many in a row, 0.13 s, are a syllable."""

Pause = Callable[[np.random.Generator, int], float]
"""Seconds behind a clip of ``n`` samples."""


def of_a_meeting(random: np.random.Generator, n_samples: int) -> float:
    """A pause: many short ones, some long, together `PAUSE_SHARE` of the time."""
    mean = n_samples / SAMPLE_RATE * PAUSE_SHARE / (1 - PAUSE_SHARE)
    return float(np.clip(random.exponential(mean), 0.2, 10))


PAUSES: dict[str, Pause] = {
    "no pauses": lambda random, n: 0.0,
    "pauses of 0.1 to 0.8 s": lambda random, n: float(random.uniform(0.1, 0.8)),
    "like a meeting": of_a_meeting,
}


def noise(random: np.random.Generator, n_samples: int) -> Waveform:
    """Pink noise as in rooms, root mean square 1."""
    spectrum = np.fft.rfft(random.standard_normal(n_samples))
    frequencies = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
    spectrum[1:] /= np.sqrt(frequencies[1:])
    spectrum[frequencies < 30] = 0
    samples = np.fft.irfft(spectrum, n_samples)
    return (samples / np.std(samples)).astype(np.float32)


def joined(clips: Iterator[Waveform], pause: Pause, seed: int) -> Waveform:
    """Clips at equal loudness, each with a pause behind it."""
    random = np.random.default_rng(seed)
    pieces: list[Waveform] = []
    for clip in clips:
        loud = clip * np.float32(RMS / max(1e-4, float(np.sqrt(np.mean(clip**2)))))
        silence = np.zeros(round(pause(random, len(clip)) * SAMPLE_RATE), np.float32)
        pieces += [loud, silence]
    return np.concatenate(pieces)


def with_noise(waveform: Waveform, ratio_db: float, seed: int = 1) -> Waveform:
    """Noise at a ratio to the speech, through the pauses too."""
    random = np.random.default_rng(seed)
    level = np.float32(RMS * 10 ** (-ratio_db / 20))
    return waveform + level * noise(random, len(waveform))


def cut(grid: FrameGrid, settings: Settings, waveform: Waveform, vad: Vad) -> list[Window]:
    """The windows of a recording, as the service cuts them on a CPU."""
    cutter = WindowCutter(
        grid,
        window_seconds=settings.window_seconds,
        context_seconds=settings.context_seconds,
        cut_search_seconds=settings.cut_search_seconds,
        detector=open_detector(vad, "cpu"),
    )
    windows: list[Window] = []
    for begin in range(0, len(waveform), SAMPLE_RATE):
        windows += cutter.feed(waveform[begin : begin + SAMPLE_RATE])
    return windows + cutter.finish()


def seen(grid: FrameGrid, settings: Settings, waveform: Waveform, vad: Vad) -> float:
    """Seconds of audio in forwards, per second."""
    windows = cut(grid, settings, waveform, vad)
    return sum(len(window.waveform) for window in windows) / len(waveform)


def transcribe(engine: TorchEngine, windows: list[Window]) -> str:
    """The greedy text."""
    decoder = GreedyDecoder(engine.vocabulary, engine.grid, engine.calibration)
    words = []
    for window in windows:
        words += decoder.feed(BEST.blanks(window.silent_before, engine.vocabulary.blank))
        words += decoder.feed(engine.forward([window.waveform], BEST)[0][window.core])
    return join_words(words + decoder.finish())


@dataclass
class Tally:
    """What was found in recordings of one kind."""

    references: list[str] = field(default_factory=list)
    texts: dict[Vad, list[str]] = field(default_factory=lambda: {"off": [], "auto": []})
    seen: dict[Vad, float] = field(default_factory=lambda: {"off": 0.0, "auto": 0.0})
    seconds: float = 0.0

    def add(
        self, engine: TorchEngine, settings: Settings, waveform: Waveform, reference: str
    ) -> None:
        """Transcribe in both ways."""
        self.references.append(reference)
        self.seconds += len(waveform) / SAMPLE_RATE
        for vad in self.texts:
            windows = cut(engine.grid, settings, waveform, vad)
            self.seen[vad] += sum(len(window.waveform) for window in windows) / SAMPLE_RATE
            self.texts[vad].append(transcribe(engine, windows))

    def row(self, name: str) -> list[str]:
        """A row of the table."""
        off, on = (self.seen[vad] / self.seconds for vad in self.texts)
        differing = score(zip(self.texts["off"], self.texts["auto"], strict=True)).characters.rate
        rates = [
            score(zip(self.references, texts, strict=True)).characters.rate
            for texts in self.texts.values()
        ]
        return [
            name, f"{self.seconds:.0f} s", f"{off:.2f}", f"{on:.2f}", f"{on / off:.2f}",
            f"{differing:.2%}", *(f"{rate:.2%}" for rate in rates),
        ]  # fmt: skip


def compare_texts(
    engine: TorchEngine, corpus: Corpus, settings: Settings, options: argparse.Namespace
) -> list[list[str]]:
    """The rows of all kinds of recordings."""
    alone = Tally()
    for index in range(min(options.files, len(corpus.clips))):
        alone.add(engine, settings, corpus.waveform(index), corpus.clips[index].text)
    rows = [alone.row(f"{options.files} clips, each alone")]
    kinds = [(name, pause, ROOM_DB) for name, pause in PAUSES.items()]
    kinds += [(f"like a meeting, noise at {db} dB", of_a_meeting, db) for db in (20, 10)]
    for name, pause, ratio_db in kinds:
        tally, begin = Tally(), 0
        for seed in range(options.count):
            # As many clips as a meeting of that length has.
            n_clips, length = 0, 0.0
            while length < options.seconds * (1 - PAUSE_SHARE) * SAMPLE_RATE:
                length += len(corpus.waveform((begin + n_clips) % len(corpus)))
                n_clips += 1
            indices = [(begin + offset) % len(corpus) for offset in range(n_clips)]
            begin += n_clips
            waveform = joined((corpus.waveform(index) for index in indices), pause, seed)
            reference = " ".join(corpus.clips[index].text for index in indices)
            tally.add(engine, settings, with_noise(waveform, ratio_db), reference)
        rows.append(tally.row(name))
    return rows


def recordings(folder: Path, seconds: float, pause: Pause) -> Waveform:
    """Recordings of people from all over a folder, joined."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".opus", ".wav", ".flac"))

    def clips() -> Iterator[Waveform]:
        left = seconds * (1 - PAUSE_SHARE)
        for file in files[:: max(1, len(files) // round(left / 8))]:
            with file.open("rb") as source:
                clip = np.concatenate(list(read_audio(source, max_seconds=3600)))
            left -= len(clip) / SAMPLE_RATE
            if left < 0:
                break
            yield clip

    return joined(clips(), pause, seed=0)


def whispered(waveform: Waveform) -> Waveform:
    """Speech without voice: smoothed over its harmonics, with the phases of noise."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import istft, stft

    random = np.random.default_rng(2)
    spectrum = stft(waveform, SAMPLE_RATE, nperseg=512)[2]
    smooth = np.sqrt(uniform_filter1d(np.abs(spectrum) ** 2, 13, axis=0))
    smooth[:16] *= 0.1  # whispers have little below 500 Hz
    phases = np.exp(2j * np.pi * random.random(smooth.shape))
    return istft(smooth * phases, SAMPLE_RATE, nperseg=512)[1][: len(waveform)].astype(np.float32)


def telephone(waveform: Waveform) -> Waveform:
    """300 to 3400 Hz."""
    from scipy.signal import butter, sosfilt

    band = butter(6, [300, 3400], "band", fs=SAMPLE_RATE, output="sos")
    return sosfilt(band, waveform).astype(np.float32)


CONDITIONS: dict[str, Callable[[Waveform], Waveform]] = {
    "a quiet room": lambda waveform: with_noise(waveform, ROOM_DB),
    **{
        f"noise at {db} dB": lambda waveform, db=db: with_noise(waveform, db)  # type: ignore[misc]
        for db in (20, 10, 5, 0)
    },
    "at -50 dBFS": lambda waveform: with_noise(waveform, 30) * np.float32(10 ** (-30 / 20)),
    "telephone, 25 dB": lambda waveform: telephone(with_noise(waveform, 25)),
    "whispered, 30 dB": lambda waveform: with_noise(whispered(waveform), 30),
    "whispered, 10 dB": lambda waveform: with_noise(whispered(waveform), 10),
}


def chunk_levels(waveform: Waveform) -> np.ndarray:
    """``[n_chunks]``: root mean square of each chunk."""
    whole = waveform[: len(waveform) // CHUNK_SAMPLES * CHUNK_SAMPLES]
    return np.sqrt(np.square(whole.reshape(-1, CHUNK_SAMPLES)).mean(axis=1))


def measure_recall(grid: FrameGrid, settings: Settings, clean: Waveform) -> list[list[str]]:
    """The rows of all conditions."""
    rows = []
    for name, change in CONDITIONS.items():
        levels = chunk_levels(whispered(clean) if "whispered" in name else clean)
        loud = np.percentile(levels[levels > 1e-3], 95)
        is_speech = levels > loud * 10 ** (-SPEECH_DB / 20)
        is_seen = np.zeros(len(levels), bool)
        for window in cut(grid, settings, change(clean), "auto"):
            begin = (window.first_frame - window.core.start) * grid.stride_samples
            end = begin + len(window.waveform)
            is_seen[begin // CHUNK_SAMPLES : -(-end // CHUNK_SAMPLES)] = True
        missed = runs(is_speech & ~is_seen)
        n_missed = sum(end - begin >= MISSED_CHUNKS for begin, end in missed)
        recall = (is_speech & is_seen).sum() / is_speech.sum()
        rows.append(
            [name, f"{recall:.2%}", str(n_missed), f"{1 - is_speech.mean():.0%}",
             f"{1 - is_seen.mean():.0%}"]
        )  # fmt: skip
    return rows


def measure_detector(grid: FrameGrid, settings: Settings, waveform: Waveform) -> float:
    """Milliseconds of one core for a second of audio: cutting windows with it, minus without."""
    spent: dict[Vad, float] = {}
    for vad in ("off", "auto"):
        started = time.process_time()
        cut(grid, settings, waveform, vad)
        spent[vad] = time.process_time() - started
    return (spent["auto"] - spent["off"]) / (len(waveform) / SAMPLE_RATE) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(BUNDLED_MODELS))
    parser.add_argument("--files", type=int, default=300, help="clips of the test set")
    parser.add_argument("--seconds", type=float, default=600, help="of a meeting")
    parser.add_argument(
        "--count", type=int, default=2, help="recordings of each kind; 0 compares no texts"
    )
    parser.add_argument("--speech", type=Path, metavar="FOLDER", help="recordings of people")
    parser.add_argument("--speech-seconds", type=float, default=1200)
    options = parser.parse_args()
    settings = load_settings()
    subject = Subject.bundled(options.model)
    engine = subject.load(threads=1)
    print(describe())
    print("\n*Seen*: seconds of audio in forwards per second of recording.")
    if options.count:
        corpus = subject.speak("test_sentences", "windows")
        rows = compare_texts(engine, corpus, settings, options)
        heads = ["recordings", "length", "seen, off", "seen, auto", "ratio",
                 "characters that differ", "CER, off", "CER, auto"]  # fmt: skip
        print("\nSynthetic speech.\n")
        print(table(heads, rows))

    room = with_noise(np.zeros(60 * SAMPLE_RATE, np.float32), ROOM_DB)
    heard = {"a quiet room": room}
    for vad in ("off", "auto"):
        computed = stream(engine, room, settings.model_copy(update={"vad": vad}))[1]
        print(f"A minute of a quiet room, live, {vad}: {computed:.1f} s of audio in forwards.")
    if options.speech:
        for name, pause in PAUSES.items():
            clean = recordings(options.speech, options.speech_seconds, pause)
            noisy = with_noise(clean, ROOM_DB)
            off, on = (seen(engine.grid, settings, noisy, vad) for vad in ("off", "auto"))
            print(f"People, {name}, {len(clean) / SAMPLE_RATE:.0f} s: seen {off:.2f} s off, "
                  f"{on:.2f} s auto, ratio {on / off:.2f}.")  # fmt: skip
            heard[f"people, {name}"] = noisy
        clean = recordings(options.speech, options.speech_seconds, of_a_meeting)
        print(f"\n{len(clean) / SAMPLE_RATE:.0f} s of people, joined like a meeting.\n")
        heads = ["", "recall of speech", "syllables missed", "not speech", "left out"]
        print(table(heads, measure_recall(engine.grid, settings, clean)))
    print("\nThe detector takes, in ms of a core per second of audio:\n")
    rows = [
        [name, f"{measure_detector(engine.grid, settings, x):.2f}"] for name, x in heard.items()
    ]
    print(table(["", "ms"], rows))


if __name__ == "__main__":
    main()
