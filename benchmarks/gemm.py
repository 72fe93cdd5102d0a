"""The best rates at which this machine multiplies matrices: the floor under every engine.

Matrices of the model's own proportions are multiplied by torch, and by OpenVINO where it is
installed; what counts is the best rate of all tries.
"""

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.workers import use_threads

SIZES = ((512, 1024, 4096), (1024, 4096, 1024), (2048, 2048, 2048))
"""Rows, inner size, columns."""
GPU_SIZES = ((8192, 1024, 4096), (8192, 4096, 1024), (8192, 8192, 8192))
PAIRS = 2
"""Pairs of layers that the OpenVINO model chains, so that its input and output weigh little."""

Multiply = Callable[[], None]


class TimedGemm:
    """Multiplies matrices for a worker."""

    def __init__(self, device: str, threads: int) -> None:
        use_threads(threads)
        import torch

        torch.set_num_threads(threads)
        self._tries: list[tuple[str, float, Multiply]] = []
        """Precision, operations, and what does them."""
        on_gpu = device != "cpu"
        for rows, inner, columns in GPU_SIZES if on_gpu else SIZES:
            operations = 2.0 * rows * inner * columns
            for precision, multiply in torch_products(rows, inner, columns, device).items():
                self._tries.append((precision, operations, multiply))
        if not on_gpu and find_spec("openvino"):
            for precision in ("fp32", "bf16", "int8"):
                multiply = openvino_product(*SIZES[0], precision)
                operations = 2 * PAIRS * 2.0 * np.prod(SIZES[0])
                self._tries.append((precision, operations, multiply))
        for _, _, multiply in self._tries:
            multiply()  # the first time is another's

    def best_rates(self) -> dict[str, float]:
        """Operations a second of each precision, the best of one try of each kind."""
        best: dict[str, float] = {}
        for precision, operations, multiply in self._tries:
            started = time.perf_counter()
            multiply()
            rate = operations / (time.perf_counter() - started)
            best[precision] = max(best.get(precision, 0.0), rate)
        return best


def torch_products(rows: int, inner: int, columns: int, device: str) -> dict[str, Multiply]:
    """A product in each precision that torch has on the device."""
    import torch

    random = torch.Generator().manual_seed(0)
    on_gpu = device != "cpu"

    def timed(multiply: Callable[[], Any]) -> Multiply:
        def run() -> None:
            with torch.inference_mode():
                multiply()
            if on_gpu:
                torch.cuda.synchronize()

        return run

    products: dict[str, Multiply] = {}
    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16}
    if on_gpu:
        kinds["fp16"] = torch.float16
    for precision, dtype in kinds.items():
        left = torch.randn(rows, inner, generator=random).to(device, dtype)
        right = torch.randn(columns, inner, generator=random).to(device, dtype)
        products[precision] = timed(lambda a=left, b=right: torch.nn.functional.linear(a, b))
    left = torch.randint(-127, 128, (rows, inner), generator=random, dtype=torch.int8).to(device)
    right = torch.randint(-127, 128, (columns, inner), generator=random, dtype=torch.int8)
    right = right.to(device)
    int8 = timed(lambda: torch._int_mm(left, right.T))
    try:
        int8()
    except (RuntimeError, NotImplementedError):
        return products
    return {**products, "int8": int8}


def openvino_product(rows: int, inner: int, columns: int, precision: str) -> Multiply:
    """`PAIRS` times a layer up and a layer down, as OpenVINO's CPU plugin computes them."""
    import openvino
    from openvino import opset13

    random = np.random.default_rng(0)
    source = node = opset13.parameter([rows, inner], np.float32)
    for size in ((columns, inner), (inner, columns)) * PAIRS:
        if precision == "int8":
            limits = np.float32(-1), np.float32(127 / 128)
            node = opset13.fake_quantize(node, *limits, *limits, 256)
            whole = opset13.constant(random.integers(-127, 128, size, dtype=np.int8))
            scale = np.float32(1e-3)
            weights = opset13.multiply(opset13.convert(whole, "f32"), scale)
        else:
            weights = opset13.constant(random.standard_normal(size, dtype=np.float32) / 32)
        node = opset13.matmul(node, weights, False, True)
    compiled = openvino.Core().compile_model(
        openvino.Model([node], [source]),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
        },
    )
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(random.random((rows, inner), dtype=np.float32)))
    return lambda: request.infer()
