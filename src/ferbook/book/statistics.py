"""What each page's execution took, as a table in the rendered book: seconds, memory, cells.

A Sphinx extension; ``_config.yml`` names it. It gives the directive ``page-statistics``, which reads the executed
notebooks that are being rendered. As a notebook among them could not: it would have to run after itself.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ferbook.book import building
from ferbook.claims import folded, links

COLUMNS = ("page", "cells", "seconds", "memory, MiB")


def of_page(notebook: Path) -> Mapping[str, object] | None:
    """Title, code cells, seconds and MiB of an executed notebook; None where it was not run by ``make book``."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    known = content["metadata"].get("ferbook", {})
    if known.get("seconds") is None:
        return None
    first = next("".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "markdown")
    cells = sum(cell["cell_type"] == "code" for cell in content["cells"])
    title = first.splitlines()[0].lstrip("# ")
    return {"title": title, "cells": cells, "seconds": known["seconds"], "mib": known.get("peak_mib")}


def table(found: Mapping[str, Mapping[str, object]]) -> str:
    """The pages in their order, and all together. HTML.

    Parameters
    ----------
    found: page, as ``book/faces/synthetic_face``, to what :func:`of_page` says of it.
    """
    if not found:
        return "<p>These pages were not run by <code>make book</code>, which keeps what they took.</p>"
    lines = [
        folded.Line(
            (
                f'<a href="{links.page_link(page)}">{escape(one["title"])}</a>', str(one["cells"]),
                f"{one['seconds']:,.1f}", f"{one['mib']:,}" if one["mib"] else "–",
            )
        )
        for page, one in found.items()
    ]  # fmt: skip
    every: Sequence[Mapping[str, object]] = list(found.values())
    total = (
        "<strong>all pages</strong>", str(sum(one["cells"] for one in every)),
        f"{sum(one['seconds'] for one in every):,.1f}", f"{max(one['mib'] or 0 for one in every):,} at most",
    )  # fmt: skip
    return folded.table(COLUMNS, [*lines, folded.Line(total)], "What it took to run the pages of this build")


class PageStatistics(SphinxDirective):
    """The directive; takes nothing."""

    def run(self) -> list[nodes.Node]:
        """The table. The page that holds it is rendered again when one of the notebooks changes."""
        folder, found = Path(self.env.srcdir), {}
        for page in building.pages(folder / "_toc.yml"):
            notebook = folder / f"{page}.ipynb"
            if notebook.is_file():
                self.env.note_dependency(str(notebook))
                if (one := of_page(notebook)) is not None:
                    found[page] = one
        return [nodes.raw("", f'<div class="ferbook-scroll" tabindex="0">{table(found)}</div>', format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("page-statistics", PageStatistics)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
