"""Compares torch in a precision with fp32, on this machine."""

import functools
import wave

import numpy as np

from stt.engines.agreement import Agreement, Reference
from stt.engines.torch import load_torch_engine
from stt.languages import BUNDLED_FOLDER, samples_folder
from stt.types import Waveform

_COMPARED_FRAMES = (112, 48, 1, 170)
"""Lengths, in frames, at which `compare_precision` compares."""


@functools.cache
def compare_precision(device: str, precision: str, cpu_threads: int = 0) -> Agreement:
    """Compare torch in a precision with fp32 on this machine.

    The bundled Korean model computes a bundled clip, which takes a fraction of a second and checks
    the machine's kernels, not the served checkpoint.

    Args:
        device: ``cpu`` or ``cuda:N``; fp32 is computed on the CPU.
        precision: A result of `choose_precision`.
        cpu_threads: See `TorchEngine`.
    """
    folder = BUNDLED_FOLDER / "ko-mini"
    with wave.open(str(samples_folder() / "ko-hello.wav")) as file:  # mono, 16 bits, 16 kHz
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    speech: Waveform = (samples / 32768).astype(np.float32)
    exact = load_torch_engine(folder, device="cpu", precision="fp32", cpu_threads=cpu_threads)
    reference = Reference.of(exact, [speech], lengths=_COMPARED_FRAMES)
    return reference.compare(
        load_torch_engine(folder, device=device, precision=precision, cpu_threads=cpu_threads)
    )


def doubt_of(precision: str, agreement: Agreement) -> str | None:
    """Why torch must not use a precision on this machine, and what to do, or None."""
    if agreement.holds:
        return None
    return (
        f"torch's {precision} disagrees with fp32 on this machine ({agreement}), so fp32 is used, "
        "more slowly. Set STT_PRECISION=fp32."
    )
