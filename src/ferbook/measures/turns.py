"""How many times as fast one way of doing something is as another, on a machine that also does other things.

Two ways that are timed one after the other meet different machines: others come and go, clocks rise and fall. Here they
take turns, each turn gives a factor, and turns are added until the factor is known well enough to be quoted.
"""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from ferbook.measures import intervals

#: Half the width of a factor's interval, as a share of the factor, at which it is known well enough.
NARROW = 0.05


class Factor(NamedTuple):
    """How many times as fast.

    Parameters
    ----------
    estimate, low, high: geometric mean over the turns with its 95 % interval (Student's t on the logarithms).
    factors: of each turn.
    slow_s, fast_s: seconds of each turn, by either way.
    """

    estimate: float
    low: float
    high: float
    factors: list[float]
    slow_s: list[float]
    fast_s: list[float]

    @property
    def is_narrow(self) -> bool:
        """Whether the interval is narrow enough to quote the factor."""
        return self.high - self.low <= 2 * NARROW * self.estimate


def factor(
    slow: Callable[[], object],
    fast: Callable[[], object],
    *,
    least: int = 4,
    most: int = 24,
    clock: Callable[[], float] = time.perf_counter,
) -> Factor:
    """Let two ways take turns.

    Parameters
    ----------
    slow, fast: do the same work; each has been done once before, so that nothing is warmed up by what is timed.
    least, most: turns. It ends at `least` or later, when the interval is narrow, and at `most` in any case.
    clock: in seconds.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    while True:
        # Every other turn begins with the other way: who comes second may find the caches as the first one left them.
        order = ((slow, seconds[0]), (fast, seconds[1]))
        for work, times in order if len(seconds[0]) % 2 == 0 else order[::-1]:
            start = clock()
            work()
            times.append(clock() - start)
        count = len(seconds[0])
        if count >= least and ((found := of_turns(*seconds)).is_narrow or count >= most):
            return found


def of_turns(slow_s: list[float], fast_s: list[float]) -> Factor:
    """The factor of turns that were timed already: seconds of each, by either way. Of one turn there is no interval."""
    factors = [slow / fast for slow, fast in zip(slow_s, fast_s, strict=True)]
    if len(factors) == 1:
        return Factor(factors[0], math.nan, math.nan, factors, slow_s, fast_s)
    logs = intervals.over_seeds([math.log(one) for one in factors])
    return Factor(math.exp(logs.estimate), math.exp(logs.low), math.exp(logs.high), factors, slow_s, fast_s)


def figures(found: Factor, prefix: str = "") -> dict[str, object]:
    """A factor as a benchmark reports it, rounded: ``factor``, the ends of its interval, and each turn's.

    The interval of a single turn is None.
    """
    return {
        f"{prefix}factor": round(found.estimate, 2),
        f"{prefix}factor_interval": None if math.isnan(found.low) else [round(found.low, 2), round(found.high, 2)],
        f"{prefix}factors": [round(one, 2) for one in found.factors],
    }
