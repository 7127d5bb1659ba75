"""A real browser for tests of pages: Chromium where one is installed, and the built site with its pages."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "site" / "_build" / "html"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
needs_book = pytest.mark.skipif(not (HTML / "index.html").is_file(), reason="the book is not built (make book)")


def toc_pages() -> list[str]:
    """The book's pages in their order, as addresses below `HTML` without ``.html``."""
    return [m.removesuffix(".md") for m in re.findall(r"(?:root|file):\s*(\S+)", (ROOT / "_toc.yml").read_text())]


def all_pages() -> list[str]:
    """The book's pages, and those that the renderer adds."""
    return [*toc_pages(), "search", "genindex"]
