"""Samples -> words.

Recordings: `pipeline` runs all steps, `chunking` cuts windows, `segments` groups words.
Live speech: `streaming` holds a session, `endpointing` finds the ends of utterances.
"""
