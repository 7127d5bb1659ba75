"""Which pages a change re-runs."""

from pathlib import Path

import pytest

from ferbook.book import building
from ferbook.claims import verdicts
from ferbook.core.dependencies import PACKAGE
from ferbook.core.paths import project_root

#: Pages that a change of one paper's check may re-run: the paper's chapter, five pages on the verdicts, the front page.
MOST = {"cbam": 14, "relevance": 13, "nhot": 17, "vad": 13}


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(project_root())


def notebooks():
    return [page for page in building.pages(Path("_toc.yml")) if Path(f"{page}.py").is_file()]


def pages_of(*modules):
    return {page for page in notebooks() if building.uses(page, *modules)}


@pytest.mark.parametrize(
    ("module", "chapter"),
    [
        ("papers.cbam.checks", "cbam"),
        ("papers.relevance.checks", "relevance"),
        ("papers.relevance.score_checks", "relevance"),
        ("papers.nhot.source_checks", "nhot"),
        ("papers.vad.number_checks", "vad"),
    ],
)
def test_a_check_of_one_paper_re_runs_its_chapter_and_the_verdict_pages(module, chapter):
    found = pages_of(module)
    shown = {page.split("/")[1] for page in found}
    assert {chapter, "verdicts"} <= shown
    others = {"cbam", "relevance", "nhot", "vad"} - {chapter}
    assert not others & shown, found
    assert len(found) <= MOST[chapter], found


def test_a_check_that_serves_all_papers_re_runs_every_page_with_a_verdict():
    found = pages_of("claims.printed_checks")
    assert found >= {page for page in notebooks() if building.papers_judged(page)}
    assert not found & {"book/faces/data_sets", "book/try/try_a_face"}


def test_papers_are_those_that_a_page_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for function in (building.imported, building.papers_judged, building.library, building._papers_named):
        function.cache_clear()
    Path("one.py").write_text('from ferbook.claims import report\naudit = report.ClaimReport("001")\n')
    Path("letter.py").write_text('from ferbook.claims import report\naudit = report.ClaimReport("004")\n')
    Path("any.py").write_text("from ferbook.claims import report\nfor paper in asked:\n    report.ClaimReport(paper)\n")
    Path("none.py").write_text("from ferbook.faces import labels\n")
    assert building.papers_judged("one") == ("001",)
    assert building.papers_judged("any") == tuple(verdicts.paper_numbers())
    assert building.papers_judged("none") == ()
    assert building.uses("one", "papers.relevance.checks", "claims.data_checks")
    assert not building.uses("one", "papers.cbam.checks")
    assert building.uses("letter", "papers.vad.checks")


def test_claims_of_a_paper_re_run_the_pages_that_judge_it():
    page = "book/relevance/ranks"
    claims = {path.name for path in building.judged(page, Path("data")) if path.parent.name == "claims"}
    assert "001.yml" in claims and "002.yml" not in claims
    assert {"001.yml", "002.yml"} <= {path.name for path in building.judged("book/verdicts/scoreboard", Path("data"))}


def test_tables_and_coverage_re_run_the_pages_that_use_them():
    def used(page):
        return {path.name for path in building.judged(page, Path("data"))}

    assert {"001-table1.csv", "002-table1.csv"} & used("book/relevance/ranks") == {"001-table1.csv"}
    assert {"003-table1.csv", "004-table1.csv"} <= used("book/outcomes/grades"), "004 is compared with 003"
    assert {"001-table1.csv", "002-table1.csv"} <= used("book/verdicts/scoreboard")
    assert {"001.yml", "002.yml", "coverage.yml"} <= used("book/verdicts/coverage"), (
        "papers are named as they are cited"
    )
    assert not {"coverage.yml", "001.yml"} & used("book/try/peers"), "no claim is judged there"


def test_where_claims_are_shown_counts_for_the_papers_that_a_page_judges():
    assert building.linked(("001",)) != building.linked(("002",)) != building.linked(("001", "002"))
    assert building.linked(()) == building.linked(())


def test_every_page_of_the_table_of_contents_is_there_once():
    found = building.pages(Path("_toc.yml"))
    assert len(set(found)) == len(found)
    assert all(Path(f"{page}.py").is_file() or Path(f"{page}.md").is_file() for page in found)


def test_a_module_that_is_run_has_a_file():
    assert building.module_file("book.site") == PACKAGE / "book" / "site.py"
