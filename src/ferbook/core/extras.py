"""How to install what only some readers want: the extras of pyproject.toml."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from ferbook.core.errors import DataError, FerbookError


def command(extra: str) -> str:
    """What installs an extra's packages, pinned, and nothing else.

    Not ``pip install '.[EXTRA]'``: beside them that fetches the GPU packages that set-up leaves out, and puts a copy of
    this library into the place of the checkout. Where the library's metadata know no such extra, it is all there is.
    """
    try:
        told = requires("ferbook") or []
    except PackageNotFoundError:
        told = []
    needs = [one.partition(";")[0].strip() for one in told if f'extra == "{extra}"' in one.partition(";")[2]]
    return f"pip install {' '.join(needs)}" if needs else f"pip install '.[{extra}]'"


def content(package: str, file: str, sha256: str, extra: str, what: str) -> bytes:
    """What is in a file that an extra's package brings; checked.

    Parameters
    ----------
    package: its name on the index.
    file: within it.
    sha256: of the content, in hexadecimal.
    extra: which one brings the package.
    what: the file holds, for the error.

    Raises
    ------
    FerbookError: if the package is not installed.
    DataError: if its file cannot be read or is another one.
    """
    try:
        path = Path(distribution(package).locate_file(file))
    except PackageNotFoundError:
        raise FerbookError(
            f"{what} lie in the package {package}, which is not installed. `{command(extra)}` installs it."
        ) from None
    try:
        found = path.read_bytes()
    except OSError as error:
        raise DataError(f"it cannot be read ({error})", path, hint=f"Install {package} again.") from None
    if hashlib.sha256(found).hexdigest() != sha256:
        raise DataError("it is not the file that this book has checked", path, hint=f"`{command(extra)}` installs it.")
    return found
