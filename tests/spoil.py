"""What spoils a data set: each of these returns what changes one thing in the folder that holds it."""

import csv
import io
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image


def at(place: str, change: Callable[[Path], object]) -> Callable[[Path], object]:
    """Whatever `change` does to the file or folder at `place`."""
    return lambda root: change(root / place)


def written(place, content="a text"):
    data = content.encode() if isinstance(content, str) else content
    return at(place, lambda path: path.write_bytes(data))


def picture(place, mode, *size):
    """A black picture of that mode and size, in the format of its suffix."""
    return at(place, lambda path: Image.new(mode, size).save(path))


def header_alone(place):
    return at(place, lambda path: path.write_text(path.read_text().splitlines()[0] + "\n"))


def without_end(place, length):
    return at(place, lambda path: path.write_bytes(path.read_bytes()[:-length]))


def replaced(place, old, new):
    return at(place, lambda path: path.write_text(path.read_text().replace(old, new)))


def cut(place):
    """The first half of a file."""
    return at(place, lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]))


def gone(*places):
    def remove(path):
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return lambda root: [remove(root / place) for place in places]


def moved(place, to):
    return lambda root: (root / place).rename(root / to)


def copied(place, to):
    return lambda root: shutil.copy(root / place, root / to)


Members = list[tuple[str | zipfile.ZipInfo, bytes]]


def members(place: str, edit: Callable[[Members], Iterable[tuple[str | zipfile.ZipInfo, bytes]]]):
    """An archive, packed anew with the members that `edit` makes of its own."""

    def change(path):
        with zipfile.ZipFile(path) as opened:
            old = [(info.filename, opened.read(info)) for info in opened.infolist()]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as opened:
            for name, data in edit(old):
                opened.writestr(name, data)

    return at(place, change)


def member(place, last, change):
    """An archive in which `change` makes other data of the member whose name ends so."""
    return members(place, lambda old: [(name, change(data) if name.endswith(last) else data) for name, data in old])


def added(place, *new):
    return members(place, lambda old: [*old, *new])


def edited_csv(edit):
    """What `edit` makes of the rows of a table, as bytes of bytes."""

    def change(data):
        rows = list(csv.reader(io.StringIO(data.decode())))
        edit(rows)
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(rows)
        return stream.getvalue().encode()

    return change


def edited(place, edit):
    """A table whose rows, lists of cells, `edit` changes in their place."""
    return at(place, lambda path: path.write_bytes(edited_csv(edit)(path.read_bytes())))


def cell(place, row, column, text):
    """A table with another cell; row 1 is the first below the header."""
    return edited(place, lambda rows: rows[row].__setitem__(rows[0].index(column), text))


def without(place, column):
    def edit(rows):
        number = rows[0].index(column)
        for row in rows:
            del row[number]

    return edited(place, edit)
