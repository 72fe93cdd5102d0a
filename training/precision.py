"""What bf16 and int8 cost in accuracy: the same clips and weights in each precision.

The clips are the held-out sentences of the model card. OpenVINO's int8 calibrates on clips of the
development set, as `stt optimize` does on a user's recordings.
"""

import datetime
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from stt.commands.calibration import Clip
from stt.commands.optimize import texts_of
from stt.engines.base import Engine
from stt.evaluation.errors import score
from training.corpus import Corpus
from training.figures import PrecisionFigure, Precisions
from training.held_out import Subject

INT8_TARGET = 0.001
"""The most that int8 may add to the character error rate of fp32."""
MAX_CALIBRATION_CLIPS = 300


def engines(subject: Subject, calibration: Corpus) -> Iterator[Engine]:
    """Load the model in fp32, then in each other CPU engine and precision, one at a time."""
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
    """Measure the error rates of the held-out sentences in each precision.

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
