"""Shared fixtures: a tiny FER+ in each layout, a private cache, and the real data where a machine has it."""

from __future__ import annotations

import csv
import io
import itertools
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ferbook.datasets import load
from ferbook.datasets.ferplus import PARTS, USAGE
from ferbook.faces.emotions import VOTE_COLUMNS

# Real data is used where this variable says it lies: a folder with ferplus/, vad_fer2013/, academic/, or some of them.
REAL_DATA = Path(os.environ.get("FERBOOK_TEST_DATA") or Path(__file__).resolve().parents[1] / "data")

needs_ferplus = pytest.mark.skipif(
    not (REAL_DATA / "ferplus").is_dir(), reason="the real FER+ is not on this machine (FERBOOK_TEST_DATA)"
)


@pytest.fixture(scope="session")
def real_ferplus(tmp_path_factory):
    """The real FER+, decoded once for all tests that need it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERBOOK_CACHE", str(tmp_path_factory.mktemp("real")))
        return load("ferplus", REAL_DATA)


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    """Every test has a cache of its own and no real data unless it asks for some."""
    monkeypatch.setenv("FERBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FERBOOK_DATA", raising=False)
    return tmp_path / "cache"


TINY = {"train": 4, "valid": 2, "test": 2}


class TinyFerplus:
    """Eight faces in three parts, or more, written in any layout, with one thing broken if a test wants it."""

    def __init__(self, folder: Path, seed: int = 0, sizes: Mapping[str, int] = TINY):
        self.folder = folder
        rng = np.random.default_rng(seed)
        numbers = itertools.count()
        self.images: dict[str, np.ndarray] = {}
        self.rows: dict[str, list[list[str]]] = {}
        for split, size in sizes.items():
            self.rows[split] = []
            for _ in range(size):
                name = f"fer{next(numbers):07d}.png"
                self.images[name] = rng.integers(0, 256, (48, 48), dtype=np.uint8)
                votes = rng.multinomial(10, np.full(10, 0.1))
                self.rows[split].append([name, "(0, 0, 48, 48)", *map(str, votes)])

    def png(self, name: str) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(self.images[name]).save(stream, format="PNG")
        return stream.getvalue()

    def label_csv(self, split: str) -> str:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(self.rows[split])
        return stream.getvalue()

    def files(self, split: str) -> dict[str, bytes]:
        return {row[0]: self.png(row[0]) for row in self.rows[split]} | {"label.csv": self.label_csv(split).encode()}

    def write_folders(self) -> Path:
        for split, part in PARTS.items():
            (self.folder / part).mkdir(parents=True)
            for name, content in self.files(split).items():
                (self.folder / part / name).write_bytes(content)
        return self.folder

    def write_archives(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        for split, part in PARTS.items():
            with zipfile.ZipFile(self.folder / f"{part}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in self.files(split).items():
                    archive.writestr(f"{part}/{name}", content)
        return self.folder

    def write_kaggle(self) -> Path:
        """With one unnamed row (a removed picture) and one name listed twice, as in the public tables."""
        self.folder.mkdir(parents=True, exist_ok=True)
        usage = {split: word for word, split in USAGE.items()}
        votes, pixels = [], []
        for split, rows in self.rows.items():
            for row in rows:
                votes.append([usage[split], row[0], *row[2:]])
                pixels.append([0, " ".join(map(str, self.images[row[0]].ravel())), usage[split]])
        votes.insert(1, ["Training", "", *["0"] * 9, "10"])
        pixels.insert(1, [0, " ".join(["0"] * 2304), "Training"])
        votes.insert(3, votes[0])
        pixels.insert(3, pixels[0])
        for path, header, table in (
            ("fer2013new.csv", ["Usage", "Image name", *VOTE_COLUMNS], votes),
            ("fer2013.csv", ["emotion", "pixels", "Usage"], pixels),
        ):
            with (self.folder / path).open("w", newline="") as stream:
                csv.writer(stream, lineterminator="\n").writerows([header, *table])
        return self.folder


@pytest.fixture
def tiny(tmp_path) -> TinyFerplus:
    return TinyFerplus(tmp_path / "ferplus")
