"""Files that do not mean well, and what reads them: run one by one in a process of their own by ``test_hostile``.

Each case gets an empty folder, writes what it needs into it and returns what reads it, which alone is timed.
"""

import io
import os
import pickle
import resource
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save

from ferbook import models
from ferbook.claims import verdicts
from ferbook.core import records
from ferbook.core.errors import FerbookError
from ferbook.datasets import academic, affectnet, emotion_costs, jaffe, load
from ferbook.learning import configs, sweeps
from ferbook.learning.runs import Run
from tests import folders, spoil
from tests.conftest import TinyFerplus, encoded

Reader = Callable[[], object]
Case = Callable[[Path], Reader]
#: Name -> what is tried, and what the error has to say; None where the data are good and read.
CASES: dict[str, tuple[Case, str | None]] = {}


def attempt(name: str, folder: str) -> tuple[str, str, float, float]:
    """Run one case: how it ended (``read``, ``refused`` or the error's type), its words, seconds of work, peak MB.

    Seconds are the process's own, so that a busy machine does not count.
    """
    read = CASES[name][0](Path(folder))
    before, began = _peak(), time.process_time()
    try:
        read()
        ended = "read", ""
    except FerbookError as error:
        ended = "refused", str(error)
    except BaseException as error:
        ended = type(error).__name__, str(error)
    return *ended, time.process_time() - began, _peak() - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# Archives: the test part of a tiny FER+, rewritten.

PART, FACE, LABELS = "FER2013Test.zip", "fer0000006.png", "label.csv"


def packed(change: Callable[[Path], object]) -> Case:
    """A tiny FER+ in archives, one of which is changed."""

    def case(folder: Path) -> Reader:
        root = TinyFerplus(folder).write_archives()
        change(root)
        return lambda: load("ferplus", root)

    return case


def replaced(last: str, data: bytes) -> Case:
    return packed(spoil.member(PART, last, lambda old: data))


def added(*members: tuple[str | zipfile.ZipInfo, bytes]) -> Case:
    return packed(spoil.added(PART, *members))


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


def unfolding(last: str, size: int = 2**30, claimed: int | None = None) -> Case:
    """A member of zeros that unpacks to a gigabyte; its size is told, or `claimed` is."""

    def change(root: Path) -> None:
        with zipfile.ZipFile(root / PART) as opened:
            members = [(info.filename, opened.read(info)) for info in opened.infolist()]
        pack = zlib.compressobj(1, zlib.DEFLATED, -15)
        # After a full flush the same bytes mean the same again: what is packed once may be repeated.
        piece = pack.compress(bytes(2**20)) + pack.flush(zlib.Z_FULL_FLUSH)
        zeros = piece * (size // 2**20) + pack.flush()
        with zipfile.ZipFile(root / PART, "w") as opened:
            for name, data in members:
                opened.writestr(name, zeros if name.endswith(last) else data)
        data = bytearray((root / PART).read_bytes())
        for place, (method, sizes) in _entries(data, last, (10, 20), (8, 18)):
            struct.pack_into("<H", data, place + method, zipfile.ZIP_DEFLATED)
            struct.pack_into("<II", data, place + sizes, len(zeros), claimed or size)
        (root / PART).write_bytes(data)

    return packed(change)


def _entries(data: bytearray, last: str, *offsets: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Where an archive tells of members whose name ends so: in its directory, and before each; and offsets of these."""
    for (signature, length, named), known in zip(((b"PK\1\2", 28, 46), (b"PK\3\4", 26, 30)), offsets, strict=True):
        place = -1
        while (place := data.find(signature, place + 1)) >= 0:
            size = struct.unpack_from("<H", data, place + length)[0]
            if bytes(data[place + named : place + named + size]).decode(errors="replace").endswith(last):
                yield place, known


def encrypt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for place, (flags,) in _entries(data, "", (8,), (6,)):
        data[place + flags] |= 1
    path.write_bytes(data)


def confuse_checksum(path: Path) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.find(b"PK\1\2") + 16, 0xDEADBEEF)
    path.write_bytes(data)


def png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG whose header promises so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = pixels or zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bom_and_crlf(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


BLACK = Image.new("L", (48, 48))
ROW = b"fer0000006.png,box" + b",1" * 10 + b"\n"

CASES |= {
    "zip: a way out": (added(("../../evil.png", b"x")), "not listed in label.csv, the first evil.png"),
    "zip: an absolute name": (added(("/etc/evil.png", b"x")), "not listed in label.csv, the first evil.png"),
    "zip: a link": (
        added((link("FER2013Test/link.png"), b"/etc/passwd")),
        "not listed in label.csv, the first link.png",
    ),
    "zip: a picture of a gigabyte": (unfolding(FACE), "fer0000006.png: unpacks to 1,073,741,824 bytes"),
    "zip: a table of a gigabyte": (unfolding(LABELS), "label.csv: unpacks to 1,073,741,824 bytes"),
    "zip: a picture of a gigabyte that says it is small": (
        unfolding(FACE, claimed=2_000),
        "fer0000006.png: cannot be unpacked (Bad CRC-32",
    ),
    "zip: a table of a gigabyte that says it is small": (
        unfolding(LABELS, claimed=60),
        "label.csv: cannot be unpacked (Bad CRC-32",
    ),
    "zip: 100,000 entries": (added(*((f"other/{i}.txt", b"") for i in range(100_000))), None),
    "zip: encrypted": (packed(spoil.at(PART, encrypt)), "is encrypted. Unpack the archive"),
    "zip: a name twice": (added(("FER2013Test/label.csv", b"x")), "holds both FER2013Test/label.csv and"),
    "zip: a wrong checksum": (packed(spoil.at(PART, confuse_checksum)), "cannot be unpacked (Bad CRC-32"),
    "zip: what macOS adds": (
        added(("__MACOSX/FER2013Test/._fer0000006.png", b"x"), ("FER2013Test/.DS_Store", b"x")),
        None,
    ),
    "png: 50,000 x 50,000": (replaced(FACE, png(50_000, 50_000)), "fer0000006.png: is a broken PNG"),
    "png: 12,000 x 12,000": (
        replaced(FACE, png(12_000, 12_000, zlib.compress(bytes(12_001) * 12_000, 1))),
        "is 12000 x 12000 pixels of mode L instead of 48 x 48",
    ),
    "png: cut short": (replaced(FACE, encoded(BLACK)[:60]), "fer0000006.png: is a broken PNG"),
    "png: a JPEG inside": (replaced(FACE, encoded(BLACK, "JPEG")), "fer0000006.png: is not a PNG image"),
    "png: empty": (replaced(FACE, b""), "fer0000006.png: is not a PNG image"),
    "csv: semicolons": (replaced(LABELS, ROW.replace(b",", b";")), "label.csv, line 1: 0 vote columns"),
    "csv: a quote that never ends": (replaced(LABELS, b'"' + ROW + b"a" * 300_000), "label.csv: is not a CSV table"),
    "csv: NUL": (
        replaced(LABELS, ROW.replace(b".png,", b".png\0,")),
        "label.csv, line 1: fer0000006.png\0 is listed but",
    ),
    "csv: a million columns": (replaced(LABELS, ROW.strip() + b",1" * 10**6), "1000010 vote columns instead of 10"),
    "csv: a formula": (replaced(LABELS, b"=cmd|calc!A0" + ROW[14:]), "line 1: =cmd|calc!A0 is listed but"),
    "csv: byte order mark and CRLF": (packed(spoil.member(PART, LABELS, bom_and_crlf)), None),
}


# Tables, each with the same faults.


def formed(form: str, file: str, change: Callable[[Path], object]) -> Case:
    """A layout of `folders.FORMS`, one file of which is changed."""

    def case(folder: Path) -> Reader:
        folders.FORMS[form].write(folder)
        change(next(folder.rglob(file)))
        return lambda: folders.FORMS[form].read(folder)

    return case


def table_of(form: str, file: str, edit: Callable[[bytes], bytes]) -> Case:
    return formed(form, file, lambda path: path.write_bytes(edit(path.read_bytes())))


def kaggle(file: str, edit: Callable[[bytes], bytes]) -> Case:
    return table_of("ferplus tables", file, edit)


def mosaic(width: int, height: int) -> Callable[[bytes], bytes]:
    """A WebP whose header promises so many pixels."""
    size = ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    return lambda data: data[:21] + size + data[25:]


def mosaics(edit: Callable[[bytes], bytes]) -> Case:
    return table_of("ferplus mosaics", MOSAIC, edit)


def as_large_as_told(path: Path) -> None:
    """Many rows in the table, and a header that promises their pixels."""
    rows = (f"x{number}.png,b" + ",1" * 10 for number in range(28_560))
    path.with_suffix(".csv").write_text("\n".join(rows))
    path.write_bytes(mosaic(84 * 48, 340 * 48)(path.read_bytes()))


MOSAIC = "FER2013Train.webp"
CASES |= {
    "mosaic: 16,383 x 16,383": (mosaics(mosaic(16_383, 16_383)), f"{MOSAIC}: is a broken WEBP"),
    "mosaic: 8,000 x 16,383": (mosaics(mosaic(8_000, 16_383)), f"{MOSAIC}: is 8000 x 16383 pixels instead"),
    "mosaic: as large as its table says, and empty": (
        formed("ferplus mosaics", MOSAIC, as_large_as_told),
        f"{MOSAIC}: is a broken WEBP",
    ),
    "mosaic: a PNG inside": (mosaics(lambda data: png(4032, 48)), f"{MOSAIC}: is not a WEBP image"),
}

VOTES, PIXELS = "fer2013new.csv", "fer2013.csv"
CASES |= {
    "kaggle: semicolons": (kaggle(VOTES, lambda data: data.replace(b",", b";")), "has no column Image name"),
    "kaggle: a quote that never ends": (
        kaggle(VOTES, lambda data: data[:100] + b'"' + data[100:] + b"x" * 400_000),
        "fer2013new.csv: is not a CSV table",
    ),
    "kaggle: a million columns": (kaggle(VOTES, lambda data: b"a," * 10**6 + b"\n" + data), "has no column Image name"),
    "kaggle: NUL": (kaggle(PIXELS, lambda data: data[:300] + b"\0" + data[300:]), "line 2: 0 readable pixel values"),
    "kaggle: byte order mark and CRLF": (kaggle(PIXELS, bom_and_crlf), None),
}


# Other readers.


def written(file: str, data: bytes, read: Callable[[Path], object]) -> Case:
    def case(folder: Path) -> Reader:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return lambda: read(folder)

    return case


def affectnet_with(picture: bytes) -> Case:
    table = ",".join(affectnet.COLUMNS) + "\n1/a.png,0,0,9,9,,0,0.1,0.1\n"

    def case(folder: Path) -> Reader:
        (folder / affectnet.IMAGES / "1").mkdir(parents=True)
        (folder / affectnet.IMAGES / "1" / "a.png").write_bytes(picture)
        for name in affectnet.TABLES.values():
            (folder / name).write_text(table)
        return lambda: affectnet.load(folder, parts=["train"], size=16)

    return case


CASES |= {
    "affectnet: 50,000 x 50,000": (affectnet_with(png(50_000, 50_000)), "a.png: is a broken image"),
    "affectnet: 10,000 x 10,000": (affectnet_with(png(10_000, 10_000)), "a.png: is 10000 x 10000 pixels large"),
    "jaffe: 50,000 x 50,000": (
        written("jaffe/KA.AN1.39.tiff", png(50_000, 50_000), jaffe.load),
        "KA.AN1.39.tiff: is",
    ),
    "students: a million columns": (
        written(academic.TABLE, b"a," * 10**6 + b"\n" + b"1," * 10**6, academic.load),
        "has no column",
    ),
    "students: NUL": (written(academic.TABLE, bytes(10_000), academic.load), academic.TABLE),
    "students: a quote that never ends": (written(academic.TABLE, b'id,"name' * 10_000, academic.load), academic.TABLE),
}


# The tables of the other data sets, each with the same faults.


def second_line(new: bytes) -> Callable[[bytes], bytes]:
    """Put something before the first cell below the header."""
    return lambda data: data.replace(b"\n", b"\n" + new, 1)


#: Layout and table.
TABLES_OF_FORMS = {
    "fer2013": ("fer2013 table", "icml_face_data.csv"),
    "ckplus": ("ckplus table", "ckextended.csv"),
    "affectnet": ("affectnet 2017", "training.csv"),
    "vad": ("vad pixels", "publictest-20251228.csv"),
    "students": ("academic", academic.TABLE),
}
#: What is done to each table, and what the error names.
TABLE_FAULTS = {
    "byte order mark and CRLF": (bom_and_crlf, None),
    "semicolons": (lambda data: data.replace(b",", b";"), "{file}, line 1: has no column"),
    # What a field without end swallows ends at the csv module's limit, or makes a row of too few cells.
    "quotes that never end": (lambda data: second_line(b'"')(data) + b"x" * 400_000, "{file}"),
    "NUL within": (second_line(b"\0"), "{file}"),
    "1,000,000 columns": (lambda data: b"a," * 10**6 + b"\n" + data, "has no column"),
    "a row of 1,000,000 cells": (lambda data: data + b"1," * 10**6 + b"\n", "{file}"),
    "formulas": (second_line(b"=cmd|' /C calc'!A0,"), "{file}, line 2"),
}
CASES |= {
    f"{key}: {fault}": (table_of(form, file, edit), says and says.format(file=file))
    for key, (form, file) in TABLES_OF_FORMS.items()
    for fault, (edit, says) in TABLE_FAULTS.items()
}
# The first cell of a student is a number that nobody reads.
CASES["students: NUL within"] = CASES["students: NUL within"][0], None


# A pipe in place of a file is waited for by whoever opens it.


def pipe(form: str, file: str) -> Case:
    return formed(form, file, lambda path: (path.unlink(), os.mkfifo(path)))


def claim_pipe(folder: Path) -> Reader:
    os.mkfifo(folder / "000.yml")
    return lambda: verdicts.load_claims("000", folder)


CASES |= {
    "pipe: a picture of FER+": (
        pipe("ferplus folders", "fer0000006.png"),
        "fer0000006.png: cannot be read: it is no file",
    ),
    "pipe: a table of FER+": (pipe("ferplus tables", "fer2013new.csv"), "the FER+ vote table is missing"),
    "pipe: a picture of JAFFE": (pipe("jaffe", "KA.AN1.39.tiff"), "KA.AN1.39.tiff: cannot be read: it is no file"),
    "pipe: a picture of a class folder": (pipe("fer2013 folders", "*.jpg"), "cannot be read: it is no file"),
    "pipe: a label of CK+": (pipe("ckplus sequences", "*_emotion.txt"), "cannot be read: it is no file"),
    "pipe: an annotation": (pipe("affectnet 2021", "4_exp.npy"), "4_exp.npy: cannot be read: it is no file"),
    "pipe: a claim file": (claim_pipe, "it is no file"),
}


# Arrays and workbooks.


def npy(shape: tuple[int, ...], kind: str) -> bytes:
    """An array's header that promises so much, and 8 bytes of it."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": kind})
    return stream.getvalue() + bytes(8)


def annotation(data: bytes) -> Case:
    return table_of("affectnet 2021", "4_exp.npy", lambda old: data)


def zipped(file: str, member: str, data: bytes, read: Callable[[Path], object]) -> Case:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, data)
    return written(file, content.getvalue(), read)


def predictions(data: bytes) -> Case:
    return zipped("predictions.npz", "ids.npy", data, lambda folder: Run(folder).predictions())


def workbook(member: str, data: bytes) -> Case:
    return zipped(emotion_costs.WORKBOOK, member, data, emotion_costs.read)


LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><sst>&b;</sst>'
CASES |= {
    "npy: a terabyte": (annotation(npy((2**37,), "<f8")), "4_exp.npy: holds no single value"),
    "npy: a text of a gigabyte": (annotation(npy((), "<U268435456")), "4_exp.npy: holds no single value"),
    "npy: a pickle": (annotation(npy((), "|O")), "it holds Python objects"),
    "npy: a header that is code": (annotation(b"\x93NUMPY\1\0\x10\0__import__('os')"), "holds no single value"),
    "npz: a terabyte": (predictions(npy((2**37,), "<f8")), "predictions.npz: holds no predictions"),
    "npz: a quarter of a gigabyte of zeros": (
        predictions(npy((2**27,), "<f8") + bytes(2**28)),
        "predictions.npz: holds no predictions",
    ),
    "xlsx: entities": (workbook("xl/sharedStrings.xml", LAUGHS), "defines entities"),
    "xlsx: 100 MB": (workbook("xl/sharedStrings.xml", bytes(10**8)), "unpacks to 100,000,000 bytes"),
    "class folders: 50,000 x 50,000": (
        table_of("fer2013 folders", "Training_90000.jpg", lambda old: png(50_000, 50_000)),
        "Training_90000.jpg: is",
    ),
    "affectnet: a way out": (
        table_of("affectnet 2017", "training.csv", second_line(b"../../evil.jpg,0,0,9,9,,0,0,0\n")),
        "training.csv, line 2: '../../evil.jpg' is no place",
    ),
    "affectnet: an absolute path": (
        table_of("affectnet 2017", "training.csv", second_line(b"/etc/passwd,0,0,9,9,,0,0,0\n")),
        "training.csv, line 2: etc/passwd is listed but not in",
    ),
}


# YAML and JSON.

BILLION = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


def claim_file(text: str) -> Case:
    return written("000.yml", text.encode(), lambda folder: verdicts.load_claims("000", folder))


def sweep_file(text: str) -> Case:
    return written("000.yml", text.encode(), lambda folder: sweeps.runs(folder / "000.yml"))


def record_file(data: bytes) -> Case:
    return written("run.json", data, lambda folder: sweeps.read(folder / "run.json"))


def config_file(data: bytes) -> Case:
    return written("run.json", data, lambda folder: configs.read(folder / "run.json"))


CASES |= {
    "claims: anchors that explode": (claim_file(BILLION + "claims: *j\n"), "000.yml: is not YAML (line 7: written out"),
    "claims: a Python tag": (
        claim_file('!!python/object/apply:os.system ["touch evil"]'),
        "could not determine a constructor for the tag",
    ),
    "claims: nested deep": (claim_file("[" * 100_000), "nested more than"),
    "claims: binary": (claim_file("\0\1"), "is not YAML"),
    "claims: one key twice": (claim_file("paper: '000'\npaper: '001'\n"), "'paper' stands 2 times"),
    "sweeps: anchors that explode": (sweep_file(BILLION + "groups: *j\n"), "line 7: written out"),
    "sweeps: a Python tag": (sweep_file("!!python/name:os.system"), "could not determine a constructor for the tag"),
    "sweeps: nested deep": (sweep_file("{" * 100_000), "nested more than"),
    "record: nested deep": (record_file(b"[" * 100_000), "is not a recorded run (it is nested too deep)"),
    "record: a number of 10,000 digits": (record_file(b'{"a":' + b"9" * 10_000 + b"}"), "is not a recorded run"),
    "record: wrong bytes": (record_file(b"\xff\xfe\0"), "is not a recorded run"),
    "record: 100 MB": (record_file(b" " * 100_000_000), "100,000,000 bytes are more than"),
    "record: a way out": (lambda folder: lambda: records.read("../../secret"), "is no name of a record"),
    "record: an absolute name": (lambda folder: lambda: records.read("/etc/passwd"), "is no name of a record"),
    "config: nested deep": (config_file(b"[" * 100_000), "is not JSON (it is nested too deep)"),
    "config: not a number": (config_file(b'{"optimiser": {"lr": NaN}}'), "optimiser.lr"),
    "config: a number for a name": (config_file(b'{"model": {"name": 7}}'), "model.name"),
}


# Weights.


def weights_file(make: Callable[[dict[str, torch.Tensor]], bytes]) -> Case:
    def case(folder: Path) -> Reader:
        model = models.build("compact", 8, seed=0)
        path = folder / "weights.safetensors"
        path.write_bytes(make(dict(model.state_dict())))
        return lambda: models.load_weights(model, path)

    return case


CASES |= {
    "weights: a header of a terabyte": (
        weights_file(lambda state: struct.pack("<Q", 10**12) + b"{}"),
        "it is not a readable safetensors file",
    ),
    "weights: a header of 99 MB": (
        weights_file(lambda state: struct.pack("<Q", 99_000_000) + b" " * 99_000_000),
        "it is not a readable safetensors file",
    ),
    "weights: whole numbers": (
        weights_file(lambda state: save({name: value.to(torch.int8) for name, value in state.items()})),
        "is of type int8",
    ),
    "weights: not a number": (
        weights_file(lambda s: save({k: v * float("nan") if v.is_floating_point() else v for k, v in s.items()})),
        "holds values that are not finite numbers",
    ),
    "weights: other shapes": (
        weights_file(
            lambda state: save({name: value[..., :1].contiguous() for name, value in state.items() if value.ndim})
        ),
        "it does not fit Compact",
    ),
    "weights: a pickle": (weights_file(pickle.dumps), "it is not a readable safetensors file"),
    "weights: empty": (weights_file(lambda state: b""), "it is not a readable safetensors file"),
}
