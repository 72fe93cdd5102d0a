"""A transcript as an answer: `native` formats, `captions`, `openai`'s and `whisper`'s.

`schemas` has the JSON shapes that they share.
"""
