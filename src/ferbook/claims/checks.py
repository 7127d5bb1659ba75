"""The checks that claim files name: what a check is, what it finds, and the list of all.

A check is a function of a claim and of facts, made known to claim files by :func:`register`. The modules that hold
checks are named by :func:`modules` and imported at the first use: so nothing here depends on a paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from ferbook.claims.claim import Claim, Evidence, Training, Value
from ferbook.claims.dataset_summary import Facts

#: Modules with checks that serve all papers.
SHARED = ("ferbook.claims.data_checks", "ferbook.claims.printed_checks")


@cache
def modules() -> Mapping[str, tuple[str, ...]]:
    """Modules with checks: the shared ones under "", and each paper's own under its number.

    Which they are, each package of ``ferbook.papers`` says in ``CHECKS``. So a further paper changes no file that the
    pages on others depend on.
    """
    found = {}
    papers = import_module("ferbook.papers")
    for package in iter_modules(papers.__path__, f"{papers.__name__}."):
        stated = getattr(import_module(package.name), "CHECKS", {})
        for paper, names in stated.items():
            if paper in found:
                raise ValueError(f"two packages say that they judge paper {paper}")
            found[paper] = tuple(f"{package.name}.{name}" for name in names)
    return {"": SHARED, **dict(sorted(found.items()))}


@dataclass(frozen=True)
class Outcome:
    """What a check found: the value, the evidence it rests on, and a sentence on how it came about."""

    value: Value | None
    evidence: Evidence
    detail: str = ""
    #: Set when the paper disagrees with itself whatever the value is compared with.
    contradiction: bool = False
    #: Set when something was found that has room for the claim and for its contrary.
    undecided: bool = False
    #: What was trained, where the value comes from trained networks.
    trained: Training | None = None

    @classmethod
    def open(cls, evidence: Evidence, detail: str, trained: Training | None = None) -> Outcome:
        """No value: what was found has room for the claim and for its contrary."""
        return cls(None, evidence, f"undecided: {detail}", undecided=True, trained=trained)


Check = Callable[[Claim, Facts], Outcome]
_CHECKS: dict[str, Check] = {}


def register(name: str) -> Callable[[Check], Check]:
    """Make a function known to claim files as check `name`."""

    def add(function: Check) -> Check:
        if name in _CHECKS:
            raise ValueError(f"two checks are called {name!r}")
        _CHECKS[name] = function
        return function

    return add


def known_checks() -> Mapping[str, Check]:
    """All checks by name."""
    _import_modules()
    return _CHECKS


@cache
def _import_modules() -> None:
    for names in modules().values():
        for name in names:
            import_module(name)
