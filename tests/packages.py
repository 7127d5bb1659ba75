"""Packages that are, or are not, installed, for what an extra brings."""

import re
from importlib import metadata
from pathlib import Path

import pytest

from ferbook import models
from ferbook.core import extras
from ferbook.core.errors import DataError, FerbookError


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let every package lie in a folder."""

    class Installed:
        def locate_file(self, name):
            return folder / name

    monkeypatch.setattr(extras, "distribution", lambda name: Installed())


def check_refusals(monkeypatch: pytest.MonkeyPatch, network: str, weights: str, file: Path, extra: str) -> None:
    """Weights are refused of a file that was changed, of one that is gone, and of a package that is missing."""
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match=rf"{re.escape(file.name)}: it is not the file"):
        models.build(network, weights=weights)
    file.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        models.build(network, weights=weights)

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(extras, "distribution", missing)
    with pytest.raises(FerbookError, match=f"not installed. `{re.escape(extras.command(extra))}`"):
        models.build(network, weights=weights)
