"""Where the executed notebooks are published, and how a reader runs them there.

They lie on the branch ``BRANCH`` of the repository, beside everything they need. ``repository.url`` in ``_config.yml``
is the one setting: with it pages have buttons that open them in Binder and Colab, and the published notebooks begin
with a cell that installs the library on Colab; without it there is neither.

Run as ``python -m ferbook.book.publishing SITE TARGET CONFIG TOC`` from the checkout (`make notebooks`).
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import yaml

from ferbook.core import paths
from ferbook.core.errors import ConfigError, FerbookError, ended

BRANCH = "notebooks"
COLAB, BINDER = "https://colab.research.google.com", "https://mybinder.org"
#: Id of the cell that is put before the others.
INSTALL = "install-on-colab"


def repository(settings: Mapping[str, Any]) -> str:
    """Address of the repository in the book's settings, without a slash at its end; empty where none is set.

    Raises
    ------
    ConfigError: if it is not that of a repository on GitHub, which is where Colab opens notebooks.
    """
    url = str((settings.get("repository") or {}).get("url") or "").rstrip("/")
    if url and not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        raise ConfigError("repository.url", f"{url!r} is no repository", "It reads https://github.com/OWNER/NAME.")
    return url


def launched(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The book's settings with buttons that open a page in Binder and Colab, and lead to the repository.

    Without a repository nothing of that kind is left in them.
    """
    url = repository(settings)
    plain = {key: value for key, value in settings.items() if key not in ("repository", "launch_buttons")}
    if not url:
        return plain
    return plain | {
        "repository": {"url": url, "branch": BRANCH, "path_to_book": ""},
        "launch_buttons": {"colab_url": COLAB, "binderhub_url": BINDER, "notebook_interface": "jupyterlab"},
        "html": {**settings.get("html", {}), "use_repository_button": True, "use_issues_button": True},
    }


def install_cell(url: str) -> nbformat.NotebookNode:
    """The cell that installs the library on Colab and does nothing elsewhere."""
    source = f"""\
# On Colab this installs the library of the book, with the claims and records that its pages read.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet --src /content --editable "git+{url}@{BRANCH}#egg=ferbook"
    sys.path.append("/content/ferbook/src")"""
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["remove-cell"]})
    cell["id"] = INSTALL
    return cell


def published(notebook: nbformat.NotebookNode, url: str) -> nbformat.NotebookNode:
    """A copy of an executed notebook for the branch: where a repository is set, it begins with the install cell."""
    copy = nbformat.from_dict(notebook)
    copy.cells = [cell for cell in copy.cells if cell.get("id") != INSTALL]
    if url:
        copy.cells.insert(0, install_cell(url))
    return copy


def contents(pages: Mapping[str, str], url: str) -> str:
    """A list of the notebooks, page to title, with a badge each that opens it in Colab: Markdown."""
    where = f"{COLAB}/github/{url.removeprefix('https://github.com/')}/blob/{BRANCH}"
    badge = f"![Open in Colab]({COLAB}/assets/colab-badge.svg)"
    lines = [
        f"* [{title}]({page}.ipynb)" + (f" [{badge}]({where}/{page}.ipynb)" if url else "")
        for page, title in pages.items()
    ]
    return "# The executed notebooks\n\n" + "\n".join(lines) + "\n"


def title(notebook: nbformat.NotebookNode) -> str:
    """The first heading of a notebook; empty without one."""
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.search(r"^# (.+)$", texts, re.MULTILINE)
    return found[1] if found else ""


def publish(pages: list[str], site: Path, target: Path, settings: Mapping[str, Any]) -> list[Path]:
    """Write the notebooks of a built book to `target`, as they go to the branch, with a list of them.

    Parameters
    ----------
    pages: without suffix; those that are no notebooks are left out.
    site: the folder with the executed notebooks.
    settings: of the book.

    Returns what was written.

    Raises
    ------
    FerbookError: if none of the pages is there as an executed notebook.
    """
    url = repository(settings)
    found = {page: site / f"{page}.ipynb" for page in pages if (site / f"{page}.ipynb").is_file()}
    if not found:
        raise FerbookError(f"{site}: no executed notebook is here. `make book` makes them.")
    titles, written = {}, []
    for page, path in found.items():
        notebook = published(nbformat.read(path, as_version=4), url)
        titles[page] = title(notebook) or page
        with paths.replacing(target / f"{page}.ipynb") as part:
            nbformat.write(notebook, part)
        written.append(target / f"{page}.ipynb")
    listed = target / "NOTEBOOKS.md"
    with paths.replacing(listed) as part:
        part.write_text(contents(titles, url), encoding="utf-8")
    return [*written, listed]


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    site, target, config, toc = (Path(argument) for argument in arguments or sys.argv[1:])

    def work() -> int:
        from ferbook.book import building

        settings = yaml.safe_load(config.read_text(encoding="utf-8"))
        written = publish(building.pages(toc), site, target, settings)
        where = repository(settings) or "no repository is set in _config.yml, so that none installs anything"
        print(f"{len(written) - 1} notebooks in {target} ({where})")
        return 0

    return ended(work, failed=1)


if __name__ == "__main__":
    sys.exit(main())
