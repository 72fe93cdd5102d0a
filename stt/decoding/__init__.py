"""Frames -> words.

`greedy` follows the best path. `beam` keeps several hypotheses; `search` has its inner loops,
`hotwords` and `lexicon` what counts beside the acoustic model. `words` joins what a decoder emits
to words, `spelling` to characters; `hangul` and `scripts` know the scripts.
"""
