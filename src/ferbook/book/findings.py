"""Numbers and figures of the ten findings that matter, from records, transcribed tables and judged claims alone.

Each finding has a function that gathers its numbers and one that draws them; the page puts them into words. The first
three, on papers 003 and 004, are in :mod:`ferbook.papers.vad.findings`. Nothing is
trained here, and nothing here imports torch.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ferbook.claims import dataset_summary, verdicts
from ferbook.claims.claim import Verdict
from ferbook.claims.verdicts import Result
from ferbook.core import records
from ferbook.core.errors import ConfigError
from ferbook.learning.runs import RunResult
from ferbook.measures import figures, intervals
from ferbook.measures.intervals import Interval
from ferbook.papers.cbam import tables as cbam_tables
from ferbook.papers.nhot import curves
from ferbook.papers.relevance import tables

#: Records that other modules write, named here because those modules import torch.
OUTCOMES = "004/outcomes"
INTENSITY, INTENSITY_VOTED, VGG16 = "001/intensity", "001/intensity-ferplus", "001/vgg16-ferplus"
#: Colours of what is compared: what a paper has, and what stands beside it.
OTHER, THIRD = "#0072b2", "#e69f00"


# --- 4: rank and intensity ---


@dataclass(frozen=True)
class Following:
    """Spearman correlations over several networks of each kind (001): per kind and measure, mean and interval.

    Parameters
    ----------
    known: with the known intensity of synthetic faces; ``trained``, ``untrained``, ``shuffled labels``.
    voted: of trained networks with the winner's share of votes on FER+.
    networks: per kind.
    """

    known: Mapping[str, Mapping[str, Interval]]
    voted: Mapping[str, Interval]
    networks: int

    def best_rank(self) -> Interval:
        """The rank that follows known intensity best, of all composites."""
        ranks = (found for measure, found in self.known["trained"].items() if measure.startswith("rank"))
        return max(ranks, key=lambda found: found.estimate)


def following() -> Following:
    """The recorded networks on synthetic faces and on FER+."""
    known = records.read(INTENSITY)["values"]["runs"]
    voted = records.read(INTENSITY_VOTED)["values"]["runs"]["trained"]
    return Following(
        {kind: _correlations(runs) for kind, runs in known.items()}, _correlations(voted), len(known["trained"])
    )


def _correlations(runs: Sequence[Mapping[str, object]]) -> dict[str, Interval]:
    # Where all faces have the same rank there is no correlation; it follows nothing.
    return {
        measure: intervals.over_seeds([run["correlations"][measure]["spearman"] or 0.0 for run in runs])
        for measure in runs[0]["correlations"]
    }


@dataclass(frozen=True)
class Photographs:
    """What VGG16, trained on FER+, gives the photographs that it names correctly (001).

    Parameters
    ----------
    faces: how many.
    alike: by composite, the share of them that have the most frequent rank.
    logit: Spearman correlation of the explained logit with the winner's share of votes, interval over faces.
    """

    faces: int
    alike: Mapping[str, float]
    logit: Interval


def on_photographs() -> Photographs:
    """The recorded VGG16."""
    found = records.read(VGG16)["values"]["trained"]
    logit = found["correlations"]["logit"]
    return Photographs(
        found["faces"],
        {name: max(counts) / sum(counts) for name, counts in found["ranks"].items()},
        Interval(logit["spearman"], logit["spearman_low"], logit["spearman_high"], 0.95, logit["count"]),
    )


def draw_following(found: Following) -> Figure:
    """Correlation of ranks, logit and probability with known intensity, for networks of each kind."""
    measures = [m for m in found.known["trained"] if m.startswith("rank")] + ["logit", "probability"]
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 3.7))
    kinds = list(found.known)
    for number, (kind, colour) in enumerate(zip(kinds, (OTHER, "#999999", THIRD), strict=False)):
        values = [found.known[kind][measure] for measure in measures]
        arms = [[v.estimate - v.low for v in values], [v.high - v.estimate for v in values]]
        places = np.arange(len(measures)) + 0.22 * (number - (len(kinds) - 1) / 2)
        axis.errorbar([v.estimate for v in values], places, xerr=arms, fmt="o", capsize=3, color=colour, label=kind)
    axis.axvline(0, color="#444444", linewidth=1, linestyle="--")
    axis.set_yticks(range(len(measures)), measures)
    axis.invert_yaxis()
    axis.set_xlabel("Spearman correlation with known intensity")
    figures.sideways(axis)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


# --- 5: tables that exclude themselves ---


def matrices(results: Iterable[Result]) -> dict[str, tuple[int, int]]:
    """Per data set of paper 001's tables 6 to 9: for how many emotions a confusion matrix exists, and how many it has.

    Parameters
    ----------
    results: judged claims, those of paper 001 among them.
    """
    impossible = Counter(
        result.claim.arguments["table"]
        for result in results
        if result.claim.check == "matrix exists" and result.verdict is Verdict.CONTRADICTS
    )
    emotions = {name: tables.scores(name)["emotion"].nunique() for name in tables.SCORE_TABLES}
    return {tables.SCORE_TABLES[name]: (every - impossible[name], every) for name, every in emotions.items()}


def draw_matrices(found: Mapping[str, tuple[int, int]]) -> Figure:
    """Emotions with and without a matrix, per data set."""
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 2.9))
    parts = {
        "a matrix exists": ([some for some, _ in found.values()], OTHER, ""),
        "none exists": ([every - some for some, every in found.values()], "#d55e00", "//"),
    }
    figures.stacked(axis, list(found), parts)
    axis.invert_yaxis()
    axis.set_xlabel("emotions of the table")
    axis.grid(visible=False)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


# --- 6: the same picture twice ---


def draw_copies(values: Mapping[str, float]) -> Figure:
    """Share of FER+'s test and validation faces that have an identical picture in training. values: recorded facts."""
    parts = {
        "test": values["official_test_leaked"] / values["official_test"],
        "validation": values["official_valid_leaked"] / values["faces_by_part"][1],
        "test, as in paper 002": values["ordinary_test_leaked"] / values["ordinary_test"],
    }
    return figures.bars(
        list(parts),
        {"share": [100 * share for share in parts.values()]},
        (OTHER,),
        xlabel="part of FER+",
        ylabel="with a copy in training (%)",
    )


# --- 7 and 8: what the counting adds, and what N adds ---


#: What makes an accuracy larger without making a network better, by measure of :mod:`ferbook.papers.nhot.curves`.
HABITS: dict[str, str] = {
    "ties": "ties count as right",
    "choice": "epoch chosen on test",
    "duplicates": "copies in training",
}


def habits(runs: Mapping[str, RunResult]) -> dict[str, Interval]:
    """Points of accuracy that each habit adds: mean over all recorded runs on the ordinary test set, with extremes.

    Parameters
    ----------
    runs: of :func:`ferbook.learning.sweeps.load`.

    Returns
    -------
    Habit to mean, least and greatest; a habit that no run holds is left out. No interval of confidence: the runs share
    their test faces.
    """
    found = {}
    for measure in HABITS:
        values = [v for point in curves.curve(runs, "ordinary", measure) for v in point.values]
        if values:
            found[measure] = Interval(float(np.mean(values)), min(values), max(values), 1.0, len(values))
    return found


def draw_habits(found: Mapping[str, Interval], gain: curves.Gain | None) -> Figure:
    """Points that habits of counting add, beside what training on more labels adds."""
    rows = {HABITS[name]: tuple(values[:3]) for name, values in found.items()}
    if gain is not None:
        ends = gain.interval or Interval(gain.mean, gain.mean, gain.mean, 1.0, len(gain.seeds))
        rows[f"labels: N = {gain.start} to {gain.n}"] = (gain.mean, ends.low, ends.high)
    return figures.forest(rows or {"no run is recorded": (0.0, 0.0, 0.0)}, xlabel="points of accuracy added")


# --- 9: how few faces are few ---


@dataclass(frozen=True)
class Few:
    """Paper 000's table 1, emotion by emotion.

    Parameters
    ----------
    recall: emotion to share of its faces that were found, with Wilson's 95 % interval; ``count`` is their number.
    images: number of images that each emotion was judged on.
    f1: emotion to F1 from the counts.
    """

    recall: Mapping[str, Interval]
    images: int
    f1: Mapping[str, float]

    @property
    def perfect(self) -> list[str]:
        """Emotions without an error."""
        return [name for name, value in self.f1.items() if value == 1]


def few() -> Few:
    """The counts of paper 000's table 1, with what they can show. Raises ValueError as ``tables.images``."""
    counts = cbam_tables.counts()
    return Few(
        {name: cbam_tables.sure(row)["recall"] for name, row in counts.items()},
        cbam_tables.images(),
        {name: cbam_tables.scores(row)["F1-Score"] for name, row in counts.items()},
    )


def draw_few(found: Few) -> Figure:
    """Share of each emotion's faces that were found, with intervals."""
    rows = {
        f"{name}, {round(share.estimate * share.count)} of {share.count}": tuple(100 * v for v in share[:3])
        for name, share in found.recall.items()
    }
    figure = figures.forest(rows, xlabel="faces of the emotion that were found (%)", zero=None)
    figure.axes[0].set_xlim(0, 102)
    return figure


# --- 10: one split of few students ---


def students() -> Mapping[str, object]:
    """What is recorded of paper 004's student table."""
    return records.read(OUTCOMES)["values"]


def draw_students(found: Mapping[str, object], model: str = "ada_rf_exp") -> Figure:
    """What V, A, D gain in a hundred splits of the paper's kind."""
    return figures.histogram(
        found["repeated"][model]["differences"],
        0,
        "no difference",
        xlabel="squared error without minus with V, A, D (marks²)",
        ylabel="splits",
        bins=20,
    )


def labels() -> Mapping[str, float]:
    """The recorded facts of FER+'s labels."""
    return dataset_summary.recorded().values


def printed_of(claim_id: str) -> str:
    """What a claim's paper prints, as text. Raises ConfigError where the claim is not in its file."""
    stated = {claim.id: claim for claim in verdicts.load_claims(claim_id[:3]).claims}
    if claim_id not in stated:
        raise ConfigError("claim", f"no claim is called {claim_id!r}", f"See data/claims/{claim_id[:3]}.yml.")
    return stated[claim_id].printed
