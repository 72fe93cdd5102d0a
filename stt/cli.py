"""The ``stt`` command: runs one of `stt.commands`.

It imports only the command it runs, so that ``stt --help`` is fast.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from stt import __version__
from stt.errors import SttError

COMMANDS = {
    "serve": "serve over HTTP until stopped",
    "transcribe": "turn files, folders or standard input into text, captions or JSON",
    "align": "find when each word of a text is spoken in its recording",
    "download": "download models into the cache before a service needs them",
    "optimize": "make a model several times faster on a CPU, and measure the loss",
    "doctor": "check which engines are correct and fast on this machine",
    "evaluate": "measure word and character error rates on transcribed recordings",
    "lm": "make a language model from texts",
}
"""Each command, which is also its module in `stt.commands`, and what it does."""

INTERRUPTED = 130
"""The exit status of Ctrl-C by shell convention: 128 + SIGINT."""


def usage() -> str:
    """The text of ``stt --help``."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items()]
    return "\n".join(
        [
            "usage: stt COMMAND ...",
            "",
            *lines,
            "",
            "`stt COMMAND --help` lists its flags; `stt --version` prints the version.",
        ]
    )


def main() -> None:
    """Entry point of the installed command.

    Raises:
        SystemExit: 0 success, 1 some recording or model failed, 2 wrong usage or configuration,
            130 interrupted.
    """
    write_utf_8()
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


def write_utf_8() -> None:
    """Write UTF-8 to any terminal, pipe or file, whatever the locale or the code page is.

    Otherwise a C locale or a Windows pipe turns Korean text into an error or into ``?``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _run(command: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    try:
        status: int = import_module(f"stt.commands.{command}").main(arguments)
        sys.stdout.flush()
        return status
    except SttError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader is gone (`stt ... | head`). Discard what is still buffered, or the interpreter
        # complains about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("interrupted; finished results are kept", file=sys.stderr, flush=True)
        # Not sys.exit: it waits, for seconds, for the inference thread's forward pass, and there is
        # nothing left to save.
        os._exit(INTERRUPTED)
