"""Where things lie: the project, its data, the cache of prepared data sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from ferbook.core.errors import FerbookError


def project_root() -> Path:
    """The checkout that holds ``_config.yml`` and ``data/``.

    ``FERBOOK_HOME`` says where; otherwise it is looked for from this file (an editable install) and from the working
    directory upwards.

    Raises
    ------
    FerbookError: if none is found.
    """
    given = os.environ.get("FERBOOK_HOME")
    starts = [Path(given)] if given else [Path(__file__).resolve(), Path.cwd().resolve()]
    for start in starts:
        for folder in (start, *start.parents):
            if (folder / "_config.yml").is_file() and (folder / "data").is_dir():
                return folder
    raise FerbookError(
        f"the book's folder was not found from {starts[-1]}: it holds _config.yml and data/. "
        "Run inside a checkout, or set FERBOOK_HOME to it."
    )


def data_root(root: str | Path | None = None) -> Path:
    """Where data sets are looked for: `root`, else ``FERBOOK_DATA``, else the checkout's ``data/``."""
    chosen = root or os.environ.get("FERBOOK_DATA")
    return Path(chosen).expanduser().resolve() if chosen else project_root() / "data"


def cache_root() -> Path:
    """Where prepared data sets are kept: ``FERBOOK_CACHE``, else the user's cache folder. Safe to delete."""
    chosen = os.environ.get("FERBOOK_CACHE")
    return Path(chosen).expanduser().resolve() if chosen else user_cache_path("ferbook")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to, beside `target` and with its ending, that takes its place if the block ends well.

    Nobody sees half a file, and what a failed block wrote is removed. Folders are made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        yield staging
        os.replace(staging, target)
    finally:
        staging.unlink(missing_ok=True)
