"""Checks of paper 001: how its tables turn relevance into ranks, its annotators, and its equation on a small example.

Tables 6 to 9 and what the text says of them have :mod:`ferbook.papers.relevance.score_checks`; the rest of the text and
the references have :mod:`ferbook.papers.relevance.text_checks`. Nothing here imports torch.
"""

import numpy as np

from ferbook.claims import ablation_variants, printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence, Training
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed_checks import against_itself
from ferbook.core import records
from ferbook.learning import sweeps
from ferbook.measures import intervals
from ferbook.papers.relevance import tables
from ferbook.relevance import by_hand
from ferbook.relevance.ranks import BINS, RANKS, WINDOWS


@register("window count")
def window_count(claim: Claim, facts: Facts) -> Outcome:
    """The number of scores in ``window`` (1, 2 or 3) of a row of table 3 or 4. Arguments also: ``table``, ``row``."""
    line, window = _count_row(claim), claim.arguments["window"]
    first, last = WINDOWS[window - 1]
    groups = [int(line[f"group_{k}"]) for k in range(first, last + 1)]
    return against_itself(claim, sum(groups), f"groups {first} to {last}: {' + '.join(map(str, groups))}")


@register("tabulated rank")
def tabulated_rank(claim: Claim, facts: Facts) -> Outcome:
    """The rank of the fullest window of a row of table 3 or 4. Arguments: ``table``, ``row``."""
    found = tables.windows(claim.arguments["table"]).set_index("image").loc[claim.arguments["row"]]
    filled = ", ".join(f"{found[f'mu_{k}_again']:,}" for k in (1, 2, 3))
    return against_itself(claim, str(found["rank_again"]), f"the windows hold {filled} scores")


@register("rows that agree")
def rows_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of ``tables`` the printed ``column`` is what the bin counts give.

    Argument ``but``: rows that have a claim of their own and are not counted again.
    """
    agree = {name: _agreement(name, claim.arguments["column"]) for name in claim.arguments["tables"]}
    for found in agree.values():
        for image in claim.arguments.get("but", []):
            found.pop(image, None)
    missed = [
        f"{tables.called(name)}: {image}" for name, found in agree.items() for image, same in found.items() if not same
    ]
    count = sum(map(sum, (found.values() for found in agree.values())))
    return against_itself(claim, count, f"not in {', '.join(missed)}" if missed else "")


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
    return against_itself(claim, strong, f"that rule ranks all {total} rows as strong")


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
    return against_itself(claim, max(left), detail)


@register("value left out")
def value_left_out(claim: Claim, facts: Facts) -> Outcome:
    """Which value of a picture its row does not count: the minimum, the maximum, or either, where the row allows both.

    If relevance is scaled to its range, the least value is 0, in group 1, and the greatest is 1, in group 10.
    Arguments: ``table``, ``row``.
    """
    line = _count_row(claim)
    found = tables.left_out(claim.arguments["table"])[claim.arguments["row"]]
    detail = f"group 1 holds {line['group_1']}, group {BINS} {line[f'group_{BINS}']}"
    return Outcome(found, Evidence.ARITHMETIC, detail)


@register("fullest group")
def fullest_group(claim: Claim, facts: Facts) -> Outcome:
    """The least share (%) of its scores that any row of ``tables`` has in its fullest group."""
    counts = [tables.counts(name) for name in claim.arguments["tables"]]
    shares = np.concatenate([found.max(axis=1) / found.sum(axis=1) for found in counts])
    detail = f"{len(shares)} rows, {100 * shares.min():.1f} to {100 * shares.max():.1f} %"
    return Outcome(100 * float(shares.min()), Evidence.ARITHMETIC, detail)


@register("picture side")
def picture_side(claim: Claim, facts: Facts) -> Outcome:
    """Side in pixels of the pictures whose values ``table`` counts; a contradiction where it is not the printed one."""
    name = claim.arguments["table"]
    side, total = tables.image_side(name), int(tables.counts(name)[0].sum())
    detail = f"each row counts {total:,} values, one less than {side} × {side} × 3"
    return Outcome(side, Evidence.ARITHMETIC, detail, contradiction=side != int(claim.printed))


@register("annotator count")
def annotator_count(claim: Claim, facts: Facts) -> Outcome:
    """How many annotators gave a rank in table 5. Arguments: ``row``, ``rank``."""
    found = tables.annotation_counts().set_index("image").loc[claim.arguments["row"]]
    told = ", ".join(f"{found[f'{rank}_again']} {rank}" for rank in RANKS)
    return against_itself(claim, int(found[f"{claim.arguments['rank']}_again"]), f"the row's answers are {told}")


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
    return against_itself(claim, sum(counted), f"of {len(counted)}")


@register("majorities that agree")
def majorities_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of table 5 the final label is the one given most often."""
    found = tables.annotation_counts()
    return against_itself(claim, int((found["final"] == found["final_again"]).sum()))


@register("undecided majorities")
def undecided_majorities(claim: Claim, facts: Facts) -> Outcome:
    """In how many ways answers fall on three ranks without a single most frequent one. Argument: ``annotators``."""
    count = claim.arguments["annotators"]
    ways = [(a, b, count - a - b) for a in range(count + 1) for b in range(count + 1 - a)]
    tied = [way for way in ways if sorted(way)[-1] == sorted(way)[-2]]
    shown = ", ".join(sorted({" + ".join(map(str, sorted(way, reverse=True))) for way in tied}))
    return Outcome(len(tied), Evidence.ARITHMETIC, f"of {len(ways)} ways; they are {shown}, in any order")


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


#: The smallest rank correlation of interest: one that is below it for sure counts as none.
SMALLEST_CORRELATION = 0.1
#: What the records of :mod:`ferbook.relevance.intensity` say nothing of: their network, its loss and its pictures.
_SMALL = {"networks": ("small network of four convolutions",), "loss": "cross_entropy", "side": 48}
_PARTS = {"ferplus": ("official",)}


@register("ten annotators or one")
def ten_annotators_or_one(claim: Claim, facts: Facts) -> Outcome:
    """How often ten annotators of FER+, and one, name a second crowd's commonest answer to the same picture.

    No verdict: they name emotions, and the claim is of ranks of intensity.
    """
    curve = facts.values["agreement_with_second_crowd"]
    nothing = "no measure of agreement is printed, and no other way of rating is compared"
    if curve is None:
        return Outcome(None, Evidence.OTHER_DATA, nothing)
    detail = (
        f"{nothing}; of emotions, on FER+'s pictures that two crowds judged, a single annotator names the second "
        f"crowd's commonest answer on {curve[0]:.1%}, the commonest answer of {len(curve)} is it on {curve[-1]:.1%}"
    )
    return Outcome(None, Evidence.OTHER_DATA, detail)


@register("rank follows intensity")
def rank_follows_intensity(claim: Claim, facts: Facts) -> Outcome:
    """Whether the rank correlates with what stands for intensity: "yes", "no", or no value where that is open.

    "yes" if the 95 % interval over training runs lies above 0 under some composite; "no" if under all of them it ends
    below ``SMALLEST_CORRELATION``. Where a network gives all faces one rank there is no correlation, and no "no".

    Arguments: ``record`` of :mod:`ferbook.relevance.intensity`, ``evidence``, and ``of``, what ranks are compared with.
    """
    record = records.read(claim.arguments["record"])
    runs, source = record["values"]["runs"]["trained"], record["provenance"]
    trained = Training(**_SMALL, epochs=source["epochs"], splits=_PARTS.get(source["data"], ()))
    found = {}
    for measure in runs[0]["correlations"]:
        if measure.startswith("rank"):
            values = [run["correlations"][measure]["spearman"] for run in runs]
            found[measure] = intervals.over_defined(values)
    told = "; ".join(
        f"{name} not defined, as a network ranks all faces alike"
        if one is None
        else f"{name} {intervals.told(one, '+.2f')}"
        for name, one in found.items()
    )
    detail = f"Spearman correlation with {claim.arguments['of']}: {told}"
    evidence = Evidence(claim.arguments["evidence"])
    if any(one is not None and one.low > 0 for one in found.values()):
        return Outcome("yes", evidence, detail, trained=trained)
    detail += f"; the smallest correlation of interest is {SMALLEST_CORRELATION:g}"
    if all(one is not None and one.high < SMALLEST_CORRELATION for one in found.values()):
        return Outcome("no", evidence, detail, trained=trained)
    return Outcome.open(evidence, detail, trained)


@register("what ties add")
def what_ties_add(claim: Claim, facts: Facts) -> Outcome:
    """Points of accuracy that a recorded run owes to counting either of two equally voted emotions as right.

    Argument: ``run``, as ``001/vgg16/seed0``.
    """
    run = sweeps.read_record(claim.arguments["run"])
    if run is None:
        raise ValueError("the run is not recorded")
    both, first = (100 * run.metrics["test"][name] for name in ("accuracy", "accuracy_first"))
    detail = (
        f"{both:.2f} % of {run.metrics['faces']['test']:,} faces, {first:.2f} % if the first of them alone is right"
    )
    return Outcome(both - first, Evidence.SAME_DATA, detail, trained=ablation_variants.training({"": run}))
