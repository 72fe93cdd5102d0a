"""`stt serve` with a fake engine that blocks while the file GATE exists.

``python -m tests.e2e.gated GATE [flags]``; ``--cluster`` works, too.
"""

import math
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from stt.cluster import serving
from stt.commands import serve
from stt.engines.wants import F, Want
from stt.observability.logs import configure_logging
from stt.server.app import create_app
from stt.settings import load_settings
from stt.types import SAMPLE_RATE, Waveform
from tests.fakes import FakeEngine

POISON, LETHAL, HUGE = 0.7, 0.8, 0.9
"""First samples of a recording that makes the engine fail, kills its thread, or exhausts memory."""


class GatedEngine(FakeEngine):
    """Processes ``rate`` seconds of audio per second and logs each waveform to a file."""

    def __init__(self, gate: Path, rate: float = math.inf) -> None:
        super().__init__(self._wait)
        self._gate, self._rate = gate, rate

    def _wait(self) -> None:
        while self._gate.exists():
            self._gate.with_suffix(".running").touch()
            time.sleep(0.02)

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        lengths = [len(waveform) / SAMPLE_RATE for waveform in waveforms]
        first = {round(float(waveform[0]), 2) for waveform in waveforms}
        time.sleep(sum(lengths) / self._rate)
        results = super().forward(waveforms, want)
        with self._gate.with_suffix(".computed").open("a") as note:
            note.write("".join(f"{os.getpid()} {length:g}\n" for length in lengths))
        if LETHAL in first:
            raise SystemExit(1)
        if POISON in first:
            raise RuntimeError("poison")
        if HUGE in first:
            raise MemoryError
        return results


def main(gate: Path, flags: list[str]) -> None:
    settings = load_settings(flags)
    configure_logging(settings.log_level, settings.log_format)
    make = partial(GatedEngine, gate, float(os.environ.get("GATED_RATE", "inf")))
    if settings.cluster:
        serving.run(settings, engine=make)
    else:
        serve.run(create_app(settings, engine=make()), settings)


if __name__ == "__main__":
    from tests.e2e.gated import main as run  # importable by Ray's workers, unlike __main__

    run(Path(sys.argv[1]), sys.argv[2:])
