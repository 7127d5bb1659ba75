"""Run every reference notebook and store the outputs of its checked cells. Look at the difference before committing it.

A cell tagged ``check`` is one whose output is stored and compared by nbval; nothing else is stored.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

from ferbook.book.notebooks import execute

HERE = Path(__file__).parent
CHECK = "check"


def sources() -> list[Path]:
    """The reference notebooks' py:percent sources."""
    return sorted(path for path in HERE.glob("*.py") if path.name not in {"make.py", "__init__.py"})


def store(source: Path, target: Path) -> None:
    """Execute `source`; keep in `target` only what nbval is to compare."""
    execute(source, target)
    notebook = nbformat.read(target, as_version=4)
    for number, cell in enumerate(notebook.cells):
        # Random ids and run counts would change with every run.
        cell["id"] = f"cell-{number}"
        if cell.cell_type == "code":
            # nbval takes a cell without a count for one that never ran.
            cell.execution_count = number
            for output in cell.outputs:
                output.pop("execution_count", None)
            if CHECK not in cell.metadata.get("tags", []):
                cell.outputs = []
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    nbformat.write(notebook, target)


if __name__ == "__main__":
    for path in sources():
        store(path, path.with_suffix(".ipynb"))
        print(path.with_suffix(".ipynb").name)
