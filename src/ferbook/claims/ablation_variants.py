"""Runs that differ in one setting and in the seed: what each variant reaches, and what one adds to another by seed.

A run is named after its variant and what repeats it: ``none-seed0`` is variant ``none``, ``seed0``. Every number says
how many runs lie behind it, and carries an interval once there are enough of them.

Nothing here imports torch.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from matplotlib.figure import Figure

from ferbook.claims.claim import Claim, Training
from ferbook.claims.report import NOTHING
from ferbook.learning.runs import RunResult
from ferbook.measures import figures, intervals
from ferbook.measures.intervals import Interval

#: Seeds from which on a difference between trained networks counts as a finding.
SEEDS = 3
#: What readers call the number formats that runs computed in, by ``precision`` of their provenance.
FORMATS = {"32-true": "32 bits", "bf16-mixed": "bfloat16"}

#: A run as it is at hand: its result, or its config.
Run = TypeVar("Run")
Runs = Mapping[str, RunResult]
#: One number of a run; None where the run does not hold it.
Value = Callable[[RunResult], float | None]


class Measure(NamedTuple):
    """One number of a run: how a table calls it, with the unit; how to read it off the run; digits after the point."""

    title: str
    of: Value
    digits: int = 1


class Estimate(NamedTuple):
    """Values of several runs by seed or fold, and from ``SEEDS`` values on Student's interval of their mean."""

    keys: tuple[str, ...]
    values: tuple[float, ...]
    interval: Interval | None

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return float(np.mean(self.values))

    @property
    def ends(self) -> tuple[float, float, float]:
        """The mean and both ends of the interval, which are the mean where there is none; as figures take them."""
        return (self.mean, *(self.interval[1:3] if self.interval else (self.mean, self.mean)))


def estimated(found: Mapping[str, float | None]) -> Estimate | None:
    """An estimate of values by what repeats them. Those that are None are left out; None is returned without any."""
    there = {key: value for key, value in found.items() if value is not None}
    if not there:
        return None
    values = tuple(there.values())
    return Estimate(tuple(there), values, intervals.over_seeds(values) if len(values) >= SEEDS else None)


def by_name(runs: Mapping[str, Run]) -> dict[str, dict[str, Run]]:
    """The runs of each variant, in order, by what repeats them."""
    found: dict[str, dict[str, Run]] = {}
    for label, run in runs.items():
        name, _, key = label.rpartition("-")
        found.setdefault(name, {})[key] = run
    return found


def names(runs: Mapping[str, object]) -> list[str]:
    """The variants there are runs of, in order."""
    return list(by_name(runs))


def variant(runs: Mapping[str, Run], name: str) -> dict[str, Run]:
    """The runs of one variant, by what repeats them; nothing if there are none."""
    return by_name(runs).get(name, {})


def of_variants(runs: Mapping[str, Run], *names: str) -> dict[str, Run]:
    """The runs of some variants alone, under their full names."""
    return {f"{name}-{key}": run for name in names for key, run in variant(runs, name).items()}


def estimate(runs: Runs, value: Value) -> Estimate | None:
    """A number of runs that differ in seed or fold alone; None if no run holds it."""
    return estimated({key: value(result) for key, result in runs.items()})


def difference(runs: Runs, of: str, to: str, value: Value) -> Estimate | None:
    """A number of variant `of` less that of `to`, seed by seed, over the seeds that both have; None without one."""
    first, second = ({key: value(run) for key, run in variant(runs, name).items()} for name in (of, to))
    shared = [key for key in first if first[key] is not None and second.get(key) is not None]
    return estimated({key: first[key] - second[key] for key in shared})


def differing(runs: Runs, field: str) -> dict[str, dict[object, list[str]]]:
    """Where runs that a comparison pairs were not made alike: by seed or fold, variants by a field of the provenance.

    Runs that do not say it are left out, and so are seeds whose runs all say the same.
    """
    found: dict[str, dict[object, list[str]]] = {}
    for label, run in runs.items():
        name, _, key = label.rpartition("-")
        if (value := run.provenance.get(field)) is not None:
            found.setdefault(key, {}).setdefault(value, []).append(name)
    return {key: by_value for key, by_value in found.items() if len(by_value) > 1}


def mixed_formats(runs: Runs, called: Callable[[str], str] = str) -> str:
    """Where runs of one seed computed in different number formats, on different kinds of device, or on processors with
    different numbers of threads; Markdown.

    Empty where none did, so that it vanishes once such runs are made again.

    Parameters
    ----------
    called: what readers call a variant.
    """
    said = _odd(differing(runs, "precision"), called, lambda value: f"in {FORMATS.get(value, value)}")
    said += _odd(differing(runs, "device"), called, lambda value: f"on {'a processor' if value == 'cpu' else 'a GPU'}")
    processors = {label: run for label, run in runs.items() if run.provenance.get("device") == "cpu"}
    said += _odd(differing(processors, "threads"), called, lambda value: f"with {value} thread{'s' * (value != 1)}")
    if not said:
        return ""
    return f"**Not all runs of one seed computed alike.** {' '.join(said)} Such a pair differs in its arithmetic, too."


def _odd(
    found: Mapping[str, Mapping[object, list[str]]], called: Callable[[str], str], how: Callable[[object], str]
) -> list[str]:
    """A sentence for all seeds whose variants differ in the same way; the value that most variants have comes last."""
    said: dict[str, list[str]] = {}
    for key, by_value in found.items():
        *few, (most, rest) = sorted(by_value.items(), key=lambda item: len(item[1]))
        parts = [f"{_listed([called(name) for name in names])} {how(value)}" for value, names in few]
        parts.append(f"{called(rest[0]) if len(rest) == 1 else 'the others'} {how(most)}")
        said.setdefault(", ".join(parts), []).append(re.sub(r"(?<=\D)(?=\d)", " ", key))
    return [f"For {_listed(keys)}: {clause}." for clause, keys in said.items()]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def training(runs: Runs) -> Training:
    """Which networks runs trained, and how: what a claim about other networks must not be decided by.

    The shortest run counts for the epochs; losses that differ are none. Raises ValueError without runs.
    """
    configs = [run.config for run in runs.values()]
    losses = {config["loss"] for config in configs}
    sides = {
        config["model"].get("options", {}).get("enlarge")
        or config["data"]["options"].get("side", _SIDES.get(config["data"]["name"]))
        for config in configs
    }
    return Training(
        networks=tuple(dict.fromkeys(config["model"]["name"] for config in configs)),
        loss=losses.pop() if len(losses) == 1 else "",
        epochs=min(config["epochs"] for config in configs),
        splits=tuple(dict.fromkeys(config["split"]["kind"] for config in configs)),
        side=sides.pop() if len(sides) == 1 else None,
    )


def stand_in(claim: Claim, trained: Training) -> bool:
    """Whether what was trained departs from what a claim is about, and so decides nothing."""
    return claim.about is not None and bool(claim.about.departures(trained))


#: Height and width in pixels of a data set's faces as they are read.
_SIDES = {"ferplus": 48}


def direction(found: Estimate | None) -> str | None:
    """``better`` or ``worse`` where the interval of ``SEEDS`` seeds or more leaves out zero; otherwise None."""
    if found is None or found.interval is None:
        return None
    if found.interval.low > 0:
        return "better"
    return "worse" if found.interval.high < 0 else None


def told(found: Estimate | None, digits: int = 1, sign: bool = False, unit: str = "seed") -> str:
    """An estimate with its interval, if there is one, and how many runs are behind it, for a table."""
    if found is None:
        return NOTHING
    plus = "+" if sign else ""
    # A mean of nothing has no sign; an end of a difference's interval keeps it: it says on which side of zero it lies.
    end = "+" if sign else "z"
    text = f"{found.mean:{plus}z.{digits}f}"
    if found.interval is not None:
        text += f" ({found.interval.low:{end}.{digits}f} to {found.interval.high:{end}.{digits}f})"
    return f"{text}, {len(found.values)} {unit}{'s' * (len(found.values) > 1)}"


def forest(found: Mapping[str, Estimate | None], xlabel: str) -> Figure:
    """Estimates by name as points with their intervals, beside a line at zero; those that are None are left out."""
    return figures.forest({name: one.ends for name, one in found.items() if one is not None}, xlabel=xlabel)
