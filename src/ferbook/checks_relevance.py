"""Checks of paper 001: its tables against themselves, and its equation on an example small enough for a pencil."""

from __future__ import annotations

from itertools import count
from math import gcd

import numpy as np
from scipy.optimize import linprog

from ferbook import printed, records
from ferbook.claims import Claim, Evidence, Outcome, register, shortfall, tolerance
from ferbook.facts import Facts
from ferbook.intervals import over_defined
from ferbook.relevance import by_hand, tables
from ferbook.relevance.ranks import BINS, RANKS, WINDOWS


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
    """In how many rows of ``tables`` the printed ``column`` is what the bin counts give.

    Argument ``but``: rows that have a claim of their own and are not counted again.
    """
    agree = {name: _agreement(name, claim.arguments["column"]) for name in claim.arguments["tables"]}
    for found in agree.values():
        for image in claim.arguments.get("but", []):
            found.pop(image, None)
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


@register("values left out")
def values_left_out(claim: Claim, facts: Facts) -> Outcome:
    """How many of a picture's values the bins of ``tables`` do not hold, the most of any row.

    Argument ``tables``: names, each with the printed side of its square RGB picture in pixels.
    """
    left, totals = [], []
    for name, side in claim.arguments["tables"].items():
        values = 3 * side**2
        left += (values - tables.counts(name).sum(axis=1)).tolist()
        totals.append(f"{values:,}")
    detail = (
        f"each of the {len(left)} rows leaves out {' or '.join(map(str, sorted(set(left))))} of {' or '.join(totals)}"
    )
    return Outcome(max(left), Evidence.ARITHMETIC, detail)


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
    detail += f"; with all their rounding, F1 is {found['f1_low']:.3f} to {found['f1_high']:.3f}"
    return Outcome(float(tables.f1(found["precision"], found["recall"])), Evidence.ARITHMETIC, detail)


@register("rows with that f1")
def rows_with_that_f1(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of ``table`` precision and recall, within rounding, give the printed F1.

    Argument ``but``: rows that have a claim of their own and are not counted again.
    """
    but = claim.arguments.get("but", [])
    wrong = [name for name in tables.wrong_f1(claim.arguments["table"])["class"] if name not in but]
    rows = len(tables.scores(claim.arguments["table"])) - len(but)
    return Outcome(rows - len(wrong), Evidence.ARITHMETIC, f"not for {', '.join(wrong)}" if wrong else "")


@register("mean of column")
def mean_of_column(claim: Claim, facts: Facts) -> Outcome:
    """Mean over the 18 classes of a table. Arguments: ``table``, ``column``, ``scale``; a contradiction on request."""
    arguments = claim.arguments
    value = arguments.get("scale", 1) * tables.column_mean(arguments["table"], arguments["column"])
    return Outcome(value, Evidence.ARITHMETIC, f"mean of the 18 values of {arguments['table'][4:]}")


@register("matrices that exist")
def matrices_that_exist(claim: Claim, facts: Facts) -> Outcome:
    """For how many emotions of ``table`` some 3 x 3 matrix has the printed precisions and recalls.

    Arguments also: ``faces``, at most so many pictures have a rank of an emotion; ``but``, emotions that have a claim
    of their own and are not counted again.
    """
    arguments = claim.arguments
    but = arguments.get("but", [])
    missing = [
        name for name in tables.impossible_matrices(arguments["table"], arguments.get("faces")) if name not in but
    ]
    emotions = tables.scores(arguments["table"])["emotion"].nunique() - len(but)
    return Outcome(emotions - len(missing), Evidence.ARITHMETIC, f"none for {', '.join(missing)}" if missing else "")


@register("matrix exists")
def matrix_exists(claim: Claim, facts: Facts) -> Outcome:
    """Whether some 3 x 3 matrix has the printed precisions and recalls of ``emotion`` in ``table``: "yes" or "no"."""
    missing = tables.impossible_matrices(claim.arguments["table"], claim.arguments.get("faces"))
    found = tables.scores(claim.arguments["table"])
    rows = found[found["emotion"] == claim.arguments["emotion"]]
    detail = "precisions {}, recalls {}".format(*(", ".join(map("{:.2f}".format, rows[k])) for k in SCORE_PAIR))
    possible = claim.arguments["emotion"] not in missing
    if not possible:
        detail += f": {why_no_matrix(rows['precision'], rows['recall'])}"
    return Outcome("yes" if possible else "no", Evidence.ARITHMETIC, detail, contradiction=not possible)


def why_no_matrix(precision: np.ndarray, recall: np.ndarray) -> str:
    """The reason, for a reader, why no confusion matrix has these values where a printed 1.00 means no mistake."""
    missed, added = np.asarray(recall) < 1, np.asarray(precision) < 1
    if missed.any() and not added.any():
        return "some pictures of a rank are missed, but no rank is given to a picture of another"
    if added.any() and not missed.any():
        return "a rank is given to pictures of another, but no rank misses any"
    return "the pictures that one rank misses are given to no other"


#: The two columns that determine a confusion matrix's margins.
SCORE_PAIR = ("precision", "recall")
#: What accuracy may mean for one of three ranks: the share of the emotion's pictures with the right rank (the same for
#: all three); the share for which "is it this rank?" is answered rightly, among them; the same among more pictures.
ACCURACIES = ("all ranks", "one rank", "one rank of more pictures")


def accuracy_exists(
    precision: np.ndarray, recall: np.ndarray, accuracy: np.ndarray, meaning: str, faces: int | None = None
) -> bool:
    """Whether any confusion matrix has these precisions, recalls and accuracies in its classes, to two digits.

    Parameters
    ----------
    precision, recall, accuracy: (C,) as printed.
    meaning: one of ``ACCURACIES``.
    faces: as in :func:`ferbook.relevance.tables.matrix_exists`, which asks the same without accuracies.

    Returns
    -------
    bool: False is a proof. True says that shares exist; whole pictures need not.
    """
    p, r, a = (np.asarray(values, dtype=np.float64) for values in (precision, recall, accuracy))
    size = len(p)
    few = faces is not None and faces * tables.HALF < 1
    cells = np.eye(size * size).reshape(size, size, -1)  # cells[i, j] picks entry (i, j): true i, named j
    lines, limits = [], []

    def bound(part: np.ndarray, low: float, high: float, whole: np.ndarray) -> None:
        lines.extend([np.append(low * whole - part, 0.0), np.append(part - high * whole, 0.0)])
        limits.extend([0.0, 0.0])

    for k in range(size):
        true, named = cells[k].sum(axis=0), cells[:, k].sum(axis=0)
        for value, whole in ((p[k], named), (r[k], true)):
            low = 1.0 if few and value == 1.0 else max(value - tables.HALF, 0.0)
            bound(cells[k, k], low, min(value + tables.HALF, 1.0), whole)
        if p[k] > 0 or r[k] > 0:
            lines.append(np.append(-true, 0.0))
            limits.append(-1.0)
        if faces is not None:
            lines.append(np.append(true, 0.0))
            limits.append(float(faces))
        wrong = true + named - 2 * cells[k, k]
        if meaning == "all ranks":
            wrong = cells.sum(axis=(0, 1)) - sum(cells[c, c] for c in range(size))
        # The last unknown is the number of pictures that accuracy is a share of.
        lines.extend([np.append(wrong, a[k] - tables.HALF - 1), np.append(-wrong, max(1 - a[k] - tables.HALF, 0.0))])
        limits.extend([0.0, 0.0])
    pictures = np.append(cells.sum(axis=(0, 1)), -1.0)
    lines.append(pictures)
    limits.append(0.0)
    if meaning != "one rank of more pictures":
        lines.append(-pictures)
        limits.append(0.0)
    found = linprog(np.zeros(size * size + 1), A_ub=np.array(lines), b_ub=np.array(limits), method="highs")
    return bool(found.status == 0)


@register("accuracies that fit")
def accuracies_that_fit(claim: Claim, facts: Facts) -> Outcome:
    """For how many emotions of ``table`` accuracies fit precisions and recalls; no value where some do not.

    Three meanings of an accuracy of *ranks* are tried. None of them may be the paper's, which defines none and speaks
    of recognising the emotion as well; so what fits in none of them is a remark. Emotions without any matrix (``matrix
    exists``) are left out. Argument also: ``faces`` as there.
    """
    table, faces = claim.arguments["table"], claim.arguments.get("faces")
    missing = tables.impossible_matrices(table, faces)
    asked, unfit = 0, []
    for name, rows in tables.scores(table).groupby("emotion", sort=False):
        if name in missing:
            continue
        asked += 1
        values = [rows[column].to_numpy() for column in (*SCORE_PAIR, "accuracy")]
        if not any(accuracy_exists(*values, meaning, faces) for meaning in ACCURACIES):
            unfit.append(f"{name.lower()} ({', '.join(f'{value:.2f}' for value in values[2])})")
    if not unfit:
        return Outcome(asked, Evidence.ARITHMETIC, "as an accuracy of ranks")
    detail = f"for {' and '.join(unfit)}, no accuracy of ranks in any meaning that was tried"
    return Outcome(None, Evidence.ARITHMETIC, detail)


@register("share or mean")
def share_or_mean(claim: Claim, facts: Facts) -> Outcome:
    """The accuracy (%) nearest to the printed one that is a mean of a table's 18 accuracies or a share of pictures.

    Arguments: ``table``; ``pictures``, how many the test set has at most. Without it, only the mean is looked at, and a
    printed value that is not one has no support: there is no value then.
    """
    table, pictures, wanted = claim.arguments["table"], claim.arguments.get("pictures"), float(claim.printed)
    values = tables.scores(table)["accuracy"].to_numpy()
    low = 100 * np.maximum(values - tables.HALF, 0).mean()
    high = 100 * np.minimum(values + tables.HALF, 1).mean()
    detail = f"with all their rounding, the 18 accuracies of {table[4:]} average {low:.2f} to {high:.2f} %"
    mean = float(min(max(wanted, low), high))
    if pictures is None:
        fits = shortfall(claim, mean) <= tolerance(claim).holds
        return Outcome(
            mean if fits else None, Evidence.ARITHMETIC, detail + "; the number of test pictures is not given"
        )
    right, of = _nearest_share(wanted, pictures)
    half = float(printed.half_digit(claim.printed))
    fewest = next(n for n in count(1) if abs(100 * round(wanted * n / 100) / n - wanted) <= half)
    detail += f"; of the shares of at most {pictures} pictures the nearest is {right} of {of}, {100 * right / of:.4f} %"
    detail += f"; the fewest that give the printed one are {fewest}"
    return Outcome(min(mean, 100 * right / of, key=lambda value: abs(value - wanted)), Evidence.ARITHMETIC, detail)


def _nearest_share(percent: float, most: int) -> tuple[int, int]:
    """The share of at most `most` pictures nearest to `percent`: how many, of how many."""
    shares = [(round(percent * of / 100), of) for of in range(1, most + 1)]
    return min(shares, key=lambda share: abs(100 * share[0] / share[1] - percent))


@register("annotator count")
def annotator_count(claim: Claim, facts: Facts) -> Outcome:
    """How many annotators gave a rank in table 5. Arguments: ``row``, ``rank``."""
    found = tables.annotation_counts().set_index("image").loc[claim.arguments["row"]]
    return Outcome(int(found[f"{claim.arguments['rank']}_again"]), Evidence.ARITHMETIC)


@register("annotator counts that agree")
def annotator_counts_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """How many label counts of table 5 the ten answers give.

    Argument ``but``: pairs of row and rank that have a claim of their own and are not counted again.
    """
    found = tables.annotation_counts()
    but = {tuple(pair) for pair in claim.arguments.get("but", [])}
    agree = {
        (line["image"], rank): line[rank] == line[f"{rank}_again"] for _, line in found.iterrows() for rank in RANKS
    }
    counted = [same for place, same in agree.items() if place not in but]
    return Outcome(sum(counted), Evidence.ARITHMETIC, f"of {len(counted)}")


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

    Arguments: ``rule`` of :mod:`ferbook.relevance.by_hand`; ``bias``: whether biases take part; ``decides``: false
    where the paper leaves open what is computed, which gives a remark and no value.
    """
    layers, x = by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT
    found = by_hand.propagate(layers, x, 0, claim.arguments["rule"], bias_takes_part=claim.arguments["bias"])
    logit = by_hand.forward(layers, x)[-1][0]
    biases = "biases take their shares" if claim.arguments["bias"] else "biases take nothing"
    arrives = 100 * float(found[0].sum() / logit)
    if not claim.arguments.get("decides", True):
        return Outcome(None, Evidence.ARITHMETIC, f"of a logit of {logit:g}, {arrives:.1f} % arrive where {biases}")
    return Outcome(arrives, Evidence.ARITHMETIC, f"a logit of {logit:g}; {biases}")


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


@register("cells the text retells")
def cells_the_text_retells(claim: Claim, facts: Facts) -> Outcome:
    """Cells of a table beside what the text says of them; a contradiction where both cannot be.

    Arguments: ``table``; ``columns``; ``row``, or ``emotion`` for its three rows, or neither for all 18; ``reading``:

    * ``each`` (default): the text speaks of all these cells. The value is the one farthest from the text's.
    * ``one``: it gives one number for all. The value is the nearest to it between the least and the greatest cell.
    * ``range``: it gives the least and the greatest, as "0.91 to 0.97".
    """
    arguments = claim.arguments
    table, columns, reading = arguments["table"], arguments["columns"], arguments.get("reading", "each")
    content = printed.table(table)
    if "row" in arguments:
        content = content[content["class"] == arguments["row"]]
    elif "emotion" in arguments:
        content = content[content["emotion"] == arguments["emotion"]]
    else:
        content = content[content["class"] != "average"]
    if content.empty:
        raise ValueError(f"{table} has no such rows")
    cells = {name: content[name].tolist() for name in columns}
    flat = sorted((cell for values in cells.values() for cell in values), key=float)
    told = "; ".join(f"{name.replace('f1', 'F1')} {_listed(values)}" for name, values in cells.items())
    detail = f"table {table.removeprefix('001-table')} has {told}"
    if arguments.get("row") == "average":
        means = ", ".join(f"{tables.column_mean(table, name):.3f}" for name in columns)
        detail += f"; the mean of its 18 rows is {means}"
    if reading == "range":
        value = f"{flat[0]} to {flat[-1]}"
        return Outcome(value, Evidence.ARITHMETIC, detail, contradiction=value != claim.printed)
    wanted, low, high = float(claim.printed), float(flat[0]), float(flat[-1])
    ends = (min(max(wanted, low), high),) if reading == "one" else (low, high)
    found = max(ends, key=lambda end: abs(end - wanted))
    return Outcome(found, Evidence.ARITHMETIC, detail, contradiction=shortfall(claim, found) > tolerance(claim).roughly)


def _listed(cells: list[str]) -> str:
    """Cells in order; where there are many or all are alike, least and greatest."""
    low, high = min(cells, key=float), max(cells, key=float)
    if low == high:
        return low
    return ", ".join(cells) if len(cells) <= 3 else f"{low} to {high}"


@register("accuracies in the text")
def accuracies_in_the_text(claim: Claim, facts: Facts) -> Outcome:
    """How many accuracies of table 10 the text repeats. Argument: ``values``, the text's numbers by the table's row."""
    values = claim.arguments["values"]
    found = {row: printed.cell("001-table10", row, "accuracy") for row in values}
    missed = [f"{row}: {found[row]}" for row in values if float(found[row].rstrip("%")) != float(values[row])]
    return Outcome(len(values) - len(missed), Evidence.ARITHMETIC, "; ".join(missed))


@register("pictures in groups")
def pictures_in_groups(claim: Claim, facts: Facts) -> Outcome:
    """No value, but a remark: the greatest number that divides all counts of a row of table 2. Argument: ``row``."""
    cells = printed.row("001-table2", claim.arguments["row"]).iloc[1:-1]
    common = gcd(*(int(cell) for cell in cells))
    detail = f"all {len(cells)} counts of that row in table 2 are multiples of {common}; {claim.arguments['because']}"
    return Outcome(None, Evidence.ARITHMETIC, detail)


@register("weights of vgg16")
def weights_of_vgg16(claim: Claim, facts: Facts) -> Outcome:
    """MiB that the weights of VGG16 with the paper's head take in single precision. Argument: ``classes``."""
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    convolutions = sum(9 * a * b + b for a, b in zip(widths, widths[1:], strict=False))
    dense = (7 * 7 * 512, 4096, 4096, claim.arguments["classes"])
    weights = convolutions + sum(a * b + b for a, b in zip(dense, dense[1:], strict=False))
    return Outcome(4 * weights / 2**20, Evidence.ARITHMETIC, f"{weights:,} weights of four bytes, and nothing else")


#: The smallest rank correlation of interest: one that is below it for sure counts as none.
SMALLEST_CORRELATION = 0.1


@register("rank follows intensity")
def rank_follows_intensity(claim: Claim, facts: Facts) -> Outcome:
    """Whether the rank correlates with what stands for intensity: "yes", "no", or no value where that is open.

    "yes" if the 95 % interval over training runs lies above 0 under some composite; "no" if under all of them it ends
    below ``SMALLEST_CORRELATION``. Where a network gives all faces one rank there is no correlation, and no "no".

    Arguments: ``record``, ``evidence``, and ``of``: what the rank is compared with.
    """
    runs = records.read(claim.arguments["record"])["values"]["runs"]["trained"]
    found = {}
    for measure in runs[0]["correlations"]:
        if measure.startswith("rank"):
            values = [run["correlations"][measure]["spearman"] for run in runs]
            found[measure] = over_defined(values)
    told = "; ".join(
        f"{name} not defined, as a network ranks all faces alike"
        if one is None
        else f"{name} {one.estimate:+.2f} ({one.low:+.2f} to {one.high:+.2f})"
        for name, one in found.items()
    )
    detail = f"Spearman correlation with {claim.arguments['of']}: {told}"
    evidence = Evidence(claim.arguments["evidence"])
    if any(one is not None and one.low > 0 for one in found.values()):
        return Outcome("yes", evidence, detail)
    detail += f"; the smallest correlation of interest is {SMALLEST_CORRELATION:g}"
    if all(one is not None and one.high < SMALLEST_CORRELATION for one in found.values()):
        return Outcome("no", evidence, detail)
    return Outcome.open(evidence, detail)
