"""Everything to take away in one folder or one zip, described by ``datapackage.json`` (Data Package, version 1).

Run as ``python -m ferbook.book.export.package FILE.zip``. The same checkout gives the same bytes.
"""

import io
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ferbook import __version__
from ferbook.book.export import claims, printed_tables, recorded
from ferbook.book.export.tables import Table
from ferbook.claims.verdicts import Result
from ferbook.core import paths
from ferbook.core.errors import ended

#: What is offered for download: the folder's name in the zip, and the zip's.
NAME = "reading-faces-data"
ZIP = f"{NAME}.zip"
DESCRIPTOR, LINKED, README = "datapackage.json", "claims.jsonld", "README.md"
LICENCE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0 International",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
TITLE = "Reading Faces, Re-run: claims, verdicts, printed tables and recorded results"
#: The earliest day that a zip can say.
_THEN = (1980, 1, 1, 0, 0, 0)


def tables(results: Sequence[Result] | None = None) -> list[Table]:
    """All tables, in the order of the descriptor. results: the judged claims; default: judged here."""
    results = claims.judged() if results is None else results
    return [
        claims.papers(results),
        claims.claims(results),
        claims.remade(),
        *recorded.all_tables(),
        *printed_tables.transcribed(),
        *printed_tables.test_sets(),
    ]


def files(results: Sequence[Result] | None = None) -> dict[str, bytes]:
    """Path in the folder to content. results: as in :func:`tables`.

    Raises
    ------
    FerbookError: if a claim cannot be judged, or a table's column is not described.
    """
    results = claims.judged() if results is None else results
    made = tables(results)
    found = {table.path: table.csv() for table in made}
    found[LINKED] = _json(claims.linked_data(results))
    found[README] = readme(made).encode()
    found[DESCRIPTOR] = _json(descriptor(made))
    return found


def descriptor(made: Sequence[Table]) -> dict[str, Any]:
    """What ``datapackage.json`` says."""
    return {
        "profile": "data-package",
        "name": NAME,
        "title": TITLE,
        "description": "What five papers on facial emotion claim, what became of each claim, and what that rests on.",
        "version": __version__,
        "licenses": [LICENCE],
        "keywords": ["facial expression recognition", "reproducibility", "claims"],
        "resources": [table.resource() for table in made]
        + [
            {
                "name": "claims-linked",
                "path": LINKED,
                "profile": "data-resource",
                "title": "Claims and verdicts as linked data",
                "description": "JSON-LD with schema.org's ClaimReview; the words of its own are described in it.",
                "format": "jsonld",
                "mediatype": "application/ld+json",
                "encoding": "utf-8",
            }
        ],
    }


def readme(made: Sequence[Table]) -> str:
    """The folder's ``README.md``."""
    listed = "\n".join(f"| `{table.path}` | {len(table.rows):,} | {table.description} |" for table in made)
    terms = "\n".join(
        f"| `ferbook:{field.name}` | {field.description} |" for field in claims.FIELDS if field.name in claims.TERMS
    )
    return f"""# {TITLE}

Version {__version__}. Licence: {LICENCE["title"]} ({LICENCE["path"]}); please cite "Reading Faces, Re-run".
The papers and their tables belong to their authors. No photograph and nobody else's data set is in here.

`datapackage.json` says what each column of each table means and is read by tools that know Data Packages, as
`frictionless validate datapackage.json`. Tables are CSV in UTF-8 with one line of names; an empty cell says that
nothing is known or that the column does not apply.

| table | rows | what |
|---|---|---|
{listed}

`claims.jsonld` holds the same claims as JSON-LD. Each is a `ClaimReview` of schema.org: `itemReviewed` is the claim,
`appearance` the paper, `reviewRating.alternateName` the verdict. Words that schema.org does not have:

| word | meaning |
|---|---|
{terms}
"""


def write(folder: Path) -> int:
    """Write everything into `folder`, which must not exist or be empty: whole or not at all.

    Returns the number of files.

    Raises
    ------
    FerbookError: if something is there already, or as :func:`files`.
    OutputError: if there is no room or no right to write.
    """
    folder = Path(folder)
    paths.require_new(folder)
    content = files()
    with paths.new_folder(folder) as made:
        for name, data in content.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return len(content)


def zipped(content: Mapping[str, bytes]) -> bytes:
    """The files as a zip with one folder; the same files give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", _THEN)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, content[name])
    return stream.getvalue()


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    (target,) = arguments or sys.argv[1:]

    def make() -> int:
        with paths.replacing(Path(target)) as staging:
            staging.write_bytes(zipped(files()))
        return 0

    return ended(make, failed=1)


if __name__ == "__main__":
    sys.exit(main())
