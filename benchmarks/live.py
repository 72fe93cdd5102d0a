"""How late are the words of a live stream, and how far is its text from that of the uploaded file?

``uv run --group bench python -m benchmarks.live ko-mini``

The text is compared on held-out clips, streamed alone and joined with pauses of 0.1 to 0.8 s.
Latency is measured on clips spoken with small gaps, where espeak-ng's events tell the end of each
word. A word counts as shown with the first reply in which it and all earlier words are final in
wording; words that were not recognised are excluded.

Time is simulated: a piece of 0.1 s arrives when it has been spoken and a forward takes its real
time, but nothing waits for the speaker. ``--real-time`` clips go through the service's session at
the speed of speech.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import jiwer
import numpy as np

from benchmarks.report import Percentiles, seconds, table
from benchmarks.setting import describe
from stt.activity.detectors import open_detector
from stt.decoding.factory import GREEDY
from stt.decoding.greedy import GreedyDecoder
from stt.engines.base import Engine
from stt.engines.torch import TorchEngine
from stt.engines.wants import BEST
from stt.evaluation.errors import score
from stt.inference.batcher import Batcher
from stt.languages import BUNDLED_MODELS
from stt.recognition.chunking import WindowCutter
from stt.recognition.endpointing import Endpointer, StreamingConfig
from stt.recognition.streaming import LiveSession
from stt.settings import Settings, load_settings
from stt.types import SAMPLE_RATE, Waveform, Word, join_words
from training.held_out import SpokenWord, Subject, concatenations, true_words

PIECE_SECONDS = 0.1
SILENCE_SECONDS = 2.0
"""Added after a clip so that its last word becomes final."""


@dataclass
class Replies:
    """The replies to a stream and their times."""

    times: list[float] = field(default_factory=list)
    final: list[Word] = field(default_factory=list)
    """All final words."""
    settled: list[list[str]] = field(default_factory=list)
    """Their texts after each reply."""
    shown: list[list[str]] = field(default_factory=list)
    """The final and the provisional words."""

    def add(self, when: float, settled: Iterable[Word], provisional: Iterable[Word]) -> None:
        self.times.append(when)
        self.final += settled
        self.settled.append([word.text for word in self.final])
        self.shown.append([*self.settled[-1], *(word.text for word in provisional)])

    @property
    def words(self) -> list[str]:
        return self.settled[-1]

    @property
    def text(self) -> str:
        return join_words(self.final)

    def first(self, states: list[list[str]], n_words: int) -> float:
        """When the first ``n_words`` words first appeared."""
        words = self.words[:n_words]
        return next(
            when for when, state in zip(self.times, states, strict=True) if state[:n_words] == words
        )


def pieces(waveform: Waveform) -> Iterator[tuple[float, Waveform]]:
    """Yield pieces with the time in seconds at which each has been spoken."""
    length = round(PIECE_SECONDS * SAMPLE_RATE)
    for begin in range(0, len(waveform), length):
        piece = waveform[begin : begin + length]
        yield (begin + len(piece)) / SAMPLE_RATE, piece


def stream(
    engine: Engine,
    waveform: Waveform,
    settings: Settings,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Replies, float]:
    """Stream in simulated time; return the replies and the seconds of audio computed.

    A forward takes the seconds that pass on ``clock``.
    """
    config = StreamingConfig.of_seconds(
        engine.grid,
        step=settings.live_step_seconds,
        window=settings.window_seconds,
        context=settings.context_seconds,
        search=settings.cut_search_seconds,
    )
    detector = open_detector(settings.vad, engine.device)
    cutter = Endpointer(
        engine.grid, engine.vocabulary, GREEDY.open(engine), config, detector=detector
    )
    replies, busy_until, computed = Replies(), 0.0, 0.0
    for now, piece in [*pieces(waveform), (len(waveform) / SAMPLE_RATE, None)]:
        if piece is None:
            cutter.end()
        else:
            cutter.feed(piece)
        busy_until = max(busy_until, now)
        while (piece is None or busy_until <= now) and (due := cutter.due()) is not None:
            began = clock()
            cutter.take(engine.forward([due], BEST)[0])
            busy_until += clock() - began
            computed += len(due) / SAMPLE_RATE
        cutter.due()
        replies.add(busy_until, cutter.take_settled(), cutter.provisional())
    return replies, computed


async def speak_live(engine: TorchEngine, waveform: Waveform, settings: Settings) -> Replies:
    """Stream through the service's session in real time."""
    batcher = Batcher()
    session = LiveSession(engine, batcher, settings, SAMPLE_RATE)
    replies, began = Replies(), time.perf_counter()
    for when, piece in pieces(waveform):
        await asyncio.sleep(max(0.0, when - (time.perf_counter() - began)))
        live_result = await session.hear((piece * 32767).astype("<i2").tobytes())
        now = time.perf_counter() - began
        replies.add(now, live_result.settled, live_result.provisional)
    live_result = await session.finish()
    replies.add(time.perf_counter() - began, live_result.settled, [])
    batcher.close()
    return replies


def upload(engine: Engine, waveform: Waveform, settings: Settings) -> list[Word]:
    """The words of the same audio as a file."""
    cutter = WindowCutter(
        engine.grid,
        window_seconds=settings.window_seconds,
        context_seconds=settings.context_seconds,
        cut_search_seconds=settings.cut_search_seconds,
        detector=open_detector(settings.vad, engine.device),
    )
    decoder = GreedyDecoder(engine.vocabulary, engine.grid, engine.calibration)
    words: list[Word] = []
    for window in [*cutter.feed(waveform), *cutter.finish()]:
        words += decoder.feed(BEST.blanks(window.silent_before, engine.vocabulary.blank))
        words += decoder.feed(engine.forward([window.waveform], BEST)[0][window.core])
    return words + decoder.finish()


def latencies(truth: list[SpokenWord], replies: Replies) -> list[tuple[float, float]]:
    """Seconds from the end of each recognised word until it is shown and until it is final."""
    spoken = " ".join(word.text for word in truth)
    found = []
    for chunk in jiwer.process_words(spoken, " ".join(replies.words) or "-").alignments[0]:
        for offset in range(chunk.ref_end_idx - chunk.ref_start_idx):
            if chunk.type == "equal":
                end = truth[chunk.ref_start_idx + offset].end
                n_words = chunk.hyp_start_idx + offset + 1
                shown = replies.first(replies.shown, n_words)
                found.append((shown - end, replies.first(replies.settled, n_words) - end))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(BUNDLED_MODELS))
    parser.add_argument("--files", type=int, default=300, help="clips of the test set")
    parser.add_argument("--recordings", type=int, default=6, help="for the text, 60 s each")
    parser.add_argument("--clips", type=int, default=60, help="for latency")
    parser.add_argument("--real-time", type=int, default=4, help="clips streamed in real time")
    options = parser.parse_args()
    settings = load_settings()
    subject = Subject.bundled(options.model)
    engine = subject.load(threads=2)
    print(describe())

    corpus = subject.speak("test_sentences", "test_sentences")
    pairs = []
    for index in range(min(options.files, len(corpus.clips))):
        waveform = corpus.waveform(index)
        streamed = stream(engine, waveform, settings)[0].text
        pairs.append((join_words(upload(engine, waveform, settings)), streamed))
    same = sum(left == right for left, right in pairs)
    print(f"\n{same} of {len(pairs)} clips of the test set have the same text as file and stream;")
    print(f"{score(pairs).characters.rate:.2%} of the characters differ.")

    corpus = subject.speak("test_sentences", "windows")
    texts: list[tuple[str, str, str]] = []
    audio = computed = 0.0
    for waveform, indices in concatenations(corpus, 60, options.recordings):
        replies, cost = stream(engine, waveform, settings)
        reference = " ".join(corpus.clips[index].text for index in indices)
        uploaded = join_words(upload(engine, waveform, settings))
        texts.append((reference, uploaded, replies.text))
        audio, computed = audio + len(waveform) / SAMPLE_RATE, computed + cost
    rows = []
    for name, left, right in (
        ("file against the truth", 0, 1),
        ("stream against the truth", 0, 2),
        ("stream against the file", 1, 2),
    ):
        scores = score((text[left], text[right]) for text in texts)
        cer, without = scores.characters.rate, scores.characters_without_spaces.rate
        rows.append([name, f"{cer:.2%}", f"{without:.2%}"])
    print(f"\n{len(texts)} recordings of {audio / len(texts):.0f} s, synthetic speech; the model")
    print(f"sees {computed / audio:.1f} s per second of the stream.\n")
    print(table(["", "CER", "CER without spaces"], rows))

    corpus = subject.speak("test_sentences", "word_times_test_sentences", word_gap=(1, 6))
    silence = np.zeros(round(SILENCE_SECONDS * SAMPLE_RATE), np.float32)
    ways: dict[str, list[tuple[float, float]]] = {"simulated time": [], "real time": []}
    n_clips = 0
    alone: list[tuple[str, str]] = []
    for index, clip in enumerate(corpus.clips):
        truth = true_words(clip)
        if truth is None or n_clips == options.clips:
            continue
        n_clips += 1
        waveform = np.concatenate([corpus.waveform(index), silence])
        replies = stream(engine, waveform, settings)[0]
        ways["simulated time"] += latencies(truth, replies)
        uploaded = join_words(upload(engine, corpus.waveform(index), settings))
        alone.append((uploaded, replies.text))
        if n_clips <= options.real_time:
            replies = asyncio.run(speak_live(engine, waveform, settings))
            ways["real time"] += latencies(truth, replies)
    same = sum(left == right for left, right in alone)
    print(f"\n{same} of {len(alone)} clips followed by silence have the same text as the file;")
    print(f"{score(alone).characters.rate:.2%} of the characters differ.")
    print("\nFrom the end of a word:\n")
    rows = []
    for name, found in ways.items():
        for what, column in (("shown", 0), ("final", 1)):
            late = Percentiles.of([each[column] for each in found])
            rows.append([what, f"{name}, {len(found)} words", seconds(late.p50), seconds(late.p95)])
    print(table(["", "", "p50", "p95"], rows))


if __name__ == "__main__":
    main()
