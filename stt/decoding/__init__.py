"""Decoding where it can be killed: `stt.audio.decode` in processes of their own.

The decoders are native code, which may hang on a hostile file, crash on it or take all memory. Here
they do so in a worker: the recording goes there as a file descriptor, its samples come back in
blocks, and a worker that fails costs only its own recording. `pool` is what the service uses,
`processes` its hold on them, `worker` what runs in them.
"""
