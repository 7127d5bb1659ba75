"""How to install what only some readers want: the extras of pyproject.toml."""

from importlib.metadata import PackageNotFoundError, requires


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
