"""How the bundled models are made and measured: ``uv run --group training python -m training ko-mini``."""
