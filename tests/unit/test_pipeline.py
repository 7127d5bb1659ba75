"""The Snakemake workflow on a copy small enough to run: what re-runs, what does not, and how a failure ends."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = '# %% tags=["parameters"]\ncount = 1\n\n# %%\n{code}\nprint(count)\n'
PAGES = {"labels": "from ferbook.faces import labels", "plain": "import math"}


class Checkout:
    """A project of two pages, one of which imports ``ferbook.faces.labels``, with its own copy of the library."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        shutil.copy(ROOT / "Snakefile", folder)
        for name, code in PAGES.items():
            self.write(f"book/{name}.py", PAGE.format(code=code))
        self.write("_toc.yml", "format: jb-book\nroot: book/plain\nchapters:\n  - file: book/labels\n")
        self.write("_config.yml", "title: small\n")
        self.write("book/profiles/quick.yml", "book/plain:\n  parameters: {count: 2}\n")
        (folder / "data").mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def notebook(self, name: str) -> str:
        return f"_build/site/book/{name}.ipynb"

    def run(self, *extra: str, **environment: str) -> subprocess.CompletedProcess:
        targets = [self.notebook(name) for name in PAGES]
        options = ["--cores", "1", "--max-checksum-file-size", "0", "--quiet", "all"]
        # The copy of the library comes before the installed one.
        variables = {**os.environ, "PYTHONPATH": str(self.folder / "src"), "FERBOOK_HOME": str(self.folder)}
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *targets, *options, *extra],
            cwd=self.folder,
            env={**variables, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def made(self) -> dict[str, int]:
        return {name: (self.folder / self.notebook(name)).stat().st_mtime_ns for name in PAGES}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    done = made.run()
    assert done.returncode == 0, done.stderr
    return made


def rerun(checkout):
    before = checkout.made()
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    after = checkout.made()
    return {name for name in PAGES if before[name] != after[name]}


def test_what_changed_runs_again_and_nothing_else(checkout):
    assert rerun(checkout) == set()
    (checkout.folder / "src" / "ferbook" / "faces" / "labels.py").touch()
    assert rerun(checkout) == {"labels"}
    checkout.write("book/profiles/quick.yml", "book/plain:\n  parameters: {count: 3}\n")
    assert rerun(checkout) == {"plain"}
    (checkout.folder / "book" / "plain.py").touch()
    assert rerun(checkout) == {"plain"}


def test_a_failing_cell_fails_the_build_and_is_named(checkout):
    page = checkout.folder / "book" / "plain.py"
    good = page.read_text()
    page.write_text(good + "\n# %%\n1 / 0\n")
    done = checkout.run()
    page.write_text(good)
    assert done.returncode != 0
    assert "book/plain.py, cell 3: ZeroDivisionError: division by zero" in done.stderr


def test_an_unknown_parameter_fails_the_build(checkout):
    checkout.write("book/profiles/typo.yml", "book/plain:\n  parameters: {coumt: 3}\n")
    done = checkout.run("--config", "profile=typo")
    assert done.returncode != 0
    assert "coumt: is no parameter of book/plain.py" in done.stderr


def test_data_that_is_not_there_fails_the_build_with_its_place(checkout, tmp_path):
    done = checkout.run(FERBOOK_DATA=str(tmp_path / "no where"))
    assert done.returncode != 0
    assert f"ferbook: {tmp_path / 'no where'}: none of these data sets is here" in done.stderr


def test_notebooks_find_data_whose_folder_was_named_from_the_root(checkout, tiny):
    place = tiny.write_folders()
    seen = checkout.folder / "seen"
    checkout.write(
        "book/plain.py", PAGE.format(code=f"import os\nopen({str(seen)!r}, 'w').write(os.environ['FERBOOK_DATA'])")
    )
    done = checkout.run(FERBOOK_DATA=os.path.relpath(place, checkout.folder))
    assert done.returncode == 0, done.stderr
    assert seen.read_text() == str(checkout.folder / os.path.relpath(place, checkout.folder))
