"""Pages without Thebe: jupyter-book adds its loader to every page, twice, and the second fails in the console.

Thebe would run cells on a server elsewhere; this book's pages ask nobody. A Sphinx extension; ``_config.yml`` names it.
"""

from typing import Any

from docutils.nodes import document
from sphinx.application import Sphinx


def _without_thebe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: document | None
) -> None:
    """Leave Thebe's scripts out of one page's context (Sphinx's event ``html-page-context``)."""
    context["script_files"] = [
        script
        for script in context.get("script_files", ())
        if "thebe" not in f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', '')}".lower()
    ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect after those who add scripts."""
    app.connect("html-page-context", _without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
