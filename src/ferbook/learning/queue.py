"""The missing runs that are worth most for the time they take, within a budget of seconds.

``data/queue.yml`` lists runs of the sweeps and what each is worth::

    - {runs: "002/vgg16/*", worth: 6, why: figure 28 with the paper's network}

`worth` is the number of claims that wait for the runs of the entry, divided evenly among its runs. What a run takes is
estimated from its operations (:mod:`ferbook.learning.cost`), the matrix rate of the machine at hand and the share of
that rate which training reaches, as timed or as recorded runs tell; the first run of a network that ends here corrects
the estimate for the network's other runs.

A run keeps its state after each epoch and is recorded when it ends, so that a queue which is stopped, by its budget or
by a kill, goes on from there: what is recorded is not run again, what was begun is finished.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import torch

from ferbook.core import machine, paths
from ferbook.core.errors import ConfigError, FerbookError
from ferbook.learning import cost, runs, sweeps, training
from ferbook.learning.callbacks import OutOfTimeError
from ferbook.learning.configs import Config

# Seconds that a step takes on a GPU at least: a guess until the first run of a network has been timed.
_GPU_STEP = 0.003
# Of a budget, for what follows the last epoch that fits: a test, a record, the end of the program.
_RESERVE, _RESERVE_SHARE = 10.0, 0.05


@dataclass(frozen=True)
class Job:
    """A run that is not recorded yet.

    Parameters
    ----------
    paper, name: of the sweep and of the run in it.
    config: what is trained.
    worth: of its record, in claims.
    seconds: expected for what is left of it.
    begun: epochs that an earlier call has finished.
    """

    paper: str
    name: str
    config: Config
    worth: float
    seconds: float
    begun: int = 0

    @property
    def per_epoch(self) -> float:
        """Expected seconds of one epoch."""
        return self.seconds / max(1, self.config.epochs - self.begun)


def listed() -> Path:
    """Where the book's own queue is described."""
    return paths.project_root() / "data" / "queue.yml"


def jobs(path: Path | None = None, store: Path | None = None) -> list[Job]:
    """The runs of a queue that are not recorded yet, the one with most worth per second first.

    Parameters
    ----------
    path: of the description; default: :func:`listed`.
    store: folder of runs, default ``_build/runs``; runs that were begun there take only the rest.

    Raises
    ------
    ConfigError: naming file, entry and field, for whatever is unknown or matches no run.
    DataError: if a record or a data set is broken or missing.
    """
    path = path or listed()
    rates = machine.matrix_rates()
    found: dict[tuple[str, str], Job] = {}
    for number, entry in enumerate(_entries(path), 1):
        paper, _, pattern = entry["runs"].partition("/")
        described = sweeps.runs(sweeps.description(paper))
        chosen = {name: config for name, config in described.items() if fnmatchcase(name, pattern)}
        if not chosen:
            raise ConfigError(f"{path}: entry {number}: runs", f"{entry['runs']!r} matches no run of {paper}")
        for name, config in chosen.items():
            if not sweeps.is_recorded(sweeps.record_path(paper, name), config):
                job = Job(paper, name, config, entry["worth"] / len(chosen), _seconds(config, rates))
                found.setdefault((paper, name), _rest(job, store))
    return _ordered(found.values())


def run(
    waiting: Sequence[Job],
    budget: float,
    store: Path | None = None,
    say: Callable[[str], None] = print,
) -> tuple[int, int]:
    """Run jobs until none is left or the next epoch of none would end within the budget.

    Parameters
    ----------
    waiting: the jobs, in the order in which to run them.
    budget: seconds from now.
    store: folder of runs, default ``_build/runs``.
    say: is told what happens, a line at a time.

    Returns
    -------
    How many runs were recorded, and how many failed; a failed run does not stop the others. A twentieth of the budget,
    ten seconds at most, is kept for what follows the last epoch.
    """
    until = time.monotonic() + budget - min(_RESERVE, _RESERVE_SHARE * budget)
    waiting, recorded, failed = list(waiting), 0, 0
    while waiting:
        job = next((job for job in waiting if time.monotonic() + job.per_epoch < until), None)
        if job is None:
            say(f"no epoch of the {len(waiting)} runs that are left ends within the budget")
            break
        waiting.remove(job)
        started = time.monotonic()
        try:
            sweeps.record(
                sweeps.record_path(job.paper, job.name),
                job.config,
                lambda config: training.train(config, store, wait=True, until=until),
            )
        except OutOfTimeError as error:
            say(f"{job.paper}/{job.name}: {error}")
            break
        except (FerbookError, torch.OutOfMemoryError) as error:
            failed += 1
            # The failed run's network and trainer know each other; the next run needs their memory.
            gc.collect()
            torch.cuda.empty_cache()
            say(f"{job.paper}/{job.name}: failed: {str(error).partition(chr(10))[0]}")
            continue
        taken = time.monotonic() - started
        recorded += 1
        say(f"{job.paper}/{job.name}: recorded; {taken:.0f} s, {job.seconds:.0f} expected; {len(waiting)} left")
        if job.begun == 0:
            waiting = _ordered(_corrected(waiting, job.config.model.name, taken / job.seconds))
    return recorded, failed


def _entries(path: Path) -> Iterator[Mapping[str, object]]:
    content = sweeps.read_description(path, "queue", "a queue")
    if not isinstance(content, list) or not content:
        raise ConfigError(str(path), "should be a list of entries", "See ferbook.learning.queue.")
    for number, entry in enumerate(content, 1):
        known = isinstance(entry, dict) and entry.keys() <= {"runs", "worth", "why"}
        worth = entry.get("worth") if known and isinstance(entry.get("runs"), str) else None
        if isinstance(worth, bool) or not isinstance(worth, int | float) or not worth > 0:
            problem = "should be {runs: PAPER/PATTERN, worth: a number above 0, why: text}"
            raise ConfigError(f"{path}: entry {number}", problem)
        yield entry


def _ordered(found: Iterable[Job]) -> list[Job]:
    """Most worth per second first; jobs alike stay in the order of the description."""
    return sorted(found, key=lambda job: -job.worth / job.seconds)


def _corrected(found: Sequence[Job], network: str, factor: float) -> list[Job]:
    """The jobs with the expected seconds of a network's runs times a measured factor."""
    return [replace(job, seconds=job.seconds * factor) if job.config.model.name == network else job for job in found]


def _rest(job: Job, store: Path | None) -> Job:
    """The job without the epochs that are in its last checkpoint."""
    checkpoint = runs.run_of(job.config, store).checkpoint
    if not checkpoint.is_file():
        return job
    try:
        begun = int(torch.load(checkpoint, map_location="meta", weights_only=True)["epoch"]) + 1
    except Exception:  # whatever is wrong with it, the run itself says so
        return job
    left = max(1, job.config.epochs - begun) / job.config.epochs
    return replace(job, seconds=job.seconds * left, begun=begun)


def _seconds(config: Config, rates: Mapping[str, float]) -> float:
    """What a run takes at the rates of :func:`machine.matrix_rates`, with those that it starts from."""
    least = _GPU_STEP if machine.has_gpu() else 0.0
    return sum(cost.seconds(one, rates, least_per_step=least) for one in cost.with_starts([config]))
