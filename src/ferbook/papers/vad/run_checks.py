"""What the claim files of papers 003 and 004 ask of recorded runs: do consistency and orthogonality improve anything?

The claims are about ResNet-18. Its runs decide once there are ``ablation_variants.SEEDS`` pairs of them; until then
what the book's small network found is shown beside the claim and decides nothing. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ferbook.claims import ablation_variants, report
from ferbook.claims.ablation_variants import Runs
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence, Training
from ferbook.claims.dataset_summary import Facts
from ferbook.core import records
from ferbook.faces.emotions import VAD_AXES
from ferbook.learning import sweeps
from ferbook.learning.runs import RunResult

PAPER = "003"
#: Groups of runs of the papers' own network, the longest first; the one as 003 prints its rate.
PAPERS_NETWORK, AS_PRINTED = ("resnet18", "resnet18-short"), "resnet18-printed"
#: Their variant without further costs, and those with printed consistency.
WITHOUT, PRINTED = "none", ("equations", "table")
#: Names of the records of small networks, which modules make that import torch.
ABLATION, ORTHOGONALITY = "003/ablation", "003/orthogonality"
#: What becomes of a measure, in a word.
SAME, UNCLEAR, BETTER, WORSE = "no change at all", "no clear change", "better", "worse"


def changed(change: Mapping[str, float], lower_is_better: bool) -> str:
    """A difference with its interval (``estimate``, ``low``, ``high``) in a word.

    ``no change at all`` where it is exactly zero in every pair, ``better`` or ``worse`` where the interval leaves out
    zero, else ``no clear change``.
    """
    if change["low"] == change["high"] == 0:
        return SAME
    if change["low"] <= 0 <= change["high"]:
        return UNCLEAR
    return BETTER if (change["estimate"] < 0) == lower_is_better else WORSE


def papers_network() -> dict[str, Runs]:
    """The recorded runs of the papers' own network, by group, and in it by variant and seed; no group without runs."""
    found = {group: sweeps.loaded(PAPER, group) for group in PAPERS_NETWORK}
    return {group: runs for group, runs in found.items() if runs}


def measure(run: RunResult, name: str, of: str = "model") -> float | None:
    """One number of a run.

    Parameters
    ----------
    run: whose test faces are annotated.
    name: an axis, for the mean squared error of values in [-1, 1]; or ``category``, for the accuracy.
    of: ``model``; or ``constant``, the mean of the test faces said for each of them, which has no accuracy.
    """
    if name == "category":
        return float(run.metrics["test_accuracy"]) if of == "model" else None
    test = run.metrics["test"]
    return float(test[of]["mse"][test["names"].index(name)])


def change(runs: Runs, variant: str, name: str) -> ablation_variants.Estimate | None:
    """What a variant adds to a :func:`measure` against training without consistency, seed by seed."""
    return ablation_variants.difference(runs, variant, WITHOUT, lambda run: measure(run, name))


def pairs(runs: Runs, variant: str) -> int:
    """How many seeds a variant and training without consistency have both."""
    found = change(runs, variant, "category")
    return 0 if found is None else len(found.values)


def rows(groups: Mapping[str, Runs]) -> list[dict[str, str]]:
    """A table's rows: what each variant of each group reaches, over seeds, and below them the constant predictor."""

    def row(runs: Runs, variant: str, label: str, of: str = "model") -> dict[str, str]:
        tested = ablation_variants.variant(runs, variant)

        def told(name: str) -> str:
            return ablation_variants.told(ablation_variants.estimate(tested, lambda run: measure(run, name, of)), 2)

        epochs = next(iter(tested.values())).config["epochs"]
        return {
            "further cost": label,
            "epochs": str(epochs) if of == "model" else report.NOTHING,
            **{f"error of {axis}": told(axis) for axis in VAD_AXES},
            "accuracy": told("category"),
        }

    found = []
    for runs in groups.values():
        found += [row(runs, name, _LABELS.get(name, name)) for name in ablation_variants.names(runs)]
        found.append(row(runs, WITHOUT, "constant predictor", "constant"))
    return found


_LABELS = {"weight0.5": "orthogonality, weight 0.5"}


def unmoved(groups: Mapping[str, Runs]) -> tuple[int, int]:
    """In how many comparisons (definition, seed, measure) printed consistency changes nothing, and of how many."""
    found = [
        value
        for runs in groups.values()
        for variant in PRINTED
        if pairs(runs, variant)
        for name in (*VAD_AXES, "category")
        for value in change(runs, variant, name).values
    ]
    return sum(value == 0 for value in found), len(found)


def _by_the_papers_network(claim: Claim, variant: str, measures: Sequence[str]) -> Outcome | None:
    """What a variant changed in the papers' own network, in a word; None without enough pairs of runs that may decide.

    No value where the interval of a measure holds zero and no other measure is against better.
    """
    runs = next((runs for runs in papers_network().values() if _may_decide(claim, runs, variant)), None)
    if runs is None:
        return None
    words, said = [], []
    for name in measures:
        found = change(runs, variant, name)
        words.append(changed(found.interval._asdict(), lower_is_better=name != "category"))
        said.append(f"{name}: {words[-1]}, {ablation_variants.told(found, 4, sign=True, unit='pair')}")
    used = ablation_variants.of_variants(runs, variant, WITHOUT)
    one, trained = next(iter(used.values())), ablation_variants.training(used)
    network = f"a ResNet-18 of {one.metrics['parameters']:,} parameters"
    detail = f"{network}, {trained.epochs} epochs on the annotated faces alone; {'; '.join(said)}"
    if UNCLEAR in words and not {SAME, WORSE} & set(words):
        return Outcome.open(Evidence.SAME_DATA, detail, trained)
    return Outcome(" and ".join(dict.fromkeys(words)), Evidence.SAME_DATA, detail, trained=trained)


def _may_decide(claim: Claim, runs: Runs, variant: str) -> bool:
    if pairs(runs, variant) < ablation_variants.SEEDS:
        return False
    return not ablation_variants.stand_in(claim, ablation_variants.training(runs))


@register("recorded ablation")
def recorded_ablation(claim: Claim, facts: Facts) -> Outcome:
    """What a definition of consistency changed in recorded runs, in a word: all axes and the category.

    Arguments: ``definition`` (``equations`` or ``table``), ``measures`` (axes, and ``category``). The papers' own
    network decides where there are pairs enough.
    """
    definition, measures = claim.arguments["definition"], claim.arguments["measures"]
    decided = _by_the_papers_network(claim, definition, measures)
    if decided:
        return decided
    stored = records.read(ABLATION)
    plan = stored["provenance"]["plan"]
    answers = stored["values"]["claims"][definition]
    told = {name: answers[name] for name in measures}
    detail = "; ".join(f"{name}: {answer['says']}, {answer['detail']}" for name, answer in told.items())
    trained = Training(
        networks=("compact",), epochs=plan["proxy_epochs"] + plan["tune_epochs"], splits=("folds",), side=plan["side"]
    )
    words = dict.fromkeys(answer["says"] for answer in told.values())
    return Outcome(" and ".join(words), Evidence.OTHER_DATA, detail, trained=trained)


@register("recorded orthogonality")
def recorded_orthogonality(claim: Claim, facts: Facts) -> Outcome:
    """What training with the orthogonality loss changed in the recorded pairs, in a word per measure.

    Arguments: ``arm``, and ``measures``, pairs of a measure and whose it is, as ``[accuracy, category]``. Of errors and
    accuracy the papers' own network decides where there are pairs enough.
    """
    arm, measures = claim.arguments["arm"], claim.arguments["measures"]
    if {of for of, _ in measures} <= {"mse", "accuracy"}:
        decided = _by_the_papers_network(claim, arm.replace(" ", ""), [name for _, name in measures])
        if decided:
            return decided
    stored = records.read(ORTHOGONALITY)
    plan, differences = stored["provenance"]["plan"], stored["values"]["differences"]
    words, said = [], []
    for of, name in measures:
        change = differences[of][arm][name]
        words.append(changed(change, lower_is_better=of not in ("accuracy", "r2")))
        interval = f"{change['low']:+.4f} to {change['high']:+.4f}"
        said.append(f"{of} of {name}: {change['estimate']:+.4f} (95 % interval {interval}), {words[-1]}")
    trained = Training(networks=("compact",), epochs=plan["epochs"], splits=("official",), side=plan["side"])
    value = " and ".join(dict.fromkeys(words))
    detail = f"{'; '.join(said)}; {plan['seeds']} pairs of runs"
    return Outcome(value, Evidence.OTHER_DATA, detail, trained=trained)
