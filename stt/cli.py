"""The command line: finds the command and hands over. The commands are in `stt.commands`.

A command is imported only when it is asked for, so that ``stt --help`` is there at once.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from stt import __version__
from stt.errors import SttError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from stt.settings import Settings

COMMANDS = {
    "serve": "answer over HTTP until told to stop",
    "transcribe": "files, folders or standard input -> text, captions or JSON",
    "download": "the models into the cache, before a service starts or without a network",
    "optimize": "make a model several times as fast on a CPU, and say what that costs",
    "doctor": "what this machine has, and which engines are right and fast on it",
    "evaluate": "word and character error rates over a list of recordings with their texts",
}
"""Name of each command, which is also its module in `stt.commands`, and what it does."""

INTERRUPTED = 130
"""What shells report for Ctrl-C: 128 + SIGINT."""


def make_app(settings: "Settings | None" = None) -> "FastAPI":
    """The application with settings from the environment, for an ASGI server of one's own."""
    from stt.commands.serve import make_app

    return make_app(settings)


def serve(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop; ``arguments`` default to the process's own."""
    from stt.commands.serve import serve

    serve(arguments)


def usage() -> str:
    """What ``stt --help`` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(
        [
            "usage: stt COMMAND ...",
            "",
            *lines,
            "",
            "`stt COMMAND --help` lists all of its flags; `stt --version` says which stt this is.",
        ]
    )


def main() -> None:
    """Entry point of the installed command.

    Raises:
        SystemExit: 0 done, 1 some recording or model failed, 2 usage or configuration,
            130 interrupted.
    """
    command, *arguments = sys.argv[1:] or [""]
    if command in ("-h", "--help", "help"):
        print(usage())
        raise SystemExit(0)
    if command in ("-V", "--version"):
        print(f"stt-ctc {__version__}")
        raise SystemExit(0)
    if command not in COMMANDS:
        wrong = f"error: there is no command {command!r}\n\n" if command else ""
        print(wrong + usage(), file=sys.stderr)
        raise SystemExit(2)
    raise SystemExit(_run(command, arguments))


def _run(command: str, arguments: Sequence[str]) -> int:
    """Run a command; its exit status."""
    try:
        status: int = import_module(f"stt.commands.{command}").main(arguments)
        sys.stdout.flush()
        return status
    except SttError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has gone (`stt ... | head`). What is still buffered has nowhere to go, and the
        # interpreter would complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was finished stays", file=sys.stderr, flush=True)
        # Not sys.exit: it would wait for the forward that the inference thread is in, for seconds,
        # and nothing is left to save.
        os._exit(INTERRUPTED)
