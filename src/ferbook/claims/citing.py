"""How a single verdict is cited: its id, the place that keeps showing it, and a BibTeX entry."""

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path

from ferbook.claims import folded, links
from ferbook.claims.claim import Claim
from ferbook.claims.verdicts import Result
from ferbook.core import bounded_files, paths
from ferbook.core.errors import ConfigError

#: What the pages read this from, in the project's folder.
CITATION = "CITATION.cff"


@cache
def _book(path: Path) -> Mapping[str, object]:
    """Title, version, date and authors of this book, as ``CITATION.cff`` has them."""
    try:
        stated = bounded_files.read_yaml(path)
        return {key: stated[key] for key in ("title", "version", "date-released", "authors")}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError("citation", f"{path} does not say how the book is cited: {error}") from None


def place(claim: Claim) -> str:
    """Where the rendered book shows a claim, from its top folder: ``book/nhot/time.html#claim-002-x``.

    Permanent: an id is never given to another claim, and a test holds each to its page.
    """
    return f"{claim.page.partition('#')[0]}.html#{claim.anchor}"


def bibtex(result: Result) -> str:
    """A BibTeX entry for one verdict. Raises ConfigError if ``CITATION.cff`` is missing or incomplete."""
    claim, book = result.claim, _book(paths.project_root() / CITATION)
    fields = {
        "author": f"{{{' and '.join(author['name'] for author in book['authors'])}}}",
        "title": f"{book['title']}. Verdict {claim.id}",
        "year": str(book["date-released"])[:4],
        "version": book["version"],
        "howpublished": rf"\texttt{{{_plain(place(claim))}}}",
        "note": f"Verdict: {result.verdict}; evidence: {result.evidence}",
    }
    listed = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items())
    return f"@misc{{ferbook-{claim.id},\n{listed}\n}}"


def library(results: Iterable[Result]) -> str:
    """One entry for each verdict, as the text of a ``.bib`` file."""
    return "\n\n".join(map(bibtex, results)) + "\n"


def _plain(text: str) -> str:
    """A text whose marks mean nothing to LaTeX."""
    return text.replace("_", r"\_").replace("#", r"\#")


def note(result: Result) -> str:
    """What stands folded below a verdict: id, link and entry, each to be copied. HTML."""
    claim = result.claim
    body = (
        f"<p>Id: <code>{claim.id}</code>. Permanent address in this book: "
        f'<a href="{links.link(claim)}"><code>{escape(place(claim))}</code></a></p>'
        # The theme's copy button looks for code in a frame of this class.
        f'<div class="highlight"><pre tabindex="0">{escape(bibtex(result))}</pre></div>'
    )
    return folded.fold("cite this verdict", body, "verdict-cite")
