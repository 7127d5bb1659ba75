"""The scoreboard: every claim once, filters that fit its cells, links to places that exist."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from ferbook import claims, paths, places, report, scoreboard
from ferbook.claims import Claim, Evidence, Outcome, Result, Verdict


@pytest.fixture(scope="module")
def results():
    return scoreboard.judged()


@pytest.fixture(scope="module")
def soup(results):
    return BeautifulSoup(scoreboard.board(results).data, "html.parser")


def test_places_are_read_from_the_source_of_a_page(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.py").write_text(
        'audit.box("002-a", "002-b")\nshow(audit.rows("002-c-*", caption="002-caption is no claim"))\n'
        'name = "002-d"\naudit.table("book/page")\n'
    )
    monkeypatch.setattr(places.paths, "project_root", lambda: tmp_path)
    places.patterns.cache_clear()
    try:
        assert places.patterns("book/page") == ("002-a", "002-b", "002-c-*")
        assert places.patterns("book/none") == ()

        def link(name):
            base = {"where": "w", "says": "s", "kind": "measured", "printed": "1", "check": "fact"}
            return places.link(Claim(id=name, page="book/page#section", **base))

        assert link("002-c-x") == "../page.html#claim-002-c-x"
        assert link("002-d") == "../page.html#section", "not shown there: the section"
    finally:
        places.patterns.cache_clear()


def test_pages_with_claims_lie_where_relative_links_lead():
    for claim in claims.stated():
        assert len(claim.page.partition("#")[0].split("/")) == 3, claim.page
    assert (paths.project_root() / f"{places.CHECKS_PAGE}.py").is_file()


def test_every_claim_has_a_row_that_leads_to_its_place(soup, results):
    rows = [row for row in soup.select("tbody tr") if row.select("td")]
    assert len(rows) == len(results)
    for row, result in zip(rows, results, strict=True):
        link, check = row.select("a")
        assert link["href"].endswith(f"#claim-{result.claim.id}")
        assert check["href"] == places.check_link(result.claim.check)
        cells = {cell["headers"][-1].removeprefix("scoreboard-"): cell.get_text() for cell in row.select("td")}
        assert cells["verdict"] == result.verdict
        assert cells["evidence"] == result.evidence
        assert cells["printed"] == report.printed(result.claim)


def test_rows_stand_below_their_paper_and_filters_know_every_value(soup, results):
    headings = [heading.get_text(strip=True) for heading in soup.select(".gt_group_heading")]
    assert headings == [scoreboard.short_citation(paper) for paper in claims.paper_numbers()]
    offered = {
        select["name"]: [option["value"] for option in select.select("option") if option["value"]]
        for select in soup.select("select")
    }
    assert offered["paper"] == headings
    assert {r.verdict for r in results} <= set(offered["verdict"])
    assert {r.evidence for r in results} <= set(offered["evidence"])
    form = soup.select_one("form")
    assert form.has_attr("hidden"), "without its script the filters would do nothing"
    assert all(field.find_parent("label") for field in form.select("select, input"))


def test_the_script_knows_the_table(soup):
    script = (paths.project_root() / "book" / "_static" / "ferbook.js").read_text()
    for name in re.findall(r'cell\("(\w+)"\)', script):
        assert soup.select(f'td[headers~="scoreboard-{name}"]')
    for name in re.findall(r'wanted\.get\("(\w+)"\)', script):
        assert soup.select(f'form [name="{name}"]')
    assert "gt_group_heading_row" in script and soup.select("tr.gt_group_heading_row")
    assert "http" not in script, "it must work without a network"


@pytest.mark.parametrize("by", ["verdict", "evidence"])
def test_counts_add_up(results, by):
    found = scoreboard.counts(results, by)
    assert found.iloc[-1]["claims"] == len(results) == found.iloc[:-1]["claims"].sum()
    kinds = found.columns.difference(["paper", "claims"])
    assert (found[kinds].sum(axis=1) == found["claims"]).all()
    for value in kinds:
        assert found.iloc[-1][value] == sum(getattr(result, by) == value for result in results)


def test_the_figure_draws_every_count(results):
    figure = scoreboard.counts_figure(results)
    widths = [[bar.get_width() for bar in container] for container in figure.axes[0].containers]
    assert sum(map(sum, widths)) == len(results)
    assert len(widths) == len(Verdict)


def test_an_example_is_the_preferred_one_while_it_fits():
    def result(name, verdict):
        claim = Claim(id=name, where="w", says="s", kind="measured", printed="1", check="fact", page="book/a/b")
        return Result(claim, verdict, Outcome(1.0, Evidence.SAME_DATA))

    some = [result("002-a", Verdict.HOLDS), result("002-b", Verdict.HOLDS), result("002-c", Verdict.FAILS)]
    assert scoreboard.example(some, verdict=Verdict.HOLDS, prefer="002-b").claim.id == "002-b"
    assert scoreboard.example(some, verdict=Verdict.FAILS, prefer="002-b").claim.id == "002-c"
    with pytest.raises(LookupError, match="other data"):
        scoreboard.example(some, evidence="other data")


def test_every_example_of_how_to_read_a_verdict_is_one(results):
    """The page would silently show another claim in place of one that no longer has the verdict or evidence."""
    page = (paths.project_root() / "book" / "verdicts" / "how_to_read.py").read_text(encoding="utf-8")
    calls = [call for call in ast.walk(ast.parse(page)) if isinstance(call, ast.Call)]
    known = {result.claim.id: result for result in results}
    asked = set()
    for call in calls:
        named = {word.arg: word.value for word in call.keywords}
        if getattr(call.func, "id", "") == "box" and call.args:
            preferred = call.args[0].value
        elif getattr(call.func, "attr", "") == "example" and isinstance(named.get("prefer"), ast.Constant):
            preferred = named["prefer"].value
        else:
            continue
        result = known[preferred]
        for of, value in (("verdict", Verdict), ("evidence", Evidence)):
            if of in named:
                wanted = value[named[of].attr]
                assert getattr(result, of) == wanted, f"{preferred} is no example of {wanted}"
                asked.add(wanted)
    assert asked >= set(Verdict)


def test_every_check_stands_on_its_page_with_its_code(results):
    page = BeautifulSoup(scoreboard.check_list(results).data, "html.parser")
    sections = {section["id"]: section for section in page.select("section")}
    assert list(sections) == [places.check_anchor(name) for name in claims.known_checks()]
    assert len(set(sections)) == len(claims.known_checks()), "two checks would share a place"
    for section in sections.values():
        code = section.select_one("pre").get_text()
        assert code.startswith("@register(") and "return " in code and '"""' not in code
        assert section.select_one("p").get_text(strip=True), "a check says what it computes"
        assert "``" not in section.select_one("p").get_text()


def test_allowances_show_each_kind_of_comparison_once(results):
    kinds = [row["comparison"] for row in scoreboard.allowances(results)]
    assert len(set(kinds)) == len(kinds)
    assert {"equals", "words"} <= set(kinds)


def test_no_torch():
    code = "import sys; from ferbook import findings, places, scoreboard; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
