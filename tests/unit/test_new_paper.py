"""The skeleton of a further paper: it passes what is asked of a paper at once, and is written whole or not at all."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ferbook.book import building, coverage, new_paper
from ferbook.book.new_paper import Paper
from ferbook.cli.commands import main
from ferbook.core.errors import ConfigError, FerbookError, OutputError

ROOT = Path(__file__).resolve().parents[2]
#: What a paper is judged with, and what lists papers.
NEEDED = ("src", "data", "book", "tests", "_toc.yml", "_config.yml", "CITATION.cff", "pyproject.toml")
TOY = "777-toy-faces"


def copied(folder: Path, *names: str) -> Path:
    """A checkout with these files and folders, without what was built or trained."""
    unneeded = shutil.ignore_patterns("__pycache__", "*.egg-info", "runs", "weights")
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=unneeded)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def ran(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """A command of Python's, with the library of the copy."""
    variables = {**os.environ, "PYTHONPATH": str(folder / "src"), "FERBOOK_HOME": str(folder)}
    done = [sys.executable, *command]
    return subprocess.run(done, cwd=folder, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A checkout to which the command added a paper."""
    folder = copied(tmp_path_factory.mktemp("extended"), *NEEDED)
    done = ran(folder, "-m", "ferbook.cli", "new-paper", TOY, "--figures", "1", "--tables", "2", "--sweep")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(new_paper.FILES) + len(new_paper.LISTS) + 1
    return folder


@pytest.fixture(scope="module")
def checkout_before(tmp_path_factory):
    """The same checkout without the paper."""
    return copied(tmp_path_factory.mktemp("before"), *NEEDED)


def test_its_claims_are_judged(extended):
    done = ran(extended, "-m", "ferbook.cli", "claims", "777")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "2 claims: 2 holds"
    assert "check 'toy_faces share of a row'" not in done.stderr


def test_its_own_tests_pass(extended):
    options = ("-q", "-p", "no:cacheprovider", "-o", "addopts=")
    done = ran(extended, "-m", "pytest", *options, "tests/unit/test_toy_faces_claims.py")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_its_page_runs_and_is_in_the_book(extended, tmp_path):
    page = "book/toy_faces/the_paper"
    pages = building.pages(extended / "_toc.yml")
    assert pages.index(page) == pages.index("book/outcomes/grades") + 1, "after the last paper"
    done = ran(extended, "-m", "ferbook.book.notebooks", f"{page}.py", str(tmp_path / "page.ipynb"))
    assert done.returncode == 0, done.stderr
    for claim in ("777-total", "777-first-share"):
        assert f'id=\\"claim-{claim}\\"' in (tmp_path / "page.ipynb").read_text()


def test_it_re_runs_the_pages_on_all_papers_and_no_other(extended, checkout_before):
    code = """if True:
        import hashlib, json
        from pathlib import Path
        from ferbook.book import building
        def mark(page):
            files = [Path(f"{page}.py"), *building.library(page), *building.judged(page, Path("data"))]
            where = building.linked(building.papers_judged(page)) if building.uses(page, "claims.links") else ""
            return hashlib.sha256(b"".join(file.read_bytes() for file in files) + where.encode()).hexdigest()
        pages = [page for page in building.pages(Path("_toc.yml")) if Path(f"{page}.py").is_file()]
        print(json.dumps({page: mark(page) for page in pages}))
    """
    before, after = (json.loads(ran(folder, "-c", code).stdout) for folder in (checkout_before, extended))
    changed = {page for page in after if before.get(page) != after[page]}
    assert {"book/toy_faces/the_paper", "book/verdicts/scoreboard", "book/verdicts/coverage"} <= changed
    assert {page.split("/")[1] for page in changed} == {"toy_faces", "verdicts", "preface"}, changed


def test_its_figures_tables_and_runs_are_listed(extended):
    code = (
        "from ferbook.book import coverage; from ferbook.learning import sweeps; from pathlib import Path; "
        "print(*(entry.id for entry in coverage.load()['777']), coverage.missing(coverage.load()), "
        "*sweeps.runs(Path('data/sweeps/777.yml')))"
    )
    done = ran(extended, "-c", code)
    assert done.stdout.strip() == "figure 1 table 1 table 2 {} first/seed0", done.stderr


def test_what_is_written_is_formatted(extended):
    for command in (["check"], ["format", "--check"]):
        done = ran(extended, "-m", "ruff", *command, "--no-cache", "src/ferbook/papers", "src/ferbook/claims", "book",
                   "src/ferbook/book", "tests/unit/test_toy_faces_claims.py")  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    folder = copied(tmp_path / "checkout", "data/claims", "_config.yml", *new_paper.LISTS)
    monkeypatch.setenv("FERBOOK_HOME", str(folder))
    return folder


def everything(folder: Path) -> dict[str, bytes | None]:
    """Every file with its content, and every folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["new-paper", "002-labels"], "paper 002 exists already"),
        (["new-paper", "labels"], "is no number and name"),
        (["new-paper", "777-class"], "is no number and name"),
        (["new-paper", "777-../toy"], "is no number and name"),
        (["new-paper", TOY, "--title", 'The "toy"'], "is no title"),
        (["new-paper", TOY, "--title", "t" * 81], "is no title"),
        (["new-paper", TOY, "--tables", "-1"], "cannot be fewer"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(checkout, capsys, asked, said):
    before = everything(checkout)
    assert main(asked) == 2
    error = capsys.readouterr().err
    assert error.startswith("ferbook: ") and said in error and error.count("\n") == 1
    assert everything(checkout) == before


def test_another_paper_s_package_is_not_touched(checkout):
    package = checkout / "src" / "ferbook" / "papers" / "vad" / "__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text("own = 1\n")
    before = everything(checkout)
    with pytest.raises(FerbookError, match=r"papers/vad/__init__.py exists already"):
        new_paper.write(Paper.named("777-vad"))
    assert everything(checkout) == before


def test_nothing_is_half_written(checkout):
    (checkout / "data" / "sweeps").write_text("no folder")
    before = everything(checkout)
    with pytest.raises(OutputError, match="sweeps"):
        new_paper.write(Paper.named(TOY), sweep=True)
    assert everything(checkout) == before


def test_a_list_that_is_not_as_expected_is_refused(checkout):
    (checkout / "src" / "ferbook" / "book" / "coverage.py").write_text("PRINTED = 1\n")
    before = everything(checkout)
    with pytest.raises(FerbookError, match="no mapping PRINTED"):
        new_paper.write(Paper.named(TOY))
    assert everything(checkout) == before


def test_after_a_kill_the_same_command_goes_on(checkout):
    new_paper.write(Paper.named(TOY))
    whole = everything(checkout)
    (checkout / "data" / "claims" / "777.yml").unlink()
    new_paper.write(Paper.named(TOY))
    assert everything(checkout) == whole


def test_a_book_without_papers_gets_its_first_at_the_end():
    text = "format: jb-book\nroot: a\nparts:\n  - caption: Try it\n    chapters:\n      - file: book/b\n"
    added = new_paper._contents(text, Paper.named(TOY, "Toys"))
    assert added == text + '  - caption: "777: Toys"\n    chapters:\n      - file: book/toy_faces/the_paper\n'
    with pytest.raises(LookupError):
        new_paper._contents("chapters: []\n", Paper.named(TOY))


def test_a_paper_without_figures_has_an_empty_list():
    added = new_paper._coverage("'000': []\n", Paper.named(TOY, tables=0))
    assert added == "'000': []\n\n\"777\": []\n"
    assert coverage.Printed(0, 0).ids == []


def test_names():
    assert Paper.named("005-resting-faces") == Paper("005", "resting_faces", "resting faces")
    with pytest.raises(ConfigError):
        Paper.named("005-Faces")
