"""What the book mends of the theme's and the writer's HTML."""

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from ferbook.book import access


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("access")
    (folder / "index.rst").write_text(
        "Title\n=====\n\n.. [A] One.\n.. [B] Two.\n\nSee [A]_ and [B]_.\n\n.. [C] Three.\n\nAnd [C]_.\n"
    )
    settings = {"extensions": ["ferbook.book.access"], "html_theme": "basic"}
    Sphinx(folder, None, folder / "out", folder / "trees", "html", settings, status=None).build()
    return BeautifulSoup((folder / "out" / "index.html").read_text(encoding="utf-8"), "html.parser")


def test_entries_of_a_bibliography_are_items_of_lists(page):
    lists = page.select("div.citation-list[role=list]")
    assert [[entry["role"] for entry in part.find_all("div", recursive=False)] for part in lists] == [
        ["listitem"] * 2,
        ["listitem"],
    ]
    assert len({entry["id"] for entry in page.select(".citation")}) == 3
    assert not page.select("[role=doc-biblioentry]")


def test_a_table_s_empty_corner_is_no_header():
    context = {"body": "<tr><th></th><th>a</th></tr>"}
    access._mend(None, "page", "page.html", context, None)
    assert context["body"] == "<tr><td></td><th>a</th></tr>"
