"""Upload -> blocks of mono samples at 16 kHz.

`containers` lists what is accepted, `readers` open it with libsndfile or FFmpeg, `resampler`
converts to 16 kHz, and `reading` combines them. The decoders are native code that may hang, crash
or take all memory on a hostile file, so the service runs them in processes that it can kill: it
uses `pool`, which drives them through `processes`; `worker` runs inside them.
"""
