"""Two ways in turns: the factor against its definition, and when it is known well enough."""

import numpy as np
import pytest
from scipy import stats

from ferbook.measures import turns


def timed(slow, fast, **limits):
    """What is found of two ways that take given seconds, turn after turn, and the order in which they were called."""
    now, order = [0.0], []

    def way(name, seconds):
        waiting = iter(seconds)

        def work():
            order.append(name)
            now[0] += next(waiting)

        return work

    return turns.factor(way("slow", slow), way("fast", fast), clock=lambda: now[0], **limits), order


def test_a_steady_factor_is_known_after_the_least_number_of_turns():
    # The machine slows down threefold meanwhile, for both alike.
    found, order = timed([2, 4, 6, 6], [1, 2, 3, 3])
    assert found.estimate == pytest.approx(2) and found.is_narrow and found.factors == pytest.approx([2] * 4)
    assert order == ["slow", "fast", "fast", "slow"] * 2


def test_turns_are_added_until_the_interval_is_narrow():
    rng = np.random.default_rng(0)
    slow = np.exp(rng.normal(np.log(3), 0.3, 200))
    found, _ = timed(slow, np.ones(200), most=200)
    assert 4 < len(found.factors) < 200 and found.is_narrow
    before = turns.of_turns(found.slow_s[:-1], found.fast_s[:-1])
    assert not before.is_narrow
    logs = np.log(slow[: len(found.factors)])
    wide = stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / len(logs) ** 0.5
    assert (found.low, found.high) == pytest.approx((np.exp(logs.mean() - wide), np.exp(logs.mean() + wide)))


def test_a_factor_that_does_not_settle_ends_and_says_so():
    found, _ = timed([1, 9] * 10, [1] * 20, most=6)
    assert len(found.factors) == 6 and not found.is_narrow
    assert found.estimate == pytest.approx(3) and found.low < 3 < found.high


def test_one_turn_has_a_factor_and_no_interval():
    found = turns.of_turns([3.0], [2.0])
    assert not found.is_narrow
    assert turns.figures(found, "x_") == {"x_factor": 1.5, "x_factor_interval": None, "x_factors": [1.5]}
