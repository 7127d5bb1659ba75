"""Reading Faces, Re-run: the library behind the book.

Importing the package imports nothing heavy; torch comes in only with the modules that need it.
"""

__version__ = "0.1.0"
