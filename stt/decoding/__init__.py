"""Frames -> words.

`greedy` follows the best path. `words` joins what a decoder emits to words, `spelling` to
characters; `hangul` and `scripts` know the scripts.
"""
