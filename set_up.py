"""Make .venv hold what requirements.lock names, each file checked by its hash; `make setup` runs this.

It needs Python alone, since nothing is installed yet. `.venv/.set-up`, written last, says what the environment was
made from; without it an environment is unfinished and is made anew, because pip takes a package whose copying was cut
off for an installed one. What had been fetched completely comes from pip's cache.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

LOCK, PROJECT, VENV, STAMP = "requirements.lock", "pyproject.toml", ".venv", ".set-up"

# PyTorch's only build for Linux on the ordinary package index asks for all of CUDA. Most of it is linked in and must be
# there for `import torch`; these are loaded only when something is computed on a GPU.
GPU_ONLY = {"cuda-bindings", "cuda-pathfinder", "cuda-toolkit", "nvidia-cusolver", "nvidia-nvtx", "triton"}
# Builds the packages that come as source, and this project; first, so that no build fetches a tool unchecked.
BUILDERS = {"setuptools"}
# Fails where a library that PyTorch is linked against is missing or does not suit the machine.
CHECK = "import torch, torchvision"


class SetUpError(Exception):
    """What stopped the set-up, and what to do about it."""


def packages(lock: str) -> dict[str, str]:
    """Name of each package in the text of a lock -> its lines (version, marker, hashes)."""
    found: dict[str, str] = {}
    name = None
    for line in lock.splitlines(keepends=True):
        if match := re.match(r"[A-Za-z0-9][\w.-]*(?===)", line):
            name = match[0]
        elif not line.startswith((" ", "\t")):
            name = None
        if name and not line.lstrip().startswith("#"):
            found[name] = found.get(name, "") + line
    return found


def has_gpu() -> bool:
    """Whether an NVIDIA driver shows a device: on Linux, or inside Windows' Linux."""
    return any(Path(device).exists() for device in ("/dev/nvidia0", "/dev/dxg"))


class Environment:
    """The virtual environment of the project in ``root``, and the set-up's steps on it."""

    def __init__(self, root: Path, held: int | None = None):
        self.root, self.venv, self.held = root, root / VENV, held
        self.python = self.venv / "bin" / "python"
        self.lock = (root / LOCK).read_text()
        self.sources = {
            "lock": hashlib.sha256(self.lock.encode()).hexdigest(),
            "project": hashlib.sha256((root / PROJECT).read_bytes()).hexdigest(),
            # Scripts in .venv name it by its absolute path, so a moved folder needs a new one.
            "folder": str(self.venv.resolve()),
        }

    def stamp(self) -> dict:
        """What the environment was made from; empty where it is not finished."""
        try:
            made = json.loads((self.venv / STAMP).read_text())
        except (OSError, ValueError):
            return {}
        return made if isinstance(made, dict) and self.python.exists() else {}

    def missing(self, cuda: bool) -> set[str]:
        """What is still to be done: of "packages" (all anew), "gpu" and "project"."""
        made = self.stamp()
        if any(made.get(key) != self.sources[key] for key in ("lock", "folder")):
            return {"packages", "project"} | ({"gpu"} if cuda else set())
        project = {"project"} if made.get("project") != self.sources["project"] else set()
        return project | ({"gpu"} if cuda and not made.get("gpu") else set())

    def run(self, *command: str | Path) -> None:
        """Run a step; a step that outlives a killed set-up still holds the lock."""
        held = () if self.held is None else (self.held,)
        if subprocess.run([str(part) for part in command], cwd=self.root, pass_fds=held).returncode:
            raise SetUpError("A step failed, for the reason above. `make setup` again goes on from here.")

    def pip(self, *arguments: str) -> None:
        """Install what ``arguments`` say and nothing that it asks for: the lock is complete."""
        # Not compiled: that takes half of the time, for modules that mostly are never imported.
        quiet = ["--quiet", "--disable-pip-version-check", "--no-compile"]
        self.run(self.python, "-m", "pip", "install", *quiet, "--no-deps", "--no-build-isolation", *arguments)

    def install(self, names: set[str]) -> None:
        """Install these packages of the lock, as far as their markers hold here; a file of another hash is refused."""
        chosen = "".join(lines for name, lines in packages(self.lock).items() if name in names)
        if chosen:
            (self.venv / "chosen.txt").write_text(chosen)
            self.pip("--use-pep517", "--require-hashes", "-r", str(self.venv / "chosen.txt"))

    def make(self, cuda: bool) -> None:
        """Do what is missing, and say so in the stamp."""
        todo, gpu = self.missing(cuda), bool(self.stamp().get("gpu"))
        if not todo:
            return
        if self.venv.is_symlink():
            raise SetUpError(f"{VENV} leads to {self.venv.resolve()}, made for something else; remove the link.")
        names = set(packages(self.lock))
        (self.venv / STAMP).unlink(missing_ok=True)
        if "packages" in todo:
            # From an activated .venv, the Python that made it: `--clear` takes away the one that runs this.
            self.run(getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", self.venv)
            self.install(names & BUILDERS)
            self.install(names - GPU_ONLY)
            gpu = False
        if "gpu" in todo:
            self.install(names & GPU_ONLY)
            gpu = True
        if "project" in todo:
            self.pip("--editable", ".")
        self.run(self.python, "-c", CHECK)
        part = self.venv / f"{STAMP}.part"
        part.write_text(json.dumps(self.sources | {"gpu": gpu}, indent=1))
        part.replace(self.venv / STAMP)


def alone(root: Path) -> int | None:
    """Wait until no other set-up works on ``root``; what is returned holds the place until it is closed by all."""
    held = os.open(root / LOCK, os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another set-up is at work here; waiting for it.", flush=True)
        fcntl.flock(held, fcntl.LOCK_EX)
    except OSError:  # A file system without locks.
        os.close(held)
        return None
    return held


def main() -> int:
    """Set up the folder this file lies in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cuda", choices=["0", "1", ""], default="", help="fetch what only a GPU needs; by default where there is one"
    )
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent
    cuda = has_gpu() if not arguments.cuda else arguments.cuda == "1"
    if sys.version_info < (3, 11):  # noqa: UP036 - no metadata has been read yet
        print(f"Python 3.11 or later is needed; this is {sys.version}", file=sys.stderr)
        return 1
    try:
        if not Environment(root).missing(cuda):
            return 0
        start = time.monotonic()
        environment = Environment(root, alone(root))
        if todo := environment.missing(cuda):
            long = "; this takes some minutes" if "packages" in todo else ""
            print(f"Setting up {VENV} ({', '.join(sorted(todo))}){long}.", flush=True)
            environment.make(cuda)
            print(f"{VENV} is set up, in {time.monotonic() - start:.0f} s.")
    except (SetUpError, OSError) as error:
        print(f"Not set up. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. `make setup` again goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
