"""Wyoming, Home Assistant's voice protocol, over TCP: live speech to text.

`listener` accepts connections, `connection` converses, `events` are the bytes, `samples` converts
audio, and `info` says what is served.
"""
