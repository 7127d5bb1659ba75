"""What every reader does with files: decode a picture, open a table, and say clearly what is wrong with either."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from ferbook.core.errors import DataError

Row = TypeVar("Row")

DAMAGED = "The file is damaged or was cut short: fetch or make it again."
#: Pixels of the largest picture that is decoded: nine times that of the largest photograph in any data set here.
MOST_PIXELS = 64_000_000
#: Bytes that one file in an archive may unpack to; the longest label table has 2 MB.
MOST_UNPACKED = 64 * 2**20


def decode(
    data: bytes,
    source: Path,
    name: str | None = None,
    *,
    formats: tuple[str, ...] = ("PNG",),
    mode: str = "L",
    side: int | None = None,
) -> np.ndarray:
    """Pixels of one encoded picture.

    Parameters
    ----------
    data: the file's bytes.
    source, name: file or archive, and the member in it; for the error message.
    formats: Pillow's names of the accepted formats.
    mode: the mode the picture must have: ``L`` (8-bit grey) or ``RGB``.
    side: required width and height in pixels; None accepts any.

    Returns
    -------
    uint8 (H, W) or (H, W, 3).

    Raises
    ------
    DataError: if it is no picture of these formats, is broken, or has another size or mode.
    """
    wanted = "/".join(formats)
    try:
        with Image.open(io.BytesIO(data), formats=formats) as picture:
            # A header may promise more pixels than memory holds: it is looked at before anything is decoded.
            (width, height), found = picture.size, picture.mode
            if found != mode or (side is not None and (width, height) != (side, side)) or width * height > MOST_PIXELS:
                needed = f"mode {mode}" if side is None else f"{side} x {side} of mode {mode}"
                hint = "Use the pictures as they were published, without resizing or conversion."
                problem = f"is {width} x {height} pixels of mode {found} instead of {needed}"
                raise DataError(problem, source, name, hint)
            return np.asarray(picture)
    except UnidentifiedImageError:
        raise DataError(f"is not a {wanted} image", source, name, DAMAGED) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"is a broken {wanted} ({error})", source, name, DAMAGED) from None


def grey_pixels(text: str | None, side: int, source: Path, line: int) -> np.ndarray:
    """A picture written as `side` * `side` whole numbers in 0..255, row by row (FER2013's tables). -> (side, side).

    Raises
    ------
    DataError: if there are more or fewer, or one is not such a number.
    """
    try:
        values = np.array((text or "").split(), dtype=np.int64)
    except (ValueError, OverflowError):
        values = np.empty(0)
    if values.size != side * side:
        raise DataError(f"{values.size} readable pixel values instead of {side * side}", source, line, DAMAGED)
    if values.min() < 0 or values.max() > 255:
        worst = values[(values < 0) | (values > 255)][0]
        raise DataError(f"a pixel value of {worst}, outside 0..255", source, line, DAMAGED)
    return values.astype(np.uint8).reshape(side, side)


def is_clutter(name: str) -> bool:
    """Whether a file is none of the data's: what macOS and Windows leave behind, and other hidden files.

    Parameters
    ----------
    name: of the file, or its path within an archive, with ``/`` between folders.
    """
    folders, _, last = name.rpartition("/")
    return last.startswith(".") or last.lower() in ("thumbs.db", "desktop.ini") or "__MACOSX" in folders.split("/")


def need_columns(found: Iterable[str] | None, needed: Iterable[str], path: Path) -> None:
    """Refuse a table without all `needed` columns.

    Raises
    ------
    DataError: names the missing ones.
    """
    missing = sorted(set(needed) - set(found or ()))
    if missing:
        raise DataError(f"has no column {', '.join(missing)}", path, 1, "Use the file as it was published.")


def header(path: Path) -> list[str]:
    """The cells of a CSV file's first row. Raises DataError where there is none."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        first = next(rows(csv.reader(stream), path), None)
    if first is None:
        raise DataError("is not a table: it is empty", path, hint=DAMAGED)
    return first


def rows(table: Iterable[Row], path: Path) -> Iterator[Row]:
    """The rows of a csv reader.

    Raises
    ------
    DataError: where the file breaks the format, with the number of the last good row.
    """
    last = 0
    try:
        for row in table:
            yield row
            last += 1
    except csv.Error as error:
        raise DataError(f"is not a CSV table after row {last} ({error})", path, hint=DAMAGED) from None


def table(path: Path, columns: Iterable[str]) -> Iterator[tuple[int, dict[str | None, str | None]]]:
    """The rows of a CSV file with a header: line number and cells by column, blank lines left out.

    A wrong byte spoils one cell, whose reader then names the line. As in ``csv.DictReader``, missing cells are None and
    surplus ones a list under None.

    Raises
    ------
    DataError: if one of `columns` is not there, or the file breaks the format.
    """
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        reader = csv.DictReader(stream)
        try:
            found = reader.fieldnames
        except csv.Error as error:
            raise DataError(f"is not a CSV table ({error})", path, hint=DAMAGED) from None
        need_columns(found, columns, path)
        for row in rows(reader, path):
            yield reader.line_num, row
