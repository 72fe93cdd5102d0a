"""`stt serve` with a fake engine that computes nothing while a file of that name is there.

``python -m tests.e2e.gated GATE [flags]``
"""

import sys
import time
from pathlib import Path

from stt.app import create_app
from stt.commands.serve import run
from stt.logs import configure_logging
from stt.settings import load_settings
from tests.fakes import FakeEngine


def main(gate: Path, flags: list[str]) -> None:
    def wait() -> None:
        while gate.exists():
            gate.with_suffix(".running").touch()
            time.sleep(0.02)

    settings = load_settings(flags)
    configure_logging(settings.log_level, settings.log_format)
    run(create_app(settings, engine=FakeEngine(wait)), settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
