"""What does a window policy cost in accuracy on long recordings?

``uv run --group bench python -m benchmarks.windows ko-mini --seconds 60 --count 10``

Held-out clips are joined and transcribed in three ways: each clip alone (*pieces*, the best
possible result), one forward over everything (up to 120 s), and windows of several kinds. The cost
is the audio that the model sees per second of recording.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from benchmarks.setting import describe
from stt.decoding.greedy import GreedyDecoder
from stt.engines.torch import TorchEngine
from stt.engines.wants import BEST
from stt.evaluation.errors import score
from stt.languages import BUNDLED_MODELS
from stt.recognition.chunking import WindowCutter
from stt.settings import Settings
from stt.types import Waveform, join_words
from training.held_out import Subject, concatenations

CHOICES = [  # window, context, search, in seconds
    (10, 1, 0), (10, 2, 0), (10, 1, 2), (10, 2, 2),
    (20, 1, 0), (20, 2, 0), (20, 3, 0), (20, 1, 2), (20, 2, 1), (20, 2, 2), (20, 2, 4), (20, 3, 4),
    (20, 1.3, 1), (20, 1.4, 1), (20, 1.5, 0.5), (20, 1.5, 1), (20, 1.5, 2),
    (30, 2, 0), (30, 2, 2), (30, 2, 4),
]  # fmt: skip
DEFAULT = tuple(
    Settings.model_fields[f"{name}_seconds"].default for name in ("window", "context", "cut_search")
)


def text_of(engine: TorchEngine, waveforms: Iterator[tuple[Waveform, slice]]) -> str:
    """Greedy text of windows, each cut to its core."""
    decoder = GreedyDecoder(engine.vocabulary, engine.grid)
    words = []
    for waveform, core in waveforms:
        words += decoder.feed(engine.forward([waveform], BEST)[0][core])
    return join_words(words + decoder.finish())


def whole(waveform: Waveform) -> Iterator[tuple[Waveform, slice]]:
    """The waveform as one window."""
    yield waveform, slice(None)


def windowed(
    engine: TorchEngine, waveform: Waveform, choice: tuple[float, float, float]
) -> Iterator[tuple[Waveform, slice]]:
    """The windows that the service cuts."""
    window, context, search = choice
    cutter = WindowCutter(
        engine.grid,
        window_seconds=window,
        context_seconds=context,
        cut_search_seconds=search,
    )
    for block in np.array_split(waveform, max(1, len(waveform) // 16_000)):
        for each in cutter.feed(block):
            yield each.waveform, each.core
    for each in cutter.finish():
        yield each.waveform, each.core


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(BUNDLED_MODELS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument(
        "--all", action="store_true", help="every kind of window, not only the default"
    )
    parser.add_argument(
        "--choice",
        nargs=3,
        type=float,
        action="append",
        metavar=("WINDOW", "CONTEXT", "SEARCH"),
        help="this kind, in seconds, instead of the default; may be repeated",
    )
    parser.add_argument(
        "--pauses", nargs=2, type=float, default=(0.1, 0.8), metavar=("LEAST", "MOST"),
        help="between clips, in seconds",
    )  # fmt: skip
    options = parser.parse_args()
    subject = Subject.bundled(options.model)
    engine = subject.load(threads=2)
    corpus = subject.speak("test_sentences", "windows")
    choices = CHOICES if options.all else options.choice or [DEFAULT]
    references: list[str] = []
    texts: dict[str, list[str]] = {}
    cost: dict[str, float] = {}
    total = 0.0
    piece_texts: dict[int, str] = {}
    for waveform, indices in concatenations(
        corpus, options.seconds, options.count, pauses=tuple(options.pauses)
    ):
        total += len(waveform)
        references.append(" ".join(corpus.clips[index].text for index in indices))
        for index in indices:
            if index not in piece_texts:
                piece_texts[index] = text_of(engine, whole(corpus.waveform(index)))
        pieces = " ".join(piece_texts[index] for index in indices)
        texts.setdefault("pieces", []).append(pieces)
        if options.seconds <= 120:
            texts.setdefault("one forward", []).append(text_of(engine, whole(waveform)))
        for choice in choices:
            name = "windows of {:g} s, context {:g} s, search {:g} s".format(*choice)
            cuts = list(windowed(engine, waveform, choice))
            texts.setdefault(name, []).append(text_of(engine, iter(cuts)))
            cost[name] = cost.get(name, 0) + sum(len(each) for each, _ in cuts)
    print(describe())
    print(
        f"{options.count} recordings of {total / 16000 / options.count:.0f} s, synthetic speech.\n"
    )
    print("| way | CER | CER without spaces | audio seen |")
    print("|---|---|---|---|")
    for name, heard in texts.items():
        scores = score(zip(references, heard, strict=True))
        cer, without = scores.characters.rate, scores.characters_without_spaces.rate
        seen = f"{cost[name] / total:.2f}" if name in cost else "1.00"
        print(f"| {name} | {cer:.2%} | {without:.2%} | {seen} |")


if __name__ == "__main__":
    main()
