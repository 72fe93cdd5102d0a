"""Samples -> words.

Recordings: `pipeline` is the whole order, `chunking` cuts windows, `ctc` decodes frames, `segments`
groups words. Live speech: `streaming` is a session, `endpointing` finds where an utterance ends.
"""
