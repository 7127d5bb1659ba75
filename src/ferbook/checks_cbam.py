"""What the claim files of paper 000 name: its tables, and what its recorded runs found."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from sklearn.metrics import log_loss

from ferbook import arms, cbam_results, cbam_tables, records, sweeps
from ferbook.arms import Runs
from ferbook.claims import Claim, Evidence, Outcome, register
from ferbook.datasets import affectnet
from ferbook.facts import Facts
from ferbook.printed import half_digit

#: How a detail calls the measures that rank labels.
_TITLES = {"auc": "area under the ROC curve", "f1": "F1", "ap": "average precision"}

# --- The tables against themselves ---


@register("score of counts")
def score_of_counts(claim: Claim, facts: Facts) -> Outcome:
    """Precision, recall or F1 of a label, from the counts of table 1. Arguments: ``label``, ``score``, ``scale``."""
    counts = cbam_tables.counts()[claim.arguments["label"]]
    value = cbam_tables.scores(counts)[claim.arguments["score"]] * claim.arguments.get("scale", 1)
    return Outcome(value, Evidence.ARITHMETIC, f"TP {counts.tp}, FP {counts.fp}, FN {counts.fn}")


@register("counts that both tables have")
def counts_of_both(claim: Claim, facts: Facts) -> Outcome:
    """In how many of their shared cells tables 1 and 2 of paper 000 have the same count."""
    one, other = cbam_tables.counts("000-table1"), cbam_tables.counts("000-table2")
    same = sum(a == b for label in one for a, b in zip(one[label][:3], other[label][:3], strict=True))
    return Outcome(same, Evidence.ARITHMETIC, f"of {3 * len(one)}")


@register("labels with counts")
def labels_with_counts(claim: Claim, facts: Facts) -> Outcome:
    """How many labels of table 1 have exactly these counts. Arguments: any of ``tp``, ``fp``, ``fn``, ``tn``."""
    asked = claim.arguments
    found = [
        label for label, row in cbam_tables.counts().items() if all(getattr(row, k) == v for k, v in asked.items())
    ]
    return Outcome(len(found), Evidence.ARITHMETIC, ", ".join(found))


@register("label with the lowest score")
def lowest(claim: Claim, facts: Facts) -> Outcome:
    """The printed label where no label of table 1 has a lower ``score``, else the label or labels that have the lowest.

    The detail names the labels that share the lowest score, and how sure six images make that the first is worse.
    """
    key = claim.arguments["score"]
    found = {name: cbam_tables.scores(row)[key] for name, row in cbam_tables.counts().items()}
    least = [name for name in found if found[name] == min(found.values())]
    best = max(found, key=found.__getitem__)
    p = cbam_tables.differ(least[0], best)
    detail = (
        f"{key} of {found[least[0]]:.2f} for {' and '.join(least)}; images got right, Fisher's exact test of "
        f"{least[0]} against {best}: p = {p:.2f}"
    )
    value = claim.printed if claim.printed in least else ", ".join(least)
    return Outcome(value, Evidence.ARITHMETIC, detail)


@register("count of a label")
def count_of_label(claim: Claim, facts: Facts) -> Outcome:
    """A count of table 1 that the text says is above 0; a contradiction where it is not.

    Arguments: ``label``; ``count``, one of ``tp``, ``fp``, ``fn``, ``tn``.
    """
    label, which = claim.arguments["label"], claim.arguments["count"]
    value = getattr(cbam_tables.counts()[label], which)
    detail = f"table 1 has {which.upper()} = {value} for {label}"
    return Outcome(value, Evidence.ARITHMETIC, detail, contradiction=value == 0)


@register("precision less recall of counts")
def precision_less_recall(claim: Claim, facts: Facts) -> Outcome:
    """How far a label's precision lies above its recall, from the counts of table 1. Argument: ``label``."""
    row = cbam_tables.counts()[claim.arguments["label"]]
    found = cbam_tables.scores(row)
    span = cbam_tables.sure(row)["recall"]
    detail = f"95 % interval of a recall of {row.tp} in {row.tp + row.fn}: {span.low:.2f} to {span.high:.2f}"
    return Outcome(found["Precision"] - found["Recall"], Evidence.ARITHMETIC, detail)


@register("images tested")
def images_tested(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of ``of`` images that table 1 counts.

    No contradiction where it is not the printed share: the paper does not say that table 1 counts all test images.
    """
    images = {sum(row) for row in cbam_tables.counts().values()}
    if len(images) != 1:
        raise ValueError(f"the rows of table 1 count different numbers of images: {sorted(images)}")
    tested, whole, share = images.pop(), claim.arguments["of"], float(claim.printed)
    held_out = round(whole * share / 100)
    detail = f"{share:g} % of {whole:,} is {held_out:,}; each row of table 1 adds up to {tested} images"
    return Outcome(100 * tested / whole, Evidence.ARITHMETIC, detail)


@register("mean average precision of the counts")
def precision_of_counts(claim: Claim, facts: Facts) -> Outcome:
    """Where table 1 allows the printed mAP (%) under no meaning of the word, the nearest that it does allow.

    No value where a meaning (``cbam_tables.meanings``) reaches it: table 1 can rule a number out, and confirm none.
    """
    wanted = Decimal(claim.printed)
    half = float(half_digit(wanted)) * (1 + 1e-9)
    spans = {name: (100 * low, 100 * high) for name, (low, high) in cbam_tables.meanings().items()}
    nearest = {name: min(max(float(wanted), low), high) for name, (low, high) in spans.items()}
    off = {name: abs(found - float(wanted)) for name, found in nearest.items()}
    told = {name: f"{name} ({low:.1f} to {high:.1f} %)" for name, (low, high) in spans.items()}
    reaching, missing = ([told[name] for name in off if (off[name] <= half) is within] for within in (True, False))
    if not reaching:
        value = nearest[min(off, key=off.__getitem__)]
        return Outcome(value, Evidence.ARITHMETIC, f"table 1 allows other values, as {'; '.join(missing)}")
    detail = (
        "the paper does not say which mean its mAP is, nor on which images it was taken; on those of table 1 it could "
        f"be {claim.printed} % as {' or '.join(reaching)}" + (f", not as {'; '.join(missing)}" if missing else "")
    )
    return Outcome(None, Evidence.ARITHMETIC, detail)


@register("hamming loss of the counts")
def hamming_of_counts(claim: Claim, facts: Facts) -> Outcome:
    """No value, as none is printed: the Hamming loss that table 1 implies is in the detail."""
    wrong, cells = cbam_tables.hamming_loss()
    return Outcome(
        None, Evidence.ARITHMETIC, f"table 1 implies {wrong} wrong of {cells} cells, {100 * wrong / cells:.1f} %"
    )


@register("areas of one")
def areas_of_one(claim: Claim, facts: Facts) -> Outcome:
    """For how many of table 1's labels the area under the ROC curve must be 1."""
    spans = {label: cbam_tables.auroc_range(row) for label, row in cbam_tables.counts().items()}
    others = "; ".join(f"{name} {low:.2f} to {high:.2f}" for name, (low, high) in spans.items() if low < 1)
    return Outcome(sum(low == 1 for low, _ in spans.values()), Evidence.ARITHMETIC, f"the others: {others}")


@register("binary cross-entropy as printed")
def cross_entropy_as_printed(claim: Claim, facts: Facts) -> Outcome:
    """Whether the printed formula, term by term, is scikit-learn's log loss averaged over labels and faces."""
    rng = np.random.default_rng(0)
    truth, probability = rng.random((50, 7)) < 0.4, rng.uniform(0.01, 0.99, (50, 7))
    total = 0.0
    for y, p in zip(truth, probability, strict=True):
        total -= sum(a * np.log(b) + (1 - a) * np.log(1 - b) for a, b in zip(y.astype(int), p, strict=True)) / len(y)
    known = np.mean([log_loss(truth[:, k], probability[:, k]) for k in range(truth.shape[1])])
    return Outcome(bool(np.isclose(total / len(truth), known)), Evidence.ARITHMETIC)


@register("labels judged apart")
def labels_judged_apart(claim: Claim, facts: Facts) -> Outcome:
    """Whether changing the probability of one label changes the loss by as much, whatever the other labels' are."""
    rng = np.random.default_rng(0)
    truth = rng.random(7) < 0.4

    def loss(probability: np.ndarray) -> float:
        return float(-np.mean(np.where(truth, np.log(probability), np.log(1 - probability))))

    changes = []
    for _ in range(20):
        before = rng.uniform(0.01, 0.99, 7)
        after = before.copy()
        before[0], after[0] = 0.2, 0.7
        changes.append(loss(after) - loss(before))
    return Outcome(bool(np.allclose(changes, changes[0])), Evidence.ARITHMETIC)


@register("expressions per AffectNet face")
def expressions_per_face(claim: Claim, facts: Facts) -> Outcome:
    """How many columns of AffectNet's tables hold an expression, by the published description of the tables."""
    columns = [name for name in affectnet.COLUMNS if "expression" in name]
    detail = (
        f"by the published description of its tables: one code out of {len(affectnet.CODES) + len(affectnet.LEFT_OUT)} "
        "in each row, valence and arousal beside it; no face of AffectNet was read for this"
    )
    return Outcome(len(columns), Evidence.ARITHMETIC, detail)
