"""Every reader of files with a valid file to damage: what writes it into an empty folder, and what reads it there."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ferbook import models
from ferbook.book import coverage
from ferbook.claims import printed, verdicts
from ferbook.core import records
from ferbook.datasets import emotion_costs
from ferbook.faces import splits
from ferbook.learning import calibration, configs, sweeps, trained
from ferbook.learning.runs import Run
from ferbook.papers.vad import annotated, readout
from ferbook.photos import pictures
from ferbook.photos import table as answers
from ferbook.vision.detection import Detections
from tests import folders
from tests.conftest import encoded
from tests.unit.test_vad_verdicts import write_workbook

DATA = Path(__file__).resolve().parents[2] / "data"
#: A recorded run.
RUN = "recorded/002/runs/long/seed0.json"


class Reader(NamedTuple):
    """`write` fills an empty folder; `read` reads it, and may end in one of `besides` instead of a FerbookError."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]
    besides: tuple[type[Exception], ...] = ()


def copied(*names: str) -> Callable[[Path], object]:
    """Files of this book's own data, in a checkout that holds nothing else."""

    def write(folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "_config.yml").touch()
        for name in names:
            (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(DATA / name, folder / "data" / name)

    return write


def _printed(folder: Path) -> object:
    printed.table.cache_clear()
    try:
        return printed.table("001-table1")
    finally:
        printed.table.cache_clear()


def _run(folder: Path) -> None:
    shutil.copy(DATA / RUN, folder / "result.json")
    rng = np.random.default_rng(0)
    found = {"ids": np.array(["a", "b"]), "probabilities": rng.random((2, 8)), "distribution": rng.random((2, 8))}
    np.savez_compressed(folder / "predictions.npz", **found)


def _detections(folder: Path) -> None:
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.random((4, 2)), 2 + rng.random((4, 2))], axis=1).astype(np.float32)
    found = Detections(
        np.array([f"face{n}.png" for n in range(4)]),
        boxes,
        rng.random(4).astype(np.float32),
        rng.random((4, 5, 2)).astype(np.float32),
    )
    found.save(folder / "boxes.csv")


def _answers(folder: Path) -> None:
    made = answers.Table(folder)
    for number in range(3):
        made.put(f"{number}.jpg", [answers.without_answer(f"{number}.jpg", "compact", "no face", digest="00")])
    made.write()


def _read_answers(folder: Path) -> object:
    """As ``predict`` does: look at what is there, answer another photograph, write."""
    found = answers.Table(folder)
    found.done("0.jpg", "compact", "00", True)
    found.put("new.jpg", [answers.without_answer("new.jpg", "compact", "no face")])
    found.write()
    return found


def _weights(folder: Path) -> None:
    models.save_weights(models.build("compact", 8, seed=0), folder / "weights.safetensors")


def _load_weights(folder: Path) -> object:
    model = models.build("compact", 8, seed=0)
    models.load_weights(model, folder / "weights.safetensors")
    return model


def photograph(kind: str, mode: str = "RGB", **options: object) -> Reader:
    def write(folder: Path) -> None:
        rng = np.random.default_rng(0)
        picture = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).convert(mode)
        exif = Image.Exif()
        exif[274] = 6
        turned = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}
        (folder / f"photo.{kind.lower()}").write_bytes(encoded(picture, kind, **turned, **options))

    def read(folder: Path) -> object:
        return pictures.decode(pictures.load(folder / f"photo.{kind.lower()}"))

    return Reader(write, read, (pictures.UnreadableError,))


READERS: dict[str, Reader] = {
    **{name: Reader(form.write, form.read) for name, form in folders.FORMS.items()},
    "costs workbook": Reader(lambda folder: write_workbook(folder / emotion_costs.WORKBOOK), emotion_costs.read),
    "authors' logs": Reader(folders.vad_logs, annotated.log_facts),
    "record": Reader(copied("recorded/002/labels.json"), lambda folder: records.read("002/labels")),
    "recorded run": Reader(
        copied(RUN),
        lambda folder: sweeps.read(folder / "data" / RUN),
    ),
    "config": Reader(
        lambda folder: records.write_json(folder / "run.json", sweeps.read(DATA / RUN).config),
        lambda folder: configs.read(folder / "run.json"),
    ),
    "sweeps": Reader(copied("sweeps/002.yml"), lambda folder: sweeps.runs(folder / "data/sweeps/002.yml")),
    "claims": Reader(copied("claims/004.yml"), lambda folder: verdicts.load_claims("004", folder / "data/claims")),
    "coverage": Reader(copied("claims/coverage.yml"), lambda folder: coverage.load(folder / "data/claims")),
    "transcribed table": Reader(copied("claims/tables/001-table1.csv"), _printed),
    "frozen split": Reader(copied("splits/ferplus-complex.csv"), lambda folder: splits.frozen_ids("ferplus-complex")),
    "finished run": Reader(_run, lambda folder: (Run(folder).result(), Run(folder).predictions())),
    "detections": Reader(_detections, lambda folder: Detections.load(folder / "boxes.csv")),
    "table of answers": Reader(_answers, _read_answers),
    "weights": Reader(_weights, _load_weights),
    "released weights": Reader(
        copied("weights/compact-ferplus.safetensors"),
        lambda folder: trained.released("compact-ferplus", folder / "data/weights"),
    ),
    "temperature": Reader(
        copied("weights/compact-ferplus.temperature.json", "weights/compact-ferplus.safetensors"),
        lambda folder: calibration.of("compact-ferplus", folder / "data/weights"),
    ),
    "regressor": Reader(
        copied("weights/compact-ferplus.vad.safetensors", "weights/compact-ferplus.safetensors"),
        lambda folder: readout.of("compact-ferplus", folder / "data/weights"),
    ),
    "photo JPEG": photograph("JPEG"),
    "photo PNG": photograph("PNG", "RGBA"),
    "photo PNG palette": photograph("PNG", "P"),
    "photo PNG grey": photograph("PNG", "LA"),
    "photo GIF": photograph("GIF", "P"),
    "photo WEBP": photograph("WEBP"),
    "photo TIFF": photograph("TIFF", compression="tiff_lzw"),
    "photo BMP": photograph("BMP"),
    "photo PPM": photograph("PPM"),
}
