"""AffectNet (Mollahosseini et al. 2017), the manually annotated part, in the two layouts that were given out.

* **2017**: ``training.csv`` and ``validation.csv`` (which came without a header) list pictures of all sizes and formats
  under ``Manually_Annotated_Images/``, with a box around the face, the expression, valence and arousal;
* **2021**: ``train_set/`` and ``val_set/``, each with ``images/7.jpg`` (cropped, 224 x 224) and
  ``annotations/7_exp.npy``, ``7_val.npy``, ``7_aro.npy``, ``7_lnd.npy``.

Both hold 287,651 and 4,000 faces with one of the eight expressions; copies of the second may lack a few. At 224 pixels
that is 44 GB: :func:`load` can take fewer faces, one part, or a smaller size. Landmarks are not read.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError, MissingDataError
from ferbook.datasets import cache
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import DAMAGED, MOST_PIXELS, need_columns, rows
from ferbook.faces.emotions import EMOTIONS, index
from ferbook.faces.faceset import FaceSet

#: Official parts that were published, by the library's names.
PARTS: tuple[str, ...] = ("train", "valid")
#: Faces with one of the eight expressions in each part.
FACES: dict[str, int] = {"train": 287_651, "valid": 4_000}
#: Rows of both published tables together, faces without an expression included, as those who have them count in public.
ANNOTATED = 420_299
#: The integer codes of the expressions, in order. Codes after these are no expression and are left out.
CODES: tuple[str, ...] = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
#: Faces of each expression in the published training table, as those who have it count them in public.
TRAINING_FACES: dict[str, int] = dict(
    zip(CODES, (74_874, 134_415, 25_459, 14_090, 6_378, 3_803, 24_882, 3_750), strict=True)
)
LEFT_OUT: tuple[str, ...] = ("none", "uncertain", "no face")
#: Valence and arousal of a face that has none.
ABSENT = -2
#: Columns of the tables, in order.
COLUMNS: tuple[str, ...] = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
TABLES: dict[str, str] = {"train": "training.csv", "valid": "validation.csv"}
IMAGES = "Manually_Annotated_Images"
FOLDERS: dict[str, str] = {"train": "train_set", "valid": "val_set"}
#: Empty in the release itself.
BROKEN_IN_RELEASE = "103/29a31ebf1567693f4644c8ba3476ca9a72ee07fe67a5860d98707a0a.jpg"
#: Pillow's names of the formats in the release of 2017.
FORMATS: tuple[str, ...] = ("JPEG", "PNG", "BMP", "TIFF", "GIF")
CARD = CARDS["affectnet"]
HOW_TO_GET = CARD.how_to_get


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
            paths.cache_root().mkdir(parents=True, exist_ok=True)
            scratch = keep.enter_context(tempfile.TemporaryDirectory(dir=paths.cache_root(), prefix=".affectnet-"))
            return _read(found, size, wanted, per_class, seed, Path(scratch) / "images.npy")

        return cache.prepared("affectnet", source, found.mark(), build)


def find(root: str | Path | None = None) -> Layout:
    """AffectNet at `root` or in its subfolder ``affectnet`` or ``AffectNet``, not read yet.

    Raises
    ------
    MissingDataError: if there is none.
    """
    place = paths.data_root(root)
    for folder in (place, place / "affectnet", place / "AffectNet"):
        if any((folder / name).is_dir() for name in FOLDERS.values()):
            return _Release2021(folder)
        for tables in (folder, folder / "Manually_Annotated_file_lists"):
            if any((tables / name).is_file() for name in TABLES.values()):
                return _Release2017(folder, tables)
    problem = f"no AffectNet here: neither {FOLDERS['train']} nor {TABLES['train']}"
    raise MissingDataError(problem, place, hint=HOW_TO_GET)


class Layout(Protocol):
    """AffectNet as it lies on disk in one of the two layouts."""

    folder: Path
    name: str

    def mark(self) -> str:
        """Fingerprint of tables and folders (not of each picture), hex."""
        ...

    def faces(self, part: str) -> Iterator[Face]:
        """Every annotated face of a part, in order, its picture not looked at. Raises DataError."""
        ...


class Face(NamedTuple):
    """One annotated picture.

    `code` may be one of ``LEFT_OUT``. `valence` and `arousal` are NaN where absent. `box` is left, top, width, height.
    """

    name: str
    path: Path
    box: tuple[int, int, int, int] | None
    code: int
    valence: float
    arousal: float


class _Release2017:
    name = "2017"

    def __init__(self, folder: Path, tables: Path):
        self.folder = folder
        self.tables = tables
        # The archive has a folder in a folder.
        places = (folder / "Manually_Annotated" / IMAGES, folder / IMAGES / IMAGES, folder / IMAGES)
        self.images = next((place for place in places if place.is_dir()), places[-1])

    def mark(self) -> str:
        tables = [path for path in (self.tables / name for name in TABLES.values()) if path.is_file()]
        folders = [self.images, *(path for path in self.images.glob("*") if path.is_dir())]
        return sha256(f"{cache.fingerprint(tables)} {_last_changes(folders)}".encode()).hexdigest()

    def faces(self, part: str) -> Iterator[Face]:
        path = self.tables / TABLES[part]
        if not path.is_file():
            hint = f"Ask for the parts that are there, or add it. {HOW_TO_GET}"
            raise DataError(f"the {part} part is missing", path, hint=hint)
        if not self.images.is_dir():
            raise DataError("the folder of pictures is missing", self.images, hint=HOW_TO_GET)
        first_seen: dict[str, int] = {}
        for line, row in _rows(path):
            name = (row["subDirectory_filePath"] or "").strip()
            if not name:
                raise DataError("a row without a picture", path, line, DAMAGED)
            if name in first_seen:
                hint = "Each face must be listed once; remove one of the two."
                raise DataError(f"{name} is listed a second time (first in line {first_seen[name]})", path, line, hint)
            first_seen[name] = line
            code = _code(row["expression"], path, line)
            if code >= len(CODES) or name == BROKEN_IN_RELEASE:
                # Such rows have no box and no values.
                yield Face(name, self.images / name, None, code, np.nan, np.nan)
                continue
            if not (self.images / name).is_file():
                raise DataError(f"{name} is listed but not in {self.images.name}", path, line, DAMAGED)
            values = [_value(row[column], column, path, line) for column in ("valence", "arousal")]
            yield Face(name, self.images / name, _box(row, path, line), code, *values)


class _Release2021:
    name = "2021"

    def __init__(self, folder: Path):
        self.folder = folder

    def mark(self) -> str:
        parts = [self.folder / name for name in FOLDERS.values()]
        return _last_changes([part / name for part in parts for name in ("images", "annotations")])

    def faces(self, part: str) -> Iterator[Face]:
        images, annotations = (self.folder / FOLDERS[part] / name for name in ("images", "annotations"))
        for folder in (images, annotations):
            if not folder.is_dir():
                raise DataError(f"the {part} part is missing or incomplete", folder, hint=HOW_TO_GET)
        found = [path for path in images.iterdir() if path.suffix == ".jpg" and not path.name.startswith(".")]
        odd = next((path for path in found if not (path.stem.isascii() and path.stem.isdigit())), None)
        if odd is not None:
            raise DataError("unknown file name", odd, hint="A picture is named 7.jpg.")
        for path in sorted(found, key=lambda path: int(path.stem)):
            expression, valence, arousal = (annotations / f"{path.stem}_{key}.npy" for key in ("exp", "val", "aro"))
            code = _code(_stored(expression), expression)
            values = (_value(_stored(file), what, file) for file, what in ((valence, "valence"), (arousal, "arousal")))
            yield Face(f"{FOLDERS[part]}/{path.name}", path, None, code, *values)


def _last_changes(folders: list[Path]) -> str:
    total = sha256()
    for folder in sorted(folders):
        changed = folder.stat().st_mtime_ns if folder.is_dir() else "missing"
        total.update(f"{folder.name}:{changed}\n".encode())
    return total.hexdigest()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Line number and cells of a table with or without a header."""
    # A wrong byte spoils one cell, whose reader then names the line.
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        lines = rows(csv.reader(stream), path)
        first = next(lines, [])
        named = set(first) & set(COLUMNS)
        if named or len(first) != len(COLUMNS):
            need_columns(first, COLUMNS, path)
        header = first if named else list(COLUMNS)
        if not named:
            yield 1, dict(zip(header, first, strict=True))
        for line, row in enumerate(lines, start=2):
            if len(row) != len(header):
                raise DataError(f"{len(row)} cells instead of {len(header)}", path, line, DAMAGED)
            yield line, dict(zip(header, row, strict=True))


def _stored(path: Path) -> str:
    """The one value of an ``.npy`` file, which the release stores as text or number."""
    try:
        with path.open("rb") as stream:
            return str(np.lib.format.read_array(stream, allow_pickle=False).item())
    except FileNotFoundError:
        raise DataError("the annotation is missing", path, hint=DAMAGED) from None
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"holds no single value ({error})", path, hint=DAMAGED) from None


def _code(text: str | None, path: Path, line: int | None = None) -> int:
    known = (*CODES, *LEFT_OUT)
    try:
        code = float(text or "")
        if not code.is_integer() or not 0 <= code < len(known):
            raise ValueError
    except ValueError:
        hint = f"Known: {', '.join(f'{number} {name}' for number, name in enumerate(known))}."
        raise DataError(f"unknown expression {text!r}", path, line, hint) from None
    return int(code)


def _value(text: str | None, what: str, path: Path, line: int | None = None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = np.nan
    if value == ABSENT:
        return np.nan
    if not -1 <= value <= 1:
        raise DataError(f"{what} is {text!r}", path, line, f"It must be from -1 to 1, or {ABSENT} for none.")
    return value


def _box(row: dict[str, str | None], path: Path, line: int) -> tuple[int, int, int, int]:
    cells = [row[column] for column in COLUMNS[1:5]]
    try:
        left, top, width, height = (int(cell or "") for cell in cells)
        if width < 1 or height < 1:
            raise ValueError
    except ValueError:
        raise DataError(f"no box around a face: {', '.join(map(str, cells))}", path, line, DAMAGED) from None
    return left, top, width, height


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
    images = np.lib.format.open_memmap(scratch, "w+", np.uint8, (len(chosen), size, size, 3))
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
        with Image.open(face.path, formats=FORMATS) as picture:
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
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"is a broken image ({error})", face.path, hint=DAMAGED) from None
