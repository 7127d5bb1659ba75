"""Running notebooks: parameters that would be lost are refused, failures are named, nothing half-written remains."""

import nbformat
import pytest

from ferbook.book.notebooks import NotebookError, execute, main, read_source
from ferbook.core.errors import ConfigError

TAGGED = '# %% tags=["parameters"]\nnumber = 1\nname = "a"\n\n'
BODY = "# %% [markdown]\n# Some text\n\n# %%\nprint(number, name)\n"


@pytest.fixture
def write(tmp_path):
    def make(text):
        path = tmp_path / "page.py"
        path.write_text(text)
        return path, tmp_path / "out" / "page.ipynb"

    return make


def outputs(path):
    return "".join(o.get("text", "") for cell in nbformat.read(path, 4).cells for o in cell.get("outputs", []))


def test_parameters_reach_the_notebook_and_the_reader_sees_what_ran(write):
    source, target = write(TAGGED + BODY)
    execute(source, target, {"number": 7})
    assert outputs(target) == "7 a\n"
    cells = nbformat.read(target, 4).cells
    hidden = [cell for cell in cells if "remove-cell" in cell.metadata.get("tags", [])]
    assert [cell.source for cell in hidden] == ['number = 1\nname = "a"']
    assert any("number = 7" in cell.source for cell in cells)
    assert "papermill" not in str(nbformat.read(target, 4).metadata)
    assert [path.name for path in target.parent.iterdir()] == ["page.ipynb"]


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        (TAGGED + BODY, {"numbr": 2}, r"numbr: is no parameter of .*page\.py. It has: name, number"),
        (BODY, {"number": 2}, "has no cell tagged 'parameters'"),
        (TAGGED + TAGGED + BODY, {}, "has 2 cells tagged"),
    ],
)
def test_parameters_that_would_be_lost_are_refused_before_anything_runs(write, text, parameters, message):
    source, target = write(text)
    with pytest.raises(ConfigError, match=message):
        execute(source, target, parameters)
    assert not target.exists()


@pytest.mark.parametrize("parameters", [{}, {"number": 2}])
def test_a_failed_cell_is_named_and_no_notebook_is_left(write, parameters):
    source, target = write(TAGGED + BODY + '\n# %%\nraise ValueError("no such face")\n')
    with pytest.raises(NotebookError, match=r"page\.py, cell 4: ValueError: no such face"):
        execute(source, target, parameters)
    assert [path.name for path in target.parent.iterdir()] == ["page.failed.ipynb"]


def test_a_process_that_dies_is_one_clear_error_and_leaves_nothing(write):
    source, target = write("# %%\nimport os\n\nos._exit(1)\n")
    with pytest.raises(NotebookError, match=r"page\.py: the process that ran it died"):
        execute(source, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(("end", "shown"), [("pass", False), ("import os; os._exit(1)", True)])
def test_what_a_kernel_says_of_itself_is_shown_if_it_dies(write, capfd, end, shown):
    """What cells print is in the notebook; a kernel's log is for whoever has to find out why it died."""
    source, target = write(f"# %%\nget_ipython().kernel.log.error('not well')\nprint('a result')\n{end}\n")
    if shown:
        with pytest.raises(NotebookError, match="died"):
            execute(source, target)
    else:
        execute(source, target)
        assert "a result" in target.read_text()
    assert ("not well" in capfd.readouterr().err) is shown


def test_command_line_exit_status(write, capsys):
    source, target = write(TAGGED + BODY)
    assert main([str(source), str(target), "--parameters", '{"nunber": 3}']) == 1
    assert "nunber: is no parameter" in capsys.readouterr().err
    assert main([str(source), str(target), "--parameters", '{"number": 3}']) == 0


def test_missing_source(tmp_path):
    with pytest.raises(NotebookError, match="there is no such notebook source"):
        read_source(tmp_path / "none.py")
