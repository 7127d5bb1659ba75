"""What the claim file of paper 002 names beyond the facts of its data: printed numbers and recorded runs.

Checks on printed numbers compute on the transcribed tables. Checks on recorded runs pair runs of one seed and give no
value before there are ``nhot.SEEDS`` seeds of whatever they compare; they need not be changed when more are recorded.

Nothing here imports torch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache

import numpy as np

from ferbook import nhot, printed, records, sweeps
from ferbook.claims import Claim, Evidence, Outcome, register
from ferbook.configs import Config
from ferbook.emotions import EMOTIONS, VOTE_COLUMNS
from ferbook.facts import Facts
from ferbook.intervals import Interval, over_seeds
from ferbook.labels import clean_votes
from ferbook.runs import RunResult

PAPER = "002"
#: The table of all accuracies that the text and its tables print.
ACCURACIES, PERCENT = "002-accuracies", "accuracy (%)"


# --- numbers that stand in two places, counts, orders ---


@register("printed again")
def printed_again(claim: Claim, facts: Facts) -> Outcome:
    """The number that the paper prints for the same thing in another place, with the rounding of both.

    Arguments: ``value`` (text) and ``where``. A contradiction where no number would be rounded to both.
    """
    other = claim.arguments["value"]
    agree = abs(Decimal(claim.printed) - Decimal(other)) <= _half_digit(claim.printed) + _half_digit(other)
    detail = f"{other} in {claim.arguments['where']}"
    value = claim.printed if agree else other
    return Outcome(float(value), Evidence.ARITHMETIC, detail, contradiction=not agree)


def _half_digit(text: str) -> Decimal:
    return Decimal((0, (5,), int(Decimal(text).as_tuple().exponent) - 1))


@register("names counted")
def names_counted(claim: Claim, facts: Facts) -> Outcome:
    """How many ``names`` the paper lists."""
    names = claim.arguments["names"]
    return Outcome(len(names), Evidence.ARITHMETIC, ", ".join(names))


@register("best row")
def best_row(claim: Claim, facts: Facts) -> Outcome:
    """The row of a table with the largest number in a column. Arguments: ``table``, ``column``."""
    table = printed.table(claim.arguments["table"])
    values = table[claim.arguments["column"]].astype(float)
    first, second = values.sort_values(ascending=False).index[:2]
    best = table.iloc[:, 0][values == values[first]]
    detail = f"{values[first]:g}; next is {table.iloc[second, 0]} with {values[second]:g}"
    return Outcome(" and ".join(best), Evidence.ARITHMETIC, detail)


@register("rows in order")
def rows_in_order(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of a table one column is at least as large as another.

    Arguments: ``table``, ``larger`` and ``smaller``.
    """
    table = printed.table(claim.arguments["table"])
    larger, smaller = (table[claim.arguments[key]].astype(float) for key in ("larger", "smaller"))
    return Outcome(int((larger >= smaller).sum()), Evidence.ARITHMETIC, f"of {len(table)}")


@register("cells that agree")
def cells_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """In how many cells of the columns they share two tables agree. Arguments: ``tables``, two names."""
    one, other = (printed.table(name) for name in claim.arguments["tables"])
    shared = [name for name in one.columns if name in other.columns]
    agree = one[shared].to_numpy() == other[shared].to_numpy()
    return Outcome(int(agree.sum()), Evidence.ARITHMETIC, f"of {agree.size}")


@register("per cent of")
def per_cent_of(claim: Claim, facts: Facts) -> Outcome:
    """A printed number as a percentage of another. Arguments: ``part`` and ``whole``."""
    part, whole = claim.arguments["part"], claim.arguments["whole"]
    return Outcome(100 * part / whole, Evidence.ARITHMETIC, f"{part:,} of {whole:,}")


@register("printed difference")
def printed_difference(claim: Claim, facts: Facts) -> Outcome:
    """A printed number less another. Arguments: ``first`` and ``second`` (texts), and ``where`` both are printed."""
    first, second = (Decimal(claim.arguments[key]) for key in ("first", "second"))
    return Outcome(float(first - second), Evidence.ARITHMETIC, f"{claim.arguments['where']}: {first:,} and {second:,}")


@register("copies of a set")
def copies_of_a_set(claim: Claim, facts: Facts) -> Outcome:
    """How many times as large a training set becomes by changed copies.

    Arguments: ``copies``, how many there are of each kind, the original included, and ``before``, the same for the set
    that it is compared with (default: the original alone).
    """
    copies, before = claim.arguments["copies"], claim.arguments.get("before", [1])
    return Outcome(sum(copies) / sum(before), Evidence.ARITHMETIC, " + ".join(map(str, copies)))


@register("largest of accuracies")
def largest_of_accuracies(claim: Claim, facts: Facts) -> Outcome:
    """The largest accuracy (%) that the paper prints for any of ``rows`` of its accuracies."""
    values = {name: printed.cell(ACCURACIES, name, PERCENT) for name in claim.arguments["rows"]}
    best = max(values, key=lambda name: float(values[name]))
    detail = f"{printed.cell(ACCURACIES, best, 'where')}; among {', '.join(values.values())}"
    return Outcome(float(values[best]), Evidence.ARITHMETIC, detail)


# --- figures 3, 5 and 16, table 6 ---


@register("weight layers")
def weight_layers(claim: Claim, facts: Facts) -> Outcome:
    """Convolutions and fully connected layers in a column of figure 3 or 5. Arguments: ``table``, ``column``."""
    table, column = claim.arguments["table"], claim.arguments["column"]
    cells = printed.table(table)[column]
    if table == "002-figure3":
        kinds = [sum(cell.startswith(start) for cell in cells) for start in ("conv", "FC")]
    else:
        kinds = [sum(len(taps) * times for taps, times in _blocks(column).values()), 1]
    return Outcome(sum(kinds), Evidence.ARITHMETIC, f"{kinds[0]} convolutions and {kinds[1]} fully connected")


def _blocks(column: str) -> dict[str, tuple[list[tuple[int, int]], int]]:
    """Figure 5: per row of convolutions their kernels' sides and outputs, and how often the block is repeated."""
    found = {}
    for _, line in printed.table("002-figure5").iterrows():
        taps = [(int(side), int(outputs)) for side, outputs in re.findall(r"(\d)x\d, (\d+)", line[column])]
        if taps:
            times = re.search(r"; x(\d+)$", line[column])
            found[line["layer"]] = (taps, int(times[1]) if times else 1)
    return found


def multiply_adds(column: str) -> int:
    """Products of a ResNet of figure 5 for one picture, counted from the figure's own cells.

    All convolutions of a block work at the row's output size: the first of them halves the picture (He et al. 2016,
    section 4.1). Where a block changes the number of maps, its shortcut is a 1 x 1 convolution.
    """
    total, maps = 0, 3
    for layer, (taps, times) in _blocks(column).items():
        area = int(printed.cell("002-figure5", layer, "output size")) ** 2
        for _ in range(times):
            entering = maps
            for side, outputs in taps:
                total += area * side * side * maps * outputs
                maps = outputs
            if layer != "conv1" and entering != maps:
                total += area * entering * maps
    return total + maps * int(printed.cell("002-figure5", "head", column).partition("-")[0])


@register("operations of figure 5")
def operations_of_figure_5(claim: Claim, facts: Facts) -> Outcome:
    """Billions of multiply-adds that the layers of a column of figure 5 need for one picture.

    Arguments: ``column``, and ``network``, where the same network has been built and counted as well.
    """
    detail = "from the figure's own layers"
    if "network" in claim.arguments:
        counted = records.read("002/architectures")["values"]["multiply_adds_224"][claim.arguments["network"]]
        detail += f"; the network as it is built today takes {counted / 1e9:.2f} billion"
    return Outcome(multiply_adds(claim.arguments["column"]) / 1e9, Evidence.ARITHMETIC, detail)


@register("halved side")
def halved_side(claim: Claim, facts: Facts) -> Outcome:
    """The side of a picture of ``side`` pixels that was halved ``times`` times."""
    side, times = claim.arguments["side"], claim.arguments["times"]
    return Outcome(side / 2**times, Evidence.ARITHMETIC, f"{side} pixels, halved {times} times")


@register("cleaned cells")
def cleaned_cells(claim: Claim, facts: Facts) -> Outcome:
    """How many of the eight printed shares of a row are those that cleaning gives for its votes.

    Arguments: ``table`` and ``row`` of the shares; ``votes``, ten numbers, or the name of the table that has them.
    """
    arguments = claim.arguments
    votes = arguments["votes"]
    if isinstance(votes, str):
        votes = [int(printed.cell(votes, arguments["row"], name)) for name in VOTE_COLUMNS]
    shares = clean_votes(np.array([votes])).distribution[0]
    line = printed.row(arguments["table"], arguments["row"])
    apart = {name: abs(float(line[name]) - share) for name, share in zip(EMOTIONS, shares, strict=True)}
    # Shares have two digits at most; a plain 0 or 1 means just that.
    same = [distance <= 0.005 for distance in apart.values()]
    return Outcome(sum(same), Evidence.ARITHMETIC, f"of {len(EMOTIONS)}")


# --- accuracies ---


@register("epochs that a percentile allows")
def epochs_that_a_percentile_allows(claim: Claim, facts: Facts) -> Outcome:
    """The number of epochs above a threshold that is nearest to the printed one and fits the 75th percentile.

    If the percentile lies above the threshold, so does at least a quarter of the epochs; if it lies below, at most a
    quarter does. Arguments: ``row`` of table 2, ``threshold`` (%), ``epochs``. A contradiction where the number does
    not fit.
    """
    percentile = float(printed.cell("002-table2", claim.arguments["row"], "75th percentile (%)"))
    epochs, quarter = claim.arguments["epochs"], claim.arguments["epochs"] // 4
    above = percentile > claim.arguments["threshold"]
    low, high = (quarter, epochs) if above else (0, quarter)
    value = min(max(int(claim.printed), low), high)
    detail = f"with a 75th percentile of {percentile} % it must be between {low} and {high}"
    return Outcome(value, Evidence.ARITHMETIC, detail, contradiction=value != int(claim.printed))


def is_share_of(size: int, text: str, *, cut: bool = False) -> bool:
    """Whether some number of right answers out of `size` is `text` per cent, rounded to its digits or cut off there."""
    half = Fraction(_half_digit(text))
    low, high = ((Fraction(text) + steps * half) * size / 100 for steps in ((0, 2) if cut else (-1, 1)))
    # What is cut off never reaches the next digit.
    return (math.ceil(high) - 1 if cut else math.floor(high)) >= math.ceil(low)


@register("accuracies of one test set")
def accuracies_of_one_test_set(claim: Claim, facts: Facts) -> Outcome:
    """How many printed accuracies can, at most, be shares of one number of test faces, all rounded or all cut off.

    Arguments: ``rows`` of the accuracies, and ``sizes``, the smallest and the largest number of test faces to try.
    """
    texts = [printed.cell(ACCURACIES, name, PERCENT) for name in claim.arguments["rows"]]
    first, last = claim.arguments["sizes"]
    ways = {"rounded": False, "cut off": True}
    fits = {
        (way, size): sum(is_share_of(size, text, cut=cut) for text in texts)
        for way, cut in ways.items()
        for size in range(first, last + 1)
    }
    most = max(fits.values())
    where = {way: [f"{size:,}" for (one, size), count in fits.items() if one == way and count == most] for way in ways}
    shown = "; ".join(f"{way}, with {_some(sizes)} faces" for way, sizes in where.items() if sizes)
    return Outcome(most, Evidence.ARITHMETIC, f"{shown}; {first:,} to {last:,} were tried")


def _some(names: Sequence[str], most: int = 4) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" or {more} other numbers of" if more > 0 else "")


@register("implied drop")
def implied_drop(claim: Claim, facts: Facts) -> Outcome:
    """Points from ordinary down to complex faces at N = 1 that other printed numbers imply; the nearest to the claim.

    Accuracy on ordinary faces at N = 1 is the printed accuracy less the printed gain. Arguments: ``rows`` of the
    accuracies (any of them may be meant), ``gain`` and ``complex``, each a range that allows for "about".
    """
    arguments = claim.arguments
    full = [float(printed.cell(ACCURACIES, name, PERCENT)) for name in arguments["rows"]]
    (least_gain, most_gain), (least, most) = arguments["gain"], arguments["complex"]
    low, high = min(full) - most_gain - most, max(full) - least_gain - least
    of = f"{min(full):.2f}" + (f" to {max(full):.2f}" if max(full) > min(full) else "")
    less = f"less a gain of {least_gain} to {most_gain}, less {least} to {most}"
    detail = f"{of}, {less}: {low:.1f} to {high:.1f} points remain"
    return Outcome(min(max(float(claim.printed), low), high), Evidence.ARITHMETIC, detail)


# --- time ---


def minutes(text: str) -> float:
    """A printed time such as "7min 9s" in minutes."""
    whole, seconds = re.fullmatch(r"(\d+)min (\d+)s", text).groups()
    return int(whole) + int(seconds) / 60


def _epoch_minutes() -> dict[str, float]:
    table = printed.table("002-table4")
    return dict(zip(table["platform"], map(minutes, table["time per epoch"]), strict=True))


@register("minutes an epoch")
def minutes_an_epoch(claim: Claim, facts: Facts) -> Outcome:
    """Minutes an epoch takes by table 4: their ``mean``, or the one ``furthest`` from the printed number (``of``)."""
    found = _epoch_minutes()
    detail = ", ".join(f"{name} {value:.2f}" for name, value in found.items())
    if claim.arguments["of"] == "mean":
        value = float(np.mean(list(found.values())))
    else:
        value = max(found.values(), key=lambda one: abs(one - float(claim.printed)))
    return Outcome(value, Evidence.ARITHMETIC, detail)


@register("weeks of training")
def weeks_of_training(claim: Claim, facts: Facts) -> Outcome:
    """Weeks that all combinations of settings take on all machines of table 4 together, day and night.

    Arguments: ``settings``, texts such as "10 losses" that begin with a number, and ``epochs`` of one run.
    """
    found = _epoch_minutes()
    settings, epochs = claim.arguments["settings"], claim.arguments["epochs"]
    runs = math.prod(int(text.partition(" ")[0]) for text in settings)
    a_minute = sum(1 / value for value in found.values())
    weeks = runs * epochs / a_minute / (7 * 24 * 60)
    return Outcome(weeks, Evidence.ARITHMETIC, f"{runs:,} runs of {epochs} epochs: {' × '.join(settings)}")


# --- networks that were built and counted ---


@register("parameters of one in another")
def parameters_of_one_in_another(claim: Claim, facts: Facts) -> Outcome:
    """How many times the parameters of ``second`` the network ``first`` has, with eight outputs."""
    counted = records.read("002/architectures")["values"]["parameters"]
    first, second = (counted[claim.arguments[key]] for key in ("first", "second"))
    return Outcome(first / second, Evidence.ARITHMETIC, f"{first / 1e6:.1f} and {second / 1e6:.1f} million")


@register("fewest parameters")
def fewest_parameters(claim: Claim, facts: Facts) -> Outcome:
    """Which of ``networks`` has the fewest parameters, with eight outputs."""
    counted = records.read("002/architectures")["values"]["parameters"]
    found = {name: counted[name] for name in claim.arguments["networks"]}
    detail = ", ".join(f"{name} {count / 1e6:.1f} million" for name, count in found.items())
    return Outcome(min(found, key=found.get), Evidence.ARITHMETIC, detail)


@register("share of a record")
def share_of_a_record(claim: Claim, facts: Facts) -> Outcome:
    """A recorded count as a percentage of the sum of others.

    Arguments: ``record``, ``part``, the keys that lead to the count, ``whole``, a list of such keys, and ``of``, what
    is counted.
    """
    values = records.read(claim.arguments["record"])["values"]
    part, *whole = (_at(values, keys) for keys in (claim.arguments["part"], *claim.arguments["whole"]))
    detail = f"{part:,} of {sum(whole):,}: {claim.arguments['of']}"
    return Outcome(100 * part / sum(whole), Evidence.SAME_DATA, detail)


def _at(values: Mapping, keys: Sequence[str]) -> int:
    for key in keys:
        values = values[key]
    return values


# --- recorded runs ---


@cache
def recorded_runs(group: str) -> nhot.Runs:
    """The recorded runs of a group; kept, since many claims read them."""
    return sweeps.load(PAPER, group)


@cache
def described_runs() -> Mapping[str, Config]:
    """All runs that are described, by name with the group's; kept likewise."""
    return sweeps.runs(sweeps.description(PAPER))


def decided(values: Mapping[int, float], network: str, what: str, digits: int = 1) -> Outcome:
    """The mean of one number per seed with its interval, or how many seeds are still missing.

    Parameters
    ----------
    values: seed to number.
    network: what was trained, as :func:`network_of` says it.
    what: how the number came about.
    """
    if len(values) < nhot.SEEDS:
        return waiting(len(values))
    spread = over_seeds(list(values.values()))
    detail = f"{network}; {what}; {_interval(spread, digits)}"
    return Outcome(spread.estimate, Evidence.SAME_DATA, detail)


def waiting(seeds: int) -> Outcome:
    """No value, since fewer than ``nhot.SEEDS`` seeds of all that is compared are recorded."""
    return Outcome(None, Evidence.SAME_DATA, f"{seeds} of {nhot.SEEDS} seeds are recorded")


def _interval(spread: Interval, digits: int = 1) -> str:
    return f"{spread.count} seeds, {spread.level:.0%} interval {spread.low:.{digits}f} to {spread.high:.{digits}f}"


def network_of(result: RunResult) -> str:
    """Which network a run trained, and how long, so that a verdict does not pass for one about the paper's."""
    config, size = result.config, result.metrics["parameters"]
    own = "" if config["model"]["name"] in _PAPER_NETWORKS else ", not the paper's"
    return f"a {config['model']['name']} network of {size:,} parameters{own}; {config['epochs']} epochs"


#: Networks of section 4.4, by their names here.
_PAPER_NETWORKS = ("vgg16", "vgg16_48", "ran", "dan", "mten")


def _any(runs: nhot.Runs) -> str:
    return network_of(next(iter(runs.values()))) if runs else ""


def gains(runs: nhot.Runs, kind: str, start: int, end: int) -> dict[int, float]:
    """Points gained from N = `start` to N = `end` on a test set, by seed."""
    found = nhot.gain(runs, kind, start, end)
    return {} if found is None else dict(zip(found.seeds, found.values, strict=True))


@register("recorded n-hot gain")
def recorded_gain(claim: Claim, facts: Facts) -> Outcome:
    """Points of accuracy gained from one N to another in the recorded runs, seed by seed.

    Arguments: ``kind`` (test set), ``start``, ``end``. Runs of VGG16 count if there are enough seeds of them, otherwise
    those of the small network.
    """
    place = [claim.arguments[key] for key in ("kind", "start", "end")]
    for group in ("vgg16", "nhot"):
        runs = recorded_runs(group)
        outcome = decided(gains(runs, *place), _any(runs), "epoch chosen on validation")
        if outcome.value is not None:
            break
    return outcome


@register("recorded n-hot contrast")
def recorded_contrast(claim: Claim, facts: Facts) -> Outcome:
    """How many points one gain over N exceeds another in the recorded runs, seed by seed.

    Arguments: ``more`` and ``less``, each a test set and two N.
    """
    runs = recorded_runs("nhot")
    more, less = (gains(runs, *claim.arguments[key]) for key in ("more", "less"))
    return decided({seed: more[seed] - less[seed] for seed in more if seed in less}, _any(runs), "difference of gains")


@register("recorded n-hot plateau")
def recorded_plateau(claim: Claim, facts: Facts) -> Outcome:
    """Whether the interval over seeds of a gain over N includes none: "yes" or "no".

    Arguments: ``kind`` (test set), ``start``, ``end``.
    """
    runs = recorded_runs("nhot")
    values = gains(runs, *(claim.arguments[key] for key in ("kind", "start", "end")))
    mean = decided(values, _any(runs), "gain")
    if mean.value is None:
        return mean
    spread = over_seeds(list(values.values()))
    return Outcome("yes" if spread.low <= 0 <= spread.high else "no", mean.evidence, mean.detail)


@register("recorded n-hot drop")
def recorded_drop(claim: Claim, facts: Facts) -> Outcome:
    """Points that accuracy on complex faces lies below the ordinary one in the recorded runs, mean over all N.

    Only seeds that have every recorded N on both test sets count.
    """
    runs = recorded_runs("nhot")
    points = nhot.drop(runs)
    common = sorted(set.intersection(*(set(point.seeds) for point in points))) if points else []
    values = {seed: float(np.mean([p.values[p.seeds.index(seed)] for p in points])) for seed in common}
    return decided(values, _any(runs), f"mean over {len(points)} values of N")


@register("recorded n-hot measure")
def recorded_measure(claim: Claim, facts: Facts) -> Outcome:
    """A measure of the recorded runs over N, mean over test sets and all N.

    Argument: ``measure``, one of ``nhot.MEASURES``. Only seeds that have every recorded test set and N count.
    """
    arms = nhot.arms(recorded_runs("nhot")).values()
    measure = nhot.MEASURES[claim.arguments["measure"]].of
    common = sorted(set.intersection(*(set(by_seed) for by_seed in arms))) if arms else []
    values = {seed: [measure(by_seed[seed]) for by_seed in arms] for seed in common}
    means = {seed: float(np.mean(found)) for seed, found in values.items() if None not in found}
    network = network_of(next(iter(next(iter(arms)).values()))) if arms else ""
    return decided(means, network, f"mean over {len(arms)} combinations of test set and N", 2)


@register("recorded spread")
def recorded_spread(claim: Claim, facts: Facts) -> Outcome:
    """Standard deviation (points) of accuracy over the seeds of one setting, pooled over the recorded runs over N."""
    arms = nhot.arms(recorded_runs("nhot"))
    full = [[nhot.accuracy(run) for run in by_seed.values()] for by_seed in arms.values() if len(by_seed) >= nhot.SEEDS]
    if not full:
        return waiting(max((len(by_seed) for by_seed in arms.values()), default=0))
    pooled = math.sqrt(float(np.mean([np.var(values, ddof=1) for values in full])))
    network = network_of(next(iter(next(iter(arms.values())).values())))
    return Outcome(pooled, Evidence.SAME_DATA, f"{network}; {len(full)} combinations of test set and N")


@register("recorded recall")
def recorded_recall(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of the test faces of an ``emotion`` that the recorded runs get right.

    Arguments also: ``kind`` (test set) and ``n``.
    """
    arguments = claim.arguments
    runs = nhot.arms(recorded_runs("nhot")).get((arguments["kind"], arguments["n"]), {})
    place = EMOTIONS.index(arguments["emotion"])
    found = {seed: run.metrics["test"]["recall"][place] for seed, run in runs.items()}
    values = {seed: 100 * share for seed, share in found.items() if share is not None}
    network = network_of(next(iter(runs.values()))) if runs else ""
    return decided(values, network, f"N = {arguments['n']}, {arguments['kind']} test set")


@register("recorded accuracy")
def recorded_accuracy(claim: Claim, facts: Facts) -> Outcome:
    """Accuracy (%) of one of the paper's networks in recorded runs, the epoch chosen on the test faces as in the paper.

    Arguments: ``networks``, ``kind`` (test set), ``n``, ``epochs`` (a run of fewer is not the paper's), and optionally
    ``loss``. Of several settings that fit, the first with enough seeds counts.
    """
    settings: dict[str, dict[int, RunResult]] = {}
    for name, result in _all_runs().items():
        if _fits(result.config, claim.arguments) and nhot.best_on_test(result) is not None:
            settings.setdefault(name.rpartition("-seed")[0], {})[int(result.config["seed"])] = result
    full = [by_seed for by_seed in settings.values() if len(by_seed) >= nhot.SEEDS]
    if not full:
        return waiting(max(map(len, settings.values()), default=0))
    values = {seed: nhot.best_on_test(run) for seed, run in full[0].items()}
    chosen = float(np.mean([nhot.accuracy(run) for run in full[0].values()]))
    what = f"epoch chosen on test, with {chosen:.2f} if chosen on validation"
    return decided(values, network_of(next(iter(full[0].values()))), what, 2)


def _all_runs() -> dict[str, RunResult]:
    """The recorded runs of all described groups, by name with the group's."""
    groups = dict.fromkeys(name.partition("/")[0] for name in described_runs())
    return {f"{group}/{name}": run for group in groups for name, run in recorded_runs(group).items()}


def _fits(config: Mapping, wanted: Mapping) -> bool:
    return (
        config["data"]["name"] == "ferplus"
        and config["model"]["name"] in wanted["networks"]
        and config["split"]["kind"] == wanted["kind"]
        and config["labels"]["n_hot"] == wanted["n"]
        and config["epochs"] >= wanted["epochs"]
        and config["loss"] == wanted.get("loss", config["loss"])
    )


def by_label(runs: nhot.Runs) -> dict[str, dict[int, RunResult]]:
    """Runs by their name without the seed, then by seed."""
    found: dict[str, dict[int, RunResult]] = {}
    for name, result in runs.items():
        found.setdefault(name.rpartition("-seed")[0], {})[int(result.config["seed"])] = result
    return found


@register("recorded difference")
def recorded_difference(claim: Claim, facts: Facts) -> Outcome:
    """Points of accuracy that one setting lies above another in the recorded runs, seed by seed.

    Arguments: ``group`` of runs; ``first`` and ``second``, their names without the seed.
    """
    arguments = claim.arguments
    described = _described(arguments["group"])
    first, second = (_arm(described, arguments[key]) for key in ("first", "second"))
    runs = recorded_runs(arguments["group"])
    found = by_label(runs)
    one, other = found.get(first, {}), found.get(second, {})
    values = {seed: nhot.accuracy(one[seed]) - nhot.accuracy(other[seed]) for seed in one if seed in other}
    return decided(values, _any(runs), f"{first} less {second}")


@register("recorded best")
def recorded_best(claim: Claim, facts: Facts) -> Outcome:
    """The setting with the best mean accuracy of a ``group`` of recorded runs on the ordinary test set.

    It is called by the runs' name without test set and seed. Only seeds that every described setting has count.
    """
    order, network = _ranked(claim.arguments["group"])
    if not order:
        return waiting(_common(claim.arguments["group"]))
    (best, ours), (second, theirs) = list(order.items())[:2]
    ahead = over_seeds([ours[seed] - theirs[seed] for seed in ours])
    mean = float(np.mean(list(ours.values())))
    name, other = (label.removeprefix("ordinary-") for label in (best, second))
    detail = f"{network}; {mean:.1f} %, {ahead.estimate:.1f} points above {other}"
    return Outcome(name, Evidence.SAME_DATA, f"{detail}; of that difference: {_interval(ahead)}")


@register("recorded range")
def recorded_range(claim: Claim, facts: Facts) -> Outcome:
    """Points between the best and the worst setting of a ``group`` of recorded runs, seed by seed.

    Best and worst are those of the means over the seeds that every described setting has.
    """
    order, network = _ranked(claim.arguments["group"])
    if not order:
        return waiting(_common(claim.arguments["group"]))
    best, *_, worst = order
    values = {seed: order[best][seed] - order[worst][seed] for seed in order[best]}
    return decided(values, network, f"{best} less {worst}")


def _described(group: str) -> dict[str, Config]:
    return sweeps.chosen(described_runs(), group)


def _labels(described: Mapping[str, Config]) -> list[str]:
    """Names of a group's settings without group and seed, in the description's order."""
    return list(dict.fromkeys(name.partition("/")[2].rpartition("-seed")[0] for name in described))


def _arm(described: Mapping[str, Config], label: str) -> str:
    """`label`, if runs of that name are described. Raises ValueError, so that a claim cannot wait for ever."""
    labels = _labels(described)
    if label not in labels:
        raise ValueError(f"no runs are called {label!r}; there are {', '.join(labels)}")
    return label


def _seeds_of_all(group: str) -> tuple[Sequence[int], dict[str, dict[int, RunResult]]]:
    found = by_label(recorded_runs(group))
    labels = _labels(_described(group))
    return sorted(set.intersection(*(set(found.get(label, {})) for label in labels))), found


def _common(group: str) -> int:
    return len(_seeds_of_all(group)[0])


def _ranked(group: str) -> tuple[dict[str, dict[int, float]], str]:
    """Accuracy by setting and seed, best mean first, and the network; nothing below ``nhot.SEEDS`` common seeds."""
    seeds, found = _seeds_of_all(group)
    if len(seeds) < nhot.SEEDS:
        return {}, ""
    values = {label: {seed: nhot.accuracy(by_seed[seed]) for seed in seeds} for label, by_seed in found.items()}
    order = sorted(values, key=lambda label: -float(np.mean(list(values[label].values()))))
    network = network_of(next(iter(found[order[0]].values())))
    return {label: values[label] for label in order}, network
