"""The machine that figures of speed were taken on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch


def description() -> dict[str, object]:
    """Processor, threads, instruction set, GPU, system and versions, as plain values."""
    return {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pillow", "torch", "torchvision", "lightning")},
    }


def _processor() -> str:
    """The processor's name; Linux keeps it where ``platform`` does not look."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
