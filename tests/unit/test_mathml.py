"""Formulas as MathML: what Sphinx writes for an inline formula and for one that stands alone."""

from bs4 import BeautifulSoup
from sphinx.application import Sphinx

PAGE = """
Sums
====

Inline :math:`x_i < 1`, and alone:

.. math:: \\sum_{j} \\frac{a}{b}
"""


def test_formulas_are_drawn_by_the_browser(tmp_path):
    (tmp_path / "index.rst").write_text(PAGE)
    settings = {"extensions": ["ferbook.book.mathml"], "html_math_renderer": "mathml", "html_theme": "basic"}
    Sphinx(tmp_path, None, tmp_path / "out", tmp_path / "trees", "html", settings, status=None).build()
    page = BeautifulSoup((tmp_path / "out" / "index.html").read_text(), "html.parser")
    inline, alone = page.select("math")
    assert [tag.get_text() for tag in inline.select("msub > mi")] == ["x", "i"]
    assert inline.find("mo").get_text() == "<"
    assert inline.find_parent("p") is not None and inline.get("display") != "block"
    assert alone["display"] == "block"
    assert [tag.get_text() for tag in alone.select("mfrac > mi")] == ["a", "b"]
    assert alone.find_parent("p") is None
    assert "mathjax" not in str(page).lower()
