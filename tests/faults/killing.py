"""Commands that are killed in the middle, and what they must have made in the end.

A killed command is tried in two ways: ``fork`` runs it in a process forked from one that has imported everything, so
that moments fall into the work and not into imports; ``start`` runs the command itself, as a user does. A kill is
SIGKILL to the whole process group, after a share of the time that an undisturbed run takes, or (forked only) right
before its n-th change of a file, which finds the moments between two writes on any machine. From that change on a disk
can also be full.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image

from ferbook.book import notebooks
from ferbook.cli import commands as cli
from ferbook.learning import configs, runs
from ferbook.synthesis import render, sample
from tests.conftest import TinyFerplus
from tests.faults import elsewhere
from tests.unit.test_pipeline import Checkout

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "data": {"name": "synthetic", "options": {"count": 150, "size": 48}},
    "model": {"name": "compact", "options": {"width": 0.25}},
    "loss": "label_draw",
    "epochs": 5,
    "batch": 30,
    "precision": "32",
    "augmentation": [{"name": "flip"}],
    "schedule": {"name": "one_cycle"},
}
#: What runs a module as ``python -m`` does.
MAINS = {"ferbook.cli": cli.main, "ferbook.book.notebooks": notebooks.main}
#: Longer than any command takes on a machine that is busy with ten others.
PATIENCE = 400


@dataclass(frozen=True)
class Job:
    """A command in a folder of its own.

    Parameters
    ----------
    prepare: writes into the folder what the command needs; returns what stands after ``python``.
    answer: what the command made there: the same for every undisturbed run.
    own_home: whether the folder is also the checkout (FERBOOK_HOME).
    loose: parts of paths that the comparison of files leaves out, as somebody else's bookkeeping.
    """

    prepare: Callable[[Path], list[str]]
    answer: Callable[[Path], object]
    own_home: bool = False
    loose: tuple[str, ...] = ()


class Place:
    """A folder in which a job runs, with home, cache and temporary files of its own."""

    def __init__(self, job: Job, folder: Path):
        self.job, self.folder, self.log = job, folder, folder.parent / "log"
        for name in ("home", "tmp"):
            (folder / name).mkdir(parents=True)
        self.arguments = job.prepare(folder)
        # Some of what is made depends on when its source was written.
        for path in (folder, *folder.rglob("*")):
            os.utime(path, (1e9, 1e9))
        self.log.write_text("")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FERBOOK_HOME": str(self.folder if self.job.own_home else ROOT),
            "FERBOOK_CACHE": str(self.folder / "cache"),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            # Where no folder of the folder's own, what a library keeps about the machine is no leftover of a command.
            "MPLCONFIGDIR": str(self.folder.parent / "matplotlib"),
            "NUMBA_CACHE_DIR": str(self.folder.parent / "numba"),
            "PYTHONPATH": f"{self.folder if (self.folder / 'src').is_dir() else ROOT}/src",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
        }

    def files(self) -> set[str]:
        """Every file that is there, hidden ones too, and every folder of temporary files."""
        kept = (path for path in self.folder.rglob("*") if not path.is_dir() or path.name.startswith(".ferbook-"))
        found = (path.relative_to(self.folder).as_posix() for path in kept)
        return {name for name in found if not any(part in name for part in ("__pycache__", *self.job.loose))}

    def changes(self) -> list[list[str]]:
        """What each forked command that ended has changed: the files, a renamed one by its new name."""
        return [json.loads(line) for line in self.log.with_suffix(".changes").read_text().splitlines()]

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Running:
    """A started command. `end` waits for it, or kills its process group after some seconds; returns its status."""

    def __init__(self, place: Place, *, forked: bool, **fault: object):
        self.began = time.monotonic()
        if forked:
            given = (place.arguments, str(place.folder), place.environment, str(place.log), Fault(**fault))
            self.process = elsewhere.context().Process(target=_child, args=given)
            self.process.start()
        else:
            with place.log.open("a") as log:
                self.process = subprocess.Popen(
                    [sys.executable, *place.arguments],
                    cwd=place.folder,
                    env={**os.environ, **place.environment},
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def end(self, kill_after: float | None = None) -> int:
        limit = PATIENCE if kill_after is None else kill_after
        if isinstance(self.process, subprocess.Popen):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(limit)
        else:
            self.process.join(limit)
        if self.status is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self.process.kill()  # it has no group of its own yet
            self.process.wait() if isinstance(self.process, subprocess.Popen) else self.process.join()
            assert kill_after is not None, f"{PATIENCE} s were not enough"
        self.seconds = time.monotonic() - self.began
        return self.status

    @property
    def status(self) -> int | None:
        if isinstance(self.process, subprocess.Popen):
            return self.process.poll()
        return self.process.exitcode


def warm_up() -> None:
    """Import what forked commands need, so that the first of them takes no longer than the next."""
    process = elsewhere.context().Process(target=os.getpid)
    process.start()
    process.join()


@dataclass(frozen=True)
class Fault:
    """What goes wrong in a forked command.

    Parameters
    ----------
    kill_at: the process dies right before this change of a file, counted from 1; 0: never.
    interrupt_at: at this change the process gets what Ctrl-C sends; 0: never.
    full_at: from this change on, nothing can be written to a file; 0: never.
    before: called first in the process, with the folder.
    without: variables of the environment that are taken away.
    """

    kill_at: int = 0
    interrupt_at: int = 0
    full_at: int = 0
    before: Callable[[str], object] = os.path.abspath
    without: tuple[str, ...] = ()


def _child(arguments, folder, environment, log, fault) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What is said goes through a pipe, which has room when the disk has none.
    reading, writing = os.pipe()
    if not (writer := os.fork()):
        os.close(writing)
        with open(reading, "rb", buffering=0) as said, open(log, "ab", buffering=0) as kept:
            while piece := said.read(4096):
                kept.write(piece)
        os._exit(0)
    os.close(reading)
    for number in (1, 2):
        os.dup2(writing, number)
    os.close(writing)
    fault.before(folder)
    os.chdir(folder)
    os.environ.update(environment)
    for name in fault.without:
        del os.environ[name]
    tempfile.tempdir = None
    done = _watch(folder, fault)
    status = MAINS[arguments[1]](arguments[2:])
    with suppress(OSError), open(Path(log).with_suffix(".changes"), "a") as kept:
        kept.write(json.dumps(done) + "\n")
    sys.stdout.flush()
    sys.stderr.flush()
    for number in (1, 2):
        os.close(number)
    os.waitpid(writer, 0)
    os._exit(status)


def _watch(folder: str, fault: Fault) -> list[str]:
    """List changes of files under `folder`, and let the right one go wrong."""
    done: list[str] = []

    def hook(event: str, given: tuple[object, ...]) -> None:
        changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir") or (
            event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if changes and not isinstance(given[0], int) and os.path.abspath(os.fsdecode(given[0])).startswith(folder):
            done.append(os.fsdecode(given[1] if event == "os.rename" else given[0]))
            if len(done) == fault.kill_at:
                os.killpg(os.getpid(), signal.SIGKILL)
            if len(done) == fault.interrupt_at:
                signal.raise_signal(signal.SIGINT)
            if len(done) == fault.full_at:
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    sys.addaudithook(hook)
    return done


# --- the commands ---


def _written(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def _without_cost(result: Mapping[str, dict]) -> dict[str, object]:
    kept = {name: value for name, value in result["provenance"].items() if "seconds" not in name}
    return {**result, "provenance": kept}


def _train(folder: Path) -> list[str]:
    _written(folder / "config.json", SMALL)
    return ["-m", "ferbook.cli", "train", "config.json", "--store", "store"]


def _trained(folder: Path) -> object:
    run = runs.run_of(configs.parse(SMALL), folder / "store")
    found = {name: values.tolist() for name, values in run.predictions().items()}
    return _without_cost(json.loads((run.folder / "result.json").read_text())), found, run.best.read_bytes()


def _project(folder: Path) -> None:
    _written(folder / "_config.yml", "title: small\n")
    (folder / "data").mkdir(exist_ok=True)


def _sweep(folder: Path) -> list[str]:
    _project(folder)
    base = {**SMALL, "epochs": 2}
    _written(folder / "data/sweeps/900.yml", {"groups": {"few": {"base": base, "vary": {"seed": [0, 1, 2]}}}})
    return ["-m", "ferbook.cli", "sweep", "900"]


def _swept(folder: Path) -> object:
    records = sorted((folder / "data/recorded/900/runs").rglob("*.json"))
    return {path.stem: _without_cost(json.loads(path.read_text())) for path in records}


def _read(folder: Path) -> list[str]:
    TinyFerplus(folder / "faces", sizes={"train": 1200, "valid": 150, "test": 150}).write_folders()
    return ["-m", "ferbook.cli", "data", "ferplus", "--root", "faces"]


def _prepared(folder: Path) -> object:
    (copy,) = (folder / "cache").glob("ferplus-*")
    return {path.name: path.read_bytes() for path in copy.iterdir()}


def _photographs(folder: Path) -> list[str]:
    drawn = sample(6, seed=3, framing="head", occlusion="none")
    for k, head in enumerate(render(drawn.with_pose(np.zeros((6, 3))), size=200, colour=True)):
        scene = np.full((260, 260, 3), (70, 110, 140), np.uint8)
        scene[30:230, 30:230] = head
        (folder / "photographs").mkdir(exist_ok=True)
        Image.fromarray(scene).save(folder / "photographs" / f"{k}.png")
    return ["-m", "ferbook.cli", "predict", "photographs", "--out", "answers"]


def _answered(folder: Path) -> object:
    found = {name: (folder / "answers" / name).read_text() for name in ("results.csv", "results.jsonl")}
    return found, {path.name: path.read_bytes() for path in (folder / "answers/cards").iterdir()}


PAGE = """# %% tags=["parameters"]
count = 1

# %%
import tempfile
import time
from pathlib import Path

from ferbook.faces import emotions

# %%
with tempfile.TemporaryDirectory() as scratch:
    for place in range(count):
        Path(scratch, str(place)).write_text("x" * 1000)
        time.sleep(0.01)
    print("x" * 8000)  # so that the page needs some room
    print(sum(path.stat().st_size for path in Path(scratch).iterdir()), len(emotions.EMOTIONS))
"""


def _page(folder: Path) -> list[str]:
    _written(folder / "page.py", PAGE)
    return ["-m", "ferbook.book.notebooks", "page.py", "out/page.ipynb", "--parameters", '{"count": 150}']


def _executed(folder: Path, page: str = "out/page.ipynb") -> object:
    cells = nbformat.read(folder / page, as_version=4).cells
    return [(cell.source, [dict(output) for output in cell.get("outputs", ())]) for cell in cells]


def _book(folder: Path) -> list[str]:
    checkout = Checkout(folder)
    checkout.write("book/plain.py", PAGE)
    checkout.write("book/profiles/quick.yml", "book/plain:\n  parameters: {count: 150}\n")
    # As the Makefile has it.
    options = ["--cores", "1", "--quiet", "all", "--rerun-incomplete", "--max-checksum-file-size", "0"]
    return ["-m", "snakemake", checkout.notebook("plain"), *options]


def _executed_by_snakemake(folder: Path) -> object:
    return _executed(folder, Checkout.notebook(None, "plain"))


#: What is killed, by name.
JOBS: dict[str, Job] = {
    "train": Job(_train, _trained),
    "sweep": Job(_sweep, _swept, own_home=True),
    "data": Job(_read, _prepared),
    "predict": Job(_photographs, _answered),
    "page": Job(_page, _executed),
    # What Snakemake keeps for itself is its own matter.
    "book": Job(_book, _executed_by_snakemake, own_home=True, loose=(".snakemake/", "home/.cache/snakemake/")),
}
