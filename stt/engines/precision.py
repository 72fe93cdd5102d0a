"""Which arithmetic torch computes in on a device."""

from stt.engines.device import may_use_bf16
from stt.engines.gpus import Gpus, TorchGpus
from stt.errors import ConfigurationError

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
"""Names of torch's types."""
BF16_CAPABILITY = (8, 0)
"""CUDA compute capability of the first GPUs (Ampere) with bf16 products."""
FP16_CAPABILITY = (7, 0)
"""... and (Volta) with fast fp16 products; Pascal's fp16 is a 64th of its fp32."""


def choose_precision(wanted: str, device: str, gpus: Gpus | None = None) -> str:
    """Resolve ``auto`` to the fastest precision without loss: bf16 if the hardware has it.

    bf16 has the exponent range of fp32, so it cannot overflow where fp32 does not.

    Args:
        wanted: The setting.
        device: ``cpu`` or ``cuda:N``.
        gpus: The GPUs of this machine; None: those that torch finds.

    Raises:
        ConfigurationError: torch does not support the precision on that device.
    """
    if wanted == "auto":
        return _on_cpu() if device == "cpu" else _on_gpu(device, gpus or TorchGpus())
    if wanted not in DTYPES or (wanted == "fp16" and device == "cpu"):
        raise ConfigurationError(
            f"STT_PRECISION={wanted} is not available in the torch backend on {device}. Set auto, "
            "fp32 or bf16 (or fp16 on a GPU); int8 needs the openvino backend."
        )
    return wanted


def _on_cpu() -> str:
    import torch

    has = torch.cpu.get_capabilities()
    has_bf16 = has.get("avx512_bf16") or has.get("amx_bf16")
    return "bf16" if has_bf16 and may_use_bf16() else "fp32"


def _on_gpu(device: str, gpus: Gpus) -> str:
    """By the capability of this GPU; a machine may have several kinds."""
    capability = gpus.look(int(device.partition(":")[2] or 0)).capability
    if capability >= BF16_CAPABILITY:
        return "bf16"
    return "fp16" if capability >= FP16_CAPABILITY else "fp32"
