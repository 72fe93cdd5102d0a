"""How exact are the times of an alignment, and what do they cost?

``uv run --group training python -m benchmarks.alignment``

Times: held-out sentences of the bundled models, spoken with a gap between words so that espeak-ng's
phoneme events tell where each word begins and ends, joined into one recording. The service also
looks where the level rises and falls near a word, which such gaps make easy; one row is without.
One row has every fifth sentence missing from the recording, one has it missing from the text.

Scores: each part of the recording is aligned with its text and with that of another part. The AUC
is the probability that a word (or a part) of the right text scores higher than one of the wrong
text.

Cost: everything but the forwards, for a book of made-up syllables whose frames are those of a model
that gets one symbol in ten wrong. Memory is the growth of a process over one that aligns a minute.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import seconds, table
from benchmarks.setting import describe
from benchmarks.workers import memory_of
from stt.alignment.aligner import Aligner
from stt.alignment.levels import Levels
from stt.alignment.spelling import spell_all
from stt.alignment.text import GivenText
from stt.alignment.times import Timer
from stt.alignment.trellis import Trellis
from stt.alignment.words import Alignment, Status
from stt.engines.torch import TorchEngine
from stt.engines.wants import Columns
from stt.frames import ColumnFrames
from stt.recognition.chunking import WindowCutter
from stt.types import SAMPLE_RATE, Calibration, FrameGrid, Vocabulary, Waveform
from training.held_out import SpokenWord, Subject, true_words

PAUSE_SECONDS = 0.4
PART_SENTENCES = 10
SYLLABLES = 1_200
SYLLABLES_PER_WORD, FRAMES_PER_SYLLABLE, ERROR_RATE = 3, 12, 0.1
WORDS_PER_WINDOW = 25
"""Of about 20 s."""
GRID = FrameGrid(320, 400)


@dataclass(frozen=True)
class Sentence:
    """A spoken sentence, with its words' true times from its start."""

    text: str
    waveform: Waveform
    words: Sequence[SpokenWord]


@dataclass(frozen=True)
class Spoken:
    """Sentences joined into a recording, and all log-probs of it."""

    sentences: Sequence[Sentence]
    starts: Sequence[float]
    """Of each sentence, in seconds."""
    waveform: Waveform
    log_probs: NDArray[np.float32]


def read_sentences(subject: Subject, count: int) -> list[Sentence]:
    """Held-out sentences whose words are separated by pauses."""
    corpus = subject.speak("test_sentences", "word_times_test_sentences", word_gap=(1, 6))
    found = []
    for index, clip in enumerate(corpus.clips):
        if len(found) < count and (words := true_words(clip)):
            found.append(Sentence(clip.text, corpus.waveform(index), words))
    return found


def join(engine: TorchEngine, sentences: Sequence[Sentence]) -> Spoken:
    """Compute a recording of some sentences, in windows as the service does."""
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    pieces: list[Waveform] = [pause]
    starts = []
    for sentence in sentences:
        starts.append(sum(map(len, pieces)) / SAMPLE_RATE)
        pieces += [sentence.waveform, pause]
    waveform = np.concatenate(pieces)
    cutter = WindowCutter(engine.grid, window_seconds=20, context_seconds=2, cut_search_seconds=2)
    want = Columns(tuple(range(len(engine.vocabulary.symbols))))
    cores = [
        engine.forward([window.waveform], want)[0][window.core].log_probs
        for window in [*cutter.feed(waveform), *cutter.finish()]
    ]
    return Spoken(sentences, starts, waveform, np.concatenate(cores))


def align_text(
    text: str,
    log_probs: NDArray[np.float32],
    waveform: Waveform,
    vocabulary: Vocabulary,
    calibration: Calibration,
    language: str,
    *,
    with_levels: bool = True,
) -> Alignment:
    """Align a text with frames of all columns."""
    given = GivenText.parse(text)
    spelled = spell_all(given.words, vocabulary, language)
    trellis = Trellis(spelled, vocabulary)
    aligner, levels = Aligner(trellis), Levels()
    aligner.feed(log_probs[:, trellis.columns], log_probs.max(axis=1))
    if with_levels:
        levels.feed(waveform)
    timer = Timer(trellis, aligner.finish(), GRID, calibration, levels, len(log_probs))
    segments = timer.segments(given, spelled)
    score = timer.score(segments, spelled)
    return Alignment(segments, score, len(waveform) / SAMPLE_RATE, timer.not_in_text())


def time_row(
    name: str,
    engine: TorchEngine,
    spoken: Spoken,
    texts: Sequence[Sentence],
    language: str,
    *,
    with_levels: bool = True,
) -> list[str]:
    """Errors of the words' times, and what was found of the differences."""
    alignment = align_text(
        "\n".join(sentence.text for sentence in texts), spoken.log_probs, spoken.waveform,
        engine.vocabulary, engine.calibration, language, with_levels=with_levels,
    )  # fmt: skip
    offsets = {id(s): start for s, start in zip(spoken.sentences, spoken.starts, strict=True)}
    words = iter(alignment.words)
    starts, ends, statuses = [], [], []
    for sentence in texts:
        offset = offsets.get(id(sentence))
        for true in sentence.words:
            word = next(words)
            is_spoken = word.status == Status.SPOKEN
            statuses.append((offset is not None, is_spoken))
            if offset is not None and is_spoken:
                starts.append(abs(word.start - offset - true.start))
                ends.append(abs(word.end - offset - true.end))
    in_text = set(map(id, texts))
    extra = [len(s.waveform) / SAMPLE_RATE for s in spoken.sentences if id(s) not in in_text]
    found = sum(span.end - span.start for span in alignment.not_in_text)
    n_absent = sum(not there for there, _ in statuses)
    return [
        name,
        f"{len(statuses) - n_absent}",
        *(seconds(float(np.percentile(starts, share))) for share in (50, 95)),
        *(seconds(float(np.percentile(ends, share))) for share in (50, 95)),
        f"{statuses.count((True, False))}",
        f"{statuses.count((False, False))} of {n_absent}" if n_absent else "–",
        f"{found:.0f} of {sum(extra):.0f} s" if extra else f"{found:.0f} s",
    ]


def score_row(name: str, engine: TorchEngine, spoken: Spoken, language: str) -> list[str]:
    """How well scores tell right texts from wrong ones."""
    right: list[Alignment] = []
    wrong: list[Alignment] = []
    bounds = [*spoken.starts, len(spoken.waveform) / SAMPLE_RATE]
    parts = range(0, len(spoken.sentences) - PART_SENTENCES + 1, PART_SENTENCES)
    texts = [
        "\n".join(s.text for s in spoken.sentences[first : first + PART_SENTENCES])
        for first in parts
    ]
    for number, first in enumerate(parts):
        begin, end = (GRID.frames(bounds[i]) for i in (first, first + PART_SENTENCES))
        frames = spoken.log_probs[begin:end]
        samples = slice(begin * GRID.stride_samples, end * GRID.stride_samples)
        for alignments, other in ((right, 0), (wrong, 1)):
            text = texts[(number + other) % len(texts)]
            alignments.append(
                align_text(
                    text, frames, spoken.waveform[samples], engine.vocabulary, engine.calibration,
                    language,
                )
            )  # fmt: skip
    of_words = [[word.score for each in group for word in each.words] for group in (right, wrong)]
    of_texts = [[each.score for each in group] for group in (right, wrong)]
    return [
        name,
        f"{len(of_words[0])}, {len(parts)}",
        *(f"{float(np.median(scores)):.3f}" for scores in of_texts),
        f"{auc(*of_words):.4f}",
        f"{auc(*of_texts):.4f}",
    ]


def auc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Probability that a right one scores higher than a wrong one; equal scores count half."""
    above = np.sign(np.subtract.outer(np.array(right), np.array(wrong)))
    return float((above.mean() + 1) / 2)


def made_up(hours: float) -> tuple[Vocabulary, list[str], Iterator[ColumnFrames]]:
    """A vocabulary of syllables, the words of a book, and the frames of all columns."""
    random = np.random.default_rng(0)
    symbols = ("<pad>", "|", *(chr(0xAC00 + 9 * index) for index in range(SYLLABLES)))
    n_words = round(
        hours * 3600 * SAMPLE_RATE / GRID.stride_samples / FRAMES_PER_SYLLABLE / SYLLABLES_PER_WORD
    )
    columns = random.integers(2, len(symbols), (n_words, SYLLABLES_PER_WORD))
    words = ["".join(symbols[column] for column in word) for word in columns.tolist()]

    def frames() -> Iterator[ColumnFrames]:
        n_pieces = -(-n_words // WORDS_PER_WINDOW)
        for piece in np.array_split(columns, n_pieces):
            heard = piece.copy()
            wrong = random.random(heard.shape) < ERROR_RATE
            heard[wrong] = random.integers(2, len(symbols), int(wrong.sum()))
            rows = np.zeros((*heard.shape, FRAMES_PER_SYLLABLE), int)
            rows[..., 4:6] = heard[..., None]
            rows[:, -1, 9:11] = 1
            likeliest = rows.reshape(-1)
            log_probs = random.uniform(-12, -8, (len(likeliest), len(symbols))).astype(np.float32)
            log_probs[np.arange(len(likeliest)), likeliest] = -0.02
            yield ColumnFrames(log_probs, log_probs.max(axis=1))

    return Vocabulary(symbols, blank=0), words, frames()


def cost(hours: float) -> dict[str, float]:
    """Align a made-up book in this process; the processor time and the memory that this takes."""
    vocabulary, words, pieces = made_up(hours)
    text = "\n".join(" ".join(words[first : first + 10]) for first in range(0, len(words), 10))
    used = 0.0

    begun = time.process_time()
    given = GivenText.parse(text)
    spelled = spell_all(given.words, vocabulary, "ko")
    trellis = Trellis(spelled, vocabulary)
    aligner, levels = Aligner(trellis), Levels()
    used += time.process_time() - begun
    for frames in pieces:
        part = ColumnFrames(frames.log_probs[:, trellis.columns], frames.best)
        samples = np.zeros(len(part) * GRID.stride_samples, np.float32)
        begun = time.process_time()
        aligner.feed(part.log_probs, part.best)
        levels.feed(samples)
        used += time.process_time() - begun
    begun = time.process_time()
    found = aligner.finish()
    timer = Timer(trellis, found, GRID, Calibration(), levels, aligner.n_frames)
    segments = timer.segments(given, spelled)
    used += time.process_time() - begun
    n_spoken = sum(word.status == Status.SPOKEN for each in segments for word in each.words)
    return {
        "words": len(words),
        "spoken": n_spoken / len(words),
        "seconds": used,
        "states": aligner.n_steps / aligner.n_frames,
        "peak_mb": memory_of().peak,
    }


def in_a_process(hours: float) -> dict[str, float]:
    """`cost` in a process of its own, so that its memory is only its own."""
    command = [sys.executable, "-m", "benchmarks.alignment", "--book", str(hours)]
    result: dict[str, float] = json.loads(subprocess.check_output(command))
    return result


def cost_rows() -> list[list[str]]:
    """A minute, an hour and three."""
    in_a_process(1 / 60)  # compiles
    base = in_a_process(1 / 60)
    rows = []
    for name, hours in (("a minute", 1 / 60), ("an hour", 1.0), ("three hours", 3.0)):
        one = in_a_process(hours)
        rows.append(
            [
                name, f"{one['words']:.0f}", f"{one['spoken']:.2%}", seconds(one["seconds"]),
                f"{one['states']:.0f}", f"{one['peak_mb'] - base['peak_mb']:+.0f} MB",
            ]
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="ko-mini,en-mini", help="bundled models to measure")
    parser.add_argument("--sentences", type=int, default=100, help="of each model")
    parser.add_argument("--book", type=float, help="only print what this many hours cost, as JSON")
    options = parser.parse_args()
    if options.book:
        print(json.dumps(cost(options.book)))
        return
    print(describe())
    times, scores = [], []
    for name in options.models.split(","):
        subject = Subject.bundled(name)
        engine = subject.load(threads=2)
        sentences = read_sentences(subject, options.sentences)
        fewer = [each for index, each in enumerate(sentences) if index % 5 != 2]
        whole = join(engine, sentences)
        language = name[:2]
        times += [
            time_row(name, engine, whole, sentences, language),
            time_row("by frames alone", engine, whole, sentences, language, with_levels=False),
            time_row("a fifth of the text not spoken", engine, join(engine, fewer), sentences,
                     language),
            time_row("a fifth of the speech not in the text", engine, whole, fewer, language),
        ]  # fmt: skip
        scores.append(score_row(name, engine, whole, language))
    heads = ["", "words", "starts: median", "95th percentile", "ends: median", "95th percentile",
             "not found", "of absent words, not found", "speech found not in the text"]  # fmt: skip
    print("\n" + table(heads, times))
    heads = ["", "words, texts", "score of right texts", "of wrong texts", "AUC of words",
             "AUC of texts"]  # fmt: skip
    print("\n" + table(heads, scores))
    heads = [
        "",
        "words",
        "found",
        "processor time besides the forwards",
        "states a frame",
        "memory",
    ]
    print("\n" + table(heads, cost_rows()))


if __name__ == "__main__":
    main()
