"""Checks of paper 001: its tables against themselves, and its equation on an example small enough for a pencil."""

from __future__ import annotations

import numpy as np

from ferbook import printed, records
from ferbook.claims import Claim, Evidence, Outcome, register
from ferbook.facts import Facts
from ferbook.intervals import over_seeds
from ferbook.relevance import by_hand, tables
from ferbook.relevance.ranks import BINS, WINDOWS


@register("sum of row")
def sum_of_row(claim: Claim, facts: Facts) -> Outcome:
    """The sum over a row of numbers. Arguments: ``table``, ``row``, and ``but``, the columns to leave out."""
    cells = printed.row(claim.arguments["table"], claim.arguments["row"]).iloc[1:]
    values = [int(cell) for name, cell in cells.items() if name not in claim.arguments["but"]]
    return Outcome(sum(values), Evidence.ARITHMETIC, " + ".join(map(str, values)))


@register("product")
def product(claim: Claim, facts: Facts) -> Outcome:
    """The product of ``factors``, printed numbers."""
    factors = claim.arguments["factors"]
    return Outcome(float(np.prod(factors)), Evidence.ARITHMETIC, " × ".join(f"{value:g}" for value in factors))


@register("window count")
def window_count(claim: Claim, facts: Facts) -> Outcome:
    """The number of scores in ``window`` (1, 2 or 3) of a row of table 3 or 4. Arguments also: ``table``, ``row``."""
    line, window = _count_row(claim), claim.arguments["window"]
    first, last = WINDOWS[window - 1]
    groups = [int(line[f"group_{k}"]) for k in range(first, last + 1)]
    return Outcome(sum(groups), Evidence.ARITHMETIC, f"groups {first} to {last}: {' + '.join(map(str, groups))}")


@register("tabulated rank")
def tabulated_rank(claim: Claim, facts: Facts) -> Outcome:
    """The rank of the fullest window of a row of table 3 or 4. Arguments: ``table``, ``row``."""
    found = tables.windows(claim.arguments["table"]).set_index("image").loc[claim.arguments["row"]]
    filled = ", ".join(f"{found[f'mu_{k}_again']:,}" for k in (1, 2, 3))
    return Outcome(str(found["rank_again"]), Evidence.ARITHMETIC, f"the windows hold {filled} scores")


@register("rows that agree")
def rows_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of ``tables`` the printed ``column`` is what the bin counts give."""
    agree = {name: _agreement(name, claim.arguments["column"]) for name in claim.arguments["tables"]}
    missed = [f"{name[4:]}: {image}" for name, found in agree.items() for image, same in found.items() if not same]
    return Outcome(sum(map(sum, (found.values() for found in agree.values()))), Evidence.ARITHMETIC,
                   f"not in {', '.join(missed)}" if missed else "")  # fmt: skip


@register("rows ranked by mean")
def rows_ranked_by_mean(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of ``tables`` the window with the largest *mean score* gives the printed rank.

    All rows have scores of 0.5 and above, for which that window is always the third (``ranks.rank_as_printed``).
    """
    strong = total = 0
    for name in claim.arguments["tables"]:
        found = tables.windows(name)
        if not (found["mu_3_again"] > 0).all():
            raise ValueError(f"{name} has a row without a score above 0.5")
        strong += int((found["rank"] == "strong").sum())
        total += len(found)
    return Outcome(strong, Evidence.ARITHMETIC, f"that rule ranks all {total} rows as strong")


@register("largest mean")
def largest_mean(claim: Claim, facts: Facts) -> Outcome:
    """The largest value that the mean of a row's scores in window 1 can have, in hundredths of a printed one.

    Arguments: ``table``, ``row``. A contradiction where it is below the printed value.
    """
    line = _count_row(claim)
    groups = np.array([[int(line[f"group_{k}"]) for k in range(1, BINS + 1)]])
    low, high = tables.mean_bounds(groups)[0, 0]
    detail = f"scores that lie between 0 and 1 have a mean between {low:.2f} and {high:.2f} here"
    return Outcome(round(float(high), 2), Evidence.ARITHMETIC, detail, contradiction=high < float(claim.printed))


@register("values counted")
def values_counted(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of a picture's values that the bins of ``table`` hold."""
    side = tables.image_side(claim.arguments["table"])
    counted = int(tables.counts(claim.arguments["table"])[0].sum())
    detail = f"{counted:,} of {side} × {side} × 3 = {3 * side * side:,} values: whichever are negative are among them"
    share = 100 * counted / (3 * side * side)
    return Outcome(share, Evidence.ARITHMETIC, detail, contradiction=claim.arguments["contradiction"])


@register("picture side")
def picture_side(claim: Claim, facts: Facts) -> Outcome:
    """Side in pixels of the pictures whose values ``table`` counts; a contradiction where it is not the printed one."""
    name = claim.arguments["table"]
    side, total = tables.image_side(name), int(tables.counts(name)[0].sum())
    detail = f"each row counts {total:,} values, one less than {side} × {side} × 3"
    return Outcome(side, Evidence.ARITHMETIC, detail, contradiction=side != int(claim.printed))


@register("f1 of cells")
def f1_of_cells(claim: Claim, facts: Facts) -> Outcome:
    """F1 from the precision and recall of a class. Arguments: ``table``, ``row``."""
    found = tables.scores(claim.arguments["table"]).set_index("class").loc[claim.arguments["row"]]
    detail = f"precision {found['precision']:.2f}, recall {found['recall']:.2f}"
    return Outcome(float(tables.f1(found["precision"], found["recall"])), Evidence.ARITHMETIC, detail)


@register("rows with that f1")
def rows_with_that_f1(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of ``table`` precision and recall, within rounding, give the printed F1."""
    wrong = tables.wrong_f1(claim.arguments["table"])
    detail = f"not for {', '.join(wrong['class'])}" if len(wrong) else ""
    return Outcome(len(tables.scores(claim.arguments["table"])) - len(wrong), Evidence.ARITHMETIC, detail)


@register("mean of column")
def mean_of_column(claim: Claim, facts: Facts) -> Outcome:
    """Mean over the 18 classes of a table. Arguments: ``table``, ``column``, ``scale``; a contradiction on request."""
    arguments = claim.arguments
    value = arguments.get("scale", 1) * tables.column_mean(arguments["table"], arguments["column"])
    return Outcome(value, Evidence.ARITHMETIC, f"mean of the 18 values of {arguments['table'][4:]}")


@register("matrices that exist")
def matrices_that_exist(claim: Claim, facts: Facts) -> Outcome:
    """For how many emotions of ``table`` some 3 x 3 matrix has the printed precisions and recalls.

    Argument ``faces``: at most so many of an emotion were tested.
    """
    arguments = claim.arguments
    missing = tables.impossible_matrices(arguments["table"], arguments.get("faces"))
    emotions = tables.scores(arguments["table"])["emotion"].nunique()
    return Outcome(emotions - len(missing), Evidence.ARITHMETIC, f"none for {', '.join(missing)}" if missing else "")


@register("matrix exists")
def matrix_exists(claim: Claim, facts: Facts) -> Outcome:
    """Whether some 3 x 3 matrix has the printed precisions and recalls of ``emotion`` in ``table``: "yes" or "no"."""
    missing = tables.impossible_matrices(claim.arguments["table"], claim.arguments.get("faces"))
    found = tables.scores(claim.arguments["table"])
    rows = found[found["emotion"] == claim.arguments["emotion"]]
    detail = "precisions {}, recalls {}".format(*(", ".join(map("{:.2f}".format, rows[k])) for k in SCORE_PAIR))
    possible = claim.arguments["emotion"] not in missing
    return Outcome("yes" if possible else "no", Evidence.ARITHMETIC, detail, contradiction=not possible)


#: The two columns that determine a confusion matrix's margins.
SCORE_PAIR = ("precision", "recall")


@register("annotator count")
def annotator_count(claim: Claim, facts: Facts) -> Outcome:
    """How many annotators gave a rank in table 5. Arguments: ``row``, ``rank``."""
    found = tables.annotation_counts().set_index("image").loc[claim.arguments["row"]]
    return Outcome(int(found[f"{claim.arguments['rank']}_again"]), Evidence.ARITHMETIC)


@register("majorities that agree")
def majorities_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of table 5 the final label is the one given most often."""
    found = tables.annotation_counts()
    return Outcome(int((found["final"] == found["final_again"]).sum()), Evidence.ARITHMETIC)


@register("emotions with results")
def emotions_with_results(claim: Claim, facts: Facts) -> Outcome:
    """How many emotions ``table`` has rows for."""
    names = tables.scores(claim.arguments["table"])["emotion"].unique()
    return Outcome(len(names), Evidence.ARITHMETIC, ", ".join(names))


@register("relevance by hand")
def relevance_by_hand(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of the explained logit that reaches the inputs of the book's two-layer example.

    Arguments: ``rule`` of :mod:`ferbook.relevance.by_hand`, ``bias``: whether biases take part.
    """
    layers, x = by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT
    found = by_hand.propagate(layers, x, 0, claim.arguments["rule"], bias_takes_part=claim.arguments["bias"])
    logit = by_hand.forward(layers, x)[-1][0]
    biases = "biases take their shares" if claim.arguments["bias"] else "biases take nothing"
    return Outcome(100 * float(found[0].sum() / logit), Evidence.ARITHMETIC, f"a logit of {logit:g}; {biases}")


def _count_row(claim: Claim):
    return printed.row(claim.arguments["table"], claim.arguments["row"])


def _agreement(table: str, column: str) -> dict[str, bool]:
    found = tables.windows(table).set_index("image")
    return (found[column] == found[f"{column}_again"]).to_dict()


@register("total")
def total(claim: Claim, facts: Facts) -> Outcome:
    """The sum of ``terms``, printed numbers."""
    terms = claim.arguments["terms"]
    return Outcome(sum(terms), Evidence.ARITHMETIC, " + ".join(map(str, terms)))


@register("weights of vgg16")
def weights_of_vgg16(claim: Claim, facts: Facts) -> Outcome:
    """MiB that the weights of VGG16 with the paper's head take in single precision. Argument: ``classes``."""
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    convolutions = sum(9 * a * b + b for a, b in zip(widths, widths[1:], strict=False))
    dense = (7 * 7 * 512, 4096, 4096, claim.arguments["classes"])
    weights = convolutions + sum(a * b + b for a, b in zip(dense, dense[1:], strict=False))
    return Outcome(4 * weights / 2**20, Evidence.ARITHMETIC, f"{weights:,} weights of four bytes, and nothing else")


@register("rank follows intensity")
def rank_follows_intensity(claim: Claim, facts: Facts) -> Outcome:
    """ "yes" if the rank correlates positively, beyond chance over training runs, with what stands for intensity.

    Arguments: ``record``, ``evidence``, and ``of``: what the rank is compared with.
    """
    runs = records.read(claim.arguments["record"])["values"]["runs"]["trained"]
    found = {}
    for measure in runs[0]["correlations"]:
        if measure.startswith("rank"):
            found[measure] = over_seeds([run["correlations"][measure]["spearman"] or 0.0 for run in runs])
    told = "; ".join(f"{name} {one.estimate:+.2f} ({one.low:+.2f} to {one.high:+.2f})" for name, one in found.items())
    detail = f"Spearman correlation with {claim.arguments['of']}: {told}"
    follows = any(one.low > 0 for one in found.values())
    return Outcome("yes" if follows else "no", Evidence(claim.arguments["evidence"]), detail)
