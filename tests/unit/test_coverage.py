"""The list of figures and tables: complete, true about places, and refused with a clear word where it is wrong."""

import pytest
import yaml
from bs4 import BeautifulSoup

from ferbook.book import coverage
from ferbook.book.coverage import Entry
from ferbook.core.errors import DataError
from tests.unit.claiming import anchors

LISTED = coverage.load()
EVERY = [(paper, entry) for paper, entries in LISTED.items() for entry in entries]
#: Fewest that the book makes again.
WANTED = 62
#: Figures and tables of the first five papers, counted by hand.
FIRST = {"000": 5, "001": 27, "002": 43, "003": 11, "004": 6}


def test_every_figure_and_table_of_the_papers_has_an_entry():
    assert {paper: sum(coverage.PRINTED[paper]) for paper in FIRST} == FIRST
    assert coverage.missing(LISTED) == {}


def test_most_are_made_again():
    assert coverage.counts(LISTED).loc["all", "yes"] >= WANTED


@pytest.mark.parametrize(("paper", "entry"), EVERY, ids=[f"{paper}-{entry.id}" for paper, entry in EVERY])
def test_what_is_made_again_has_a_place(paper, entry):
    if entry.where:
        page, _, anchor = entry.where.partition("#")
        known = anchors(page)
        assert known is not None, f"there is no page {page}"
        assert anchor in known, f"{page} has no section {anchor}"


def written(folder, **changed):
    """A file with one entry for paper 000, all of its fields right but those that are changed."""
    entry = {"id": "figure 1", "shows": "s", "remade": "yes", "where": "book/a/b#c", "data": "d", "network": "none"}
    content = {paper: [] for paper in coverage.PRINTED}
    content["000"] = [{key: value for key, value in (entry | changed).items() if value is not None}]
    (folder / "coverage.yml").write_text(yaml.safe_dump(content))
    return folder


def test_a_right_entry_is_read(tmp_path):
    (entry,) = coverage.load(written(tmp_path))["000"]
    assert entry == Entry(id="figure 1", shows="s", remade="yes", where="book/a/b#c", data="d", network="none")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"remade": True}, "000, figure 1, remade"),
        ({"remade": "almost"}, "000, figure 1, remade"),
        ({"remade": "partly"}, "000, figure 1: .*departs"),
        ({"remade": "no", "where": None}, "000, figure 1: .*departs"),
        ({"remade": "no", "departs": "why"}, "000, figure 1: .*no `where`"),
        ({"where": None}, "000, figure 1: .*needs `where`"),
        ({"where": "book/a/b"}, "000, figure 1, where"),
        ({"data": None}, "000, figure 1: .*needs `data`"),
        ({"shows": None}, "000, figure 1, shows"),
        ({"colour": "red"}, "000, figure 1, colour"),
        ({"id": "picture 1"}, "000, picture 1, id"),
        ({"id": "figure 4"}, "paper 000 has no figure 4"),
        ({"id": None}, "000, entry 1, id"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, changed, said):
    with pytest.raises(DataError, match=said):
        coverage.load(written(tmp_path, **changed))


def test_a_wrong_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no list of figures"):
        coverage.load(tmp_path)
    path = written(tmp_path) / "coverage.yml"
    content = yaml.safe_load(path.read_text())
    for broken, said in (
        (content | {"000": content["000"] * 2}, "figure 1 stands twice"),
        (content | {"000": None}, "paper 000 has no list"),
        (content | {"999": []}, "holds 000, 001"),
        ([], "no papers"),
    ):
        path.write_text(yaml.safe_dump(broken))
        with pytest.raises(DataError, match=said):
            coverage.load(tmp_path)
    path.write_text("a: [")
    with pytest.raises(DataError, match="is not YAML"):
        coverage.load(tmp_path)


def test_entries_stand_in_the_papers_order_and_are_counted(tmp_path):
    path = written(tmp_path) / "coverage.yml"
    content = yaml.safe_load(path.read_text())
    first = content["000"][0]
    content["000"] = [first | {"id": "table 2"}, first | {"id": "figure 3", "remade": "partly", "departs": "d"}, first]
    path.write_text(yaml.safe_dump(content))
    entries = coverage.load(tmp_path)
    assert [entry.id for entry in entries["000"]] == ["figure 1", "figure 3", "table 2"]
    counts = coverage.counts(entries)
    assert dict(counts.loc["000"]) == {"printed": 5, "yes": 2, "partly": 1, "no": 0, "unlisted": 2}
    assert counts.loc["all", "printed"] == sum(map(sum, coverage.PRINTED.values()))
    assert (counts[["yes", "partly", "no", "unlisted"]].sum(axis=1) == counts["printed"]).all()
    assert coverage.missing(entries)["000"] == ["figure 2", "table 1"]


def test_the_page_shows_each_entry_and_leads_to_ours(tmp_path):
    entries = coverage.load(written(tmp_path, shows="<b>"))
    page = BeautifulSoup(coverage.lists(entries).data, "html.parser")
    papers = page.select("details")
    assert [paper["id"] for paper in papers] == [f"coverage-{paper}" for paper in coverage.PRINTED]
    (line,) = page.select("tbody tr")
    assert "<b>" in line.get_text()
    assert line.select_one("a")["href"] == "../a/b.html#c"
    assert line.select_one("a").get_text() == "yes"
    assert "Nothing yet" in papers[1].get_text(), "a paper without entries has a fold all the same"
    assert "not listed yet" in coverage.counts_table(entries).data
