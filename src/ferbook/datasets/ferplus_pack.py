"""FER+ written as mosaics, the smallest of its forms: for a machine to which little can be carried."""

import csv
from pathlib import Path

from PIL import Image

from ferbook.core import paths
from ferbook.core.errors import FerbookError
from ferbook.datasets import cache, ferplus
from ferbook.datasets.ferplus_parts import SIDE, mosaic_size, to_mosaic
from ferbook.faces.faceset import FaceSet

#: Pixels of the longest side that WebP knows.
LONGEST_SIDE = 16_383
#: The box of every face in the label tables of FER+'s tools: the whole picture.
BOX = f"(0, 0, {SIDE}, {SIDE})"


def write(folder: Path, root: str | Path | None = None) -> tuple[FaceSet, dict[str, int]]:
    """Read FER+ from `root` and write a mosaic and a label table per part into `folder`: whole or not at all.

    What was written is read again and compared before it takes its place.

    Parameters
    ----------
    folder: must not exist or be empty.
    root: as for :func:`ferbook.datasets.load`.

    Returns
    -------
    The faces, and the bytes of each file by its name.

    Raises
    ------
    DataError: if FER+ is missing or broken.
    FerbookError: if something is at `folder` already, or a part has no faces or more than a mosaic holds.
    OutputError: if there is no room or no right to write.
    """
    folder = Path(folder)
    paths.require_new(folder)
    faces = ferplus.load(root)
    with paths.new_folder(folder) as made:
        for split, name in ferplus.PARTS.items():
            _write_part(faces, split, made / name)
        if cache.content_checksum(ferplus.find(made).read()) != faces.provenance["checksum"]:
            raise FerbookError("the mosaics read back as other faces than were written; nothing was kept.")
        sizes = {path.name: path.stat().st_size for path in sorted(made.iterdir())}
    return faces, sizes


def _write_part(faces: FaceSet, split: str, place: Path) -> None:
    """The files of one part: `place` with the suffixes of both."""
    chosen = faces.split == split
    count = int(chosen.sum())
    if not count:
        raise FerbookError(f"FER+ has no face of the {split} part here, and all three parts are needed.")
    if mosaic_size(count)[1] > LONGEST_SIDE:
        raise FerbookError(
            f"the {split} part has {count:,} faces; as a mosaic it would be {mosaic_size(count)[1]:,} pixels high, and "
            f"a WebP has at most {LONGEST_SIDE:,}."
        )
    # The order of names, in which a face set is. A method that searches for longer saves 0.6 % in three times the time.
    picture = Image.fromarray(to_mosaic(faces.images[chosen]))
    picture.save(place.with_suffix(".webp"), lossless=True, quality=50, method=1)
    with place.with_suffix(".csv").open("w", newline="", encoding="utf-8") as stream:
        rows = zip(faces.ids[chosen].tolist(), faces.votes[chosen].tolist(), strict=True)
        csv.writer(stream, lineterminator="\n").writerows([name, BOX, *votes] for name, votes in rows)
