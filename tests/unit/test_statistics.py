"""What running the pages took: read from executed notebooks, without a date."""

from __future__ import annotations

import json

import nbformat
from bs4 import BeautifulSoup

from ferbook.book import notebooks, statistics


def test_an_executed_page_says_what_it_took(tmp_path):
    source, target = tmp_path / "page.py", tmp_path / "out" / "page.ipynb"
    source.write_text("# %% [markdown]\n# # A title\n\n# %%\nx = 1\n\n# %%\nx\n")
    notebooks.execute(source, target)
    found = statistics.of_page(target)
    assert (found["title"], found["cells"]) == ("A title", 2)
    assert found["seconds"] > 0 and found["mib"] > 10
    assert set(nbformat.read(target, 4).metadata["ferbook"]) == {"seconds", "peak_mib"}


def test_a_page_that_was_run_otherwise_says_nothing(tmp_path):
    path = tmp_path / "page.ipynb"
    path.write_text(json.dumps({"metadata": {}, "cells": []}))
    assert statistics.of_page(path) is None
    assert "make book" in statistics.table({})


def test_the_table_adds_up_and_takes_the_largest_memory():
    pages = {
        "book/a/b": {"title": "B & C", "cells": 3, "seconds": 1.26, "mib": 300},
        "book/run": {"title": "D", "cells": 4, "seconds": 2.0, "mib": None},
    }
    rows = BeautifulSoup(statistics.table(pages), "html.parser").select("tbody tr")
    cells = [[cell.get_text() for cell in row.select("td")] for row in rows]
    assert cells == [["B & C", "3", "1.3", "300"], ["D", "4", "2.0", "–"], ["all pages", "7", "3.3", "300 at most"]]
    assert rows[0].a["href"] == "../a/b.html"
