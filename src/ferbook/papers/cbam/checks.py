"""What the claim files of paper 000 name: its tables and its text against each other, and against what is published."""

from decimal import Decimal

import numpy as np
from sklearn.metrics import log_loss

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed import half_digit
from ferbook.claims.printed_checks import against_itself
from ferbook.core import records
from ferbook.datasets import affectnet
from ferbook.measures.multilabel import Interpolation
from ferbook.papers.cbam import mean_precision
from ferbook.papers.cbam import tables as cbam_tables

# --- The tables against themselves ---


@register("score of counts")
def score_of_counts(claim: Claim, facts: Facts) -> Outcome:
    """Precision, recall or F1 of a label, from the counts of table 1. Arguments: ``label``, ``score``, ``scale``."""
    counts = cbam_tables.counts()[claim.arguments["label"]]
    value = cbam_tables.scores(counts)[claim.arguments["score"]] * claim.arguments.get("scale", 1)
    return against_itself(claim, value, f"TP {counts.tp}, FP {counts.fp}, FN {counts.fn}")


@register("counts that both tables have")
def counts_of_both(claim: Claim, facts: Facts) -> Outcome:
    """In how many of their shared cells tables 1 and 2 of paper 000 have the same count."""
    one, other = cbam_tables.counts("000-table1"), cbam_tables.counts("000-table2")
    same = sum(a == b for label in one for a, b in zip(one[label][:3], other[label][:3], strict=True))
    return against_itself(claim, same, f"of {3 * len(one)}")


@register("labels with counts")
def labels_with_counts(claim: Claim, facts: Facts) -> Outcome:
    """How many labels of table 1 have exactly these counts. Arguments: any of ``tp``, ``fp``, ``fn``, ``tn``."""
    asked = claim.arguments
    found = [
        label for label, row in cbam_tables.counts().items() if all(getattr(row, k) == v for k, v in asked.items())
    ]
    return against_itself(claim, len(found), ", ".join(found))


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
    return against_itself(claim, value, detail)


@register("errors of labels")
def errors_of_labels(claim: Claim, facts: Facts) -> Outcome:
    """How many errors of each kind ``labels`` have together in table 1: false positives or false negatives, the fewer.

    Of the labels together, as a sentence about several of them can be read; the detail has each of them.
    """
    rows = {label: cbam_tables.counts()[label] for label in claim.arguments["labels"]}
    value = min(sum(row.fp for row in rows.values()), sum(row.fn for row in rows.values()))
    detail = "; ".join(f"{label}: FP {row.fp}, FN {row.fn}" for label, row in rows.items())
    return against_itself(claim, value, detail)


@register("labels with errors")
def labels_with_errors(claim: Claim, facts: Facts) -> Outcome:
    """The labels of table 1 that have an error, in its order; with ``most``, those that have the most errors."""
    errors = {label: row.fp + row.fn for label, row in cbam_tables.counts().items()}
    least = max(errors.values()) if claim.arguments.get("most") else 1
    value = ", ".join(label for label, count in errors.items() if count >= least)
    return against_itself(claim, value, ", ".join(f"{label} {count}" for label, count in errors.items()))


@register("share of images right")
def share_right(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of table 1's images on the diagonal of a label's matrix. Argument: ``label``."""
    row = cbam_tables.counts()[claim.arguments["label"]]
    return against_itself(claim, 100 * (row.tp + row.tn) / sum(row), f"{row.tp + row.tn} of {sum(row)}")


@register("labels in balance")
def labels_in_balance(claim: Claim, facts: Facts) -> Outcome:
    """For how many labels table 1 gives a precision that equals the recall."""
    found = {label: cbam_tables.scores(row) for label, row in cbam_tables.counts().items()}
    apart = [label for label, row in found.items() if row["Precision"] != row["Recall"]]
    return against_itself(claim, len(found) - len(apart), f"of {len(found)}; not: {', '.join(apart)}")


@register("average of the counts")
def average_of_counts(claim: Claim, facts: Facts) -> Outcome:
    """An average (%) over table 1's labels (macro) or cells (micro). Argument: ``of``, as "macro Recall"."""
    return against_itself(claim, 100 * cbam_tables.averages()[claim.arguments["of"]], "not printed; from table 1")


@register("images without an error")
def images_without_error(claim: Claim, facts: Facts) -> Outcome:
    """How many of table 1's images may have all labels right. Argument: ``end``, ``least`` or ``greatest``.

    The table does not say which images the errors are on, so every way to spread them is tried.
    """
    low, high = cbam_tables.images_right()
    images, value = cbam_tables.images(), low if claim.arguments["end"] == "least" else high
    detail = f"between {low} and {high} of {images}: a subset accuracy of {low / images:.0%} to {high / images:.0%}"
    return against_itself(claim, value, detail)


@register("labels on the images")
def labels_on_images(claim: Claim, facts: Facts) -> Outcome:
    """How many labels table 1 counts on its images, true positives and false negatives.

    The detail sets them against what one expression for each image would make, as AffectNet has, and against FER+.
    """
    value, images = sum(row.tp + row.fn for row in cbam_tables.counts().values()), cbam_tables.images()
    voted = records.read("000/labels")["values"]["2"]["labels_per_face"]
    detail = (
        f"on {images} images, {value / images:.1f} for each; AffectNet gives one expression to a face, which would "
        f"make {images}; two votes of ten on FER+ make {voted:.1f} for each"
    )
    return against_itself(claim, value, detail)


@register("labels on the fullest image")
def labels_on_fullest(claim: Claim, facts: Facts) -> Outcome:
    """How many labels at least one image of table 1 must have, however they are spread over the images."""
    return against_itself(claim, cbam_tables.fullest(), f"of {len(cbam_tables.counts())}")


@register("images with each label")
def images_with_label(claim: Claim, facts: Facts) -> Outcome:
    """On how many of table 1's images a label is; the least frequent one, where they differ."""
    found = {label: row.tp + row.fn for label, row in cbam_tables.counts().items()}
    least, most = min(found.values()), max(found.values())
    return against_itself(claim, least, f"{least} to {most} of {cbam_tables.images()}")


@register("chance of a difference")
def chance_of_difference(claim: Claim, facts: Facts) -> Outcome:
    """Fisher's exact p for "the images of ``label`` and of ``against`` are got right equally often", from table 1."""
    label, other = claim.arguments["label"], claim.arguments["against"]
    rows = cbam_tables.counts()
    detail = ", ".join(f"{name} {rows[name].tp + rows[name].tn} of {sum(rows[name])} right" for name in (label, other))
    return against_itself(claim, cbam_tables.differ(label, other), detail)


@register("lower end of a recall")
def lower_end_of_recall(claim: Claim, facts: Facts) -> Outcome:
    """Where Wilson's 95 % interval of a label's recall in table 1 begins. Argument: ``label``."""
    row = cbam_tables.counts()[claim.arguments["label"]]
    return against_itself(claim, cbam_tables.sure(row)["recall"].low, f"{row.tp} of {row.tp + row.fn} found")


@register("images for a perfect score")
def images_for_perfect(claim: Claim, facts: Facts) -> Outcome:
    """How many images, all got right, Wilson's 95 % interval needs to begin above ``lower``."""
    return against_itself(claim, cbam_tables.images_for(claim.arguments["lower"]))


@register("precision less recall of counts")
def precision_less_recall(claim: Claim, facts: Facts) -> Outcome:
    """How far a label's precision lies above its recall, from the counts of table 1. Argument: ``label``."""
    row = cbam_tables.counts()[claim.arguments["label"]]
    found = cbam_tables.scores(row)
    span = cbam_tables.sure(row)["recall"]
    detail = f"95 % interval of a recall of {row.tp} in {row.tp + row.fn}: {span.low:.2f} to {span.high:.2f}"
    return against_itself(claim, found["Precision"] - found["Recall"], detail)


@register("images tested")
def images_tested(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of ``of`` images that table 1 counts, set against the share that the text holds out for testing."""
    tested, whole, share = cbam_tables.images(), claim.arguments["of"], float(claim.printed)
    held_out = round(whole * share / 100)
    detail = f"{share:g} % of {whole:,} is {held_out:,}; each row of table 1 adds up to {tested} images"
    return against_itself(claim, 100 * tested / whole, detail)


# --- Mean average precision ---


@register("mean average precision of the counts")
def precision_of_counts(claim: Claim, facts: Facts) -> Outcome:
    """Where table 1 allows the printed mAP (%) under no meaning of the word, the nearest that it does allow.

    No value where a meaning (``mean_precision.readings``) reaches it: table 1 can rule a number out, and confirm none.
    """
    wanted, half = _printed_share(claim)
    told = {
        name: f"{reading.title} ({100 * float(reading.low):.1f} to {100 * float(reading.high):.1f} %)"
        for name, reading in mean_precision.readings().items()
    }
    off = {name: abs(mean_precision.nearest(name, wanted) - wanted) for name in told}
    reaching, missing = ([told[name] for name in off if (off[name] <= half) is within] for within in (True, False))
    if not reaching:
        value = 100 * mean_precision.nearest(min(off, key=off.__getitem__), wanted)
        return against_itself(claim, value, f"table 1 allows other values, as {'; '.join(missing)}")
    detail = (
        "the paper does not say which mean its mAP is, nor on which images it was taken; on those of table 1 it could "
        f"be {claim.printed} % as {' or '.join(reaching)}" + (f", not as {'; '.join(missing)}" if missing else "")
    )
    return Outcome(None, Evidence.ARITHMETIC, detail)


@register("reading of the mean average precision")
def reading_of_precision(claim: Claim, facts: Facts) -> Outcome:
    """Of the mAPs (%) that table 1 allows under one meaning of the word, the one nearest to the printed.

    Every order of the images that gives the printed counts is tried, in exact fractions. Argument: ``reading``, of
    ``mean_precision.VALUES``.
    """
    name, (wanted, half) = claim.arguments["reading"], _printed_share(claim)
    reading, value = mean_precision.readings()[name], 100 * mean_precision.nearest(claim.arguments["reading"], wanted)
    detail = f"table 1 allows {100 * float(reading.low):.2f} to {100 * float(reading.high):.2f} %"
    if name in _KINDS and abs(value / 100 - wanted) <= half:
        there, of = mean_precision.orders_that_give(wanted, half, _KINDS[name])
        detail += f"; {there} of {of} orders without ties give the printed one"
    return against_itself(claim, value, detail)


#: The readings that are means over labels, and how each takes a label's average precision.
_KINDS: dict[str, Interpolation] = {"labels": "none", "labels, trapezoid": "trapezoid"}


def _printed_share(claim: Claim) -> tuple[float, float]:
    """The printed per cent and half of its last digit, as shares."""
    wanted = Decimal(claim.printed)
    return float(wanted) / 100, float(half_digit(wanted)) / 100 * (1 + 1e-9)


# --- Other measures ---


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
    return against_itself(claim, sum(low == 1 for low, _ in spans.values()), f"the others: {others}")


@register("binary cross-entropy as printed")
def cross_entropy_as_printed(claim: Claim, facts: Facts) -> Outcome:
    """Whether the printed formula, term by term, is scikit-learn's log loss averaged over labels and faces."""
    rng = np.random.default_rng(0)
    truth, probability = rng.random((50, 7)) < 0.4, rng.uniform(0.01, 0.99, (50, 7))
    total = 0.0
    for y, p in zip(truth, probability, strict=True):
        total -= sum(a * np.log(b) + (1 - a) * np.log(1 - b) for a, b in zip(y.astype(int), p, strict=True)) / len(y)
    known = np.mean([log_loss(truth[:, k], probability[:, k]) for k in range(truth.shape[1])])
    return Outcome("yes" if np.isclose(total / len(truth), known) else "no", Evidence.ARITHMETIC)


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
    return Outcome("yes" if np.allclose(changes, changes[0]) else "no", Evidence.ARITHMETIC)


# --- References ---


@register("numbers used once")
def numbers_used_once(claim: Claim, facts: Facts) -> Outcome:
    """How many of a paper's headings have a number that no other heading has. Argument: ``table``."""
    numbers = printed.table(claim.arguments["table"])["number"]
    twice = numbers.duplicated(keep=False)
    detail = f"of {len(numbers)}" + (f"; twice: {', '.join(numbers[twice].unique())}" if twice.any() else "")
    return against_itself(claim, int((~twice).sum()), detail)


@register("headings below another")
def headings_below(claim: Claim, facts: Facts) -> Outcome:
    """How many headings stand directly below another. Arguments: ``table``, ``section``, the number of the other."""
    table, upper = printed.table(claim.arguments["table"]), claim.arguments["section"]
    below = table[table["number"].str.rpartition(".")[0] == upper]
    return against_itself(claim, len(below), ", ".join(below["title"]))


@register("last number of a list")
def last_number(claim: Claim, facts: Facts) -> Outcome:
    """How many entries a numbered list has, set against its last number, which is printed. Argument: ``table``."""
    numbers = printed.table(claim.arguments["table"])["number"].astype(int)
    missing = sorted(set(range(1, numbers.max() + 1)) - set(numbers))
    return against_itself(
        claim, len(numbers), f"no entry has the number {', '.join(map(str, missing))}" if missing else ""
    )


@register("oldest work of a section")
def oldest_work(claim: Claim, facts: Facts) -> Outcome:
    """Years between the oldest work that a section cites and the paper. Arguments: ``table``, ``section``, ``year``."""
    table = printed.table(claim.arguments["table"])
    works = table.loc[table["where"].str.contains(claim.arguments["section"], regex=False), "work"]
    years = works.str.extract(r"\((\d{4})\)")[0].astype(int)
    return against_itself(claim, claim.arguments["year"] - int(years.min()), works[years.idxmin()])


@register("links to another work")
def links_elsewhere(claim: Claim, facts: Facts) -> Outcome:
    """How many entries of a list are linked to another journal, conference or book than they name. Argument: ``table``.

    By the letters in the link, which stand for where it leads; links without such letters do not count.
    """
    table = printed.table(claim.arguments["table"])
    other = table[(table["link names"] != "") & (table["link names"] != table["printed in"])]
    detail = "; ".join(
        f"{row['number']}: {row['printed in']}, linked to {row['link names']}" for _, row in other.iterrows()
    )
    return Outcome(len(other), Evidence.PUBLISHED, detail)


# --- What is published of AffectNet ---


@register("faces annotated in AffectNet")
def faces_annotated(claim: Claim, facts: Facts) -> Outcome:
    """Rows of AffectNet's two published tables; the detail says how many of them have an expression."""
    detail = (
        f"of these, {sum(affectnet.FACES.values()):,} have one of {len(affectnet.CODES)} expressions; the others are "
        "marked as none, uncertain or no face"
    )
    return Outcome(affectnet.ANNOTATED, Evidence.PUBLISHED, detail)


@register("expressions of AffectNet")
def expressions(claim: Claim, facts: Facts) -> Outcome:
    """How many expressions AffectNet distinguishes."""
    without = [name for name in affectnet.CODES if name not in cbam_tables.LABELS.values()]
    return Outcome(len(affectnet.CODES), Evidence.PUBLISHED, f"the paper has no label for {', '.join(without)}")


@register("expressions per AffectNet face")
def expressions_per_face(claim: Claim, facts: Facts) -> Outcome:
    """How many columns of AffectNet's tables hold an expression, by the published description of the tables."""
    columns = [name for name in affectnet.COLUMNS if "expression" in name]
    detail = (
        f"by the published description of its tables: one code out of {len(affectnet.CODES) + len(affectnet.LEFT_OUT)} "
        "in each row, valence and arousal beside it; no face of AffectNet was read for this"
    )
    return Outcome(len(columns), Evidence.PUBLISHED, detail)
