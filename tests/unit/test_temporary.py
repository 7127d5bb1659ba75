"""Temporary files say whose they are: those of processes that are gone go, all others stay."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ferbook.core import errors, temporary


def test_what_a_process_that_is_gone_left_is_removed_and_nothing_else(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    own = temporary.name("a")
    place = own.split("-")[1]
    process = own.split("-")[2]
    left = [own.replace(process, str(gone.pid)) + ending for ending in (".json", "-folder")]
    (tmp_path / left[0]).touch()
    (tmp_path / left[1]).mkdir()
    (tmp_path / left[1] / "a.npy").touch()
    elsewhere = own.replace(place, "0" * 6).replace(process, str(gone.pid))
    kept = {own, elsewhere, f".ferbook-{place}-x-1", f"ferbook-{place}-{gone.pid}-1", ".hidden"}
    for name in kept:
        (tmp_path / name).touch()
    # Of another machine's processes nothing is known but how old their files are.
    os.utime(tmp_path / elsewhere, (time.time() - temporary.ABANDONED_AFTER - 60,) * 2)
    (tmp_path / f"{elsewhere}-new").touch()
    temporary.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == (kept - {elsewhere}) | {f"{elsewhere}-new"}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell how a process does")
def test_a_process_that_nobody_buried_is_gone_and_its_number_may_be_another_ones(tmp_path):
    dead = subprocess.Popen(
        [sys.executable, "-c", "from ferbook.core import temporary; print(temporary.name())"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with dead.stdout:
        said = dead.stdout.read().strip()
    while (state := Path(f"/proc/{dead.pid}/stat").read_text().rpartition(")")[2].split()[0]) != "Z":
        time.sleep(0.01)
    own = temporary.name()
    number, began = own.split("-")[2].split(".")
    reused = own.replace(f"{number}.{began}", f"{number}.{int(began) - 1}")
    for name in (said, own, reused):
        (tmp_path / name).touch()
    os.kill(dead.pid, 0)  # its number is still taken
    temporary.sweep(tmp_path)
    assert state == "Z" and [path.name for path in tmp_path.iterdir()] == [own]
    dead.wait()


def test_names_are_short_and_differ_by_what_they_stand_for():
    names = {temporary.name(of) for of in ("a", "b", 255 * "x", "\udcff")}
    assert len(names) == 4 and max(map(len, names)) < 50


def test_a_folder_goes_with_its_block(tmp_path):
    with temporary.folder(tmp_path / "new") as made:
        (made / "a").touch()
        assert made.parent == tmp_path / "new"
    assert not list((tmp_path / "new").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(errors.OutputError, match="file: cannot be written"), temporary.folder(tmp_path / "file"):
        pass


def test_code_for_other_instructions_is_kept_apart(monkeypatch):
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    usual = temporary.compiled()
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    assert temporary.compiled() != usual and temporary.compiled().parent == usual.parent


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("3456000 requested and 100 written"), "No space left on device"),
        (Exception("Error while serializing: I/O error: File too large (os error 27)"), "File too large"),
        (FileNotFoundError(2, "No such file or directory"), None),
        (ValueError("full"), None),
    ],
)
def test_what_the_system_refuses_is_told_from_mistakes(error, reason):
    assert errors.refusal(error) == reason
    with pytest.raises(type(error) if reason is None else errors.OutputError), errors.clearly_written("a/b"):
        raise error
    assert errors.words(error) is None or errors.words(error).endswith("Make room or rights, or choose another place.")


def test_an_error_of_the_systems_below_another_is_found():
    error = RuntimeError("writing failed")
    error.__context__ = OSError(28, "No space left on device")
    assert errors.refusal(error) == "No space left on device"
    assert errors.words(KeyboardInterrupt()) == "interrupted; the same command goes on from here."
