"""Reading Faces, Re-run: the library behind the book.

Importing the package imports nothing heavy; torch comes in only with the modules that need it.

>>> import ferbook
>>> from ferbook.synthesis import render, sample
>>> ferbook.predict(render(sample(1, framing="head"), size=200))["model"].str.startswith("compact-ferplus").tolist()
[True]
"""

import logging
from importlib import import_module

# Without a GPU there is no triton (set_up.py), which PyTorch says at each start; nothing here counts its operations.
logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)

__version__ = "0.1.0"

#: Functions of the package itself, and the modules that define them.
_LAZY = {"predict": "ferbook.photos.folders", "load_model": "ferbook.photos.reader"}


def __getattr__(name: str):
    """``predict`` and ``load_model`` at their first use.

    Not by import statements: every module imports this one, and would then count as using what they import
    (``ferbook.core.dependencies``).
    """
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
