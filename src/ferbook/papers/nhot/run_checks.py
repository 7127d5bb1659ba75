"""What the claim file of paper 002 asks of recorded runs.

Checks pair runs of one seed and give no value before there are ``ablation_variants.SEEDS`` seeds of whatever they
compare; they need not be changed when more are recorded.

Nothing here imports torch.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from ferbook.claims import ablation_variants
from ferbook.claims.ablation_variants import Runs
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence, Verdict, network_name
from ferbook.claims.comparison import compared, shortfall
from ferbook.claims.dataset_summary import Facts
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import sweeps
from ferbook.learning.configs import Config
from ferbook.learning.runs import RunResult
from ferbook.measures.intervals import Interval, over_seeds, pooled_deviation
from ferbook.papers.nhot import curves, settings, training_time

PAPER = "002"


def recorded_runs(group: str) -> Runs:
    """The recorded runs of a group."""
    return sweeps.loaded(PAPER, group)


@cache
def described_runs() -> Mapping[str, Config]:
    """All runs that are described, by name with the group's; read only once."""
    return sweeps.runs(sweeps.description(PAPER))


def decided(claim: Claim, values: Mapping[object, float], runs: Runs, what: str, digits: int = 1) -> Outcome:
    """The mean of one number per seed with its interval, or how many seeds are still missing.

    No value, either, where the interval over seeds has room for the claim and for its contrary; unless the runs are
    not of what the claim is about, where the value decides nothing and is there to be seen.

    Parameters
    ----------
    claim: that is judged.
    values: seed to number.
    runs: that were trained for it.
    what: how the number came about.
    """
    if len(values) < ablation_variants.SEEDS:
        return waiting(len(values))
    spread, trained = over_seeds(list(values.values())), ablation_variants.training(runs)
    detail = f"{network_of(runs)}; {what}; {_interval(spread, digits)}"
    if _has_room_for_both(claim, spread) and not ablation_variants.stand_in(claim, trained):
        return Outcome.open(Evidence.SAME_DATA, f"{spread.estimate:.{digits}f}; {detail}", trained)
    return Outcome(spread.estimate, Evidence.SAME_DATA, detail, trained=trained)


def _has_room_for_both(claim: Claim, spread: Interval) -> bool:
    """Whether the claim would fail at one place of the interval and not at another."""
    asked = claim.bounds if claim.relation == "between" else (float(claim.printed),)
    places = [spread.low, spread.estimate, spread.high, *(one for one in asked if spread.low <= one <= spread.high)]
    verdicts = [compared(claim, place) for place in places]
    return len({verdict is Verdict.FAILS for verdict in verdicts}) > 1


def waiting(seeds: int) -> Outcome:
    """No value, since fewer than ``ablation_variants.SEEDS`` seeds of all that is compared are recorded."""
    return Outcome(
        None, Evidence.SAME_DATA, f"{seeds} of {ablation_variants.SEEDS} seeds {'is' if seeds == 1 else 'are'} recorded"
    )


def _interval(spread: Interval, digits: int = 1) -> str:
    return f"{spread.count} seeds, {spread.level:.0%} interval {spread.low:.{digits}f} to {spread.high:.{digits}f}"


def network_of(runs: Runs) -> str:
    """Which network runs trained, how long and, if all had the same, with which loss; nothing without runs.

    So that a verdict does not pass for one about the paper's networks at their full length.
    """
    if not runs:
        return ""
    one = next(iter(runs.values()))
    name, size, epochs = one.config["model"]["name"], one.metrics["parameters"], one.config["epochs"]
    own = "" if name in _FULL_LENGTH else ", not the paper's"
    few = f" of the paper's {_FULL_LENGTH[name]}" if epochs < _FULL_LENGTH.get(name, 0) else ""
    losses = {run.config["loss"] for run in runs.values()}
    loss = f"; {settings.words('losses', losses.pop())}" if len(losses) == 1 else ""
    called = "a compact network" if name == "compact" else network_name(name)
    return f"{called} of {size:,} parameters{own}; {epochs} epochs{few}{loss}"


#: Epochs of the paper's own networks (section 4.1), by their names here.
_FULL_LENGTH = {"vgg16": training_time.EPOCHS["vgg16_48"], **training_time.EPOCHS}


def _tested_on(runs: Runs, *kinds: str) -> dict[str, RunResult]:
    """The runs with one of these test sets."""
    return {name: run for name, run in runs.items() if not kinds or run.config["split"]["kind"] in kinds}


#: Groups of runs over N: the paper's networks first, and at the end the small network that stands in for them.
OVER_N = ("vgg16-paper", "mten", "vgg16", "nhot")


def closest(claim: Claim, seeds: Callable[[Runs], int], *kinds: str) -> Runs:
    """The runs over N that may decide a claim, or else those that may be shown beside it.

    Parameters
    ----------
    claim: whose network, loss, epochs and test faces are wanted.
    seeds: how many seeds of some runs have all that is compared; fewer than ``ablation_variants.SEEDS`` do not count.
    kinds: of test sets; none: of all.

    Returns
    -------
    Runs: of the first group of ``OVER_N`` that is what the claim is about, else of the first with enough seeds, else
        of the last.
    """
    groups = [_tested_on(recorded_runs(group), *kinds) for group in OVER_N]
    enough = [runs for runs in groups if seeds(runs) >= ablation_variants.SEEDS]
    fitting = [runs for runs in enough if not ablation_variants.stand_in(claim, ablation_variants.training(runs))]
    return next(iter(fitting or enough or groups[-1:]))


def gains(runs: Runs, kind: str, start: int, end: int) -> dict[int, float]:
    """Points gained from N = `start` to N = `end` on a test set, by seed."""
    found = curves.gain(runs, kind, start, end)
    return {} if found is None else dict(zip(found.seeds, found.values, strict=True))


@register("recorded n-hot gain")
def recorded_gain(claim: Claim, facts: Facts) -> Outcome:
    """Points of accuracy gained from one N to another in the recorded runs, seed by seed.

    Arguments: ``kind`` (test set), ``start``, ``end``.
    """
    place = [claim.arguments[key] for key in ("kind", "start", "end")]
    runs = closest(claim, lambda runs: len(gains(runs, *place)), place[0])
    return decided(claim, gains(runs, *place), runs, "epoch chosen on validation")


@register("recorded n-hot contrast")
def recorded_contrast(claim: Claim, facts: Facts) -> Outcome:
    """How many points one gain over N exceeds another in the recorded runs, seed by seed.

    Arguments: ``more`` and ``less``, each a test set and two N.
    """
    places = [claim.arguments[key] for key in ("more", "less")]

    def values(runs: Runs) -> dict[int, float]:
        more, less = (gains(runs, *place) for place in places)
        return {seed: more[seed] - less[seed] for seed in more if seed in less}

    runs = closest(claim, lambda runs: len(values(runs)), *(kind for kind, *_ in places))
    return decided(claim, values(runs), runs, "difference of gains")


@register("recorded n-hot plateau")
def recorded_plateau(claim: Claim, facts: Facts) -> Outcome:
    """Whether a gain over N is next to nothing: "yes" where its interval over seeds lies within some points of none.

    "no" where the interval leaves out none. A wide interval decides neither: noise is no evidence of a plateau.

    Arguments: ``kind`` (test set), ``start``, ``end``; ``within``, the points.
    """
    place = [claim.arguments[key] for key in ("kind", "start", "end")]
    runs = closest(claim, lambda runs: len(gains(runs, *place)), place[0])
    values = gains(runs, *place)
    if len(values) < ablation_variants.SEEDS:
        return waiting(len(values))
    spread, within, trained = (
        over_seeds(list(values.values())),
        float(claim.arguments["within"]),
        ablation_variants.training(runs),
    )
    detail = f"{network_of(runs)}; gain of {spread.estimate:.1f}, {_interval(spread)}"
    if -within <= spread.low and spread.high <= within:
        found = "yes"
    elif not spread.low <= 0 <= spread.high:
        found = "no"
    elif ablation_variants.stand_in(claim, trained):
        found = "undecided"
    else:
        return Outcome.open(Evidence.SAME_DATA, detail, trained)
    return Outcome(found, Evidence.SAME_DATA, detail, trained=trained)


@register("recorded n-hot drop")
def recorded_drop(claim: Claim, facts: Facts) -> Outcome:
    """Points that accuracy on complex faces lies below the ordinary one in the recorded runs, at any N.

    Of all recorded N the one where the claim does worst decides. Only seeds that have every N on both test sets count.
    """
    runs = recorded_runs(_complete())
    points = {point.n: dict(zip(point.seeds, point.values, strict=True)) for point in curves.drop(runs)}
    common = sorted(set.intersection(*map(set, points.values()))) if points else []
    if len(common) < ablation_variants.SEEDS:
        return waiting(len(common))
    by_n = {n: {seed: values[seed] for seed in common} for n, values in points.items()}
    worst = max(by_n, key=lambda n: shortfall(claim, float(np.mean(list(by_n[n].values())))))
    return decided(claim, by_n[worst], runs, f"N = {worst}, furthest from the claim of {len(by_n)} values")


@register("recorded n-hot measure")
def recorded_measure(claim: Claim, facts: Facts) -> Outcome:
    """A measure of the recorded runs over N, mean over test sets and all N that have enough seeds.

    Argument: ``measure``, one of ``curves.MEASURES``. Only seeds that all of them have count.
    """
    measure = curves.MEASURES[claim.arguments["measure"]].of

    def values(runs: Runs) -> dict[int, float]:
        places = _settled(runs)
        common = sorted(set.intersection(*map(set, places)) if places else ())
        found = {seed: [measure(by_seed[seed]) for by_seed in places] for seed in common}
        return {seed: float(np.mean(each)) for seed, each in found.items() if None not in each}

    runs = closest(claim, lambda runs: len(values(runs)))
    places = _settled(runs)
    if not places:
        return waiting(_most_seeds(runs))
    return decided(claim, values(runs), _of_places(runs, places), f"mean over {_combinations(places)}", 2)


@register("recorded spread")
def recorded_spread(claim: Claim, facts: Facts) -> Outcome:
    """Standard deviation (points) of accuracy over the seeds of one setting, pooled over test sets and N.

    Settings with fewer than ``ablation_variants.SEEDS`` seeds are left out. No value where the interval (of a variance,
    by chi-squared) has room for the claim and for its contrary.
    """
    recorded = closest(claim, _most_seeds)
    places = _settled(recorded)
    if not places:
        return waiting(_most_seeds(recorded))
    runs = _of_places(recorded, places)
    spread = pooled_deviation([list(map(curves.accuracy, by_seed.values())) for by_seed in places])
    trained = ablation_variants.training(runs)
    ends = f"{spread.level:.0%} interval {spread.low:.2f} to {spread.high:.2f}"
    detail = f"{network_of(runs)}; {_combinations(places)}; {ends}"
    if _has_room_for_both(claim, spread) and not ablation_variants.stand_in(claim, trained):
        return Outcome.open(Evidence.SAME_DATA, f"{spread.estimate:.2f}; {detail}", trained)
    return Outcome(spread.estimate, Evidence.SAME_DATA, detail, trained=trained)


def _settled(runs: Runs) -> list[dict[int, RunResult]]:
    """The runs, by seed, of each combination of test set and N that has enough seeds."""
    return [by_seed for by_seed in curves.grid(runs).values() if len(by_seed) >= ablation_variants.SEEDS]


def _most_seeds(runs: Runs) -> int:
    """How many seeds the combination of test set and N has that has most."""
    return max(map(len, curves.grid(runs).values()), default=0)


def _of_places(runs: Runs, places: Sequence[Mapping[int, RunResult]]) -> dict[str, RunResult]:
    """The runs that are in one of some combinations."""
    there = {id(run) for by_seed in places for run in by_seed.values()}
    return {name: run for name, run in runs.items() if id(run) in there}


def _combinations(places: Sequence[object]) -> str:
    return f"{len(places)} combination{'s' * (len(places) > 1)} of test set and N"


@register("recorded recall")
def recorded_recall(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of the test faces of an ``emotion`` that the recorded runs get right.

    Arguments also: ``kind`` (test set) and ``n``.
    """
    arguments = claim.arguments
    place = EMOTIONS.index(arguments["emotion"])

    def tested(runs: Runs) -> dict[int, RunResult]:
        found = curves.grid(runs).get((arguments["kind"], arguments["n"]), {})
        return {seed: run for seed, run in found.items() if run.metrics["test"]["recall"][place] is not None}

    runs = tested(closest(claim, lambda runs: len(tested(runs)), arguments["kind"]))
    values = {seed: 100 * run.metrics["test"]["recall"][place] for seed, run in runs.items()}
    return decided(claim, values, runs, f"N = {arguments['n']}, {arguments['kind']} test set")


@register("recorded accuracy")
def recorded_accuracy(claim: Claim, facts: Facts) -> Outcome:
    """Accuracy (%) of one of the paper's networks in recorded runs, the epoch chosen on the test faces as in the paper.

    Only runs on FER+ of what the claim is about count: its network, loss, test faces, and half of its epochs or more.
    Arguments: ``n``, and optionally whether faces are ``augmented``. Of several settings that fit, the first with
    enough seeds counts.
    """
    fitting = {
        name: run
        for name, run in _all_runs().items()
        if _fits(run.config, claim.arguments)
        and not ablation_variants.stand_in(claim, ablation_variants.training({name: run}))
        and curves.best_on_test(run) is not None
    }
    variants = ablation_variants.by_name(fitting).values()
    runs = next((runs for runs in variants if len(runs) >= ablation_variants.SEEDS), None)
    if runs is None:
        return waiting(max(map(len, variants), default=0))
    values = {seed: curves.best_on_test(run) for seed, run in runs.items()}
    chosen = float(np.mean(list(map(curves.accuracy, runs.values()))))
    return decided(claim, values, runs, f"epoch chosen on test, with {chosen:.2f} if chosen on validation", 2)


#: Groups by whose runs no claim is judged: a recipe that breaks down says nothing of the network.
BREAKING_DOWN = ("mten-fast", "mten-half-fast")


def _all_runs() -> dict[str, RunResult]:
    """The recorded runs of all described groups but ``BREAKING_DOWN``, by name with the group's."""
    groups = dict.fromkeys(name.partition("/")[0] for name in described_runs())
    groups = [group for group in groups if group not in BREAKING_DOWN]
    return {f"{group}/{name}": run for group in groups for name, run in recorded_runs(group).items()}


def _fits(config: Mapping, wanted: Mapping) -> bool:
    return (
        config["data"]["name"] == "ferplus"
        and config["labels"]["n_hot"] == wanted["n"]
        and wanted.get("augmented") in (None, bool(config["augmentation"]) or config["copies"]["kind"] != "none")
    )


@register("recorded difference")
def recorded_difference(claim: Claim, facts: Facts) -> Outcome:
    """Points of accuracy that one setting lies above another in the recorded runs, seed by seed.

    Arguments: ``group`` of runs; ``first`` and ``second``, their names without the seed.
    """
    arguments = claim.arguments
    described = _described(arguments["group"])
    first, second = (_variant(described, arguments[key]) for key in ("first", "second"))
    runs = recorded_runs(arguments["group"])
    found = ablation_variants.difference(runs, first, second, curves.accuracy)
    values = {} if found is None else dict(zip(found.keys, found.values, strict=True))
    what = f"{_called(arguments['group'], first)} less {_called(arguments['group'], second)}"
    return decided(claim, values, ablation_variants.of_variants(runs, first, second), what)


@register("recorded best")
def recorded_best(claim: Claim, facts: Facts) -> Outcome:
    """The setting with the best mean accuracy of a ``group`` of recorded runs on the ordinary test set.

    It is called as readers call it (``settings.NAMES``). Only seeds that every described setting has count. No
    value where the interval over seeds has room for the claim and for its contrary: between the setting that is claimed
    and the best other one.
    """
    group = claim.arguments["group"]
    order = _ranked(group)
    if not order:
        return waiting(_common(group))
    runs = recorded_runs(group)
    trained = ablation_variants.training(runs)
    best, second, *_ = order
    claimed = _variant_called(group, claim.printed)
    rival = second if claimed == best else claimed
    ahead = over_seeds([order[best][seed] - order[rival][seed] for seed in order[best]])
    name, other = (_called(group, label) for label in (best, rival))
    mean = float(np.mean(list(order[best].values())))
    detail = (
        f"{network_of(runs)}; {name} has {mean:.1f} %, {ahead.estimate:.1f} points above {other}; {_interval(ahead)}"
    )
    if ahead.low <= 0 and not ablation_variants.stand_in(claim, trained):
        return Outcome.open(Evidence.SAME_DATA, detail, trained)
    return Outcome(name, Evidence.SAME_DATA, detail, trained=trained)


@register("recorded range")
def recorded_range(claim: Claim, facts: Facts) -> Outcome:
    """Points between the best and the worst setting of a ``group`` of recorded runs, seed by seed.

    Best and worst are those of the means over the seeds that every described setting has.
    """
    group = claim.arguments["group"]
    order = _ranked(group)
    if not order:
        return waiting(_common(group))
    best, *_, worst = order
    values = {seed: order[best][seed] - order[worst][seed] for seed in order[best]}
    return decided(claim, values, recorded_runs(group), f"{_called(group, best)} less {_called(group, worst)}")


def _described(group: str) -> dict[str, Config]:
    return sweeps.chosen(described_runs(), group)


def _labels(described: Mapping[str, Config]) -> list[str]:
    """Names of a group's settings without group and seed, in the description's order."""
    return [name.partition("/")[2] for name in ablation_variants.names(described)]


def _variant(described: Mapping[str, Config], label: str) -> str:
    """`label`, if runs of that name are described. Raises ValueError, so that a claim cannot wait for ever."""
    labels = _labels(described)
    if label not in labels:
        raise ValueError(f"no runs are called {label!r}; there are {', '.join(labels)}")
    return label


def _called(group: str, label: str) -> str:
    """What readers call a setting, without its test set."""
    setting = settings.setting_of(label)
    return settings.words(group, setting) if group in settings.NAMES else setting


def _variant_called(group: str, name: str) -> str:
    """The described setting that readers call so. Raises ValueError without one."""
    known = {_called(group, label): label for label in _labels(_described(group))}
    if name not in known:
        raise ValueError(f"no setting is called {name!r}; there are {', '.join(known)}")
    return known[name]


def _seeds_of_all(group: str) -> tuple[Sequence[str], dict[str, dict[str, RunResult]]]:
    found = ablation_variants.by_name(recorded_runs(group))
    labels = _labels(_described(group))
    return sorted(set.intersection(*(set(found.get(label, {})) for label in labels))), found


def _complete() -> str:
    """The group over N that has enough seeds of every N on both test sets, as what is said of any N needs: MTEN's, or
    else the small network's.
    """
    described = {name.partition("/")[0] for name in described_runs()}
    return "mten" if "mten" in described and _common("mten") >= ablation_variants.SEEDS else "nhot"


def _common(group: str) -> int:
    return len(_seeds_of_all(group)[0])


def _ranked(group: str) -> dict[str, dict[str, float]]:
    """Accuracy by setting and seed, best mean first; nothing below ``ablation_variants.SEEDS`` common seeds."""
    seeds, found = _seeds_of_all(group)
    if len(seeds) < ablation_variants.SEEDS:
        return {}
    values = {label: {seed: curves.accuracy(by_seed[seed]) for seed in seeds} for label, by_seed in found.items()}
    order = sorted(values, key=lambda label: -float(np.mean(list(values[label].values()))))
    return {label: values[label] for label in order}
