"""Where the book shows a claim and the check that decides it: names of places, and links to them.

A page shows a claim where its source hands the claim's id, or a pattern that matches it, to ``ClaimReport.box`` or
``ClaimReport.rows``. That is read from the source, so that links can be made and tested without building the book.
"""

import ast
import fnmatch
import re
from functools import cache

from ferbook.claims.claim import Claim
from ferbook.core import paths

#: The page that lists all checks.
CHECKS_PAGE = "book/verdicts/checks"
#: Methods of ``ClaimReport`` that give a claim a place of its own.
_SHOWING = ("box", "rows")


@cache
def patterns(page: str) -> tuple[str, ...]:
    """Ids, and patterns of ids, of the claims that a page shows; none where there is no such notebook.

    Parameters
    ----------
    page: without suffix, as ``book/faces/ferplus_in_numbers``.
    """
    source = paths.project_root() / f"{page}.py"
    if not source.is_file():
        return ()
    calls = (
        node
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SHOWING
    )
    texts = (
        part.value
        for call in calls
        for argument in call.args
        for part in ast.walk(argument)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    return tuple(text for text in texts if re.match(r"\d{3}-", text))


def is_shown(claim: Claim) -> bool:
    """Whether the page that decides a claim shows it."""
    page = claim.page.partition("#")[0]
    return any(fnmatch.fnmatchcase(claim.id, pattern) for pattern in patterns(page))


def link(claim: Claim) -> str:
    """Where a claim is decided, as a link from any page of a chapter in the rendered book.

    It leads to the claim's own box or row; where the page does not show it, to the section that decides it.
    """
    page, _, section = claim.page.partition("#")
    anchor = claim.anchor if is_shown(claim) else section
    return page_link(f"{page}#{anchor}")


def page_link(place: str) -> str:
    """A page, or a section of one (``book/nhot/time#time-and-memory``), as a link from any page of a chapter."""
    page, _, section = place.partition("#")
    return _html(page) + (f"#{section}" if section else "")


def check_anchor(name: str) -> str:
    """Name of the place on ``CHECKS_PAGE`` where check `name` stands."""
    return f"check-{slug(name)}"


def slug(text: str) -> str:
    """A text as a name in HTML and CSS: small letters, digits and single hyphens."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def check_link(name: str) -> str:
    """Where check `name` stands, as a link from any page of a chapter in the rendered book."""
    return f"{_html(CHECKS_PAGE)}#{check_anchor(name)}"


def _html(page: str) -> str:
    """Pages of chapters lie two folders deep, as ``book/faces/synthetic_face``."""
    return f"../{page.removeprefix('book/')}.html"
