"""Folds for several labels per face: label-balanced, and without a picture or a person in two of them.

Paper 000 (section 2.3) promises five folds with "balanced proportions between the labels" and does not say how. With
several labels on a face, drawing each label's faces apart is impossible: a face would be drawn twice. The usual answer
is iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011): the rarest label is shared out first, each of its
faces to the fold that still wants it most, and so on until no face is left.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ferbook.core.errors import ConfigError
from ferbook.faces.faceset import FaceSet
from ferbook.faces.splits import Split, duplicate_groups


def iterative_folds(
    labels: np.ndarray, count: int = 5, *, rng: np.random.Generator, groups: np.ndarray | None = None
) -> np.ndarray:
    """Share faces out to folds so that every label is as frequent in each of them, as nearly as can be.

    Parameters
    ----------
    labels: (N, L) bool, which labels a face has; faces without any are shared out last, by the folds' sizes.
    count: of folds.
    rng: breaks ties.
    groups: (N,) faces with the same number go to the same fold; None: each goes alone. A group counts with all its
        faces, and of a label's groups those that hold most of it are placed first, where there is most room.

    Returns
    -------
    (N,) int, the fold of each face, 0 to `count` - 1.

    Raises
    ------
    ConfigError: if there are fewer than two folds, or fewer groups than folds.
    ValueError: if shapes do not fit.
    """
    labels = np.asarray(labels, dtype=bool)
    if labels.ndim != 2 or not labels.size:
        raise ValueError(f"labels must be (faces, labels), not {labels.shape}")
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    if groups.shape != (len(labels),):
        raise ValueError(f"groups must have shape ({len(labels)},), not {groups.shape}")
    _, unit = np.unique(groups, return_inverse=True)
    units = int(unit.max()) + 1
    if not 2 <= count <= units:
        raise ConfigError("folds", f"{count} cannot be made of {units} groups of faces", "Use 2 or more, or fewer.")

    sizes = np.bincount(unit, minlength=units).astype(float)
    held = np.zeros((units, labels.shape[1]))
    np.add.at(held, unit, labels)
    # What each fold still wants: faces in all, and faces of each label.
    room = np.full(count, len(labels) / count)
    wanted = np.tile(labels.sum(axis=0) / count, (count, 1))
    fold = np.full(units, -1)

    def place(chosen: int, want: np.ndarray) -> None:
        best = np.flatnonzero(want == want.max())
        best = best[room[best] == room[best].max()]
        to = int(best[0] if len(best) == 1 else rng.choice(best))
        fold[chosen] = to
        room[to] -= sizes[chosen]
        wanted[to] -= held[chosen]

    while True:
        left = held[fold < 0].sum(axis=0)
        if not left.any():
            break
        rarest = np.flatnonzero(left == left[left > 0].min())
        label = int(rarest[0] if len(rarest) == 1 else rng.choice(rarest))
        waiting = rng.permutation(np.flatnonzero((fold < 0) & (held[:, label] > 0)))
        for chosen in waiting[np.argsort(-held[waiting, label], kind="stable")]:
            place(chosen, wanted[:, label])
    waiting = rng.permutation(np.flatnonzero(fold < 0))
    for chosen in waiting[np.argsort(-sizes[waiting], kind="stable")]:
        place(chosen, room)
    return fold[unit]


def kept_together(faces: FaceSet) -> np.ndarray:
    """Group number of each face: the same for one picture that occurs twice, and for one person where people are known.

    Both at once: if a picture occurs under two people, those two are one group. -> (N,) int.
    """
    twins = duplicate_groups(faces.images)
    if faces.subject is None:
        return twins
    _, person = np.unique(faces.subject, return_inverse=True)
    nodes = len(twins) + int(person.max()) + 1
    links = coo_array((np.ones(len(twins)), (twins, len(twins) + person)), shape=(nodes, nodes))
    _, group = connected_components(links, directed=False)
    return group[twins]


def all_folds(faces: FaceSet, labels: np.ndarray, count: int = 5) -> np.ndarray:
    """The fold in which :func:`fold_split` tests each face, (N,). Parameters and errors as there."""
    return iterative_folds(labels, count, rng=np.random.default_rng(0), groups=kept_together(faces))


def fold_split(faces: FaceSet, labels: np.ndarray, fold: int, count: int = 5, valid_share: float = 0.1) -> Split:
    """One of `count` folds to test on, some of the others held out to choose the epoch on, the rest to train on.

    The first fold tested on alone is the 80/20 hold-out of paper 000 (section 2.3). The folds are the same for every
    call: their ties are broken with a fixed seed.

    Parameters
    ----------
    faces: with subjects, where they are known.
    labels: (N, L) bool.
    fold: which one tests.
    count: of folds.
    valid_share: of the other faces, about; taken as one fold of a second stratification. 0: none is held out.

    Raises
    ------
    ConfigError: if there is no such fold, or too few faces.
    """
    if not 0 <= fold < count:
        raise ConfigError("split.fold", f"there is no fold {fold} of {count}", f"Use 0 to {count - 1}.")
    groups = kept_together(faces)
    place = all_folds(faces, labels, count)
    rest = np.flatnonzero(place != fold)
    if not valid_share:
        return Split(rest, rest[:0], np.flatnonzero(place == fold))
    inner = iterative_folds(
        labels[rest], max(2, round(1 / valid_share)), rng=np.random.default_rng(1), groups=groups[rest]
    )
    return Split(rest[inner != 0], rest[inner == 0], np.flatnonzero(place == fold))


def shares(labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Share of each label's presence in each fold, (folds, L). labels: (N, L) bool; fold: (N,)."""
    return np.stack([labels[fold == number].mean(axis=0) for number in range(int(fold.max()) + 1)])


def imbalance(labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """How far, at most, a label's share in any fold lies from its share in all faces, (L,); no per cent."""
    return np.abs(shares(labels, fold) - np.asarray(labels).mean(axis=0)).max(axis=0)
