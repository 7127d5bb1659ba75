import ast
import re
import subprocess
import sys
from itertools import chain

import pytest

from ferbook.claims.checks import modules
from ferbook.core import dependencies
from ferbook.core.dependencies import PACKAGE, library_files, library_hash


def names(source):
    return {path.relative_to(PACKAGE).as_posix() for path in library_files(source)}


@pytest.mark.parametrize(
    ("text", "with_", "without"),
    [
        (
            "import numpy\nfrom ferbook.faces.splits import ordinary_split\n",
            {"faces/splits.py", "faces/labels.py", "faces/emotions.py", "core/errors.py"},
            {"claims/verdicts.py", "measures/figures.py", "faces/raters.py"},
        ),
        (
            "from ferbook import __version__\nfrom ferbook.faces import labels\n",
            {"faces/labels.py", "faces/__init__.py"},
            {"faces/splits.py"},
        ),
        (
            "from ferbook.datasets import load\n",
            {"datasets/ferplus.py", "datasets/synthetic.py", "faces/raters.py", "synthesis/render.py"},
            set(),
        ),
    ],
    ids=["through the library", "from its package alone", "a package with all its modules"],
)
def test_imports_are_followed(text, with_, without, tmp_path):
    (source := tmp_path / "page.py").write_text(text)
    assert with_ <= names(source)
    assert not without & names(source)


def test_a_page_without_the_library_depends_on_nothing(tmp_path):
    (source := tmp_path / "page.py").write_text("import math\n")
    assert names(source) == set()


def test_hash_follows_content(tmp_path, monkeypatch):
    monkeypatch.setattr(dependencies, "PACKAGE", tmp_path)
    module = tmp_path / "a.py"
    module.write_text("x = 1\n")
    first = library_hash([module])
    module.write_text("x = 2\n")
    assert library_hash([module]) != first


def test_a_process_is_described_by_the_code_it_began_with(tmp_path, monkeypatch):
    module = PACKAGE / "faces" / "labels.py"
    copies = tmp_path / "labels.py"
    copies.write_bytes(module.read_bytes())
    monkeypatch.setattr(dependencies, "PACKAGE", tmp_path)
    monkeypatch.setattr(dependencies, "library_files", lambda source: [copies])
    dependencies.running.cache_clear()
    first = dependencies.running(copies)
    copies.write_text("edited meanwhile")
    assert dependencies.running(copies) == first
    dependencies.running.cache_clear()
    assert dependencies.running(copies) != first
    dependencies.running.cache_clear()


#: Pages on the verdicts, and the command that judges.
QUICK = ["book.coverage", "book.findings", "book.scoreboard", "papers.nhot.settings", "cli.commands"]
#: Modules that say of themselves that nothing in them needs torch.
SAYING = [
    path.relative_to(PACKAGE).with_suffix("").as_posix().removesuffix("/__init__").replace("/", ".")
    for path in sorted(PACKAGE.rglob("*.py"))
    if re.search(r"\b[Nn]o(thing)?\b[^.]*\btorch\b", ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
]


def imports(*names, heavy=("torch", "torchvision", "lightning"), then="pass"):
    """The first module whose import, after that of those before it, imports something heavy."""
    code = f"import importlib, sys\nfor name in {names}:\n    module = importlib.import_module(name)\n    {then}\n"
    code += f"    if not sys.modules.keys().isdisjoint({heavy}): sys.exit(name)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr.strip()


def test_what_promises_to_do_without_torch_does():
    assert {"relevance.ranks", "relevance.by_hand", "papers.cbam.tables", "papers.relevance.tables"} <= {*SAYING}
    every = sorted(
        {f"ferbook.{name}" for name in (*QUICK, *SAYING) if name != "__init__"} | {*chain(*modules().values())}
    )
    assert imports(*every) == ""
    assert imports("ferbook.models.compact") == "ferbook.models.compact", "what imports torch is found"


def test_the_package_and_the_list_of_networks_import_nothing_heavy():
    assert imports("ferbook", heavy=("torch", "numpy", "pandas")) == ""
    # Architectures are imported when they are built.
    assert imports("ferbook.models", heavy=("torchvision",), then="module.describe('ran')") == ""
