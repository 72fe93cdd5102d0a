"""The backends that compute an acoustic model.

`base` is their interface, `selection` opens one for a checkpoint, `device` chooses the hardware and
`limits` says how much audio it takes. The backends are `torch` (with `wav2vec2` and `transformers`)
and `openvino` (with `openvino_export` and `openvino_cache`). `agreement` compares them with fp32;
`checkpoint`, `weights`, `transfer` and `memory` are shared helpers.
"""
