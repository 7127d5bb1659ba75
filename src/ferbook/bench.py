"""What loading costs: cold, from the prepared copy, and in memory. ``make bench`` prints and keeps it.

Each figure is taken in a fresh process, so that nothing is warm and the peak memory is that of loading alone.
"""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from ferbook import datasets, paths
from ferbook.datasets.ferplus import LABELS, PARTS, SIDE
from ferbook.errors import FerbookError

#: Faces in the stand-in archives: as many as FER+ has.
SIZES = {"train": 28_558, "valid": 3_579, "test": 3_573}
#: What loading may take (seconds; seconds; MiB): the project's own limits.
LIMITS = {"cold_s": 15.0, "cached_s": 0.5, "peak_mib": 600.0}

# Reports seconds to load and the process's peak memory in MiB (ru_maxrss is in KiB on Linux, in bytes on macOS).
_PROBE = """
import json, resource, sys, time
from ferbook.datasets import load
start = time.perf_counter()
faces = load("ferplus", sys.argv[1])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps({"seconds": seconds, "peak_mib": peak, "faces": len(faces)}))
"""


def run(root: str | None = None) -> dict[str, object]:
    """Measure loading FER+ at `root` (or ``FERBOOK_DATA``), or stand-in archives of the same size where there is none.

    Prints a table and writes ``_build/bench/loading.json``.

    Raises
    ------
    FerbookError: if the probe process fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        real = datasets.is_available("ferplus", root)
        place = str(paths.data_root(root)) if real else str(_stand_in(Path(scratch) / "ferplus"))
        environment = {**os.environ, "FERBOOK_CACHE": str(Path(scratch) / "cache")}
        cold = _probe(place, environment)
        cached = min((_probe(place, environment) for _ in range(3)), key=lambda found: found["seconds"])
    result = {
        "data": "FER+" if real else "stand-in archives of noise",
        "faces": cold["faces"],
        "cold_s": round(cold["seconds"], 2),
        "cached_s": round(cached["seconds"], 3),
        "peak_mib": round(cold["peak_mib"]),
        "machine": machine(),
    }
    target = paths.project_root() / "_build" / "bench" / "loading.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(f"loading {result['faces']:,} faces ({result['data']})")
    for key, limit in LIMITS.items():
        print(f"  {key:9} {result[key]:>8} (limit {limit:g}){'' if result[key] <= limit else '  over'}")
    print("  " + ", ".join(f"{key} {value}" for key, value in result["machine"].items()))
    return result


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    from importlib.metadata import version

    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pillow")},
    }


def _probe(place: str, environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, place], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FerbookError(f"the loading probe failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def _stand_in(folder: Path) -> Path:
    """Archives like FER+'s, of smoothed noise (which compresses about as badly as a photograph) with random votes."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    number = 0
    for split, part in PARTS.items():
        rows = []
        with zipfile.ZipFile(folder / f"{part}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for _ in range(SIZES[split]):
                name = f"fer{number:07d}.png"
                number += 1
                stream = io.BytesIO()
                coarse = Image.fromarray(rng.integers(0, 256, (SIDE // 2, SIDE // 2), dtype=np.uint8))
                coarse.resize((SIDE, SIDE), Image.Resampling.BILINEAR).save(stream, format="PNG", compress_level=1)
                archive.writestr(f"{part}/{name}", stream.getvalue())
                votes = rng.multinomial(10, np.full(10, 0.1))
                rows.append(f'{name},"(0, 0, {SIDE}, {SIDE})",{",".join(map(str, votes))}\n')
            archive.writestr(f"{part}/{LABELS}", "".join(rows))
    return folder
