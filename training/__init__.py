"""How the bundled demo models were made: ``uv run --group training python -m training ko-mini``."""
