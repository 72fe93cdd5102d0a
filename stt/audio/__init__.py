"""An upload's bytes -> blocks of mono samples at 16 kHz.

`containers` tells the container, `readers` open it with libsndfile or FFmpeg, `resampler` brings it
to 16 kHz, `reading` puts them together. The decoders are native code, which may hang on a hostile
file, crash on it or take all memory; so the service reads in processes that it can kill: `pool` is
what it uses, `processes` its hold on them, `worker` what runs in them.
"""
