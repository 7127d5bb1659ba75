"""``ferbook``: what the book does, from a terminal."""

from ferbook.cli.commands import main

__all__ = ["main"]
