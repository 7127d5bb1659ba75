"""How a verdict is cited: BibTeX that a reader of it understands, and the place that shows the verdict."""

from __future__ import annotations

import re
from html import unescape

import pytest
import yaml
from bs4 import BeautifulSoup

from ferbook.claims import citing, report
from ferbook.core import paths
from ferbook.core.errors import ConfigError
from tests.unit.claiming import judged_files


@pytest.fixture(scope="module")
def results():
    return [result for result in judged_files() if result.claim.paper == "002"]


def fields(entry):
    """Name to text of an entry written one field a line, braces off."""
    return dict(re.findall(r"^  (\w+) = \{(.*)\},?$", entry, re.MULTILINE))


def test_an_entry_names_book_verdict_and_place(results):
    stated = yaml.safe_load((paths.project_root() / citing.CITATION).read_text())
    for result in results:
        entry, claim = citing.bibtex(result), result.claim
        assert entry.startswith(f"@misc{{ferbook-{claim.id},") and entry.count("{") == entry.count("}")
        found = fields(entry)
        assert found["title"] == f"{stated['title']}. Verdict {claim.id}"
        assert found["author"] == f"{{{stated['authors'][0]['name']}}}"
        assert found["year"] == str(stated["date-released"].year)
        assert found["note"] == f"Verdict: {result.verdict}; evidence: {result.evidence}"
        page = claim.page.partition("#")[0].replace("_", r"\_")
        assert found["howpublished"] == rf"\texttt{{{page}.html\#claim-{claim.id}}}"


def test_the_library_has_each_verdict_once(results):
    keys = re.findall(r"^@misc\{(.+),$", citing.library(results), re.MULTILINE)
    assert keys == [f"ferbook-{result.claim.id}" for result in results]


def test_boxes_are_cited_in_a_fold_that_can_be_copied(results):
    box = BeautifulSoup(report.ClaimReport("002").box("002-rare").data, "html.parser")
    fold = box.select_one("details.verdict-cite")
    assert not fold.has_attr("open") and fold.summary.get_text() == "cite this verdict"
    (result,) = (result for result in results if result.claim.id == "002-rare")
    assert fold.select_one("div.highlight pre").get_text() == unescape(citing.bibtex(result))
    assert fold.select_one("p code").get_text() == "002-rare"
    assert fold.select_one("a")["href"].endswith("#claim-002-rare")


def test_a_citation_that_says_too_little_is_refused(tmp_path):
    bare = tmp_path / citing.CITATION
    with pytest.raises(ConfigError, match="CITATION"):
        citing._book(bare)
    bare.write_text("title: x\n")
    with pytest.raises(ConfigError, match="version"):
        citing._book(bare)
