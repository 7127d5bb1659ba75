"""Other tools that name the emotion of a face, on the same test faces: FER+'s official test part.

Only tools whose package holds its weights. Each runs in an environment of its own under ``_build/peers`` and never in
the book's; ``ferbook record peers`` makes the environments, asks the tools, and writes ``data/recorded/peers``.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ferbook.core import paths, records
from ferbook.core.errors import DataError, FerbookError
from ferbook.faces import splits
from ferbook.faces.emotions import EMOTIONS, canonical
from ferbook.faces.faceset import FaceSet
from ferbook.faces.labels import clean_votes
from ferbook.learning import calibration, trained
from ferbook.measures import intervals, metrics

#: What no other tool here has a name for; the other seven emotions are shared.
MISSING = "contempt"
SHARED: tuple[str, ...] = tuple(emotion for emotion in EMOTIONS if emotion != MISSING)
#: The book's own network, in the same tables.
OWN = "compact-ferplus"


@dataclass(frozen=True)
class Environment:
    """Where tools are installed: a virtual environment, or a folder of Node's packages.

    Parameters
    ----------
    packages: exact versions; nothing else is installed for Python, so that a tool brings no torch of its own.
    npm: whether they are Node's.
    borrows: whether it also sees the book's packages, for a tool that needs torch.
    """

    packages: tuple[str, ...]
    npm: bool = False
    borrows: bool = False


@dataclass(frozen=True)
class Peer:
    """A tool that is compared.

    Parameters
    ----------
    title, version, registry, licence: of the package, as its registry has them.
    environment: one of ``ENVIRONMENTS``.
    program: in ``ferbook/peer_tools``.
    weights: the files of its network, as patterns below the environment.
    note: what a reader should know of how it was asked.
    """

    title: str
    version: str
    registry: str
    licence: str
    environment: str
    program: str
    weights: tuple[str, ...]
    note: str


ENVIRONMENTS: Mapping[str, Environment] = {
    "tensorflow": Environment(
        (
            "tensorflow-cpu==2.21.0",
            "opencv-contrib-python-headless==4.14.0.94",
            "pandas==3.1.1",
            "pillow==13.0.0",
            "requests",
            "scikit-image==0.26.0",
            "setuptools<80",
            "tqdm",
        )
    ),
    "torch": Environment(("opencv-contrib-python-headless==4.14.0.94",), borrows=True),
    "node": Environment(
        ("@vladmandic/face-api@1.7.15", "@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"), npm=True
    ),
}
#: Installed after the environment's packages and without what they ask for, which would be a second torch and a screen.
TOOLS: Mapping[str, tuple[str, ...]] = {
    "tensorflow": ("fer==25.10.3", "facex==1.1.0"),
    "torch": ("facial-emotion-recognition==0.3.4",),
}
PEERS: Mapping[str, Peer] = {
    "fer": Peer(
        "fer",
        "25.10.3",
        "PyPI",
        "MIT",
        "tensorflow",
        "fer_default.py",
        ("**/fer/data/emotion_model_quantized.tflite",),
        "its quantised network, which is its default; scores rounded to hundredths by the tool",
    ),
    "fer-keras": Peer(
        "fer, not quantised",
        "25.10.3",
        "PyPI",
        "MIT",
        "tensorflow",
        "fer_keras.py",
        ("**/fer/data/emotion_model.hdf5",),
        "scores rounded to hundredths by the tool",
    ),
    "facex": Peer(
        "facex",
        "1.1.0",
        "PyPI",
        "MIT",
        "tensorflow",
        "facex_default.py",
        ("**/facex/assets/model_optimized.tflite",),
        "enlarges each face to 200 pixels",
    ),
    "facial-emotion-recognition": Peer(
        "facial-emotion-recognition",
        "0.3.4",
        "PyPI",
        "MIT",
        "torch",
        "facial_emotion_recognition_default.py",
        ("**/facial_emotion_recognition/model/model.pkl",),
        "says one word; scores are its seven outputs divided by their sum",
    ),
    "face-api": Peer(
        "face-api (expression network)",
        "1.7.15",
        "npm, @vladmandic/face-api",
        "MIT",
        "node",
        "face_api.cjs",
        ("**/face-api/model/face_expression_model.bin",),
        "enlarges each face to 112 pixels; WebAssembly backend in Node",
    ),
}


def made(name: str) -> Path:
    """The folder of an environment; it is made where it is not there.

    Raises FerbookError if an installer fails or is missing.
    """
    folder, wanted = paths.project_root() / "_build" / "peers" / name, ENVIRONMENTS[name]
    if (folder / "made").is_file():
        return folder
    if wanted.npm:
        folder.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *wanted.packages], folder)
    else:
        _run([sys.executable, "-m", "venv", str(folder)], paths.project_root())
        python = str(folder / "bin" / "python")
        if wanted.borrows:
            asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
            site = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
            (site / "book.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        install = [python, "-m", "pip", "install", "--quiet"]
        _run([*install, *(["--no-deps"] if wanted.borrows else []), *wanted.packages], folder)
        _run([*install, "--no-deps", *TOOLS[name]], folder)
    (folder / "made").touch()
    return folder


def ask(name: str, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a tool says of grey faces, uint8 (N, 48, 48).

    Returns
    -------
    (N, 8) scores in the order of ``EMOTIONS``, rows sum to 1, 0 where the tool has no such name; (N,) seconds.

    Raises
    ------
    FerbookError: if the tool fails.
    DataError: if its answer names other emotions or has no number for one.
    """
    peer = PEERS[name]
    folder = made(peer.environment)
    program = Path(__file__).parent / "peer_tools" / peer.program
    runner = ["node"] if ENVIRONMENTS[peer.environment].npm else [str(folder / "bin" / "python")]
    source, target = folder / f"{name}.faces", folder / f"{name}.json"
    source.write_bytes(np.ascontiguousarray(faces).tobytes())
    _run([*runner, str(program), str(source), str(len(faces)), str(target)], folder)
    return answers(json.loads(target.read_text(encoding="utf-8")), target)


def answers(found: Mapping[str, object], source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Scores (N, 8) and seconds (N,) from what a program of ``peer_tools`` wrote; labels are mapped by name.

    Raises DataError as :func:`ask`.
    """
    given = np.array(found["scores"], dtype=float)
    scores = np.zeros((len(given), len(EMOTIONS)))
    try:
        columns = [EMOTIONS.index(canonical(label)) for label in found["labels"]]
    except (KeyError, ValueError) as error:
        raise DataError(f"the tool names an emotion that is not known here ({error})", source) from None
    if len(set(columns)) != len(columns) or not np.isfinite(given).all() or (given.sum(axis=1) <= 0).any():
        raise DataError("the tool names an emotion twice, or gave no number", source)
    scores[:, columns] = given
    return scores / scores.sum(axis=1, keepdims=True), np.array(found["seconds"], dtype=float)


def measure(scores: np.ndarray, distribution: np.ndarray) -> dict[str, object]:
    """How scores (N, 8) fit the crowd's distribution (N, 8): over all emotions, and over the seven that are shared.

    Over seven, faces that most people call contempt are left out, and contempt is taken out of both sides.

    Returns
    -------
    ``eight`` and ``seven``: each :func:`judged`.
    """
    seven = [EMOTIONS.index(emotion) for emotion in SHARED]
    most = distribution.max(axis=1)
    rows = (distribution[:, seven] == most[:, None]).any(axis=1) & (scores[:, seven].sum(axis=1) > 0)
    kept = [array[np.ix_(rows, seven)] for array in (scores, distribution)]
    return {
        "eight": judged(scores, distribution),
        "seven": judged(*(array / array.sum(axis=1, keepdims=True) for array in kept)),
    }


def judged(scores: np.ndarray, distribution: np.ndarray) -> dict[str, object]:
    """Accuracy with Wilson's interval, macro F1, calibration error and recall, tie-aware; (N, C), rows sum to 1."""
    found = metrics.crowd_measures(scores, distribution)
    faces = len(scores)
    sure = intervals.wilson(round(found["accuracy"] * faces), faces)
    return {
        "faces": faces,
        "accuracy": found["accuracy"],
        "low": sure.low,
        "high": sure.high,
        "macro_f1": macro_f1(np.array(found["confusion"])),
        "calibration_error": found["calibration_error"],
        "recall": found["recall"],
    }


def macro_f1(confusion: np.ndarray) -> float:
    """Mean over emotions that have a face of 2 TP / (2 TP + FP + FN); (C, C) counts, rows are the truth."""
    right = np.diag(confusion)
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    there = confusion.sum(axis=1) > 0
    return float((2 * right / np.maximum(both, 1))[there].mean())


def official_test(faces: FaceSet) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 48, 48) and crowd distributions (N, 8) of FER+'s official test part after cleaning."""
    cleaned = clean_votes(faces.votes)
    kept = faces.subset(cleaned.keep)
    rows = splits.official_split(kept).test
    return kept.images[rows], cleaned.distribution[rows]


def record(faces: FaceSet, names: Sequence[str] = ()) -> Path:
    """Ask every tool, or those named, and write a record each; returns the folder.

    Parameters
    ----------
    faces: the complete FER+.
    """
    images, distribution = official_test(faces)
    for name in names or (*PEERS, OWN):
        if name == OWN:
            _record_own(faces, images, distribution)
            continue
        scores, seconds = ask(name, images)
        peer, folder = PEERS[name], made(PEERS[name].environment)
        size = sum(path.stat().st_size for pattern in peer.weights for path in folder.glob(pattern))
        _write(name, measure(scores, distribution), seconds, size, faces, version=peer.version)
    return records.path_of("peers/x").parent


def _record_own(faces: FaceSet, images: np.ndarray, distribution: np.ndarray) -> None:
    """The book's network by the same measures, each face alone as the others; calibrated, and as it is."""
    network = trained.released(OWN)
    mirror, logits, seconds = trained.config_of(OWN).mirror, [], []
    trained.logits(network, images[:1], mirror=mirror)
    for image in images:
        start = time.perf_counter()
        logits.append(trained.logits(network, image[None], mirror=mirror)[0].double().numpy())
        seconds.append(time.perf_counter() - start)
    temperature = calibration.of(OWN).temperature
    found = measure(calibration.softmax(np.array(logits), temperature), distribution)
    plain = measure(calibration.softmax(np.array(logits)), distribution)
    for part in ("eight", "seven"):
        found[part]["calibration_error_before"] = plain[part]["calibration_error"]
    size = trained.place(OWN).stat().st_size
    _write(OWN, found, np.array(seconds), size, faces, temperature=temperature)


def _write(
    name: str, found: Mapping[str, object], seconds: np.ndarray, size: int, faces: FaceSet, **settings: object
) -> None:
    values = {
        **found,
        # The middle of the times: what else the machine did in between does not count.
        "images_per_s": float(1 / np.median(seconds)),
        "bytes": size,
    }
    load = round(os.getloadavg()[0], 1)
    target = records.write(f"peers/{name}", values, faces=faces, module=__file__, load=load, **settings)
    eight = found["eight"]
    print(f"{name}: {eight['accuracy']:.2%} of {eight['faces']:,}, {values['images_per_s']:.0f} faces/s, {target.name}")


def recorded() -> dict[str, dict[str, object]]:
    """Records by name, the most accurate over the shared seven first; those that are there.

    Raises DataError if there is none, or one is unreadable.
    """
    there = [name for name in (*PEERS, OWN) if records.path_of(f"peers/{name}").is_file()]
    if not there:
        raise DataError(
            "no tool is recorded", records.path_of("peers/x").parent, hint="`ferbook record peers` does it."
        )
    found = {name: records.read(f"peers/{name}") for name in there}
    return dict(sorted(found.items(), key=lambda entry: -entry[1]["values"]["seven"]["accuracy"]))


def title(name: str) -> str:
    """What tables call a tool, or the book's network."""
    return PEERS[name].title if name in PEERS else f"{name} (this book)"


def accuracy_rows(found: Mapping[str, Mapping[str, object]], part: str) -> list[dict[str, str]]:
    """One line per tool, as ``report.table`` takes it: faces, accuracy, macro F1, calibration error.

    Parameters
    ----------
    found: from :func:`recorded`.
    part: ``seven`` or ``eight`` emotions.
    """
    return [
        {
            "tool": title(name),
            "faces": f"{measured['faces']:,}",
            "accuracy": f"{measured['accuracy']:.1%}",
            "macro F1": f"{measured['macro_f1']:.3f}",
            "calibration error": f"{measured['calibration_error']:.3f}",
        }
        for name, entry in found.items()
        for measured in [entry["values"][part]]
    ]


def _run(command: list[str], folder: Path) -> None:
    """Run a program there; what it says is shown only where it fails."""
    program = shutil.which(command[0]) or command[0]
    try:
        done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise FerbookError(f"{command[0]} is not installed; the comparison with other tools needs it.") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-8:]
        raise FerbookError(f"{' '.join(command[:4])} ... failed in {folder}:\n" + "\n".join(said))
