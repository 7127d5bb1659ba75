"""The rendered book: every page is there, nothing failed, no link is broken, every picture is described.

Needs a built book (``make book``); ``make test`` builds it first.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from sphinx.search.en import SearchEnglish

from ferbook.claims import verdicts
from tests.browsing import HTML, ROOT, all_pages, needs_book, toc_pages

pytestmark = needs_book


@cache
def parsed(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(path):
    return {tag["id"] for tag in parsed(path).select("[id]")}


def article(page):
    return parsed(HTML / f"{page}.html").select_one("article")


@pytest.mark.parametrize("page", toc_pages())
def test_page_exists_with_a_title(page):
    assert article(page).select_one("h1").get_text(strip=True)


@pytest.mark.parametrize("page", toc_pages())
def test_no_error_or_warning_leaked(page):
    body = article(page)
    assert not body.select(".output.traceback, .output.stderr, .system-message, .problematic")
    text = body.get_text()
    for sign in ("Traceback (most recent call last)", "Warning:", "<Figure size", "{glue", "nan%"):
        assert sign not in text, sign
    assert not re.search(r"(/root/|/home/|/tmp/|site-packages)", text), "a path of the building machine"


@pytest.mark.parametrize("page", toc_pages())
def test_nothing_is_fetched_from_elsewhere(page):
    """A reader without a network sees all of the page, formulas included."""
    whole = parsed(HTML / f"{page}.html")
    fetched = [tag.get("src") or tag.get("href") for tag in whole.select("script[src], img[src], link[rel=stylesheet]")]
    assert fetched
    assert not [address for address in fetched if urlsplit(address).netloc]


@pytest.mark.parametrize("page", all_pages())
def test_pictures_are_described_and_exist(page):
    """Each in words that say what is seen there and nowhere else on the page; a file's name or kind says nothing."""
    said = []
    for picture in parsed(HTML / f"{page}.html").select("img"):
        alt = picture.get("alt", "")
        assert len(alt.split()) >= 5, f"{picture['src'][:80]} has the description {alt!r}"
        assert not re.search(
            r"[\w-]\.(png|svg|jpe?g)|^(image|picture|figure|photo|plot|graph) (of|number) |[0-9a-f]{12}", alt, re.I
        ), alt
        said.append(alt)
        # A picture may lie in the page itself.
        if not picture["src"].startswith("data:image/"):
            assert ((HTML / f"{page}.html").parent / picture["src"]).resolve().is_file()
    assert len(set(said)) == len(said), "two pictures have one description"


@pytest.mark.parametrize("page", all_pages())
def test_internal_links_lead_somewhere(page):
    """Those of the text, of the sidebars, and to files that can be taken along."""
    here = HTML / f"{page}.html"
    broken = []
    for link in parsed(here).select("a[href], link[href], form[action]"):
        parts = urlsplit(link.get("href") or link["action"])
        if parts.scheme or parts.netloc:
            continue
        target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
        missing_anchor = (
            parts.fragment and target.suffix == ".html" and target.is_file()
            and unquote(parts.fragment) not in anchors(target)
        )  # fmt: skip
        if not target.is_file() or missing_anchor:
            broken.append(str(link)[:200])
    assert not broken


@pytest.mark.parametrize("page", all_pages())
def test_no_two_things_have_one_name(page):
    names = [tag["id"] for tag in parsed(HTML / f"{page}.html").select("[id]")]
    assert not [name for name, count in Counter(names).items() if count > 1]


def test_no_page_is_left_out_of_these_tests():
    """Beside them lies the first page's short address alone, which leads on to it."""
    found = {
        str(path.relative_to(HTML).with_suffix("")) for path in HTML.rglob("*.html") if "_static" not in path.parts
    }
    assert found == {*all_pages(), "index"}
    assert f"url={toc_pages()[0]}.html" in (HTML / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", toc_pages())
def test_tables_have_rows_and_captions(page):
    tables = article(page).select("table.ferbook-table")
    for table in tables:
        assert table.select("tbody tr")
        assert table.select_one("caption").get_text(strip=True)
    # A page shows no fewer than its source asks for: tables that vanish would pass as none.
    source = ROOT / f"{page}.py"
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    assert len(tables) >= len(re.findall(r"\breport\.table\(|\baudit\w*\.(?:table|rows)\(", text))


def test_every_claim_is_decided_where_it_says():
    for paper in verdicts.paper_numbers():
        for claim in verdicts.load_claims(paper).claims:
            page, _, anchor = claim.page.partition("#")
            section = parsed(HTML / f"{page}.html").find(id=anchor)
            assert section is not None, claim.page
            box = section.find(id=f"claim-{claim.id}")
            assert box is not None, f"{claim.id} is not shown in {claim.page}"
            assert box.select_one("strong").get_text() in set(verdicts.Verdict)


def test_the_configuration_knows_the_notebook_sources():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert settings["only_build_toc_files"]
    assert ".py" in settings["sphinx"]["config"]["nb_custom_formats"]


# --- search ---


@cache
def search_index():
    text = (HTML / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(text[text.index("(") + 1 : text.rindex(")")])


def found_by_search(words):
    """The pages that hold all words, as the search page looks them up: stemmed, in texts and in titles."""
    index, stem = search_index(), SearchEnglish({}).stem

    def pages(word):
        places = [index[kind].get(stem(word.lower()), []) for kind in ("terms", "titleterms")]
        return {place for part in places for place in ([part] if isinstance(part, int) else part)}

    return {index["docnames"][place] for place in set.intersection(*map(pages, words.split()))}


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("contempt", "book/faces/ferplus_in_numbers"),
        ("consistency loss", "book/vad/consistency"),
        ("consistency loss", "book/glossary"),
        ("LRP", "book/relevance/propagation"),
        ("layer-wise relevance", "book/glossary"),
    ],
)
def test_search_finds(words, page):
    assert page in found_by_search(words.replace("-", " "))


def test_search_finds_nothing_where_nothing_is():
    assert not found_by_search("xylophone")
    assert not found_by_search("contempt xylophone")


def test_the_verdicts_can_be_taken_along():
    for page in ("book/preface", "book/verdicts/scoreboard"):
        links = [link["href"] for link in article(page).select("a[href]")]
        assert {Path(link).suffix for link in links if "reading-faces-verdicts" in link} == {".pdf", ".bib"}


def test_pages_are_printed_by_a_style_of_their_own():
    for page in toc_pages():
        assert [
            link for link in parsed(HTML / f"{page}.html").select("link[rel=stylesheet]") if "print.css" in link["href"]
        ]


def test_the_page_of_statistics_lists_the_notebooks():
    """All that were run, in the order of the book."""
    rows = article("book/verdicts/statistics").select("table.ferbook-table tbody tr")
    listed = [(HTML / "book/verdicts" / row.a["href"]).resolve().stem for row in rows if row.a]
    assert listed == [Path(page).stem for page in toc_pages() if (ROOT / f"{page}.py").is_file()]
    assert all(row.select("td")[1].get_text() != "0" for row in rows)
