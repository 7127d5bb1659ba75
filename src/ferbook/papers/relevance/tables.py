"""What paper 001's tables say about themselves: every cell that follows from other printed cells, computed again.

The tables stand in ``data/claims/tables/001-*.csv``. No torch.
"""

from itertools import count

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from ferbook.claims import printed
from ferbook.faces.raters import majority, tally
from ferbook.relevance.ranks import BINS, RANKS, WINDOWS, rank_as_tabulated, window_counts

#: Tables of bin counts (JAFFE, AffectNet) and of precision and recall by emotion and rank.
COUNT_TABLES: tuple[str, ...] = ("001-table3", "001-table4")
SCORE_TABLES: dict[str, str] = {
    "001-table6": "KDEF",
    "001-table7": "JAFFE",
    "001-table8": "CK+",
    "001-table9": "AffectNet",
}
#: Columns of the latter that are averaged in the last row.
SCORES: tuple[str, ...] = ("accuracy", "precision", "recall", "f1")
#: What table 5 calls the ranks.
SHORT: tuple[str, ...] = ("Min", "Avg", "Str")
#: Half of the last printed digit.
HALF = 0.005


def called(table: str) -> str:
    """What readers call a table: ``table 7`` of ``001-table7``."""
    return f"table {table.removeprefix('001-table')}"


def counts(table: str) -> np.ndarray:
    """Printed bin counts of table 3 or 4: (8, 10)."""
    return printed.table(table)[[f"group_{k}" for k in range(1, BINS + 1)]].to_numpy(dtype=np.int64)


def windows(table: str) -> pd.DataFrame:
    """Tables 3 and 4 beside what follows from their bin counts: one row per image.

    Columns: ``image``; ``values``, how many scores are counted; ``mu_1`` to ``mu_3`` and ``rank`` as printed (rank in
    the words of ``RANKS``), and with ``_again`` as the counts give them.
    """
    content, groups = printed.table(table), counts(table)
    again = window_counts(groups)
    out = pd.DataFrame({"image": content["image"], "values": groups.sum(axis=1)})
    for place in range(len(WINDOWS)):
        out[f"mu_{place + 1}"] = content[f"mu_{place + 1}"].astype(int)
        out[f"mu_{place + 1}_again"] = again[:, place]
    out["rank"] = content["rank"].str.lower()
    out["rank_again"] = [RANKS[k] for k in rank_as_tabulated(groups)]
    return out


def mean_bounds(groups: np.ndarray) -> np.ndarray:
    """Least and greatest mean score that each window can have, given how many scores lie in each group.

    Parameters
    ----------
    groups: (N, 10) counts.

    Returns
    -------
    (N, 3, 2); NaN where a window is empty.
    """
    groups = np.asarray(groups, dtype=np.float64)
    edges = np.arange(BINS + 1) / BINS
    bounds = np.full((len(groups), len(WINDOWS), 2), np.nan)
    for place, (first, last) in enumerate(WINDOWS):
        inside = slice(first - 1, last)
        total = groups[:, inside].sum(axis=1)
        for end, edge in enumerate((edges[:-1], edges[1:])):
            np.divide(groups[:, inside] @ edge[inside], total, out=bounds[:, place, end], where=total > 0)
    return bounds


def image_side(table: str) -> int:
    """Side in pixels of the square RGB picture whose values table 3 or 4 counts, all of them but one.

    Raises ValueError if the rows count different numbers, or no such picture has that many values.
    """
    totals = np.unique(counts(table).sum(axis=1))
    side = round(float(np.sqrt((totals[0] + 1) / 3)))
    if len(totals) != 1 or 3 * side * side != totals[0] + 1:
        raise ValueError(f"{table} counts {totals.tolist()} values")
    return side


def left_out(table: str) -> dict[str, str]:
    """Which value of each picture table 3 or 4 does not count, if relevance is scaled to its range: by image.

    The least value is then 0 and belongs to group 1, the greatest is 1 and belongs to group 10. Where one of these
    groups is empty, it is that one; elsewhere it may be either.
    """
    found = {}
    for image, groups in zip(printed.table(table)["image"], counts(table), strict=True):
        found[image] = "minimum" if groups[0] == 0 else "maximum" if groups[-1] == 0 else "either"
    return found


def scores(table: str) -> pd.DataFrame:
    """Table 6, 7, 8 or 9 without its last row, numbers as floats, with columns ``f1_low`` and ``f1_high``.

    These bound the F1 that precision and recall give, wherever within printed rounding these lie.
    """
    content = printed.table(table)
    content = content[content["class"] != "average"].copy()
    content[list(SCORES)] = content[list(SCORES)].astype(float)
    content["f1_low"], content["f1_high"] = f1_bounds(content["precision"], content["recall"])
    return content


def f1(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall, 0 where both are."""
    p, r = np.asarray(precision, dtype=np.float64), np.asarray(recall, dtype=np.float64)
    return np.divide(2 * p * r, p + r, out=np.zeros(np.broadcast(p, r).shape), where=(p + r) > 0)


def f1_bounds(precision: np.ndarray, recall: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest F1 of precision and recall that are printed with two digits; both rise with either."""
    p, r = np.asarray(precision, dtype=np.float64), np.asarray(recall, dtype=np.float64)
    return f1(np.maximum(p - HALF, 0), np.maximum(r - HALF, 0)), f1(np.minimum(p + HALF, 1), np.minimum(r + HALF, 1))


def wrong_f1(table: str) -> pd.DataFrame:
    """Rows of :func:`scores` whose printed F1 no rounding of their precision and recall gives."""
    content = scores(table)
    low, high = content["f1_low"] - HALF - 1e-9, content["f1_high"] + HALF + 1e-9
    return content[(content["f1"] < low) | (content["f1"] > high)]


def column_mean(table: str, column: str) -> float:
    """Mean of a column of table 6 to 9 over its 18 classes."""
    return float(scores(table)[column].mean())


#: What accuracy may mean for one of three ranks: the share of the emotion's pictures with the right rank (the same for
#: all three); the share for which "is it this rank?" is answered rightly, among them; the same among more pictures.
ACCURACIES = ("all ranks", "one rank", "one rank of more pictures")


def matrix_exists(
    precision: np.ndarray,
    recall: np.ndarray,
    faces: int | None = None,
    accuracy: np.ndarray | None = None,
    meaning: str = ACCURACIES[0],
) -> bool:
    """Whether any confusion matrix has these precisions and recalls in its classes, to two digits, and accuracies.

    A class whose precision and recall are both printed as 0 may be empty; every other one holds a face.

    Parameters
    ----------
    precision, recall: (C,) as printed.
    faces: at most so many faces belong to a class. Below 200, a printed 1.00 means that there is no mistake at all.
        None: any number.
    accuracy: (C,) as printed; None asks without them.
    meaning: of the accuracies, one of ``ACCURACIES``.

    Returns
    -------
    bool: False is a proof. True says that shares exist; whole faces need not.
    """
    size = len(precision)
    few = faces is not None and faces * HALF < 1
    # cells[i, j] picks entry (i, j): true i, named j. The last unknown is the number that accuracy is a share of.
    unknowns = np.eye(size * size + 1)
    cells, pictures = unknowns[:-1].reshape(size, size, -1), unknowns[-1]
    every, diagonal = cells.sum(axis=(0, 1)), sum(cells[k, k] for k in range(size))
    lines: list[np.ndarray] = []
    limits: list[float] = []

    def at_most(line: np.ndarray, limit: float = 0.0) -> None:
        lines.append(line)
        limits.append(limit)

    for k, (p, r) in enumerate(np.column_stack([precision, recall]).astype(float)):
        true, named, hit = cells[k].sum(axis=0), cells[:, k].sum(axis=0), cells[k, k]
        for value, whole in ((p, named), (r, true)):
            at_most((1.0 if few and value == 1.0 else max(value - HALF, 0.0)) * whole - hit)
            at_most(hit - min(value + HALF, 1.0) * whole)
        if p > 0 or r > 0:
            at_most(-true, -1.0)
        if faces is not None:
            at_most(true, float(faces))
        if accuracy is not None:
            wrong = every - diagonal if meaning == "all ranks" else true + named - 2 * hit
            share = 1 - float(np.asarray(accuracy)[k])
            at_most(wrong - (share + HALF) * pictures)
            at_most(max(share - HALF, 0) * pictures - wrong)
    if accuracy is not None:
        at_most(every - pictures)
        if meaning != "one rank of more pictures":
            at_most(pictures - every)
    found = linprog(np.zeros(size * size + 1), A_ub=np.array(lines), b_ub=np.array(limits), method="highs")
    return bool(found.status == 0)


def impossible_matrices(table: str, faces: int | None = None) -> list[str]:
    """Emotions of table 6 to 9 for which no 3 x 3 matrix of ranks exists; `faces` as in :func:`matrix_exists`."""
    groups = scores(table).groupby("emotion", sort=False)
    return [str(name) for name, rows in groups if not matrix_exists(rows["precision"], rows["recall"], faces)]


def left_by_others(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What recalls remain beside precisions where 1.00 means no mistake at all, or precisions beside recalls.

    A rank that misses a picture gives it to another rank, whose precision suffers; a rank that takes a picture from
    another leaves it with less recall. So where all *other* ranks have 1 in the other column, a rank has 1 in this one.

    Parameters
    ----------
    values: (C,) of one column.
    others: (C,) of the other column.

    Returns
    -------
    (C,): `values`, with 1 where nothing else is left.
    """
    values, others = np.asarray(values, dtype=np.float64), np.asarray(others, dtype=np.float64)
    free = [bool((np.delete(others, k) < 1).any()) for k in range(len(values))]
    return np.where(free, values, 1.0)


def fewest_pictures(share: float) -> int:
    """The least number of pictures of which some share is printed as this one, with two digits."""
    return next(n for n in count(1) if abs(round(share * n) / n - share) <= HALF + 1e-9)


def needed_pictures(table: str) -> dict[str, int]:
    """How many test pictures each emotion of table 6 to 9 has at least, for its recalls and for its precisions.

    A rank whose precision and recall are printed as 0 may have none.
    """
    found = {}
    for emotion, rows in scores(table).groupby("emotion", sort=False):
        some = rows[(rows["precision"] > 0) | (rows["recall"] > 0)]
        found[str(emotion)] = max(sum(map(fewest_pictures, some[column])) for column in ("recall", "precision"))
    return found


def annotations() -> np.ndarray:
    """Table 5: (6, 10) indices into ``RANKS``."""
    content = printed.table("001-table5")[[f"annotator_{k}" for k in range(1, 11)]]
    return np.array([[SHORT.index(word) for word in line] for line in content.to_numpy()])


def annotation_counts() -> pd.DataFrame:
    """Table 5's counts and final labels, printed and (with ``_again``) counted."""
    content = printed.table("001-table5")
    again = tally(annotations(), len(RANKS))
    out = pd.DataFrame({"image": content["image"]})
    for place, name in enumerate(RANKS):
        out[name] = content[name].astype(int)
        out[f"{name}_again"] = again[:, place]
    out["final"] = content["final"]
    out["final_again"] = [SHORT[k] for k in majority(again).label]
    return out
