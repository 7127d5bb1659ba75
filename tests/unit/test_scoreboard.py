"""The scoreboard: every claim once, folded, filters that fit its lines, links to places that exist."""

import ast
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import to_rgb

from ferbook.book import scoreboard
from ferbook.claims import folded, links, report, verdicts
from ferbook.claims.checks import Outcome, known_checks
from ferbook.claims.claim import Evidence, Verdict
from ferbook.claims.verdicts import Result
from ferbook.core import paths
from tests.unit.claiming import judged_files, stated


@pytest.fixture(scope="module")
def results():
    """What can be judged; that every claim can is a test of claims."""
    return list(judged_files())


@pytest.fixture(scope="module")
def papers_own(results):
    return [result for result in results if result.claim.by == "paper"]


def made(name, verdict=Verdict.HOLDS, value=1.0, **fields):
    """A judged claim that no file holds."""
    return Result(stated(name, **fields), verdict, Outcome(value, Evidence.SAME_DATA))


@pytest.fixture(scope="module")
def soup(results):
    return BeautifulSoup(scoreboard.board(results).data, "html.parser")


def test_places_are_read_from_the_source_of_a_page(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.py").write_text(
        'audit.box("002-a", "002-b")\nshow(audit.rows("002-c-*", caption="002-caption is no claim"))\n'
        'name = "002-d"\naudit.table("book/page")\n'
    )
    monkeypatch.setattr(links.paths, "project_root", lambda: tmp_path)
    links.patterns.cache_clear()
    try:
        assert links.patterns("book/page") == ("002-a", "002-b", "002-c-*")
        assert links.patterns("book/none") == ()
        for name, anchor in {"002-c-x": "claim-002-c-x", "002-d": "section"}.items():
            assert links.link(stated(name, page="book/page#section")) == f"../page.html#{anchor}"
    finally:
        links.patterns.cache_clear()


def test_pages_with_claims_lie_where_relative_links_lead():
    for claim in verdicts.stated():
        assert len(claim.page.partition("#")[0].split("/")) == 3, claim.page
    assert (paths.project_root() / f"{links.CHECKS_PAGE}.py").is_file()


def test_every_claim_has_a_line_that_leads_to_its_place(soup, results):
    lines = {line["id"]: line for line in soup.select("tbody tr")}
    assert len(lines) == len(soup.select("tbody tr")) == len(results)
    for result in results:
        line = lines[f"claim-{result.claim.id}"]
        link, check = line.select("a")
        assert link["href"].endswith(f"#claim-{result.claim.id}")
        assert check["href"] == links.check_link(result.claim.check)
        cells = {cell["data-title"]: cell.get_text() for cell in line.select("td")}
        assert cells["verdict"] == line["data-verdict"] == result.verdict
        assert cells["evidence"] == line["data-evidence"] == result.evidence
        assert cells["printed"] == report.printed(result.claim)
        assert line["data-paper"] == result.claim.paper == line.find_parent("details", class_="fold-paper")["id"][-3:]


def test_all_is_folded_and_few_lines_stand_together(soup, results):
    """Without a script the page is as short, and each fold opens by itself."""
    papers = soup.select(".ferbook-board > details")
    assert [paper["id"] for paper in papers] == [f"paper-{paper}" for paper in verdicts.paper_numbers()]
    assert not soup.select("details[open]")
    for table in soup.select("table"):
        assert 0 < len(table.select("tbody tr")) <= folded.AT_ONCE
        assert table.find_parent("details", class_="fold-part").find_parent("details", class_="fold-paper")
        assert table.select_one("caption").get_text()
    for fold in soup.select("details"):
        assert fold.find(recursive=False).name == "summary"
        assert fold.select("tbody tr")
    for paper in papers:
        here = [r for r in results if r.claim.paper == paper["id"][-3:] and r.claim.by == "paper"]
        assert paper.select_one("summary .fold-count").get_text().startswith(f"{len(here)} claims")
        marks = [mark.get_text() for mark in paper.select_one("summary .fold-marks").select(".verdict-mark")]
        assert sum(int(mark.split()[0]) for mark in marks) == len(here), "each with its verdict in words"
        assert {mark.split(maxsplit=1)[1] for mark in marks} == {r.verdict for r in here}


@pytest.mark.parametrize("number", [1, 25, 26, 60])
def test_long_tables_go_on_in_folds(number):
    lines = [folded.Line((str(line),)) for line in range(number)]
    page = BeautifulSoup(folded.in_batches(["claim"], lines, "some"), "html.parser")
    assert [cell.get_text() for cell in page.select("td")] == [str(line) for line in range(number)]
    tables = page.select("table")
    assert [len(table.select("tbody tr")) for table in tables] == [25] * (number // 25) + [number % 25] * (
        number % 25 > 0
    )
    assert not tables[0].find_parent("details"), "the first lines are in sight"
    assert all(table.find_parent("details") for table in tables[1:])
    assert not page.select("details details"), "no fold has to be opened to reach another"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("abstract; section 4", "abstract"),
        ("section IV.A.2; table 2", "section IV"),
        ("sections 3.2 and 4", "section 3"),
        ("Table 7, row disgust", "table 7"),
        ("caption of figure 26", "figure 26"),
        ("equations 1, 2", "equation 1"),
        ("conclusion", "conclusion"),
        ("summary; sections 3.1, 4", "summary"),
        ("throughout", folded.ELSEWHERE),
    ],
)
def test_the_part_of_a_paper_is_the_first_that_a_place_names(where, expected):
    assert folded.part(where) == expected


def test_parts_stand_in_the_papers_order():
    places_of = ["throughout", "table 10", "section X", "table 9", "figure 2", "section IX", "abstract", "section 2"]
    some = [made(f"002-{number}", where=where) for number, where in enumerate(places_of)]
    expected = ["abstract", "section 2", "section IX", "section X", "figure 2", "table 9", "table 10", folded.ELSEWHERE]
    assert list(folded.by_part(some)) == expected


def test_filters_know_every_value_and_have_names(soup, results):
    offered = {
        select["name"]: [option["value"] for option in select.select("option") if option["value"]]
        for select in soup.select("select")
    }
    assert offered["paper"] == verdicts.paper_numbers()
    for name, values in offered.items():
        assert {line[f"data-{name}"] for line in soup.select("tbody tr")} <= set(values)
    assert set(offered["verdict"]) == set(Verdict)
    assert set(offered["kind"]) == {scoreboard.kind(one.claim) for one in (
        made("002-a"), made("002-b", cell=True), made("002-c", by="book"), made("002-d", by="book", cell=True))
    }  # fmt: skip
    form = soup.select_one("form")
    assert form.has_attr("hidden"), "without its script the filters would do nothing"
    assert all(field.find_parent("label") for field in form.select("select, input"))


def test_the_script_knows_the_board(soup):
    script = (paths.project_root() / "book" / "_static" / "ferbook.js").read_text()
    fields = re.findall(r'"(\w+)"', re.search(r"FIELDS = \[(.*?)\]", script)[1])
    assert fields == [select["name"] for select in soup.select("form select")]
    for name in fields:
        assert all(line.has_attr(f"data-{name}") for line in soup.select("tbody tr"))
    for name in re.findall(r'wanted\.get\("(\w+)"\)', script):
        assert soup.select(f'form [name="{name}"]')
    assert int(re.search(r"AT_ONCE = (\d+)", script)[1]) == folded.AT_ONCE
    assert ".fold-count" in script and ".ferbook-board" in script
    assert "http" not in script, "it must work without a network"


@pytest.mark.parametrize("by", ["verdict", "evidence"])
def test_counts_add_up(results, papers_own, by):
    found = scoreboard.counts(results, by)
    assert found.to_numpy().sum() == len(papers_own)
    for value in found.columns:
        assert found[value].sum() == sum(getattr(result, by) == value for result in papers_own)
    for paper in verdicts.paper_numbers():
        cells = sum(result.claim.paper == paper and result.claim.cell for result in papers_own)
        assert found.loc[paper, "cells"].sum() == cells


def test_statements_and_cells_are_counted_apart_and_own_observations_not_at_all():
    some = [
        made("002-a"), made("002-b", cell=True), made("002-c", cell=True), made("002-d", Verdict.STAND_IN),
        made("002-e", by="book"), made("003-a", Verdict.FAILS),
    ]  # fmt: skip
    found = scoreboard.counts(some)
    assert found.loc[("002", "statements"), "holds"] == 1
    assert found.loc[("002", "cells"), "holds"] == 2
    assert found.to_numpy().sum() == 5
    assert "Of 3 claims with the verdict *holds*, 2 (67%) are cells" in scoreboard.bulk(some)
    page = BeautifulSoup(scoreboard.counts_table(some).data, "html.parser")
    shown = {
        row.select_one("th").get_text(): [cell.get_text() for cell in row.select("td")] for row in page.select("tr")
    }
    assert shown["holds"] == ["1 + 2", "0", "1 + 2"]
    assert shown["not checkable here (stand-in)"] == ["1", "0", "1"]
    assert shown["claims"] == ["2 + 2", "1", "3 + 2"]
    board = BeautifulSoup(scoreboard.board(some).data, "html.parser")
    assert board.select_one("summary .fold-count").get_text() == "4 claims, 1 of this book"
    (marked,) = board.select(".badge-claim")
    assert marked.find_parent("tr")["id"] == "claim-002-e"
    assert "observation of this book" in marked.get_text()


def test_the_figure_draws_every_count(papers_own, results):
    figure = scoreboard.counts_figure(results)
    widths = [[bar.get_width() for bar in bars] for axis in figure.axes for bars in axis.containers]
    assert sum(map(sum, widths)) == len(papers_own)
    assert len(widths) == 2 * len(Verdict)


#: How colours look with one kind of cone missing: Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def test_verdicts_are_told_apart_without_colour():
    assert scoreboard.VERDICT_COLOURS.keys() == set(Verdict)
    hatches = [scoreboard.HATCHES[verdict] for verdict in Verdict if verdict in scoreboard.HATCHES]
    assert len(set(hatches)) == len(hatches), "no two verdicts share a pattern"
    plain = [verdict for verdict in Verdict if verdict not in scoreboard.HATCHES]
    assert len(plain) == 2
    # The two without a pattern differ for every eye: by 0.2 of the way from black to white in one channel, at least.
    colours = [np.array(to_rgb(scoreboard.VERDICT_COLOURS[verdict])) ** 2.2 for verdict in plain]
    for name, matrix in BLINDNESS.items():
        seen = [np.clip(np.array(matrix) @ colour, 0, 1) ** (1 / 2.2) for colour in colours]
        assert np.abs(seen[0] - seen[1]).max() > 0.2, name


def test_the_style_sheet_knows_every_verdict_by_colour_and_sign():
    style = (paths.project_root() / "book" / "_static" / "ferbook.css").read_text()
    signs = []
    for verdict in Verdict:
        found = re.search(rf"\.{folded.verdict_class(verdict)} {{ --verdict: #\w+; --mark: \"(.)\"; }}", style)
        assert found, verdict
        signs.append(found[1])
    assert len(set(signs)) == len(Verdict)


def test_an_example_is_the_preferred_one_while_it_fits():
    some = [made("002-a"), made("002-b"), made("002-c", Verdict.FAILS)]
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
    assert list(sections) == [links.check_anchor(name) for name in known_checks()]
    assert len(set(sections)) == len(known_checks()), "two checks would share a place"
    for section in sections.values():
        code = section.select_one("pre").get_text()
        assert code.startswith("@register(") and "return " in code and '"""' not in code
        assert section.select_one("p").get_text(strip=True), "a check says what it computes"
        assert "``" not in section.select_one("p").get_text()


def test_allowances_show_each_kind_of_comparison_once(results):
    kinds = [row["comparison"] for row in scoreboard.allowances(results)]
    assert len(set(kinds)) == len(kinds)
    assert {"equals", "words"} <= set(kinds)


def test_reasons_of_verdicts_that_cannot_move_are_shown():
    page = scoreboard.insensitive([made("002-a"), made("002-b", insensitive="It <b> holds for all.")]).data
    (line,) = BeautifulSoup(page, "html.parser").select("tbody tr")
    assert "It <b> holds for all." in line.get_text()
    assert "There is none" in scoreboard.insensitive([made("002-a")]).data


def test_the_front_page_counts_each_paper_and_leads_to_its_chapter(papers_own):
    shown = BeautifulSoup(scoreboard.by_paper(papers_own).data, "html.parser")
    rows = shown.select("tbody tr")
    numbers = {
        row.td.get_text(): [int(cell) for cell in re.findall(r"\d+", row.select("td")[2].get_text())] for row in rows
    }
    first = ["cbam/the_paper", "relevance/the_paper", "nhot/paper", "vad/the_paper", "outcomes/grades"]
    assert [row.a["href"] for row in rows[:-1]] == [f"{page}.html" for page in first]
    *papers, every = numbers.values()
    assert [sum(column) for column in zip(*papers, strict=True)] == every
    assert [int(row.select("td")[1].get_text()) for row in rows] == [sum(found) for found in numbers.values()]
    assert sum(every) == len(papers_own)
