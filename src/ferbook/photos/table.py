"""The table of answers: one row per face, and one per photograph without an answer, which says why.

=========================  ============================================================================================
``file``                   the photograph, as it was given; for a picture without a file its place in the list, from 0
``face``, ``faces``        1, 2, ... from the largest face on, and how many there are; 0 and 0 where there is none
``width``, ``height``      of the photograph, upright, in pixels; empty where it could not be read
``x1`` ... ``y2``          box of the face, and ``left_eye_x`` ... its five landmarks, in pixels, upright
``found``                  the detector's probability that this is a face
``emotion``                the most probable one
``probability_*``          how likely each emotion is the one that most of ten people name (temperature scaled)
``votes_*``                share of ten people's votes that each would get
``complexity``             how many emotions ten people would name
``disagree``               whether they are expected to disagree, that is, to name three or more
``valence`` ...            V, A, D, from -1 to 1
``model``                  name of the network and hash of its weights
``reason``                 why there is no answer; empty where there is one
``note``                   what to know of how the photograph was read
``digest``                 of the file's bytes: a photograph that changed is read again
``explained``              whether the card shows relevance
``card``                   the picture of the answer, from the folder of results; empty where there is none
=========================  ============================================================================================
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ferbook.core import bounded_files, paths
from ferbook.core.errors import DataError
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.photos.pictures import Picture
from ferbook.photos.reader import Answers, Seen
from ferbook.vision.detection import LANDMARKS

Row = dict[str, object]

BOX = ("x1", "y1", "x2", "y2")
POINTS = tuple(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")
PROBABILITIES = tuple(f"probability_{name}" for name in EMOTIONS)
VOTES = tuple(f"votes_{name}" for name in EMOTIONS)
#: The columns, in their order.
COLUMNS: tuple[str, ...] = (
    *("file", "face", "faces", "emotion", *PROBABILITIES, *VOTES, "complexity", "disagree", *VAD_AXES),
    *("width", "height", *BOX, *POINTS, "found", "model", "reason", "note", "digest", "explained", "card"),
)
_TEXTS = ("emotion", "reason", "note", "digest", "card")
#: Why a photograph that could be read has no answer.
NO_FACE = "no face was found"


def without_answer(file: str, model: str, reason: str, picture: Picture | None = None, digest: str = "") -> Row:
    """The row of a photograph that has no answer."""
    row: Row = dict.fromkeys(COLUMNS) | dict.fromkeys(_TEXTS, "")
    row |= {"file": file, "face": 0, "faces": 0, "model": model, "reason": reason, "digest": digest}
    if picture is not None:
        row |= {"width": picture.size[0], "height": picture.size[1], "note": picture.note}
    return row | {"explained": False}


def rows(file: str, model: str, picture: Picture, seen: Seen, answers: Answers, digest: str = "") -> list[Row]:
    """The rows of a photograph that was read: one per face, or one that says that there is none."""
    if not len(seen.faces):
        return [without_answer(file, model, NO_FACE, picture, digest)]
    count = len(seen.faces)
    made = []
    for k in range(count):
        row = without_answer(file, model, "", picture, digest)
        row |= {"face": k + 1, "faces": count, "emotion": EMOTIONS[int(answers.probabilities[k].argmax())]}
        row |= _numbers(PROBABILITIES, answers.probabilities[k], 5) | _numbers(VOTES, answers.shares[k], 5)
        row |= {"complexity": round(float(answers.complexity[k]), 3), "disagree": bool(answers.disagree[k])}
        row |= _numbers(VAD_AXES, answers.vad[k], 3) | _numbers(BOX, seen.found.boxes[k], 1)
        row |= _numbers(POINTS, seen.found.landmarks[k].ravel(), 1)
        made.append(row | {"found": round(float(seen.found.probability[k]), 4)})
    return made


def _numbers(names: Sequence[str], values: np.ndarray, digits: int) -> Row:
    return {name: round(float(value), digits) for name, value in zip(names, values, strict=True)}


def frame(made: Sequence[Row]) -> pd.DataFrame:
    """Rows as a table with the columns ``COLUMNS``; without a face, numbers of the face are missing."""
    table = pd.DataFrame(list(made), columns=list(COLUMNS))
    numbers = [name for name in COLUMNS if name not in {*_TEXTS, "file", "model", "disagree", "explained"}]
    table[numbers] = table[numbers].apply(pd.to_numeric)
    table["disagree"] = table["disagree"].astype("boolean")
    return table.astype({"explained": bool, "face": int, "faces": int, "width": "Int64", "height": "Int64"})


class Table:
    """The rows in a folder: ``results.jsonl`` and, the same for spreadsheets, ``results.csv``.

    Both are only ever replaced whole, so an interruption leaves those of some moment before.

    Parameters
    ----------
    folder: of the results.
    anew: do not look at what is there.
    """

    def __init__(self, folder: Path, anew: bool = False):
        self.lines, self.sheet = folder / "results.jsonl", folder / "results.csv"
        self.rows: dict[str, list[Row]] = {}
        if self.lines.is_file() and not anew:
            self._read()

    def _read(self) -> None:
        hint = "Give --overwrite or another folder."
        try:
            lines = self.lines.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot be read ({error})", self.lines, hint=hint) from None
        for number, line in enumerate(lines, start=1):
            try:
                row = bounded_files.parse_json(line)
                if set(row) != set(COLUMNS):
                    raise ValueError("other columns")
                if not isinstance(row["file"], str):
                    raise ValueError(f"file is {row['file']!r}")
            except (ValueError, TypeError) as error:
                raise DataError(f"is no row of a table of answers ({error})", self.lines, number, hint) from None
            self.rows.setdefault(row["file"], []).append(row)

    def put(self, file: str, made: Sequence[Row]) -> None:
        """Set the rows of a photograph."""
        self.rows[file] = list(made)

    def done(self, file: str, model: str, digest: str, explained: bool) -> bool:
        """Whether the photograph, as it is now, has been answered by this model, with relevance where that is asked."""
        before = self.rows.get(file)
        return bool(before) and all(
            row["digest"] == digest
            and row["model"] == model
            and (row["explained"] or not explained or not row["faces"])
            and (not row["card"] or (self.lines.parent / str(row["card"])).is_file())
            for row in before
        )

    def write(self) -> None:
        """Replace both files."""
        made = [row for file in sorted(self.rows) for row in self.rows[file]]
        with paths.replacing(self.lines) as staging:
            text = "".join(json.dumps({name: row[name] for name in COLUMNS}) + "\n" for row in made)
            staging.write_text(text, encoding="utf-8")
        with paths.replacing(self.sheet) as staging:
            frame(made).to_csv(staging, index=False, lineterminator="\n")


def answered(made: Sequence[Mapping[str, object]]) -> bool:
    """Whether the photograph of these rows could be read, with or without faces."""
    return all(row["width"] is not None for row in made)
