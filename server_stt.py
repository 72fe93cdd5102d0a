"""Entry point: ``uv run server_stt.py --demo``, or ``uvicorn server_stt:app``."""

from typing import Any

from stt.languages import SUPPORTED_LANGUAGES

__all__ = ["SUPPORTED_LANGUAGES", "main"]


def __getattr__(name: str) -> Any:
    # Make `app` on first access, as by uvicorn, so that importing this module reads no settings
    # and starts nothing.
    if name == "app":
        from stt.commands.serve import make_app

        globals()["app"] = make_app()
        return globals()["app"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Serve until stopped; every setting is also a flag (``--help``)."""
    from stt.commands.serve import serve

    serve()


if __name__ == "__main__":
    main()
