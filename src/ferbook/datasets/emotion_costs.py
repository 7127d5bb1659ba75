"""The consistency costs in the published code of papers 003 and 004: a workbook with a sheet per category.

Each sheet (``0Angry`` to ``6Neutral``) has a row per axis and the cost of a value above, at and below 0. It is a fifth
definition, beside the tables and equations of the papers. Read with the standard library: an xlsx file is a zip of XML.
"""

import hashlib
import re
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from ferbook.core.errors import DataError
from ferbook.datasets.fer2013_vad import AXES, CARD, HOW_TO_GET, first_file
from ferbook.faces.emotions import FER2013_CODES, canonical

WORKBOOK = "consistency-costs.xlsx"
#: As it was published.
CHECKSUM = "38621cafc15c85efd2e4822ea80064f53b51e1478e1636e94f5565877cdb9f80"
#: Headings of the columns, and the sign of the values that they charge.
SIGNS: dict[str, str] = {"largerThan0": ">0", "equalTo0": "=0", "lessThan0": "<0"}

#: Bytes of the largest part that is read; the published ones have a tenth of it.
LARGEST = 256 * 2**10

#: What a file that is no such workbook, or is cut short, makes the standard library raise.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ElementTree.ParseError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Costs(NamedTuple):
    """``costs``: category to axis to sign (``>0``, ``=0``, ``<0``) to cost; ``provenance`` as of a face set."""

    name: str
    costs: dict[str, dict[str, dict[str, int]]]
    provenance: dict[str, object]


def read(root: str | Path | None = None) -> Costs:
    """Read the workbook from the folder ``paper003`` of the data set.

    Parameters
    ----------
    root: see :func:`ferbook.datasets.load`.

    Raises
    ------
    MissingDataError: if it is not there.
    DataError: if it is no such workbook; names the sheet.
    """
    path = first_file(root, WORKBOOK)
    try:
        with zipfile.ZipFile(path) as book:
            sheets = _sheets(book)
    except _BROKEN as error:
        raise DataError(f"is no xlsx workbook ({error})", path, hint=HOW_TO_GET) from None
    found: dict[str, dict[str, dict[str, int]]] = {}
    for title, cells in sheets.items():
        named = re.fullmatch(r"(\d)(\w+)", title)
        try:
            code, word = (int(named[1]), canonical(named[2])) if named else (-1, "")
            if FER2013_CODES[code] != word or code < 0:
                raise KeyError(title)
        except (KeyError, IndexError):
            raise DataError(f"sheet {title!r} names no category", path, title, "They are 0Angry to 6Neutral.") from None
        found[word] = {axis.lower(): _costs(cells, axis, path, title) for axis in AXES}
    if set(found) != set(FER2013_CODES):
        raise DataError(f"{len(found)} sheets instead of {len(FER2013_CODES)}", path, hint=HOW_TO_GET)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    provenance = {"checksum": checksum, "published": checksum == CHECKSUM, "terms": CARD.terms}
    return Costs("vad_fer2013", found, provenance)


def _sheets(book: zipfile.ZipFile) -> dict[str, dict[str, str]]:
    """Title to cell (as ``B2``) to text."""

    def tree(name: str) -> ElementTree.Element:
        if book.getinfo(name).file_size > LARGEST:
            raise ValueError(f"{name} unpacks to {book.getinfo(name).file_size:,} bytes")
        text = book.read(name)
        # A workbook has no document type; one could define entities that unfold without end.
        if b"<!DOCTYPE" in text:
            raise ValueError(f"{name} defines entities")
        return ElementTree.fromstring(text)

    shared = ["".join(part.text or "" for part in one.iter(f"{_MAIN}t")) for one in tree("xl/sharedStrings.xml")]
    targets = {link.attrib["Id"]: link.attrib["Target"] for link in tree("xl/_rels/workbook.xml.rels")}
    found = {}
    for sheet in tree("xl/workbook.xml").iter(f"{_MAIN}sheet"):
        cells = {}
        for cell in tree(f"xl/{targets[sheet.attrib[_LINK]]}").iter(f"{_MAIN}c"):
            value = cell.find(f"{_MAIN}v")
            if value is not None and value.text is not None:
                cells[cell.attrib["r"]] = shared[int(value.text)] if cell.attrib.get("t") == "s" else value.text
        found[sheet.attrib["name"]] = cells
    return found


def _costs(cells: dict[str, str], axis: str, path: Path, title: str) -> dict[str, int]:
    """The costs of one axis on one sheet, by sign."""
    rows = {text: place[1:] for place, text in cells.items() if place[0] == "A"}
    columns = {text: place[0] for place, text in cells.items() if place[1:] == "1"}
    texts = {sign: cells.get(f"{columns.get(heading)}{rows.get(axis)}") for heading, sign in SIGNS.items()}
    if not set(texts.values()) <= {"0", "1"}:
        raise DataError(f"costs of {axis} are {list(texts.values())}", path, title, "Each must be 0 or 1.")
    return {sign: int(text) for sign, text in texts.items()}
