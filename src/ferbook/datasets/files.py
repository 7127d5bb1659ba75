"""What every reader does with files: find them, decode a picture, open a table, say clearly what is wrong with either.

Data sets travel through file managers, archives and spreadsheets on the way to a reader. So what these leave behind is
no file of a data set (:func:`is_clutter`), ``.PNG`` is ``.png`` (:func:`proper`), a table may have a byte order mark,
CRLF and blanks in its column names (:func:`table`), and files that nobody knows are named, not refused
(:func:`others`), unless they stand where data must be.
"""

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from ferbook.core.errors import DataError
from ferbook.faces.emotions import EMOTIONS, canonical

Row = TypeVar("Row")

DAMAGED = "The file is damaged or was cut short: fetch or make it again."
#: Pixels of the largest picture that is decoded: nine times that of the largest photograph in any data set here.
MOST_PIXELS = 64_000_000
#: Bytes that one file in an archive may unpack to; the longest label table has 2 MB.
MOST_UNPACKED = 64 * 2**20
#: Characters of the longest line of a table; FER2013's have 9,000.
LONGEST_LINE = 16 * 2**20


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
    with opened_picture(data, source, name, formats) as picture:
        (width, height), found = picture.size, picture.mode
        if found != mode or (side is not None and (width, height) != (side, side)) or width * height > MOST_PIXELS:
            needed = f"mode {mode}" if side is None else f"{side} x {side} of mode {mode}"
            hint = "Use the pictures as they were published, without resizing or conversion."
            problem = f"is {width} x {height} pixels of mode {found} instead of {needed}"
            raise DataError(problem, source, name, hint)
        return np.asarray(picture)


@contextmanager
def opened_picture(data: bytes, source: Path, name: str | None, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """An encoded picture, of which nothing but the header is decoded before the block asks for pixels.

    A header may promise more pixels than memory holds: the block looks at the size first.

    Parameters
    ----------
    data, source, name, formats: as for :func:`decode`.

    Raises
    ------
    DataError: if it is no picture of these formats, or is broken.
    """
    wanted = "/".join(formats)
    try:
        with quiet(), Image.open(io.BytesIO(data), formats=formats) as picture:
            yield picture
    except UnidentifiedImageError:
        raise DataError(f"is not a {wanted} image", source, name, DAMAGED) from None
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"is a broken {wanted} ({cause(error)})", source, name, DAMAGED) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Without Pillow's warnings: of damage beside the pixels, which does not count, and of size, which is looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def cause(error: Exception) -> str:
    """What a decoder of somebody else's says of broken data, on one line. It may raise any kind of error for it."""
    return " ".join(str(error).split()) or type(error).__name__


def decode_grey(
    data: bytes, source: Path, *, formats: tuple[str, ...] = ("PNG",), side: int | None = None
) -> np.ndarray:
    """A grey picture, or a colour picture in grey, as :func:`decode` reads it. -> uint8 (H, W)."""
    try:
        return decode(data, source, formats=formats, side=side)
    except DataError as error:
        try:
            colour = decode(data, source, formats=formats, mode="RGB", side=side)
        except DataError:
            raise error from None
    return np.asarray(Image.fromarray(colour).convert("L"))


def read_bytes(path: Path, name: str | None = None) -> bytes:
    """The bytes of a small file, as a picture's.

    Parameters
    ----------
    path: the file.
    name: of it, where the error shall say that it lies in the folder `path.parent`.

    Raises
    ------
    DataError: if it is no file (a pipe would be waited for), too large, or may not be read.
    """
    place = (path, None) if name is None else (path.parent, name)
    try:
        if not path.is_file():
            raise DataError("cannot be read: it is no file", *place, DAMAGED)
        size = path.stat().st_size
        if size > MOST_UNPACKED:
            raise DataError(f"has {size:,} bytes, far more than such a file has", *place, DAMAGED)
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", *place, "Mend its type or rights.") from None


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, without clutter. Raises DataError if it may not be read."""
    try:
        return sorted(path for path in folder.iterdir() if not is_clutter(path.name))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", folder, hint="Mend its type or rights.") from None


def proper(name: str) -> str:
    """A file's name with its suffix in small letters: cameras, Windows and some tools write ``.PNG``."""
    stem, dot, suffix = name.rpartition(".")
    return stem + dot + suffix.lower() if dot else name


def find_file(folder: Path, name: str) -> Path | None:
    """The file `name` of a folder, its suffix as it is or in capital letters; None if there is neither."""
    stem, dot, suffix = name.rpartition(".")
    places = (folder / name, folder / (stem + dot + suffix.upper()), folder / (stem + dot + suffix.lower()))
    return next((path for path in places if path.is_file()), None)


def by_name(folder: Path, *suffixes: str) -> dict[str, Path]:
    """Files (and folders, if so named) of a folder that end in one of `suffixes`, by :func:`proper` name, sorted.

    Raises DataError if two of them differ in nothing but their suffix's letters, or the folder may not be read.
    """
    found: dict[str, Path] = {}
    for path in entries(folder):
        name = proper(path.name)
        if not name.endswith(suffixes):
            continue
        if name in found:
            raise DataError(f"is the same file as {found[name].name}", path, hint="Keep one of the two.")
        found[name] = path
    return found


def others(top: Path, places: Iterable[Path], used: Iterable[Path]) -> list[str]:
    """What lies in the folders of a data set and is not read: paths below `top`, of folders with a ``/`` at the end.

    Parameters
    ----------
    top: the data set's folder.
    places: the folders in which a reader looks, `top` or below it. Folders among what is not read are not entered.
    used: the files that it reads, or knows and has no use for.
    """
    places = {top, *places}
    known = {*used, *places, *(parent for place in places for parent in place.parents)}
    return [
        path.relative_to(top).as_posix() + ("/" if path.is_dir() else "")
        for place in sorted(places)
        if place.is_dir()
        for path in entries(place)
        if path not in known
    ]


def emotion_of_folder(folder: Path, known: tuple[str, ...] = EMOTIONS) -> str:
    """The emotion that the name of a folder stands for, out of `known`. Raises DataError if it is none of them."""
    try:
        emotion = canonical(folder.name)
    except KeyError:
        emotion = ""
    if emotion not in known:
        raise DataError(f"{folder.name!r} is not an emotion", folder, hint=f"Known: {', '.join(known)}.")
    return emotion


def code_of(text: str | None, known: Sequence[str], what: str, source: Path, line: int | None = None) -> int:
    """The whole number, in a cell such as ``3`` or ``3.0000000e+00``, that stands for one of the `known`.

    Raises DataError if it is none of theirs; lists them.
    """
    try:
        number = float(text or "")
    except ValueError:
        number = -1.0
    if not (number.is_integer() and 0 <= number < len(known)):
        listed = ", ".join(f"{place} {name}" for place, name in enumerate(known))
        raise DataError(f"unknown {what} {text!r}", source, line, f"Known: {listed}.")
    return int(number)


def by_published_name(
    paths: Iterable[Path], published: Callable[[str], str], pattern: re.Pattern[str], folder: Path, hint: str
) -> dict[str, Path]:
    """Pictures by the name that they were published under, sorted.

    Parameters
    ----------
    published: from a file's name to that one.
    pattern: what it must match.
    folder, hint: for the error.

    Raises
    ------
    DataError: if a name says nothing, or two files are the same picture.
    """
    found: dict[str, Path] = {}
    odd = []
    for path in paths:
        name = published(path.name)
        if not pattern.fullmatch(name):
            odd.append(path.name)
        elif name in found:
            again = "Each picture must be there once; remove one of the two."
            raise DataError(f"is the same picture as {found[name]}", path, hint=again)
        found[name] = path
    if odd:
        raise DataError(f"{len(odd)} unknown file names, the first {', '.join(odd[:5])}", folder, hint=hint)
    return dict(sorted(found.items()))


def grey_pixels(text: str | None, side: int, source: Path, line: int) -> np.ndarray:
    """A picture written as `side` * `side` whole numbers in 0..255, row by row (FER2013's tables). -> (side, side).

    Raises DataError if there are more or fewer, or one is not such a number.
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
    return (
        last.startswith(".")
        or last.lower() in ("thumbs.db", "desktop.ini", "__macosx")
        or "__MACOSX" in folders.split("/")
    )


def need_columns(found: Iterable[str] | None, needed: Iterable[str], path: Path) -> None:
    """Refuse a table that has not each of the `needed` columns once.

    Raises DataError names the missing or repeated ones.
    """
    found, needed = list(found or ()), set(needed)
    missing = sorted(needed - set(found))
    if missing:
        raise DataError(f"has no column {', '.join(missing)}", path, 1, "Use the file as it was published.")
    twice = sorted(name for name in needed if found.count(name) > 1)
    if twice:
        raise DataError(f"has two columns {', '.join(twice)}", path, 1, "Use the file as it was published.")


@contextmanager
def opened(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a table, its byte order mark taken off. A wrong byte spoils one cell, whose reader then says so.

    Raises DataError if it is no file, may not be read, or has a line without end.
    """
    if not path.is_file():
        # Opening a pipe would wait for ever.
        raise DataError("cannot be read: it is no file", path, hint=DAMAGED)
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            yield _lines(stream, path)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path, hint="Mend its type or rights.") from None


def _lines(stream: TextIO, path: Path) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), ""), start=1):
        if len(line) == LONGEST_LINE:
            raise DataError(f"a line of more than {LONGEST_LINE:,} characters", path, number, DAMAGED)
        yield line


def rows(table: Iterable[Row], path: Path) -> Iterator[Row]:
    """The rows of a csv reader.

    Raises DataError where the file breaks the format, with the number of the last good row.
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

    Blanks around the names of columns do not count. As in ``csv.DictReader``, missing cells are None and surplus ones a
    list under None. Raises DataError if one of `columns` is not there or stands twice, or the file breaks the format.
    """
    with opened(path) as lines:
        reader = csv.DictReader(lines)
        try:
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        except csv.Error as error:
            raise DataError(f"is not a CSV table ({error})", path, hint=DAMAGED) from None
        need_columns(reader.fieldnames, columns, path)
        for row in rows(reader, path):
            yield reader.line_num, row
