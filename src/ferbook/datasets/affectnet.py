"""AffectNet (Mollahosseini et al. 2017), the manually annotated part, in the two layouts that were given out.

* **2017**: ``training.csv`` and ``validation.csv`` (which came without a header) list pictures of all sizes and formats
  under ``Manually_Annotated_Images/``, with a box around the face, the expression, valence and arousal;
* **2021**: ``train_set/`` and ``val_set/``, each with ``images/7.jpg`` (cropped, 224 x 224) and
  ``annotations/7_exp.npy``, ``7_val.npy``, ``7_aro.npy``, ``7_lnd.npy``.

Both hold 287,651 and 4,000 faces with one of the eight expressions; copies of the second may lack a few. At 224 pixels
that is 44 GB: :func:`load` can take fewer faces, one part, or a smaller size. Landmarks are not read.
"""

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ferbook.core import paths, temporary
from ferbook.core.errors import ConfigError, DataError, MissingDataError, clearly_written
from ferbook.datasets import cache

# What the tables look like is of use outside, too.
from ferbook.datasets.affectnet_releases import (  # noqa: F401
    BROKEN_IN_RELEASE,
    CODES,
    COLUMNS,
    FOLDERS,
    HOW_TO_GET,
    IMAGES,
    LEFT_OUT,
    PARTS,
    TABLES,
    Face,
    Layout,
    Release2017,
    Release2021,
)
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import DAMAGED, MOST_PIXELS, cause, find_file, quiet
from ferbook.faces.emotions import EMOTIONS, index
from ferbook.faces.faceset import FaceSet

#: Faces with one of the eight expressions in each part.
FACES: dict[str, int] = {"train": 287_651, "valid": 4_000}
#: Rows of both published tables together, faces without an expression included, as those who have them count in public.
ANNOTATED = 420_299
#: Faces of each expression in the published training table, as those who have it count them in public.
TRAINING_FACES: dict[str, int] = dict(
    zip(CODES, (74_874, 134_415, 25_459, 14_090, 6_378, 3_803, 24_882, 3_750), strict=True)
)
#: Pillow's names of the formats in the release of 2017.
FORMATS: tuple[str, ...] = ("JPEG", "PNG", "BMP", "TIFF", "GIF")
CARD = CARDS["affectnet"]


def load(
    root: str | Path | None = None,
    *,
    size: int = 224,
    parts: Sequence[str] = PARTS,
    per_class: int | None = None,
    seed: int = 0,
) -> FaceSet:
    """Read AffectNet from `root`, from the prepared copy where the source is unchanged.

    The source counts as changed when a table changes, or when files come to or go from its folders. A picture that was
    overwritten in place is not noticed: looking at half a million files would take minutes. Clear the cache then.

    Parameters
    ----------
    root: see :func:`ferbook.datasets.load`.
    size: side in pixels. The box around the face (2017) or the whole picture (2021) is scaled to it (bicubic, with
        antialiasing); of a box that is not square, the middle square.
    parts: out of ``PARTS``. There is no public test part: papers tested on ``valid``.
    per_class: at most so many faces of each expression and part, drawn with `seed`; None for all.

    Returns
    -------
    FaceSet: images (N, size, size, 3), distribution (one emotion each), split, vad (N, 3) in [-1, 1]: dominance is NaN
        throughout, valence and arousal where they are absent. ``provenance`` has the release (``layout``), the options,
        and how many faces without an expression were left out.

    Raises
    ------
    ConfigError: if an option is out of range, or the cache has no room for so many pictures.
    DataError: if it is missing or broken; names file and row.
    """
    if size < 1:
        raise ConfigError("size", f"{size} is not a size in pixels")
    if not parts or not set(parts) <= set(PARTS):
        raise ConfigError("parts", f"{list(parts)} are not parts of AffectNet", f"Known: {', '.join(PARTS)}.")
    if per_class is not None and per_class < 1:
        raise ConfigError("per_class", f"{per_class} faces of each expression are none")
    wanted = tuple(part for part in PARTS if part in parts)
    found = find(root)
    source = f"{found.folder} {size} {wanted} {per_class} {seed}"
    with ExitStack() as keep:
        # The pictures may not fit into memory: they are decoded into a file, from which the cache copies them.
        def build() -> FaceSet:
            scratch = keep.enter_context(temporary.folder(paths.cache_root()))
            return _read(found, size, wanted, per_class, seed, scratch / "images.npy")

        return cache.prepared("affectnet", source, found.mark(), build)


def find(root: str | Path | None = None) -> Layout:
    """AffectNet at `root` or in its subfolder ``affectnet`` or ``AffectNet``, not read yet.

    Raises MissingDataError if there is none.
    """
    place = paths.data_root(root)
    for folder in (place, place / "affectnet", place / "AffectNet"):
        if any((folder / name).is_dir() for name in FOLDERS.values()):
            return Release2021(folder)
        for tables in (folder, folder / "Manually_Annotated_file_lists"):
            if any(find_file(tables, name) for name in TABLES.values()):
                return Release2017(folder, tables)
    problem = f"no AffectNet here: neither {FOLDERS['train']} nor {TABLES['train']}"
    raise MissingDataError(problem, place, hint=HOW_TO_GET)


def _read(found: Layout, size: int, parts: Sequence[str], per_class: int | None, seed: int, scratch: Path) -> FaceSet:
    rng = np.random.default_rng(seed)
    left_out: Counter[str] = Counter()
    chosen: list[Face] = []
    split: list[str] = []
    first_seen: dict[str, str] = {}
    for part in parts:
        faces = []
        for face in found.faces(part):
            if face.code >= len(CODES):
                left_out[LEFT_OUT[face.code - len(CODES)]] += 1
            elif face.name == BROKEN_IN_RELEASE:
                left_out["empty in the release"] += 1
            elif first_seen.setdefault(face.name, part) != part:
                raise DataError(f"is a face of both {first_seen[face.name]} and {part}", face.path, hint=DAMAGED)
            else:
                faces.append(face)
        kept = _draw(faces, per_class, rng)
        chosen += kept
        split += [part] * len(kept)
    if not chosen:
        raise DataError("no face with one of the eight expressions", found.folder, hint=DAMAGED)
    _need_room(len(chosen) * size * size * 3)
    with clearly_written(scratch.parent.parent):
        images = np.lib.format.open_memmap(scratch, "w+", np.uint8, (len(chosen), size, size, 3))
        if hasattr(os, "posix_fallocate"):
            # Claim the room now: a mapped file that the disk has no room for kills the process without a word.
            with scratch.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, scratch.stat().st_size)
    for place, face in enumerate(chosen):
        images[place] = _picture(face, size)
    return FaceSet(
        name="affectnet",
        images=images,
        ids=np.array([face.name for face in chosen]),
        split=np.array(split),
        distribution=np.eye(len(EMOTIONS))[[index(CODES[face.code]) for face in chosen]],
        vad=np.array([(face.valence, face.arousal, np.nan) for face in chosen]),
        provenance={
            "layout": found.name,
            "size": size,
            "per_class": per_class,
            "seed": seed,
            "complete": all(split.count(part) == FACES[part] for part in parts),
            "left_out": dict(left_out),
            "terms": CARD.terms,
        },
    )


def _draw(faces: list[Face], per_class: int | None, rng: np.random.Generator) -> list[Face]:
    """At most `per_class` faces of each expression, in their order."""
    if per_class is None:
        return faces
    codes = np.array([face.code for face in faces])
    drawn = [rng.permutation(np.flatnonzero(codes == code))[:per_class] for code in range(len(CODES))]
    return [faces[place] for place in sorted(np.concatenate(drawn).tolist())]


def _need_room(total: int) -> None:
    # The scratch file and its copy in the cache lie there at the same time.
    root = paths.cache_root()
    free = shutil.disk_usage(root).free
    if 2 * total > free:
        problem = f"preparing the pictures takes {2 * total / 1e9:.1f} GB of {root}, where {free / 1e9:.1f} GB are free"
        hint = "Ask for fewer faces (per_class, parts), a smaller size, or set FERBOOK_CACHE to a larger disk."
        raise ConfigError("size", problem, hint)


def _picture(face: Face, size: int) -> np.ndarray:
    """The face scaled to (size, size, 3). Pictures of this set come in many modes; all are turned into RGB."""
    try:
        with quiet(), Image.open(face.path, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise DataError(f"is {picture.width} x {picture.height} pixels large", face.path, hint=DAMAGED)
            if face.box is not None:
                left, top, width, height = face.box
                # Some boxes reach beyond their picture.
                right, bottom = min(left + width, picture.width), min(top + height, picture.height)
                left, top = max(left, 0), max(top, 0)
                if right <= left or bottom <= top:
                    problem = f"its box {face.box} lies outside of its {picture.width} x {picture.height} pixels"
                    raise DataError(problem, face.path, hint=DAMAGED)
                picture = picture.crop((left, top, right, bottom))
            return np.asarray(ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.BICUBIC))
    except UnidentifiedImageError:
        raise DataError(f"is not a {'/'.join(FORMATS)} image", face.path, hint=DAMAGED) from None
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"is a broken image ({cause(error)})", face.path, hint=DAMAGED) from None
