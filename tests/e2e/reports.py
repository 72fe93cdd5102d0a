"""A small set with errors, for the report of ``stt evaluate``."""

from pathlib import Path

import numpy as np
import soundfile

from stt.types import SAMPLE_RATE
from tests.e2e.browser import read
from tests.e2e.samples import ROWS

RATIOS_DB = (15, 5)
WRITTEN = {"아홉 시": "9시", "두 잔": "2잔", "만나서 반가워요": "만나서반가워요"}
"""Differences in notation and spacing."""


def noisy_set(folder: Path) -> Path:
    """The Korean samples, each also with white noise, and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    lines = ["path\ttext\tspeaker"]
    for number, row in enumerate(row for row in ROWS if row["lang"] == "KR"):
        text = row["text"]
        for spoken, written in WRITTEN.items():
            text = text.replace(spoken, written)
        speech = read(row["file"])
        power = float((speech**2).mean())
        name = Path(row["file"]).stem
        for ending, ratio in (("", np.inf), *((f"-{db}dB", 10 ** (db / 10)) for db in RATIOS_DB)):
            noise = random.normal(0, np.sqrt(power / ratio), len(speech))
            soundfile.write(folder / f"{name}{ending}.wav", speech + noise, SAMPLE_RATE)
            lines.append(f"{name}{ending}.wav\t{text}.\tspeaker {'ABC'[number % 3]}")
    manifest = folder / "samples.tsv"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest
