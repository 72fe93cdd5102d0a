"""N-gram language models: read, looked up by a decoder, built from texts.

`source` finds one, `arpa` reads it, `tables` lays it out, `ngram` is the model and `lookup` its
scores. `texts`, `counting`, `kneser_ney` and `pruning` are the steps of `build`.
"""
