"""Where things lie: the project, its data, the cache of prepared data sets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from ferbook.core import temporary
from ferbook.core.errors import FerbookError, clearly_written


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
    """Where prepared data sets are kept: ``FERBOOK_CACHE``, else the user's cache folder. Safe to delete.

    Raises
    ------
    FerbookError: if neither is known.
    """
    chosen = os.environ.get("FERBOOK_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    try:
        return user_cache_path("ferbook")
    except RuntimeError:  # a number without a name, as the user of a container often is
        raise FerbookError(
            "this user has no home folder, where prepared data sets are kept. Set FERBOOK_CACHE to a folder."
        ) from None


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to, beside `target` and with its ending, that takes its place if the block ends well.

    Nobody sees half a file, and what a failed block wrote is removed. Folders are made.

    Raises
    ------
    OutputError: if the file cannot be written: no room, no right, a name that is too long.
    """
    staging = target.with_name(temporary.name(target.name) + target.suffix)
    try:
        with clearly_written(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.sweep(target.parent)
            yield staging
            os.replace(staging, target)
    finally:
        with suppress(OSError):  # where even that is refused, nothing was written
            staging.unlink(missing_ok=True)


def require_new(folder: Path) -> None:
    """Refuse a folder that is there already, unless it is empty. Raises FerbookError."""
    with clearly_written(folder):
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise FerbookError(f"{folder} is there already and not empty; name a new folder, or remove it.")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, beside `folder`, that takes its place if the block ends well: whole or not at all.

    Raises
    ------
    FerbookError: if something is at `folder` already, as :func:`require_new`.
    OutputError: if there is no room or no right to write.
    """
    require_new(folder)
    with clearly_written(folder), temporary.folder(folder.absolute().parent) as staging:
        made = staging / "made"
        made.mkdir()
        yield made
        # An empty folder is replaced by a renamed one; one that has been filled meanwhile is refused.
        os.replace(made, folder)
