"""Shared fixtures: a tiny FER+ in each layout, a private cache, and the real data where a machine has it."""

from __future__ import annotations

import os

# One thread for each process, before anything reads it: the tests run beside each other, a process per core.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import csv
import io
import itertools
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

from ferbook.datasets import load
from ferbook.datasets.ferplus import PARTS, USAGE
from ferbook.faces.emotions import VOTE_COLUMNS

# How long an example takes says something of the machine, and of what else runs there.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# Real data is used where this variable says it lies: a folder with ferplus/, vad_fer2013/, academic/, or some of them.
REAL_DATA = Path(os.environ.get("FERBOOK_TEST_DATA") or Path(__file__).resolve().parents[1] / "data")


def needs(*folders: str) -> pytest.MarkDecorator:
    """Skip a test where the real data have not all of these folders."""
    missing = [name for name in folders if not (REAL_DATA / name).is_dir()]
    return pytest.mark.skipif(bool(missing), reason=f"FERBOOK_TEST_DATA has no {', '.join(missing)}")


needs_ferplus = needs("ferplus")

#: Files with the longest tests, longest first, so that no core waits at the end for another. All others come after.
LONGEST = (
    *("test_accessibility", "test_training", "test_kills", "test_photos", "test_no_room", "test_calibration"),
    *("test_places", "test_browser", "test_two_at_once", "test_pipeline", "test_new_paper", "test_vad_training"),
    *("test_interactive", "test_detection", "test_models", "test_sweeps", "test_trained", "test_site", "test_readers"),
)
#: More processes than this gain little, and each may need 2 GB.
MOST_PROCESSES = 4


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many processes `pytest -n auto` starts; with one core none, so that nothing is imported twice."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_PROCESSES) if cores > 1 else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; within a file nothing changes."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def real_ferplus(request, tmp_path_factory):
    """The real FER+, decoded once for all tests that need it, in whichever process they run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if hasattr(request.config, "workerinput") else own
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERBOOK_CACHE", str(shared / "real"))
        return load("ferplus", REAL_DATA)


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    """Every test has a cache of its own and no real data unless it asks for some."""
    monkeypatch.setenv("FERBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FERBOOK_DATA", raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def chromium():
    """A browser of a module's own, with a camera that shows a test picture; for tests that ``needs_chromium`` marks."""
    from playwright.sync_api import sync_playwright

    from tests.browsing import CHROMIUM

    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield started
        started.close()


@pytest.fixture
def root(tmp_path):
    """An empty folder for data sets."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A checkout that holds nothing."""
    (tmp_path / "_config.yml").touch()
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("FERBOOK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def closed_figures():
    """No figure outlives its test."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=kind, **options)
    return stream.getvalue()


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

    def label_csv(self, split: str) -> str:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(self.rows[split])
        return stream.getvalue()

    def files(self, split: str) -> dict[str, bytes]:
        pictures = {row[0]: encoded(Image.fromarray(self.images[row[0]])) for row in self.rows[split]}
        return pictures | {"label.csv": self.label_csv(split).encode()}

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

    def write_mosaics(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        for split, part in PARTS.items():
            names = sorted(row[0] for row in self.rows[split])
            sheet = Image.new("L", (84 * 48, (len(names) + 83) // 84 * 48))
            for tile, name in enumerate(names):
                sheet.paste(Image.fromarray(self.images[name]), (tile % 84 * 48, tile // 84 * 48))
            (self.folder / f"{part}.webp").write_bytes(encoded(sheet, "WEBP", lossless=True, quality=0, method=0))
            (self.folder / f"{part}.csv").write_text(self.label_csv(split))
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
