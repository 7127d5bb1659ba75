"""The machine that figures of speed are taken on: what it is, its matrix rate, and probes in processes of their own."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ferbook.core.errors import FerbookError

#: Side of the matrices whose product gives the rate of a processor, and of a GPU, which smaller ones do not fill.
MATRIX, GPU_MATRIX = 2048, 8192
#: Instruction sets that multiply bfloat16 numbers; others emulate it.
WITH_BFLOAT16 = ("AMX", "AVX-512 bf16")
# A product that would take longer than this many seconds is measured on smaller matrices.
_PATIENCE = 1.0


def description() -> dict[str, object]:
    """Processor, threads, instruction set, GPU, system and versions, as plain values."""
    return {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "processor": _processor(),
        "instructions": instructions(),
        "gpu": torch.cuda.get_device_name() if has_gpu() else "none",
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pillow", "torch", "torchvision", "lightning")},
    }


def instructions() -> str:
    """The widest instruction set for products of matrices that torch uses here: AMX, AVX-512 bf16, AVX512, AVX2, ..."""
    if torch.cpu._is_amx_tile_supported():
        return WITH_BFLOAT16[0]
    return WITH_BFLOAT16[1] if torch.cpu._is_avx512_bf16_supported() else torch.backends.cpu.get_cpu_capability()


def has_gpu() -> bool:
    """Whether there is a GPU that torch can use."""
    return torch.cuda.is_available()


def kind() -> str:
    """What trains here: the GPU's name, or else :func:`instructions` of the processor."""
    return torch.cuda.get_device_name() if has_gpu() else instructions()


def _processor() -> str:
    """The processor's name; Linux keeps it where ``platform`` does not look."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def matrix_rates(side: int | None = None, repeats: int = 5) -> dict[str, float]:
    """GFLOP/s of ``torch.mm`` of two square matrices in 32 bits and in bfloat16, the best of some tries.

    The side is ``MATRIX`` by default, ``GPU_MATRIX`` where there is a GPU. Where processors only emulate bfloat16, a
    product of that size takes a minute; then a smaller one is measured, and ``side_bf16`` says which.
    """
    side = side or (GPU_MATRIX if has_gpu() else MATRIX)
    rates: dict[str, float] = {}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        tried, seconds = 256, _product_seconds(256, kind, 2)
        while tried < side and seconds * 8 * (2 if tried * 2 == side else 1) < _PATIENCE:
            tried *= 2
            seconds = _product_seconds(tried, kind, repeats if tried == side else 2)
        rates[name] = round(2 * tried**3 / seconds / 1e9, 2)
        rates[f"side_{name}"] = tried
    return rates


def fastest(rates: Mapping[str, float]) -> float:
    """GFLOP/s of the faster kind of product in what :func:`matrix_rates` found."""
    return max(rates["fp32"], rates["bf16"])


def wait() -> None:
    """Until the GPU, if there is one, has done what it was told."""
    if has_gpu():
        torch.cuda.synchronize()


def _product_seconds(side: int, kind: torch.dtype, repeats: int) -> float:
    device = "cuda" if has_gpu() else "cpu"
    one, other = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    best = float("inf")
    for _ in range(repeats):
        wait()
        start = time.perf_counter()
        torch.mm(one, other)
        wait()
        best = min(best, time.perf_counter() - start)
    return best


def probed(arguments: Sequence[str], what: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a Python process of its own measures: the JSON that it prints last.

    Parameters
    ----------
    arguments: of the interpreter.
    what: is done, for the error.
    environment: of the process; default: this one's.

    Raises
    ------
    FerbookError: if the process fails, with the last line that it said.
    """
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise FerbookError(f"{what} failed: {last}")
    return json.loads(done.stdout.splitlines()[-1])
