"""What the claim file of paper 002 names beyond the facts of its data: its own tables, figures and accuracies.

Nothing here imports torch.
"""

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence, network_name
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed_checks import against_itself
from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS, VOTE_COLUMNS
from ferbook.faces.labels import clean_votes

#: The table of all accuracies that the text and its tables print.
ACCURACIES, PERCENT = "002-accuracies", "accuracy (%)"


# --- accuracies and sizes ---


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
    return Outcome(
        side / 2**times, Evidence.ARITHMETIC, f"{side} pixels, halved {'once' if times == 1 else f'{times} times'}"
    )


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
    """How many epochs above a threshold the 75th percentile demands at least, or leaves room for at most.

    If the percentile lies above the threshold, so does a quarter of the epochs or more: the demand is ``at most`` the
    printed number. If it lies below, a quarter does or less: there is room for ``at least`` the printed number.
    Arguments: ``row`` of table 2, ``threshold`` (%), ``epochs``. A contradiction where the printed number does not fit.
    Raises ValueError if the claim's relation looks the other way.
    """
    percentile = float(printed.cell("002-table2", claim.arguments["row"], "75th percentile (%)"))
    quarter = claim.arguments["epochs"] // 4
    above = percentile > claim.arguments["threshold"]
    if claim.relation != ("at most" if above else "at least"):
        raise ValueError(f"a percentile {'above' if above else 'below'} the threshold bounds the other side")
    detail = f"a 75th percentile of {percentile} %: a quarter of the epochs at {'least' if above else 'most'}"
    return against_itself(claim, quarter, detail)


def is_share_of(size: int, text: str, *, cut: bool = False) -> bool:
    """Whether some number of right answers out of `size` is `text` per cent, rounded to its digits or cut off there."""
    # Whole numbers all the way, as this is asked a hundred thousand times.
    low, high, whole = _ends_of_share(text, cut)
    # What is cut off never reaches the next digit.
    most = (high * size - 1) // whole if cut else high * size // whole
    return most >= -(-low * size // whole)


@cache
def _ends_of_share(text: str, cut: bool) -> tuple[int, int, int]:
    """Least and greatest share that is printed as `text` per cent: two numerators and their common denominator."""
    half = Fraction(printed.half_digit(text))
    low, high = ((Fraction(text) + steps * half) / 100 for steps in ((0, 2) if cut else (-1, 1)))
    whole = math.lcm(low.denominator, high.denominator)
    return int(low * whole), int(high * whole), whole


@register("accuracies of one test set")
def accuracies_of_one_test_set(claim: Claim, facts: Facts) -> Outcome:
    """How many printed accuracies can, at most, be shares of one number of test faces, all rounded or all cut off.

    A contradiction where they are fewer than the claim needs: the definition of accuracy and a test set that never
    changes allow no others.

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
    detail = f"{shown}; {first:,} to {last:,} were tried"
    return against_itself(claim, most, detail)


def _some(names: Sequence[str], most: int = 4) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" or {more} other number{'s' * (more > 1)} of" if more > 0 else "")


@register("implied drop")
def implied_drop(claim: Claim, facts: Facts) -> Outcome:
    """Points from ordinary down to complex faces at N = 1 that other printed numbers imply: the middle of their range.

    Accuracy on ordinary faces at N = 1 is the printed accuracy less the printed gain. Arguments: ``rows`` of the
    accuracies (any of them may be meant), ``gain`` and ``complex``, each a range that allows for "about". The claim's
    tolerance has to have room for half of the range; a contradiction beyond it.
    """
    arguments = claim.arguments
    full = [float(printed.cell(ACCURACIES, name, PERCENT)) for name in arguments["rows"]]
    (least_gain, most_gain), (least, most) = arguments["gain"], arguments["complex"]
    low, high = min(full) - most_gain - most, max(full) - least_gain - least
    of = f"{min(full):.2f}" + (f" to {max(full):.2f}" if max(full) > min(full) else "")
    less = f"less a gain of {least_gain} to {most_gain}, less {least} to {most}"
    detail = f"{of}, {less}: {low:.1f} to {high:.1f} points remain"
    return against_itself(claim, (low + high) / 2, detail)


@register("implied change of the drop")
def implied_change_of_the_drop(claim: Claim, facts: Facts) -> Outcome:
    """Points by which the drop to complex faces has to shrink from N = 1 on, if gains differ as printed: the middle.

    What several labels gain more on complex than on ordinary faces, they take from the drop. Arguments: ``complex``,
    the gain there, and ``ordinary``, a range. A contradiction beyond the claim's tolerance.
    """
    (least, most), more = claim.arguments["ordinary"], claim.arguments["complex"]
    detail = f"a gain of {more} on complex faces, of {least} to {most} on ordinary ones"
    return against_itself(claim, more - (least + most) / 2, detail)


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
    detail = ", ".join(f"{network_name(name)} {count / 1e6:.1f} million" for name, count in found.items())
    return Outcome(network_name(min(found, key=found.get)), Evidence.ARITHMETIC, detail)
