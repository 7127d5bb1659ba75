"""What the theme and the writer leave out for readers who listen to a page or go through it by keyboard.

A Sphinx extension; ``_config.yml`` names it. ``tests/unit/test_pages.py`` holds all pages to WCAG 2.2.
"""

from typing import Any

from docutils import nodes
from docutils.nodes import document
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def _visit_citation(translator: HTML5Translator, node: nodes.citation) -> None:
    """Entries of a bibliography are items of a list; docutils gives them a role that was withdrawn and fits no list."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        translator.body.append('<div role="list" class="citation-list">\n')
    translator.body.append(translator.starttag(node, "div", classes=["citation"], role="listitem"))


def _depart_citation(translator: HTML5Translator, node: nodes.citation) -> None:
    translator.body.append("</div>\n")
    if not isinstance(node.next_node(descend=False, siblings=True), nodes.citation):
        translator.body.append("</div>\n")


def _mend(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: document | None) -> None:
    """Corners of pandas' tables are empty cells, no headers without words (Sphinx's event ``html-page-context``)."""
    if "body" in context:
        context["body"] = context["body"].replace("<th></th>", "<td></td>")


def setup(app: Sphinx) -> dict[str, bool]:
    """Put the book's own writing of citations in the place of docutils'."""
    app.add_node(nodes.citation, override=True, html=(_visit_citation, _depart_citation))
    app.connect("html-page-context", _mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
