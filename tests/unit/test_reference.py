"""Guards of the nbval notebooks: nbval passes on a notebook without stored outputs, and knows nothing of its source."""

import jupytext
import nbformat
import pytest

from tests.reference.make import CHECK, HERE, sources


def test_there_are_some_and_each_notebook_has_a_source():
    assert sources()
    assert {path.stem for path in HERE.glob("*.ipynb")} == {path.stem for path in sources()}


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_every_checked_cell_has_text_to_compare(source):
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    checked = [cell for cell in notebook.cells if CHECK in cell.metadata.get("tags", [])]
    assert checked
    for cell in checked:
        assert "".join(output.get("text", "") for output in cell.outputs).strip(), cell.source


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_stored_notebooks_match_their_sources(source):
    stored = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    fresh = jupytext.read(source, fmt="py:percent")
    assert [(c.cell_type, c.source) for c in stored.cells] == [(c.cell_type, c.source) for c in fresh.cells]
