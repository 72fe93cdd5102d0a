"""Measurements. Each script prints machine, commit and command with its figures.

The held-out speech is espeak-ng's (Debian's libespeak-ng1), synthesised anew from the training's
seed: ``uv run --group bench python -m benchmarks.word_times ko-mini``.
"""
