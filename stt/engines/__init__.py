"""The backends that compute an acoustic model.

`base` is the seam that all of them implement, `selection` opens the one that serves a checkpoint,
`device` says what it runs on. `torch` with `wav2vec2` and `transformers`, and `openvino` with
`openvino_export` and `openvino_cache`, are the backends; `agreement` compares them with fp32;
`checkpoint`, `weights`, `transfer` and `memory` are what they share.
"""
