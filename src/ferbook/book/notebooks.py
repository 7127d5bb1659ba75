"""From a py:percent source to an executed notebook, refusing what Papermill would let pass.

Papermill only logs an unknown parameter, and runs the defaults where no cell is tagged ``parameters``. In a sweep that
means a hundred copies of the same run, so both are errors here, before anything runs.

Run as ``python -m ferbook.book.notebooks SOURCE TARGET --parameters JSON``.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import jupytext
import nbformat
import papermill
from jupyter_client import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from ferbook.core import memory, paths, temporary
from ferbook.core.errors import ConfigError, FerbookError, clearly_written, ended

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
#: Bytes of a socket's path: 107 on Linux, 103 on macOS.
LONGEST_SOCKET = 103
#: File for what a kernel says of itself; shown if it dies.
LOG = "kernel.log"


class NotebookError(FerbookError):
    """A cell that failed; names notebook, cell and error."""


def read_source(source: Path) -> nbformat.NotebookNode:
    """A py:percent file as a notebook without outputs.

    Raises
    ------
    NotebookError: if the file is missing.
    """
    if not source.is_file():
        raise NotebookError(f"{source}: there is no such notebook source.")
    return jupytext.read(source, fmt="py:percent")


def defaults(notebook: nbformat.NotebookNode, source: Path) -> dict[str, object]:
    """What the cell tagged ``parameters`` assigns; empty without such a cell.

    Raises
    ------
    ConfigError: if two cells carry the tag, or one assigns something other than a plain value.
    """
    tagged = [cell for cell in notebook.cells if PARAMETERS_TAG in cell.metadata.get("tags", [])]
    if len(tagged) > 1:
        raise ConfigError("parameters", f"{source} has {len(tagged)} cells tagged {PARAMETERS_TAG!r}", "Keep one.")
    values: dict[str, object] = {}
    for node in ast.parse(tagged[0].source if tagged else "").body:
        try:
            (target,) = node.targets
            values[target.id] = ast.literal_eval(node.value)
        except (AttributeError, ValueError):
            problem = f"{source} does not assign a plain value in {ast.unparse(node)!r}"
            raise ConfigError("parameters", problem, "A parameters cell holds lines like: count = 100") from None
    return values


def execute(source: Path, target: Path, parameters: Mapping[str, object] | None = None) -> None:
    """Run `source` with `parameters` and write the executed notebook to `target`; whole or not at all.

    A failed run leaves what it got to beside the target, as ``NAME.failed.ipynb``.

    Raises
    ------
    ConfigError: if a parameter is unknown to the notebook, or it has no tagged cell to receive any.
    NotebookError: if a cell fails; names notebook, cell and error.
    OutputError: if there is no room, or no right to write.
    """
    notebook = read_source(source)
    parameters = dict(parameters or {})
    known = defaults(notebook, source)
    for name in parameters:
        if not known:
            raise ConfigError(name, f"{source} has no cell tagged {PARAMETERS_TAG!r} to receive it")
        if name not in known:
            raise ConfigError(name, f"is no parameter of {source}", f"It has: {', '.join(sorted(known))}.")
    # All of them are injected, so that a reader sees the whole set of values that ran.
    parameters = known | parameters
    failed = target.with_suffix(".failed.ipynb")
    # Everything that the run needs for a while lies in one private folder, which a later run finds if this one is
    # killed: two runs of a page at the same time do not meet, and nobody else on the machine can reach the kernel.
    with temporary.folder() as scratch, clearly_written(scratch), _place_for_sockets(scratch) as sockets:
        bare, staging = scratch / "bare.ipynb", scratch / "executed.ipynb"
        connection = {"transport": "ipc", "connection_file": str(scratch / "connection.json")}
        try:
            with _kept_in(scratch):
                target.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(notebook, bare)
                papermill.execute_notebook(
                    bare,
                    staging,
                    parameters=parameters,
                    kernel_name="python3",
                    language="python",
                    progress_bar=False,
                    cwd=target.parent,
                    config=Config(
                        {
                            "KernelManager": connection | {"ip": str(sockets / "kernel")},
                            "NotebookClient": {"kernel_manager_class": _Kernel},
                        }
                    ),
                )
        except PapermillExecutionError as error:
            with paths.replacing(failed) as kept:
                shutil.copyfile(staging, kept)
            raise NotebookError(
                f"{source}, cell {_source_cell(error.cell_index, parameters)}: {error.ename}: {error.evalue} "
                f"(as far as it ran: {failed})"
            ) from None
        except DeadKernelError:
            sys.stderr.write((scratch / LOG).read_text(errors="replace"))
            raise NotebookError(f"{source}: the process that ran it died, perhaps for want of memory") from None
        executed = nbformat.read(staging, as_version=4)
    _tidy(executed)
    with paths.replacing(target) as whole:
        nbformat.write(executed, whole)
    failed.unlink(missing_ok=True)


class _Kernel(AsyncKernelManager):
    """A kernel whose log lies beside its connection file.

    What cells write to the standard streams is in the notebook; what is left is how the kernel itself fares. One that
    is slow to end when it is told to complains of it, with a traceback, and nothing is wrong.
    """

    async def start_kernel(self, **settings: object) -> None:
        """As the base class does it."""
        with Path(self.connection_file).with_name(LOG).open("wb") as log:
            await super().start_kernel(stderr=log, **settings)


@contextmanager
def _place_for_sockets(scratch: Path) -> Iterator[Path]:
    """`scratch`, or a private folder whose name is short enough: a socket's whole path has some 100 bytes at most."""
    if len(os.fsencode(scratch)) <= LONGEST_SOCKET - len("/kernel-5"):
        yield scratch
    else:
        with temporary.folder(Path("/tmp")) as short:
            yield short


@contextmanager
def _kept_in(scratch: Path) -> Iterator[None]:
    """Have a kernel that is started in the block keep in `scratch` what it would leave in the home folder.

    It also runs none of the user's start-up files. What torch compiled is for all kernels.
    """
    places = {name: str(scratch) for name in ("TMPDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    compiled = temporary.compiled()
    try:
        Path.home()
    except RuntimeError:  # Jupyter wants to know one, whatever it keeps there
        places["HOME"] = str(scratch)
    before = dict(os.environ)
    os.environ.update(places)
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _source_cell(index: int, parameters: Mapping[str, object]) -> int:
    """Number, from 1, of a cell in the source: papermill's index counts its own error banner and injected cell."""
    # The banner is inserted at the top after the index was taken, so only the injected cell shifts it.
    return index + 1 - bool(parameters)


def _tidy(notebook: nbformat.NotebookNode) -> None:
    """Show a reader the values that ran, not the defaults they replaced; drop paths and times of this machine."""
    injected = any(INJECTED_TAG in cell.metadata.get("tags", []) for cell in notebook.cells)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if injected and PARAMETERS_TAG in tags:
            cell.metadata["tags"] = [*tags, "remove-cell"]
        if INJECTED_TAG in tags:
            cell.source = cell.source.replace("# Parameters\n", "# The values of this build\n", 1)
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    seconds = notebook.metadata.get("papermill", {}).get("duration")
    # No date: a page that gives the same shall look the same.
    notebook.metadata["ferbook"] = {"seconds": seconds, "peak_mib": round(memory.children_mib())}
    notebook.metadata.pop("papermill", None)


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit status 1 when the notebook fails."""
    parser = argparse.ArgumentParser(prog="ferbook.book.notebooks", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--parameters", type=json.loads, default={}, help="a JSON object")
    options = parser.parse_args(arguments)

    def run() -> int:
        execute(options.source, options.target, options.parameters)
        return 0

    return ended(run, failed=1)


if __name__ == "__main__":
    sys.exit(main())
