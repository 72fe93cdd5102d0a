"""Where windows lose: errors of each clip of long recordings, by whether a window was cut there.

``uv run --group training python -m benchmarks.cuts ko-mini``

The recordings of `benchmarks.windows`, with the service's windows, against the clips by themselves.
"""

import argparse
from collections.abc import Sequence

import jiwer
import numpy as np
from numpy.typing import NDArray

from benchmarks.held_out import Subject, concatenations
from benchmarks.setting import describe
from benchmarks.windows import DEFAULT, text_of, whole, windowed
from stt.languages import BUNDLED_MODELS
from stt.types import SAMPLE_RATE

NEAR_SECONDS = 0.5
KINDS = ("cut through", f"cut less than {NEAR_SECONDS:g} s away", "no cut near")


def errors_by_clip(texts: Sequence[str], heard: str) -> NDArray[np.int64]:
    """Character edits in each of some texts, of which all together ``heard`` was heard.

    The space behind a text counts as its own.
    """
    owners = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    errors = np.zeros(len(texts), np.int64)
    for chunk in jiwer.process_characters(" ".join(texts), heard or "-").alignments[0]:
        if chunk.type == "insert":
            owner = owners[min(chunk.ref_start_idx, len(owners) - 1)]
            errors[owner] += chunk.hyp_end_idx - chunk.hyp_start_idx
        elif chunk.type != "equal":
            np.add.at(errors, owners[chunk.ref_start_idx : chunk.ref_end_idx], 1)
    return errors


def kind_of(start: int, end: int, cuts: Sequence[int]) -> int:
    """Index into `KINDS` for a clip from ``start`` to ``end`` where windows are cut at ``cuts``."""
    near = round(NEAR_SECONDS * SAMPLE_RATE)
    if any(start < cut < end for cut in cuts):
        return 0
    return 1 if any(start - near < cut < end + near for cut in cuts) else 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(BUNDLED_MODELS))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--count", type=int, default=4)
    options = parser.parse_args()
    subject = Subject.bundled(options.model)
    engine = subject.load()
    corpus = subject.speak("test_sentences", "windows")
    alone: dict[int, str] = {}
    rows: list[tuple[int, int, int, int]] = []
    for waveform, indices, starts in concatenations(corpus, options.seconds, options.count):
        texts = [corpus.clips[index].text for index in indices]
        for index in set(indices) - alone.keys():
            alone[index] = text_of(engine, whole(corpus.waveform(index)))
        windows = list(windowed(engine, waveform, DEFAULT))
        n_frames = np.cumsum([core.stop - core.start for _, core in windows])
        cuts = [int(n) * engine.grid.stride_samples for n in n_frames[:-1]]
        pieces = errors_by_clip(texts, " ".join(alone[index] for index in indices))
        heard = errors_by_clip(texts, text_of(engine, iter(windows)))
        for position, (index, start) in enumerate(zip(indices, starts, strict=True)):
            kind = kind_of(start, start + corpus.clips[index].n_samples, cuts)
            rows.append(
                (kind, len(texts[position]) + 1, int(pieces[position]), int(heard[position]))
            )
    table = np.array(rows)
    print(describe())
    print("\n| clips | | characters | errors, pieces | errors, windows |")
    print("|---|---|---|---|---|")
    for kind, name in enumerate(KINDS):
        chosen = table[table[:, 0] == kind]
        print(f"| {name} | {len(chosen)} | {' | '.join(map(str, chosen[:, 1:].sum(0)))} |")
    random = np.random.default_rng(0)
    draws = [table[random.integers(len(table), size=len(table))] for _ in range(2000)]
    more = [100 * (draw[:, 3] - draw[:, 2]).sum() / draw[:, 1].sum() for draw in draws]
    low, high = np.percentile(more, [2.5, 97.5])
    print(f"\nWindows are worse by {low:.2f} to {high:.2f} points (95 %, clips drawn anew).")


if __name__ == "__main__":
    main()
