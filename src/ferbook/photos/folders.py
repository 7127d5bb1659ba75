"""Photographs to a folder of results: cards and a table, from where an interrupted run ended."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from ferbook.core import paths
from ferbook.core.errors import DataError
from ferbook.photos import pictures, table
from ferbook.photos.pictures import Picture, UnreadableError
from ferbook.photos.reader import DEFAULT, Model, load_model

#: Seconds between two writings of the table, and at least this many times what one takes.
EVERY, TIMES = 2.0, 20
#: Photographs that are read ahead.
AHEAD = 3


@dataclass(frozen=True)
class Summary:
    """What became of the photographs: how many there were, were done before, could be read; and faces found now."""

    photos: int
    before: int
    readable: int
    faces: int


@dataclass(frozen=True, eq=False)
class _Read:
    """A photograph on its way: its picture, or the reason why there is none, or neither where it is done already."""

    file: str
    digest: str
    picture: Picture | None = None
    reason: str = ""


def run(
    given: Sequence[str | Path],
    out: str | Path,
    *,
    model: str = DEFAULT,
    explain: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Summary:
    """Answer photographs and write ``results.csv``, ``results.jsonl`` and a card per photograph that could be read.

    Parameters
    ----------
    given: photographs and folders of them; see ``pictures.listed``.
    out: folder of the results, made if it is not there.
    model: of ``trained.RELEASED``.
    explain: show on the cards what speaks for the most probable emotion.
    overwrite: answer again what is answered already.
    progress: show a bar.

    Raises
    ------
    ConfigError: if there is no such model.
    DataError: if the results cannot be written there, or what is there is no table of answers.
    """
    out = Path(out)
    try:
        (out / "cards").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"results cannot be written here ({error.strerror})", out, hint="Give another --out.") from None
    reader = load_model(model)
    results = table.Table(out, anew=False) if not overwrite else _lenient(out)
    files = list(dict.fromkeys(path for one in given for path in pictures.listed(Path(one), without=out)))
    before = readable = faces = 0
    written, cost = time.monotonic(), 0.0

    def read(path: Path) -> _Read:
        file = str(path)
        try:
            data = pictures.load(path)
        except UnreadableError as error:
            return _Read(file, "", reason=str(error))
        digest = pictures.digest(data)
        if not overwrite and results.done(file, reader.mark, digest, explain):
            return _Read(file, digest)
        try:
            return _Read(file, digest, pictures.decode(data))
        except UnreadableError as error:
            return _Read(file, digest, reason=str(error))

    for one in tqdm(_ahead(read, files), "reading faces", len(files), unit="photo", disable=not progress):
        if one.picture is not None:
            made = _answered(reader, one, out, explain)
            results.put(one.file, made)
            faces += made[0]["faces"]
        elif one.reason:
            results.put(one.file, [table.without_answer(one.file, reader.mark, one.reason, digest=one.digest)])
        else:
            before += 1
        readable += table.answered(results.rows[one.file])
        if time.monotonic() - written > max(EVERY, TIMES * cost):
            start = time.monotonic()
            results.write()
            written = time.monotonic()
            cost = written - start
    results.write()
    return Summary(len(files), before, readable, faces)


def _lenient(out: Path) -> table.Table:
    """What is there, or nothing where it cannot be read: it is to be overwritten."""
    try:
        return table.Table(out)
    except DataError:
        return table.Table(out, anew=True)


def _ahead(read, files: Iterable[Path]) -> Iterator[_Read]:
    """What `read` gives for each file, in order, a few of them read while the caller is busy."""
    with ThreadPoolExecutor(1) as pool:
        waiting: list[Future[_Read]] = []
        for path in files:
            waiting.append(pool.submit(read, path))
            if len(waiting) > AHEAD:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()


def _answered(model: Model, one: _Read, out: Path, explain: bool) -> list[table.Row]:
    """The rows of a photograph, after its card was written."""
    from ferbook.photos import cards

    seen = model.see(one.picture)
    answers = model.answer(seen.faces)
    relevance = model.explain(seen.faces, answers.probabilities.argmax(axis=1)) if explain else None
    made = table.rows(one.file, model.mark, one.picture, seen, answers, one.digest)
    # Two photographs of one name in two folders have two cards.
    mark = hashlib.sha256(str(Path(one.file).resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    card = Path("cards") / f"{_short(Path(one.file).stem)}-{mark}.png"
    drawn = cards.draw(Path(one.file).name, one.picture, seen, answers, model, relevance)
    with paths.replacing(out / card) as staging:
        drawn.save(staging, format="PNG", compress_level=1)
    return [row | {"card": card.as_posix(), "explained": explain and bool(row["faces"])} for row in made]


def _short(stem: str, most: int = 200) -> str:
    """A photograph's name, at most 80 characters and so many bytes of it: a file's name has 255 at most."""
    stem = stem[:80]
    while len(os.fsencode(stem)) > most:
        stem = stem[:-1]
    return stem


def predict(images: object, *, model: str | Model = DEFAULT) -> pd.DataFrame:
    """What released networks say of the faces in pictures: one row per face.

    Parameters
    ----------
    images: a path, a Pillow picture or an array (H, W), (H, W, 3) or (H, W, 4), uint8, uint16 or floats in [0, 1]; or
        several of these in a list or stacked as (N, H, W[, 3]). A folder stands for what it holds.
    model: name of a released network, or what ``load_model`` gave.

    Returns
    -------
    The table that :mod:`ferbook.photos.table` describes. A picture without a face, or that cannot be read, has one row
    with its ``reason``. ``ferbook predict`` writes the same rows, and cards.

    Raises
    ------
    ConfigError: if there is no such model.
    TypeError: if `images` is none of these.
    """
    reader = model if isinstance(model, Model) else load_model(model)
    made: list[table.Row] = []
    for file, read in _pictures(images):
        try:
            picture, digest = read()
        except UnreadableError as error:
            made.append(table.without_answer(file, reader.mark, str(error)))
            continue
        seen = reader.see(picture)
        made += table.rows(file, reader.mark, picture, seen, reader.answer(seen.faces), digest)
    return table.frame(made)


def _pictures(images: object) -> Iterator[tuple[str, object]]:
    """Name of each picture and a function that gives it and the digest of its file."""
    single = isinstance(images, (str, Path, Image.Image)) or (
        isinstance(images, np.ndarray) and (images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (3, 4)))
    )
    if not single and not isinstance(images, Iterable):
        raise TypeError(f"a picture is a path, a Pillow picture or an array, not {type(images).__name__}")
    for place, image in enumerate([images] if single else images):
        if isinstance(image, (str, Path)):
            for path in pictures.listed(Path(image)):
                yield str(path), lambda path=path: _of_file(path)
        elif isinstance(image, Image.Image):
            yield str(place), lambda image=image: (pictures.of_image(image), "")
        elif isinstance(image, np.ndarray):
            yield str(place), lambda image=image: (pictures.of_array(image), "")
        else:
            raise TypeError(f"picture {place} is a path, a Pillow picture or an array, not {type(image).__name__}")


def _of_file(path: Path) -> tuple[Picture, str]:
    data = pictures.load(path)
    return pictures.decode(data), pictures.digest(data)
