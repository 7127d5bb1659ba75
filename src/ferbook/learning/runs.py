"""The run store: a folder per config, named by its hash.

``config.json`` is written first, ``result.json`` last and atomically, so a folder with a result is a finished run.
In between lie the last checkpoint and the best weights so far, from which an interrupted run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ferbook.core import arrays, bounded_files, locks, paths
from ferbook.core.errors import DataError
from ferbook.core.records import write_json
from ferbook.learning.configs import Config


@dataclass(frozen=True)
class RunResult:
    """What a run found.

    Parameters
    ----------
    config: the description, as plain data.
    history: one entry per epoch: train loss, validation accuracy and loss where an epoch is chosen, the learning rate
        that the epoch ends with, and the test accuracy where a test curve was asked for.
    metrics: at the chosen epoch: its number, which part chose it, validation and test accuracy, `test` in detail
        (``metrics.crowd_measures``), and `test_correct`, one bit per test face (``metrics.from_bits``).
    provenance: data checksum, library hash, versions, device, date; `threads`, as another number of them adds up in
        another order and ends in other digits; `seconds` of all its parts where it was interrupted, and `cpu_seconds`
        of all threads, which say what a run costs where other work is going on. Neither stands there where the cost of
        an earlier part is not known.
    """

    config: dict[str, object]
    history: list[dict[str, float]]
    metrics: dict[str, object]
    provenance: dict[str, object]


@dataclass(frozen=True)
class Run:
    """One run's folder."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """State after the last finished epoch."""
        return self.folder / "last.ckpt"

    @property
    def best(self) -> Path:
        """Weights of the best epoch so far."""
        return self.folder / "best.safetensors"

    @property
    def _lock(self) -> Path:
        return self.folder.with_name(f".{self.folder.name}.lock")

    def result(self) -> RunResult | None:
        """The result; None while the run is not finished.

        Raises
        ------
        DataError: if the file cannot be read.
        """
        path = self.folder / "result.json"
        if not path.is_file():
            return None
        try:
            return RunResult(**bounded_files.read_json(path))
        except (ValueError, TypeError) as error:
            raise DataError(f"is not a run's result ({error})", path, hint="Delete the folder and run again.") from None

    def predictions(self) -> dict[str, np.ndarray]:
        """``ids`` (N,), ``probabilities`` (N, 8) and ``distribution`` (N, 8) of the test faces at the chosen epoch.

        Of a run that learns V, A, D, also ``vad`` (N, A), one column per axis.

        Raises
        ------
        DataError: if the file is missing or cannot be read.
        """
        path = self.folder / "predictions.npz"
        hint = "Delete the folder and run again."
        try:
            found = arrays.read_npz(path)
        except FileNotFoundError:
            raise DataError("the predictions are missing", path, hint=hint) from None
        except ValueError as error:
            raise DataError(f"holds no predictions ({error})", path, hint=hint) from None
        missing = sorted({"ids", "probabilities", "distribution"} - set(found))
        if missing:
            raise DataError(f"holds no {', '.join(missing)}", path, hint=hint)
        return found

    def finish(self, result: RunResult, predictions: Mapping[str, np.ndarray]) -> None:
        """Store predictions, then the result; removes the checkpoint, which is no longer needed."""
        with paths.replacing(self.folder / "predictions.npz") as staging:
            np.savez_compressed(staging, **predictions)
        write_json(self.folder / "result.json", asdict(result))
        self.checkpoint.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what a finished run needs no more; one that was killed right after its result still has it."""
        with suppress(OSError):  # a store that others may only read
            self.checkpoint.unlink(missing_ok=True)
        locks.forget(self._lock)

    def alone(self, *, wait: bool) -> AbstractContextManager[None]:
        """Let one process train the run. Raises BusyError where another does, unless it is to be waited for."""
        instead = "Wait until it is done, or train into another --store."
        return locks.alone(self._lock, f"trains run {self.folder.name}", wait=wait, instead=instead)


def run_of(config: Config, store: Path | None = None) -> Run:
    """The place of `config` in `store` (default: ``_build/runs``), whether or not anything is there."""
    return Run((store or paths.project_root() / "_build" / "runs") / config.hash)


def open_run(config: Config, store: Path | None = None) -> Run:
    """The folder of `config` in `store`, made if it is not there."""
    run = run_of(config, store)
    described = run.folder / "config.json"
    # It never changes, and a finished run may lie where nobody may write.
    if not described.is_file():
        write_json(described, config.model_dump(mode="json"))
    return run
