"""What the claim files of paper 000 name: what FER+'s labels and this book's recorded runs say of its sentences."""

from collections.abc import Sequence

from ferbook.claims import ablation_variants
from ferbook.claims.ablation_variants import Runs
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import Facts
from ferbook.core import records
from ferbook.datasets import affectnet
from ferbook.learning import sweeps
from ferbook.papers.cbam import results

#: Group of runs of the paper's own network at its 224 pixels.
PAPERS_SIZE = "attention-224"
#: How a detail calls the measures that rank labels.
_TITLES = {"auc": "area under the ROC curve", "f1": "F1", "ap": "average precision"}

# --- Labels of FER+ ---


@register("raised beside a label")
def raised(claim: Claim, facts: Facts) -> Outcome:
    """Points that FER+'s faces with ``label`` have the label ``beside`` more often than its other faces.

    No value where they have it less often: a face has ten votes, so each label takes from the others, and a smaller
    share does not tell that two expressions look unlike.
    """
    label, beside = (claim.arguments[key] for key in ("label", "beside"))
    found = records.read("000/labels")["values"]["2"]
    both = found["together"][results.LABELS.index(label)][results.LABELS.index(beside)]
    inside = both / found["share"][label]
    outside = (found["share"][beside] - both) / (1 - found["share"][label])
    shares = f"{beside} is on {inside:.1%} of the faces with {label}, and on {outside:.1%} of the others"
    if inside <= outside:
        why = "the labels of a face compete for ten votes, and the paper says it as a possibility"
        return Outcome.open(Evidence.OTHER_DATA, f"{shares}; {why}")
    return Outcome(100 * (inside - outside), Evidence.OTHER_DATA, f"FER+: {shares}")


@register("labels that meet")
def labels_that_meet(claim: Claim, facts: Facts) -> Outcome:
    """No value, as no number is printed: how many of FER+'s faces have both ``labels`` is in the detail."""
    first, second = (results.LABELS.index(name) for name in claim.arguments["labels"])
    share = records.read("000/labels")["values"]["2"]["together"][first][second]
    return Outcome(None, Evidence.OTHER_DATA, f"no number is printed; {share:.1%} of FER+'s faces have both")


@register("labels rarer than")
def labels_rarer(claim: Claim, facts: Facts) -> Outcome:
    """No value, as the paper says it as a possibility: how many labels are rarer than ``label`` is in the detail.

    Among AffectNet's training faces as published, and among FER+'s faces.
    """
    label = claim.arguments["label"]
    ours = records.read("000/labels")["values"]["2"]["share"]
    theirs = {name: affectnet.TRAINING_FACES[name] for name in results.LABELS}
    rarer = [sum(found[name] < found[label] for name in found) for found in (ours, theirs)]
    shares = ", ".join(f"{name} {share:.0%}" for name, share in ours.items())
    counted = ", ".join(f"{name} {number:,}" for name, number in theirs.items())
    detail = (
        "said as a possibility, and of a selection of AffectNet that is not described; of AffectNet's training table "
        f"as published, {rarer[1]} of the other six labels are rarer ({counted}); of FER+'s, {rarer[0]} ({shares})"
    )
    return Outcome(None, Evidence.OTHER_DATA, detail)


# --- Recorded runs ---


def _network(runs: Runs) -> str:
    one = next(iter(runs.values()))
    own = "" if one.config["model"]["name"] == "resnet50_cbam" else ", not the paper's"
    return f"FER+, a ResNet of {one.metrics['parameters']:,} parameters{own}"


@register("multi-label runs without verdict")
def recorded_without_verdict(claim: Claim, facts: Facts) -> Outcome:
    """No value, as the paper's data cannot be had: what our runs with attention found on FER+ is in the detail.

    Arguments: ``measure`` (of ``results.MEASURES``), ``because``.
    """
    runs = ablation_variants.variant(sweeps.loaded("000", "attention"), "blocks")
    measure = results.MEASURES[claim.arguments["measure"]]
    found = results.estimate(runs, claim.arguments["measure"])
    ours = (
        "no run is recorded" if found is None else f"{_network(runs)}: {measure.title} {ablation_variants.told(found)}"
    )
    return Outcome(None, Evidence.OTHER_DATA, f"{claim.arguments['because']}; {ours}")


def _of_groups(groups: Sequence[str], compared: Sequence[str], to: str, measure: str) -> Runs:
    """The runs of some groups: the paper's own network's where they have enough seeds of all that is compared."""
    large = sweeps.loaded("000", PAPERS_SIZE)
    found = [results.difference(large, name, to, measure) for name in compared]
    if all(one is not None and len(one.values) >= ablation_variants.SEEDS for one in found):
        return large
    return {name: run for group in groups for name, run in sweeps.loaded("000", group).items()}


@register("multi-label difference")
def recorded_difference(claim: Claim, facts: Facts) -> Outcome:
    """``better`` or ``worse``: the sign of a paired difference between recorded runs.

    No value where the interval over the seeds holds zero, or with fewer than three seeds. Arguments: ``group``; ``of``
    and ``to``, two variants; ``measure``. ``group`` and ``of`` may be lists. Of several variants, as of a setting that
    may be changed either way or of a text that allows several readings, one that is ``better`` is enough; ``worse``
    must be all of them. Runs of the paper's own network count where they have enough seeds of all that is compared.
    """
    group, of, to, measure = (claim.arguments[key] for key in ("group", "of", "to", "measure"))
    compared = [of] if isinstance(of, str) else of
    runs = _of_groups([group] if isinstance(group, str) else group, compared, to, measure)
    told, signs, open_ = [], set(), False
    for name in compared:
        found = results.difference(runs, name, to, measure)
        if found is None:
            told.append(f"no pair of runs of {name} is recorded")
            signs.add(None)
            continue
        sign = ablation_variants.direction(found)
        few = len(found.values) < ablation_variants.SEEDS
        why = "" if sign else " (too few seeds)" if few else " (the interval holds zero)"
        open_ = open_ or not (sign or few)
        told.append(f"{name} less {to}: {ablation_variants.told(found, 2, sign=True)}{why}")
        signs.add(sign)
    title = results.MEASURES[measure].title.replace(" (%)", "")
    value = "better" if "better" in signs else "worse" if signs == {"worse"} else None
    base = ablation_variants.variant(runs, to)
    detail = f"{_network(base)}; {title}, {'; '.join(told)}" if base else "; ".join(told)
    used = ablation_variants.of_variants(runs, *compared, to)
    trained = ablation_variants.training(used) if used else None
    if value is None and open_:
        return Outcome.open(Evidence.OTHER_DATA, detail, trained)
    return Outcome(value, Evidence.OTHER_DATA, detail, trained=trained)


@register("hardest of the labels")
def hardest_labels(claim: Claim, facts: Facts) -> Outcome:
    """The labels with the lowest scores in our runs with attention, as many as are printed, in the order of paper 000.

    Argument: ``measures``, of ``auc``, ``f1`` and ``ap``. No value where they name different labels, where by one of
    them the interval of the paired distance to the next label holds zero, or with fewer than three seeds.
    """
    runs = ablation_variants.variant(sweeps.loaded("000", "attention"), "blocks")
    if len(runs) < ablation_variants.SEEDS:
        return Outcome(None, Evidence.OTHER_DATA, f"{len(runs)} of {ablation_variants.SEEDS} seeds are recorded")
    count, told, sets, clear = claim.printed.count(",") + 1, [], set(), True
    for measure in claim.arguments["measures"]:
        *least, after = results.hardest(runs, measure, count + 1)
        gap = results.apart(runs, f"{measure}_{after}", f"{measure}_{least[-1]}")
        means = ", ".join(f"{name} {results.estimate(runs, f'{measure}_{name}').mean:.0f} %" for name in least)
        told.append(f"{_TITLES[measure]}: {means}, then {after}, higher by {ablation_variants.told(gap)}")
        sets.add(frozenset(least))
        clear = clear and ablation_variants.direction(gap) == "better"
    value = ", ".join(name for name in results.LABELS if name in least) if clear and len(sets) == 1 else None
    detail = f"{_network(runs)}; {'; '.join(told)}"
    if value:
        return Outcome(value, Evidence.OTHER_DATA, detail, trained=ablation_variants.training(runs))
    differ = "the measures name different labels; " if len(sets) > 1 else ""
    return Outcome.open(Evidence.OTHER_DATA, differ + detail, ablation_variants.training(runs))


@register("precision less recall of runs")
def recorded_precision_less_recall(claim: Claim, facts: Facts) -> Outcome:
    """Points that the precision of ``label`` lies above its recall in our runs with attention, at the threshold 0.5.

    No value where the interval over the seeds holds zero, or with fewer than three seeds. The detail has the other
    labels, too.
    """
    runs = ablation_variants.variant(sweeps.loaded("000", "attention"), "blocks")
    found = {name: results.apart(runs, f"precision_{name}", f"recall_{name}") for name in results.LABELS}
    asked = found.pop(claim.arguments["label"])
    if ablation_variants.direction(asked) is None:
        return Outcome.open(
            Evidence.OTHER_DATA, ablation_variants.told(asked, sign=True), ablation_variants.training(runs)
        )
    others = sorted(((one.mean, name) for name, one in found.items()), reverse=True)
    rest = ", ".join(f"{name} {mean:+.1f}" for mean, name in others)
    detail = f"{_network(runs)}; {ablation_variants.told(asked, sign=True)}; the other labels: {rest}"
    return Outcome(asked.mean, Evidence.OTHER_DATA, detail, trained=ablation_variants.training(runs))
