"""What a precision costs: the same clips and weights in fp32, bf16 and int8, against the truth.

``uv run --group training --extra openvino python -m benchmarks.precision ko-mini``

Held-out sentences, the model card's own clips. OpenVINO's int8 takes its ranges from clips of the
development set, as `stt optimize` takes them from a user's recordings.
"""

import argparse
import datetime
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.held_out import Subject
from benchmarks.setting import describe
from stt.commands.calibration import Clip
from stt.commands.optimize import texts_of
from stt.commands.scoring import score
from stt.engines.base import Engine
from stt.languages import BUNDLED_MODELS
from training.corpus import Corpus
from training.figures import PrecisionFigure, Precisions

INT8_TARGET = 0.001
"""Most that int8 may add to fp32's character error rate."""
MAX_CALIBRATION_CLIPS = 300


def engines(subject: Subject, calibration: Corpus) -> Iterator[Engine]:
    """The model in fp32, and in every other way that is served on a CPU; one at a time."""
    from stt.engines.checkpoint import read_checkpoint
    from stt.engines.openvino import load_openvino_engine
    from stt.engines.openvino_export import convert

    for precision in ("fp32", "bf16"):
        yield subject.load(precision=precision)
    speech = calibration.waveforms()[:MAX_CALIBRATION_CLIPS]
    for precision in ("bf16", "int8"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            convert(read_checkpoint(subject.folder), folder, precision, speech)
            yield load_openvino_engine(folder, precision=precision, cpu_threads=1)


def measure(subject: Subject) -> Precisions:
    """Error rates of the held-out sentences in each precision.

    Raises:
        ConfigurationError: openvino or nncf is not installed.
    """
    corpus = subject.speak("test_sentences", "test_sentences")
    calibration = subject.speak("dev", "dev")
    clips = [
        Clip(text, waveform, text)
        for text, waveform in zip(corpus.texts, corpus.waveforms(), strict=True)
    ]
    exact: list[str] = []
    rows = []
    for engine in engines(subject, calibration):
        texts = texts_of(engine, clips, f"{engine.backend} {engine.precision}")
        exact = exact or texts
        rows.append(
            PrecisionFigure(
                backend=engine.backend,
                precision=engine.precision,
                cer=score(zip(corpus.texts, texts, strict=True)).characters.rate or 0.0,
                difference=score(zip(exact, texts, strict=True)).characters.rate or 0.0,
                same=sum(a == b for a, b in zip(exact, texts, strict=True)) / len(texts),
                target=INT8_TARGET if engine.precision == "int8" else None,
            )
        )
    return Precisions(
        date=datetime.date.today().isoformat(),
        libraries=", ".join(f"{name} {version(name)}" for name in ("openvino", "nncf")),
        n_clips=len(clips),
        n_calibration_clips=min(len(calibration), MAX_CALIBRATION_CLIPS),
        rows=rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(BUNDLED_MODELS))
    options = parser.parse_args()
    measured = measure(Subject.bundled(options.model))
    print(describe(extra="openvino"))
    print(
        f"{measured.n_clips} clips (test_sentences), int8 calibrated on "
        f"{measured.n_calibration_clips} clips of the development set; {measured.libraries}.\n"
    )
    print("| computed by | CER | more than fp32 | characters unlike fp32's | clips like fp32 |")
    print("|---|---|---|---|---|")
    for row in measured.rows:
        more = 100 * (row.cer - measured.rows[0].cer)
        print(
            f"| {row.backend} {row.precision} | {row.cer:.2%} | {more:+.2f} points "
            f"| {row.difference:.2%} | {row.same:.1%} |"
        )


if __name__ == "__main__":
    main()
