"""Which files of the library a notebook or module uses: read from import statements, so that a change re-runs just what
imports it.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def library_files(source: Path) -> list[Path]:
    """The files of ``ferbook`` that `source` imports, directly or through others, sorted.

    Importing a package counts as importing all of its modules: ``ferbook.datasets`` picks its readers by name at run
    time, which no import statement shows. The package root itself has no such modules and is exempt.
    """
    found: set[Path] = set()
    waiting = list(_imported(source))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(path))
    return sorted(found)


def library_hash(files: Iterable[Path] | None = None) -> str:
    """First 16 hex digits of the sha256 over the contents of `files` (default: the whole library)."""
    total = hashlib.sha256()
    for path in sorted(files or PACKAGE.rglob("*.py")):
        total.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


@cache
def running(module: Path) -> str:
    """Hash of the files that `module` uses, as they were when this process first asked.

    What runs for hours is described by the code that it began with, whatever is edited meanwhile.
    """
    return library_hash(library_files(module))


@cache
def _imported(source: Path) -> frozenset[Path]:
    found: set[Path] = set()
    for node in _statements(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            # `from package import module` uses that module; `from package import function` the package itself.
            names = inner if all(_files(name) for name in inner) else [node.module, *inner]
        else:
            continue
        for name in names:
            found.update(_files(name))
    return frozenset(found)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements, those within others too. Expressions, in which nothing is imported, are most of a tree."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, None)
            # A conditional expression has a body, too, which is no list.
            waiting.extend(inner if isinstance(inner, list) else ())


def _files(module: str) -> list[Path]:
    """The files behind a dotted name of this package; none for other packages and for names that are not modules.

    Those of the packages that it lies in are among them, since importing it runs them.
    """
    head, *rest = module.split(".")
    if head != PACKAGE.name:
        return []
    if not rest:
        return [PACKAGE / "__init__.py"]
    place = PACKAGE.joinpath(*rest)
    if place.is_dir():
        own = list(place.glob("*.py"))
    elif place.with_suffix(".py").is_file():
        own = [place.with_suffix(".py")]
    else:
        return []
    return [*own, *(PACKAGE.joinpath(*rest[:depth], "__init__.py") for depth in range(1, len(rest)))]
