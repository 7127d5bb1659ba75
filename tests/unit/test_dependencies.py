from ferbook.core import dependencies
from ferbook.core.dependencies import PACKAGE, library_files, library_hash


def names(source):
    return {path.relative_to(PACKAGE).as_posix() for path in library_files(source)}


def test_follows_imports_through_the_library(tmp_path):
    source = tmp_path / "page.py"
    source.write_text("import numpy\nfrom ferbook.faces.splits import ordinary_split\n")
    found = names(source)
    assert {"faces/splits.py", "faces/labels.py", "faces/emotions.py", "core/errors.py"} <= found
    assert not {"claims/verdicts.py", "measures/figures.py", "faces/raters.py"} & found


def test_a_module_imported_from_its_package_alone(tmp_path):
    source = tmp_path / "page.py"
    source.write_text("from ferbook import __version__\nfrom ferbook.faces import labels\n")
    assert {"faces/labels.py", "faces/__init__.py"} <= names(source)
    assert "faces/splits.py" not in names(source)


def test_a_package_counts_with_all_its_modules(tmp_path):
    source = tmp_path / "page.py"
    source.write_text("from ferbook.datasets import load\n")
    assert {"datasets/ferplus.py", "datasets/synthetic.py", "faces/raters.py", "synthesis/render.py"} <= names(source)


def test_a_page_without_the_library_depends_on_nothing(tmp_path):
    source = tmp_path / "page.py"
    source.write_text("import math\n")
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
