"""How good ranks of intensity are: precision, recall and F1 by emotion and rank, as tables 6 to 9 of paper 001 have
them, and agreement beyond chance, which they do not have.

On synthetic faces the truth is the majority of ten simulated annotators, who see the true intensity. Beside the paper's
two rules stand two that need no relevance: cutting the logit, or the probability, of each emotion at two points.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.metrics import cohen_kappa_score, confusion_matrix, precision_recall_fscore_support
from torch import nn

from ferbook import datasets
from ferbook.core import records
from ferbook.core.errors import FerbookError
from ferbook.faces import raters
from ferbook.faces.emotions import EMOTIONS
from ferbook.measures import figures
from ferbook.papers.relevance import tables
from ferbook.relevance import intensity, pictures, ranks
from ferbook.relevance.intensity import NEUTRAL, Faces
from ferbook.relevance.lrp import relevance, scores

RANKS = ranks.RANKS
#: Composites whose ranks are scored.
COMPOSITES: tuple[str, ...] = ("z_plus", "alpha2_beta1", "gamma_box", "epsilon")
#: Rules that need no relevance, in the order of tables after those that do.
PLAIN: tuple[str, ...] = ("logit cut in three", "probability cut in three", "always the same rank")
#: The record, and how it was made.
RECORD = "001/rank-scores"
TRAIN, TEST, EPOCHS, SEEDS = intensity.TRAIN, intensity.TEST, intensity.EPOCHS, intensity.SEEDS


def truth(strength: np.ndarray, seed: int = 0) -> np.ndarray:
    """Ranks by the majority of ten simulated annotators (section IV.D). strength: (N,) in [0, 1] -> (N,) of 0, 1, 2."""
    counts = raters.tally(raters.rate_intensity(strength, seed=seed), len(RANKS))
    return raters.majority(counts).label


def cut(values: np.ndarray, fitted_on: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """Values cut into three ranks at two points that give each rank the share it has among known ones.

    Parameters
    ----------
    values: (N,) to be ranked.
    fitted_on: (M,) such values of other faces.
    ranked: (M,) their true ranks; only how often each occurs is used.

    Returns
    -------
    (N,) of 0, 1, 2.
    """
    shares = np.bincount(ranked, minlength=len(RANKS)).cumsum()[:-1] / len(ranked)
    return np.searchsorted(np.quantile(fitted_on, shares), values)


def ranked(network: nn.Sequential, test: Faces, fitted_on: Faces, seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """True against given ranks of the correctly named faces, by every rule; faces that a rule does not rank left out.

    Parameters
    ----------
    network: names emotions; as in :func:`ferbook.relevance.intensity.measures`.
    test: faces of known intensity; neutral ones are left out.
    fitted_on: other faces of people that the network was not trained on; on them the cuts are chosen.
    seed: of the annotators.

    Returns
    -------
    rule -> emotion -> (3, 3) counts, rows true, columns given; the rules are the composites' names with "as tabulated",
    "as printed", and ``PLAIN``.
    """
    # Annotators see every face, and each once: what they say of it does not depend on what the network names right.
    said = np.split(truth(np.concatenate([test.intensity, fitted_on.intensity]), seed), [len(test.labels)])
    right = [_correct(network, faces) for faces in (test, fitted_on)]
    known, before = (rated[mask] for rated, mask in zip(said, right, strict=True))
    test, fitted_on = (faces.where(mask) for faces, mask in zip((test, fitted_on), right, strict=True))
    if not (len(test.labels) and len(fitted_on.labels)):
        raise FerbookError("the network names no emotional face right; train it longer or on more faces.")
    box = {"low": float(test.images.min()), "high": float(test.images.max())}
    given: dict[str, np.ndarray] = {}
    for name in COMPOSITES:
        found = ranks.scaled(relevance(network, test.images, test.labels, name, batch=64, **box).numpy())
        given[f"{name}, as tabulated"] = ranks.rank_as_tabulated(ranks.histogram(found))
        if name == COMPOSITES[0]:
            # Always "strong" once the largest value is 1, whatever the composite.
            given["as printed"] = ranks.rank_as_printed(found)
    labels, labels_before = test.labels.numpy(), fitted_on.labels.numpy()
    for name, values, fitted in zip(PLAIN, _scores(network, test), _scores(network, fitted_on), strict=False):
        given[name] = np.empty(len(known), dtype=np.int64)
        for emotion in np.unique(labels):
            # Whatever has no face to be fitted on is cut where all emotions together are.
            mask = labels_before == emotion if (labels_before == emotion).any() else np.full(len(before), True)
            given[name][labels == emotion] = cut(values[labels == emotion], fitted[mask], before[mask])
    given[PLAIN[2]] = np.full(len(known), np.bincount(before).argmax())
    return {
        rule: {
            EMOTIONS[emotion]: confusion_matrix(
                known[labels == emotion], ranks_[labels == emotion], labels=range(len(RANKS))
            )
            for emotion in np.unique(labels)
        }
        for rule, ranks_ in given.items()
    }


def _correct(network: nn.Sequential, faces: Faces) -> np.ndarray:
    """Which emotional faces are named correctly, (N,) bool."""
    right = scores(network, faces.images).argmax(1) == faces.labels
    return (right & (faces.labels != NEUTRAL)).numpy()


def _scores(network: nn.Sequential, faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """Logit and probability of the emotion of each face."""
    logits = scores(network, faces.images)
    rows = torch.arange(len(logits))
    return logits[rows, faces.labels].numpy(), logits.softmax(1)[rows, faces.labels].numpy()


def pairs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and given rank of each face behind a (3, 3) matrix."""
    counts = np.asarray(counts)
    rows, columns = np.indices(counts.shape)
    return np.repeat(rows.ravel(), counts.ravel()), np.repeat(columns.ravel(), counts.ravel())


def by_class(counts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What tables 6 to 9 hold: one row per emotion and rank.

    Accuracy is the share of the emotion's faces for which "this rank or another" is answered correctly, which the paper
    does not define; precision is NaN where a rank was never given, recall where it was never true, F1 where both are.

    Parameters
    ----------
    counts: emotion -> (3, 3), rows true, columns given.

    Returns
    -------
    DataFrame with columns emotion, rank, faces, accuracy, precision, recall, f1.
    """
    rows = []
    for emotion, matrix in counts.items():
        matrix = np.asarray(matrix)
        known, given = pairs(matrix)
        found = precision_recall_fscore_support(known, given, labels=range(len(RANKS)), zero_division=np.nan)
        for place, name in enumerate(RANKS):
            wrong = matrix[place].sum() + matrix[:, place].sum() - 2 * matrix[place, place]
            rows.append(
                {
                    "emotion": emotion,
                    "rank": name,
                    "faces": int(matrix[place].sum()),
                    "accuracy": 1 - wrong / matrix.sum(),
                    **{key: float(column[place]) for key, column in zip(tables.SCORES[1:], found, strict=False)},
                }
            )
    return pd.DataFrame(rows)


def agreement(counts: np.ndarray) -> dict[str, float]:
    """Share of faces with the true rank, mean recall of the ranks, and Cohen's kappa with quadratic weights.

    Both means leave out chance: a rule that always gives the same rank has a mean recall of a third and a kappa of 0.
    counts: (3, 3), each rank true at least once.
    """
    counts = np.asarray(counts)
    known, given = pairs(counts)
    return {
        "accuracy": float((known == given).mean()),
        "mean recall": float((counts.diagonal() / counts.sum(axis=1)).mean()),
        "kappa": float(cohen_kappa_score(known, given, weights="quadratic", labels=range(len(RANKS)))),
    }


def matrices(counts: Mapping[str, np.ndarray], columns: int = 4) -> Figure:
    """A small confusion matrix of ranks per emotion, as in figures 15 to 17. counts: emotion -> (3, 3), rows true."""
    lines = -(-len(counts) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(figures.WIDTH, 1.95 * lines + 0.3), sharex=True, sharey=True)
    names = [name[:3] for name in RANKS]
    for axis in axes.flat:
        axis.set_axis_off()
    for place, (axis, (emotion, counted)) in enumerate(zip(axes.flat, counts.items(), strict=False)):
        axis.set_axis_on()
        figures.matrix(axis, counted, names, lambda number, _: f"{number:,.0f}", 11)
        axis.set_title(emotion, fontsize=12)
        axis.tick_params(length=0, labelsize=11, labelbottom=place + columns >= len(counts))
    figure.supxlabel("rank given", fontsize=12)
    figure.supylabel("true rank", fontsize=12)
    return figure


def printed_scores(table: str) -> pd.DataFrame:
    """Accuracy, precision, recall and F1 of table 6 to 9: rows by emotion (in the words of ``EMOTIONS``) and rank."""
    found = tables.scores(table)
    emotion = found["emotion"].str.lower().replace({"happy": "happiness"})
    index = pd.MultiIndex.from_arrays([emotion, found["rank"].str.lower()], names=["emotion", "rank"])
    return found[list(tables.SCORES)].set_axis(index)


def printed_f1() -> pd.DataFrame:
    """F1 of tables 6 to 9: rows as in :func:`printed_scores`, one column per data set."""
    return pd.DataFrame({name: printed_scores(table)["f1"] for table, name in tables.SCORE_TABLES.items()})


def drawn(counts: Mapping[str, np.ndarray], pictures: int, seed: int = 0) -> dict[str, np.ndarray]:
    """The matrices that so many faces give, drawn at random and without putting back from those behind `counts`.

    Parameters
    ----------
    counts: emotion -> (3, 3).
    pictures: fewer than there are faces, or as many.
    seed: of the draw.
    """
    whole = np.stack([np.asarray(matrix) for matrix in counts.values()])
    taken = np.random.default_rng(seed).multivariate_hypergeometric(whole.ravel(), pictures).reshape(whole.shape)
    return dict(zip(counts, taken, strict=True))


def beside(table: str, counts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Table 6, 7, 8 or 9 beside scores of our own: its 18 rows, our columns with ``_ours`` behind their names.

    Parameters
    ----------
    table: its name.
    counts: emotion -> (3, 3); what the table has no rows for is left out.
    """
    ours = by_class(counts).set_index(["emotion", "rank"])
    return printed_scores(table).join(ours, rsuffix="_ours")


def bars(scores: pd.DataFrame, title: str) -> Figure:
    """Four bars for each emotion and rank, printed above and our own below, as in figures 13 and 14.

    Parameters
    ----------
    scores: from :func:`beside`; NaN is drawn as no bar.
    title: over the upper bars.
    """
    figure, axes = plt.subplots(2, 1, figsize=(figures.WIDTH, 5.4), sharex=True, sharey=True)
    places = np.arange(len(scores)) + 0.8 * (np.arange(len(scores)) // len(RANKS))
    for axis, suffix, source in zip(axes, ("", "_ours"), ("printed", "ours"), strict=True):
        for offset, (name, colour) in enumerate(zip(tables.SCORES, figures.SERIES_COLOURS, strict=False)):
            label = name.replace("f1", "F1")
            axis.bar(places + 0.2 * (offset - 1.5), scores[f"{name}{suffix}"], 0.2, color=colour, label=label)
        axis.set_ylabel(source)
        axis.set_ylim(0, 1.05)
    axes[0].set_title(title, fontsize=12)
    names = [f"{emotion}, {rank}" for emotion, rank in scores.index]
    axes[1].set_xticks(places, names, rotation=90, fontsize=10)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=11)
    return figure


def total(counts: Mapping[str, np.ndarray]) -> np.ndarray:
    """The matrix of all emotions together."""
    return np.sum([np.asarray(matrix) for matrix in counts.values()], axis=0)


def record() -> Path:
    """Score the ranks of three networks on synthetic faces and write them to ``data/recorded``; returns where."""
    start = time.process_time()
    train = intensity.part("synthetic", "train", TRAIN)
    test, valid = (Faces.of(pictures.synthetic(TEST, which)) for which in ("test", "valid"))
    found = []
    for seed in SEEDS:
        network = intensity.network_of("trained", train, epochs=EPOCHS, seed=seed)
        counts = ranked(network, test, valid)
        found.append({rule: {name: m.tolist() for name, m in by.items()} for rule, by in counts.items()})
    values = {"runs": found, "train": TRAIN, "test": TEST, "cpu_seconds": round(time.process_time() - start)}
    faces = datasets.load("synthetic", count=10)
    return records.write(RECORD, values, faces=faces, module=__file__, seeds=list(SEEDS), epochs=EPOCHS)


def recorded() -> list[dict[str, dict[str, list[list[int]]]]] | None:
    """One entry of the record per network, as :func:`ranked` gives it; None while there is no record."""
    values = records.values_of(RECORD)
    return None if values is None else values["runs"]
