"""Pages that open elsewhere: buttons and install cells where a repository is set, neither where not."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from IPython.core.inputtransformer2 import TransformerManager

from ferbook import __version__
from ferbook.book import publishing, site
from ferbook.core.errors import ConfigError, FerbookError

ROOT = Path(__file__).resolve().parents[2]
URL = "https://github.com/somebody/faces"
SETTINGS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def with_repository(url=URL):
    return SETTINGS | {"repository": {"url": url}}


def notebook(*sources):
    cells = [nbformat.v4.new_markdown_cell("# A page\n\nText."), *map(nbformat.v4.new_code_cell, sources)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def test_without_a_repository_nothing_leads_anywhere():
    settings = publishing.launched(with_repository(""))
    assert not {"repository", "launch_buttons"} & settings.keys()
    assert settings["html"] == SETTINGS["html"]
    assert publishing.repository({}) == publishing.repository({"repository": None}) == ""


def test_one_value_sets_all_buttons():
    settings = publishing.launched(with_repository(URL + "/"))
    assert settings["repository"] == {"url": URL, "branch": "notebooks", "path_to_book": ""}
    assert {"colab_url", "binderhub_url"} < settings["launch_buttons"].keys()
    assert settings["html"]["use_repository_button"] and settings["html"]["favicon"] == SETTINGS["html"]["favicon"]


@pytest.mark.parametrize(
    "url", ["github.com/a/b", "https://github.com/a", "https://github.com/a/b/c", "https://x.org/a/b"]
)
def test_what_is_no_repository_is_refused(url):
    with pytest.raises(ConfigError, match=r"repository\.url"):
        publishing.launched(with_repository(url))


def run_install_cell(monkeypatch, on_colab):
    """The magic commands that the cell gives, and what it adds to Python's path."""
    asked = []
    monkeypatch.setattr(sys, "path", before := list(sys.path))
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", sys)

    class Shell:
        def run_line_magic(self, *line):
            asked.append(line)

    code = TransformerManager().transform_cell(publishing.install_cell(URL).source)
    exec(compile(code, "cell", "exec"), {"get_ipython": Shell})
    return asked, sys.path[len(before) - (on_colab) :]


def test_on_colab_the_first_cell_installs_the_library_and_nothing_else(monkeypatch):
    ((magic, line),), added = run_install_cell(monkeypatch, on_colab=True)
    assert magic == "pip"
    *options, what = line.split()
    assert what == f'"git+{URL}@notebooks#egg=ferbook"'
    assert options == ["install", "--quiet", "--src", "/content", "--editable"]
    assert added == ["/content/ferbook/src"]


def test_elsewhere_it_does_nothing(monkeypatch):
    assert run_install_cell(monkeypatch, on_colab=False) == ([], [])


def test_a_published_notebook_is_the_executed_one_and_one_cell_before_it():
    executed = notebook("1 + 1")
    once = publishing.published(executed, URL)
    nbformat.validate(once)
    assert once.cells[0]["id"] == publishing.INSTALL and "ferbook" in once.cells[0].source
    assert once.cells[1:] == executed.cells and once.metadata == executed.metadata
    assert publishing.published(once, URL).cells == once.cells, "one such cell, however often"
    assert publishing.published(executed, "").cells == executed.cells
    assert len(executed.cells) == 2


def test_the_pages_of_a_book_are_published_with_a_list(tmp_path):
    for page in ("book/a/one", "book/b/two"):
        path = tmp_path / "site" / f"{page}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook("1"), path)
    pages = ["book/preface", "book/b/two", "book/a/one"]
    written = publishing.publish(pages, tmp_path / "site", tmp_path / "out", with_repository())
    names = ["book/b/two.ipynb", "book/a/one.ipynb", "NOTEBOOKS.md"]
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == names
    listed = (tmp_path / "out" / "NOTEBOOKS.md").read_text()
    assert "(https://colab.research.google.com/github/somebody/faces/blob/notebooks/book/a/one.ipynb)" in listed
    assert listed.index("two.ipynb") < listed.index("one.ipynb") and "[A page]" in listed
    plain = nbformat.read(tmp_path / "site" / "book/a/one.ipynb", as_version=4)
    assert len(plain.cells) == 2, "the site's own notebook stays as it is"
    publishing.publish(pages, tmp_path / "site", tmp_path / "bare", with_repository(""))
    assert "colab" not in (tmp_path / "bare" / "NOTEBOOKS.md").read_text()
    with pytest.raises(FerbookError, match="make book"):
        publishing.publish(pages, tmp_path, tmp_path / "none", SETTINGS)


def test_pages_have_their_buttons(tmp_path, monkeypatch):
    """A book of two pages as the renderer makes it, with a repository: each notebook opens in Binder and in Colab."""
    monkeypatch.chdir(tmp_path)
    Path("book").mkdir()
    Path("book/first.md").write_text("# First\n\nText.\n")
    small = {key: with_repository()[key] for key in ("title", "repository", "only_build_toc_files")}
    # With the book's own options of the theme, which must not replace what the buttons set.
    theme = {"html_theme_options": SETTINGS["sphinx"]["config"]["html_theme_options"]}
    sphinx = {"recursive_update": SETTINGS["sphinx"].get("recursive_update", False), "config": theme}
    Path("_config.yml").write_text(
        yaml.safe_dump(small | {"html": SETTINGS["html"] | {"favicon": ""}, "sphinx": sphinx})
    )
    Path("_toc.yml").write_text("format: jb-book\nroot: book/first\nchapters:\n  - file: book/second\n")
    Path("site/book").mkdir(parents=True)
    nbformat.write(notebook("1"), "site/book/second.ipynb")
    site.stage(Path("site"), Path("_config.yml"), Path("_toc.yml"), [Path("book/first.md")])
    assert site.render(Path("site")) == 0
    page = BeautifulSoup(Path("site/_build/html/book/second.html").read_text(), "html.parser")
    links = {link["href"] for link in page.select("a[href]")}
    assert "https://mybinder.org/v2/gh/somebody/faces/notebooks?urlpath=lab/tree/book/second.ipynb" in links
    assert "https://colab.research.google.com/github/somebody/faces/blob/notebooks/book/second.ipynb" in links
    assert URL in links
    assert f"Version {__version__}" in page.select_one("footer.bd-footer-content").get_text()
    assert "colab" not in page.select_one("article").get_text().lower()


def test_the_branch_holds_the_checkout_and_the_notebooks(tmp_path):
    """`.ci/publish` in a small repository, twice."""

    def git(*arguments, folder=tmp_path / "work"):
        name = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *name, *arguments], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.split()

    def publish():
        names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
        return subprocess.run(
            [work / ".ci" / "publish", tmp_path / "origin"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **dict.fromkeys(names, "t")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    work = tmp_path / "work"
    (work / ".ci").mkdir(parents=True)
    (work / ".ci" / "publish").write_bytes((ROOT / ".ci" / "publish").read_bytes())
    (work / ".ci" / "publish").chmod(0o755)
    (work / ".gitignore").write_text("_build/\n")
    git("init", "--quiet", "--bare", str(tmp_path / "origin"), folder=tmp_path)
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    assert publish().returncode == 1, "nothing to publish"
    for text in ("one", "two"):
        (work / "_build" / "notebooks" / "book").mkdir(parents=True, exist_ok=True)
        (work / "_build" / "notebooks" / "NOTEBOOKS.md").write_text(text)
        (work / "_build" / "notebooks" / "book" / "a.ipynb").write_text(text)
        done = publish()
        assert done.returncode == 0, done.stderr
        tree = git("ls-tree", "-r", "--name-only", publishing.BRANCH, folder=tmp_path / "origin")
        assert tree == [".ci/publish", ".gitignore", "NOTEBOOKS.md", "book/a.ipynb"]
        assert git("show", f"{publishing.BRANCH}:book/a.ipynb", folder=tmp_path / "origin") == [text]
    assert len(git("log", "--format=%h", publishing.BRANCH, folder=tmp_path / "origin")) == 2, "the last ones alone"
    assert git("status", "--porcelain") == [] and len(git("worktree", "list", "--porcelain")) < 8
