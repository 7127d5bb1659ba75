"""Which of two collections of grey pictures show the same: by pixels, one of them perhaps re-encoded with losses."""

from typing import NamedTuple

import numpy as np

#: Side in pixels of the blocks whose means are compared first.
BLOCK = 4
#: Pictures compared at a time; bounds the memory to some 100 MB.
_CHUNK = 512


class Matches(NamedTuple):
    """What was found for each of N pictures.

    place: (N,) of its twin among the known ones; -1 where there is none, -2 where there is more than one candidate or
        two pictures have the same twin.
    distance: (N,) root mean square difference to the nearest known picture, in grey levels; inf where that is beyond
        the limit.
    """

    place: np.ndarray
    distance: np.ndarray


NONE, AMBIGUOUS = -1, -2


def match(pictures: np.ndarray, known: np.ndarray, limit: float, ratio: float) -> Matches:
    """Find each picture among the known ones, one to one.

    A known picture is the twin of a picture if it is within `limit`, no other known one is within `ratio` times its
    distance (or within half a grey level, where it is the very same), and it is the twin of no other picture. Nothing
    within the limit is overlooked: means of blocks never differ by more than the pixels do, so what is too far apart
    in them is so in full, and only the rest is compared in full.

    Parameters
    ----------
    pictures, known: uint8 (N, H, W) and (M, H, W), H and W multiples of ``BLOCK``.
    limit: largest root mean square difference of a twin, in grey levels.
    ratio: how many times farther away the second candidate must be; more than 1.
    """
    place = np.full(len(pictures), NONE)
    distance = np.full(len(pictures), np.inf)
    coarse = _means(known)
    squares = (coarse**2).sum(1)
    # Of the second candidate one must know whether it is beyond `ratio` times the first.
    reach = (limit * ratio) ** 2
    for start in range(0, len(pictures), _CHUNK):
        part = _means(pictures[start : start + _CHUNK])
        apart = ((part**2).sum(1)[:, None] + squares - 2 * part @ coarse.T) / coarse.shape[1]
        # A hundredth more for the rounding of 32-bit sums.
        rows, columns = np.nonzero(apart <= reach * 1.01 + 0.1)
        for row in np.unique(rows):
            near = columns[rows == row]
            own = pictures[start + row].astype(np.float32)
            differences = np.sqrt(((known[near].astype(np.float32) - own) ** 2).mean((1, 2)))
            order = differences.argsort()
            best = float(differences[order[0]])
            if best > limit:
                continue
            distance[start + row] = best
            second = float(differences[order[1]]) if len(order) > 1 else np.inf
            place[start + row] = near[order[0]] if second > max(ratio * best, 0.5) else AMBIGUOUS
    found, times = np.unique(place[place >= 0], return_counts=True)
    place[np.isin(place, found[times > 1])] = AMBIGUOUS
    return Matches(place, distance)


def _means(pictures: np.ndarray) -> np.ndarray:
    """Means of blocks around 0. -> float32 (N, blocks)."""
    count, height, width = pictures.shape
    blocks = pictures.reshape(count, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return (blocks.mean((2, 4), dtype=np.float32) - 128).reshape(count, -1)
