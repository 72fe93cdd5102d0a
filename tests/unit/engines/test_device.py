"""The choice of a device and its precision, on GPUs that exist only here."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from stt.engines.device import choose_device
from stt.engines.gpus import Gpu
from stt.engines.precision import choose_precision
from stt.engines.selection import open_engine
from stt.engines.wants import BEST
from stt.errors import ConfigurationError
from stt.languages import ModelSource
from stt.settings import load_settings
from tests.audio_files import tones
from tests.fakes import save_random_checkpoint


@dataclass
class Machine:
    """Some GPUs, of which some are broken."""

    gpus: list[Gpu] = field(default_factory=list)
    broken: dict[int, str] = field(default_factory=dict)
    """Messages of the errors of some, by index."""
    silent: set[int] = field(default_factory=set)
    """Those whose driver does not answer."""
    none_because: str | None = None

    def count(self) -> int:
        return len(self.gpus)

    def why_none(self) -> str | None:
        return self.none_because

    def look(self, index: int) -> Gpu:
        if index in self.silent:
            raise RuntimeError("CUDA error: unknown error\nadvice")
        return self.gpus[index]

    def try_out(self, index: int) -> None:
        if index in self.broken:
            raise RuntimeError(self.broken[index])


GB = 10**9
A100 = Gpu("A100", (8, 0), 79 * GB, 80 * GB)
FULL = Gpu("A100", (8, 0), GB, 80 * GB)
V100 = Gpu("V100", (7, 0), 15 * GB, 16 * GB)
P40 = Gpu("P40", (6, 1), 23 * GB, 24 * GB)
K80 = Gpu("K80", (3, 7), 11 * GB, 12 * GB)
NO_KERNEL = "CUDA error: no kernel image is available for execution on the device\nadvice"


@pytest.mark.parametrize(
    ("machine", "expected", "said"),
    [
        (Machine(), "cpu", None),
        (Machine([A100]), "cuda:0", None),
        (Machine([FULL, V100]), "cuda:1", None),
        (Machine([K80, A100], broken={0: NO_KERNEL}), "cuda:1", None),
        (Machine([A100, A100], silent={0}), "cuda:1", None),
        (Machine([K80], broken={0: NO_KERNEL}), "cpu",
         "cuda:0: K80, compute capability 3.7, failed (CUDA error: no kernel image is available "
         "for execution on the device)"),
        (Machine([FULL]), "cpu",
         "cuda:0: A100 has 1.0 GB of 80.0 GB left, and a model may need 2 GB"),
        (Machine([A100], silent={0}), "cpu",
         "cuda:0: the driver does not answer (CUDA error: unknown error)"),
        (Machine(none_because="torch 2.15.0+cpu is built without CUDA"), "cpu",
         "torch 2.15.0+cpu is built without CUDA"),
    ],
)  # fmt: skip
def test_auto_takes_the_first_gpu_that_works_and_says_why_it_takes_none(
    machine: Machine, expected: str, said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_device("auto", machine) == expected
    messages = [f"no GPU can be used, so the CPU computes: {said}"] if said else []
    assert caplog.messages == messages


def test_a_named_device_is_used_or_refused_with_the_reason() -> None:
    assert choose_device("cpu", Machine([A100])) == "cpu"
    assert choose_device("cuda", Machine([A100])) == "cuda:0"
    assert choose_device("cuda:1", Machine([K80, FULL], broken={0: NO_KERNEL})) == "cuda:1"
    with pytest.raises(ConfigurationError, match="cuda:2 but torch finds 2 CUDA device"):
        choose_device("cuda:2", Machine([A100, A100]))
    with pytest.raises(ConfigurationError, match=r"no CUDA device \(built without CUDA\)"):
        choose_device("cuda", Machine(none_because="built without CUDA"))
    with pytest.raises(ConfigurationError, match=r"cuda:0 cannot be used: K80, .*no kernel image"):
        choose_device("cuda:0", Machine([K80], broken={0: NO_KERNEL}))


def test_an_impossible_device_of_this_machine_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="STT_DEVICE=cuda:99 but torch finds"):
        choose_device("cuda:99")
    assert choose_device("cpu") == "cpu"


def test_the_precision_follows_the_gpu_that_computes() -> None:
    machine = Machine([A100, V100, P40])
    chosen = [choose_precision("auto", f"cuda:{index}", machine) for index in range(3)]
    assert chosen == ["bf16", "fp16", "fp32"]
    assert choose_precision("fp16", "cuda:2", machine) == "fp16"


@pytest.mark.parametrize("precision", ["auto", "fp32", "fp16"])
def test_a_gpu_that_cannot_take_the_model_leaves_it_to_the_cpu(
    tmp_path: Path, precision: str, caplog: pytest.LogCaptureFixture
) -> None:
    """torch has no GPU here, so loading onto one fails as it would on one that is full."""
    folder = save_random_checkpoint(tmp_path, norm="layer")
    settings = load_settings(("--device", "auto", "--precision", precision))
    source = ModelSource.parse(str(folder))
    with caplog.at_level(logging.ERROR):
        opened = open_engine(source, folder, settings, gpus=Machine([A100]))
    assert opened.engine.device == "cpu"
    assert opened.warning is not None
    assert "is computed on the CPU, more slowly, since cuda:0 cannot take it (" in opened.warning
    assert caplog.messages == [opened.warning]
    [frames] = opened.engine.forward([tones(1.0, 16000)[:, 0]], BEST)
    assert len(frames) == 49
    named = load_settings(("--device", "cuda:0", "--precision", precision))
    with pytest.raises(RuntimeError):
        open_engine(source, folder, named, gpus=Machine([A100]))


@pytest.mark.parametrize(
    ("limit", "precision"),
    [(None, "bf16"), ("AVX512_CORE_BF16", "bf16"), ("avx512_core_vnni", "fp32"), ("AVX2", "fp32")],
)
def test_a_cpu_computes_in_bf16_unless_onednn_may_not(
    monkeypatch: pytest.MonkeyPatch, limit: str | None, precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if limit is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert choose_precision("auto", "cpu") == precision
