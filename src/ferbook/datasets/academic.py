"""The student table of paper 004: 24 students, their marks, three emotion values and the outcome.

``learningMeasure.csv`` as the authors published it: a byte order mark, ids that a spreadsheet has rounded until they
look alike, and names replaced by asterisks. Neither tells students apart, so both are dropped.
"""

import hashlib
from pathlib import Path

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from ferbook.core import paths
from ferbook.core.errors import DataError, MissingDataError
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import cause, find_file, proper, read_bytes
from ferbook.datasets.files import table as rows_of

TABLE = "learningMeasure.csv"
#: Weekly marks, from the second lesson on.
LESSONS: tuple[str, ...] = tuple(f"L{week}" for week in range(2, 14))
#: Valence, arousal and dominance, once per student. Their scale is not explained; only 1, 2, 5 and 10 occur.
EMOTION_COLUMNS: tuple[str, ...] = ("V", "A", "D")
#: A student counts as failed exactly where the final mark is below this: found in the published table, nowhere stated.
PASS_MARK = 85
CARD = CARDS["academic"]
HOW_TO_GET = f"{CARD.where} Set FERBOOK_DATA to the folder that holds it."
AS_PUBLISHED = "Use the file as it was published."

_MARK = pa.Column(int, pa.Check.in_range(0, 10))

#: What the table must look like once ids and names are gone.
SCHEMA = pa.DataFrameSchema(
    {
        "pretest": pa.Column(int, pa.Check.ge(0)),
        **dict.fromkeys(LESSONS, _MARK),
        **dict.fromkeys(EMOTION_COLUMNS, pa.Column(int, pa.Check.in_range(1, 10))),
        "final": pa.Column(float, pa.Check.in_range(0, 100)),
        "failed": pa.Column(int, pa.Check.isin((0, 1))),
    },
    strict=True,
    ordered=True,
)


def load(root: str | Path | None = None) -> pd.DataFrame:
    """Read the student table from `root` (the folder that holds it, or one that holds that folder as ``academic``).

    Returns
    -------
    DataFrame: one row per student, index ``student`` counting from 1; pretest, L2 to L13, V, A, D as published (not in
        [-1, 1]: nothing says how they were made), final in [0, 100], failed (bool). ``attrs`` has the ``source`` and
        whether it is the ``published`` file.

    Raises
    ------
    DataError: if it is missing or broken; names row and column.
    """
    place = paths.data_root(root)
    for folder in (place, place / "academic"):
        path = find_file(folder, TABLE)
        if path is not None:
            return _read(path)
    raise MissingDataError(f"no student table here: no {TABLE}", place, hint=HOW_TO_GET)


def _read(path: Path) -> pd.DataFrame:
    data = read_bytes(path)
    # Text first: a cell that is not a number is reported with its line, not turned into something else.
    lines, found = [], []
    for line, row in rows_of(path, ("id", "name", *SCHEMA.columns)):
        surplus = row.pop(None, None)
        # Spreadsheets leave empty rows at the end.
        if not surplus and not any((cell or "").strip() for cell in row.values()):
            continue
        if surplus:
            problem = f"{len(row) + len(surplus)} cells instead of {len(row)}"
            raise DataError(problem, path, line, AS_PUBLISHED)
        lines.append(line)
        found.append({name: (cell or "").strip() for name, cell in row.items() if name not in ("id", "name")})
    if not found:
        raise DataError("the table is empty", path, hint=AS_PUBLISHED)
    raw = pd.DataFrame(found, index=lines, dtype=str)
    numbers = raw.apply(pd.to_numeric, errors="coerce")
    for column in numbers:
        for row in numbers.index[numbers[column].isna()]:
            cell = raw.at[row, column]
            problem = f"{column} is {cell!r}" if cell else f"{column} is empty"
            raise DataError(problem, path, int(row), "Every cell must be a number.")
        broken = numbers.index[numbers[column] % 1 != 0]
        if column != "final" and len(broken):
            problem = f"{column} is {raw.at[broken[0], column]}, no whole number"
            raise DataError(problem, path, int(broken[0]), AS_PUBLISHED)
    try:
        table = SCHEMA.validate(numbers.astype({"final": float}))
    except pandera.errors.SchemaError as error:
        raise _refused(error, path) from None
    table = table.astype({"failed": bool}).set_index(pd.RangeIndex(1, len(table) + 1, name="student"))
    table.attrs = {
        "source": str(path),
        "published": hashlib.sha256(data).hexdigest() == CARD.checksums[proper(path.name)],
    }
    return table


def _refused(error: pandera.errors.SchemaError, path: Path) -> DataError:
    cases = error.failure_cases
    row = cases["index"].iloc[0] if isinstance(cases, pd.DataFrame) and "index" in cases else None
    if row is None or pd.isna(row):
        return DataError(f"{error.schema.name or 'the table'}: {cause(error)}", path, hint=AS_PUBLISHED)
    return DataError(f"{error.schema.name} is {cases['failure_case'].iloc[0]}", path, int(row), AS_PUBLISHED)
