"""A valid file with some bytes changed gives data or one clear error, whatever reads it.

``FERBOOK_FAULTS=long`` tries 1,000 changes per reader instead of 15. Both are the same at every run.
"""

import os
import shutil
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ferbook.core.errors import FerbookError
from ferbook.datasets import cache, jaffe
from tests import folders
from tests.faults import fuzzed

CASES = 1_000 if os.environ.get("FERBOOK_FAULTS") == "long" else 15
#: Seconds of the process's own time that one damaged file may take.
SECONDS = 5

#: What is likely to mean something to some reader.
TOKENS = (
    *(b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b" ", b"\t", b",", b";", b":", b"-", b"."),
    *(b'"', b"'", b"{", b"}", b"[", b"]", b"[" * 300, b"&a ", b"*a", b"!!python/name:os.system", b"null", b"true"),
    *(b"#", b"0", b"-1", b"9" * 30, b"9" * 5_000, b"1e999", b"NaN", b"Infinity", b"1_0", "\u0663".encode(), b"0x10"),
    *(b"1.5", b"../", b"/etc/passwd", b"=1+1", b"a" * 200_000, b"x," * 1_000),
    *(b"\x7f\xff\xff\xff", b"\xff" * 8, b"\x00" * 64, b"PK\1\2", b"IDAT", b"II*\0"),
)
#: A change: what is done, where (as a share of the file), to how many bytes, and with what.
CHANGES = st.tuples(
    st.sampled_from(["put", "put", "over", "over", "drop", "drop", "cut", "double", "swap"]),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 64),
    st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(TOKENS)),
)


def changed(data: bytes, change: tuple[str, float, int, bytes]) -> bytes:
    kind, share, length, new = change
    place = int(share * (len(data) + 1))
    before, taken, after = data[:place], data[place : place + length], data[place + length :]
    return {
        "put": before + new + taken + after,
        "over": before + new + data[place + len(new) :],
        "drop": before + after,
        "cut": before,
        "double": before + taken + taken + after,
        "swap": before + taken[::-1] + after,
    }[kind]


def damaged(check):
    """Give a check where to damage (a number) and how; the same cases at every run."""
    rules = settings(
        max_examples=CASES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    return rules(given(st.integers(0, 2**16), st.lists(CHANGES, min_size=1, max_size=3))(check))


def files_of(folder: Path) -> list[list[Path]]:
    """The files of a data set by suffix: of few kinds, though of many files, each gets its share."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.stat().st_size:
            kinds.setdefault(path.suffix.lower(), []).append(path)
    return list(kinds.values())


@pytest.mark.parametrize("name", fuzzed.READERS)
def test_damaged_file(name, tmp_path, monkeypatch, record_property):
    folder = tmp_path / "data set"
    folder.mkdir()
    monkeypatch.setenv("FERBOOK_HOME", str(folder))
    write, read, besides = fuzzed.READERS[name]
    write(folder)
    kinds = files_of(folder)
    read(folder)
    ended = {"data": 0, "refused": 0}

    @damaged
    def check(number, changes):
        paths = kinds[number % len(kinds)]
        path = paths[number // len(kinds) % len(paths)]
        whole = path.read_bytes()
        data = whole
        for change in changes:
            data = changed(data, change)
        path.write_bytes(data)
        # A prepared copy would be read instead where a reader does not look at every file again.
        shutil.rmtree(cache.paths.cache_root(), ignore_errors=True)
        said = None
        began = time.process_time()
        try:
            with warnings.catch_warnings():
                # A warning is no end; what it warns of shows in what is read, or is an error.
                warnings.simplefilter("ignore")
                read(folder)
            ended["data"] += 1
        except (FerbookError, *besides) as error:
            ended["refused"] += 1
            said = str(error)
        finally:
            path.write_bytes(whole)
        assert said is None or (said and "\n" not in said and "Traceback" not in said)
        assert time.process_time() - began < SECONDS

    check()
    record_property("ended", ended)
    # The changes reach what is read.
    assert ended["refused"]


def test_damaged_prepared_copy(tmp_path, monkeypatch):
    """The source is whole, so a damaged copy of it ends in data, made anew where the copy cannot be read."""
    folders.jaffe_folder(tmp_path)
    expected = jaffe.load(tmp_path).images.shape
    (copy,) = cache.paths.cache_root().iterdir()
    kept = tmp_path / "kept"
    shutil.copytree(copy, kept)
    (files,) = [[path.relative_to(kept) for path in sorted(kept.iterdir())]]

    @damaged
    def check(number, changes):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(kept, copy)
        path = copy / files[number % len(files)]
        data = path.read_bytes()
        for change in changes:
            data = changed(data, change)
        path.write_bytes(data)
        faces = jaffe.load(tmp_path)
        assert len(faces) and faces.images.ndim == len(expected)

    check()
