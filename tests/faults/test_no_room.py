"""A disk that is full from some moment on: one clear line, and later the same command ends well."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import nbformat
import pytest
from nbformat import v4

from tests.faults import mounts
from tests.faults.killing import JOBS, Place, Running
from tests.faults.test_kills import LONG, Series

pytest.importorskip("facenet_pytorch")
pytestmark = pytest.mark.usefixtures("imported")
#: Moments at which the disk is full; the long test tries fifteen of each command's.
MOMENTS = {"train": 2, "sweep": 1, "data": 2, "predict": 1, "page": 1}


def said(place: Place) -> list[str]:
    """What the command said last, without the bar that shows progress."""
    return [line for line in place.said().splitlines() if line.strip() and "photo/s" not in line]


def is_clear(place: Place, word: str) -> bool:
    """Whether the last thing said is one line that says what is wrong and what to do; no traceback before it."""
    text, last = place.said(), said(place)[-1]
    hints = ("Make room or rights", "Give another --out", "failed: ", "recorded, ")
    clear = "Traceback" not in text and word in text and any(hint in text for hint in hints)
    return clear and (last.startswith("ferbook: ") or last.endswith(" failed"))


@pytest.mark.parametrize("name", MOMENTS)
def test_a_full_disk_is_said_and_nothing_is_lost(name, tmp_path_factory):
    moments = random.Random(f"{name} {os.environ.get('FERBOOK_SEED', '0')}")
    series = Series(name, tmp_path_factory.mktemp(name), moments)
    series.undisturbed(forked=True)
    series.remember()
    changes = len(series.place.changes()[-1])
    chosen = sorted(moments.sample(range(1, changes + 1), min(changes, 15) if LONG else MOMENTS[name]))
    series.anew()
    refused = 0
    for moment in chosen:
        running = Running(series.place, forked=True, full_at=moment)
        if running.end() == 0:  # nothing was left to be written
            series.check()
            series.anew()
            continue
        refused += 1
        assert is_clear(series.place, "File too large"), f"change {moment} of {changes}: {series.place.said()}"
        series.place.log.write_text("")
        if LONG:
            series.finish(forked=True)
            series.anew()
    series.finish(forked=True)
    assert refused or name == "page"


@pytest.mark.parametrize(
    ("name", "part", "size"),
    [("train", "store", "200k"), ("data", "cache", "1m"), ("predict", "answers", "64k"), ("page", "out", "4k")],
)
def test_a_small_disk_is_said(name, part, size, tmp_path_factory):
    place = Place(JOBS[name], tmp_path_factory.mktemp(name) / "place")
    status = Running(place, forked=True, before=partial(mounts.small, part=part, size=size)).end()
    if status == mounts.NOT_HERE:
        pytest.skip("no file system can be mounted here")
    assert status in (1, 2) and is_clear(place, "No space left on device"), place.said()


SITE = {
    "_config.yml": "title: small\nonly_build_toc_files: true\n",
    "_toc.yml": "format: jb-book\nroot: intro\nchapters:\n  - file: other\n",
    "intro.md": "# Intro\n",
}


@pytest.mark.skipif(not LONG, reason="part of make faults")
def test_half_a_site_is_not_taken_for_a_whole_one(tmp_path):
    """The renderer meets a full disk, then is killed in the middle, which leaves half a page; then it renders all."""
    for name, text in SITE.items():
        (tmp_path / name).write_text(text)
    # An executed notebook lies there already; what is copied there would be rendered again in any case.
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Other\n\nThe last line.")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "site").mkdir()
    nbformat.write(notebook, tmp_path / "site/other.ipynb")
    render = [sys.executable, "-m", "ferbook.book.site", "site", *SITE]
    small = 'mkdir -p site/_build && mount -t tmpfs -o size=200k none site/_build || exit 77; exec "$@"'
    options = {"cwd": tmp_path, "capture_output": True, "text": True, "check": False}
    if shutil.which("unshare"):
        done = subprocess.run(["unshare", "-m", "sh", "-c", small, "sh", *render], **options)
        if done.returncode != 77 and "unshare failed" not in done.stderr:
            assert done.returncode == 1
            (said,) = done.stderr.splitlines()
            assert said.startswith("ferbook: site: cannot be written (No space left on device). Make room")
    assert subprocess.run(render, **options).returncode == 0
    page = tmp_path / "site/_build/html/other.html"
    whole = page.read_text()
    assert "The last line." in whole and not (tmp_path / "site/.unfinished").exists()

    killed = subprocess.Popen(render, cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL)
    while not (tmp_path / "site/.unfinished").exists():
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    page.write_text(whole[: len(whole) // 2])
    assert subprocess.run(render, **options).returncode == 0
    assert page.read_text() == whole
