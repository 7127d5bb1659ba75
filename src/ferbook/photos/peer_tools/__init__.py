"""One program per tool that the book compares itself with. Each runs in an environment of its own, never in the book's.

All take the same three arguments: a file of uint8 grey faces (N, 48, 48) without header, N, and where to write JSON:
``labels`` (the tool's own words), ``scores`` (N rows in that order) and ``seconds`` (one per face). Every face goes in
alone and by the tool's own call, as a user's would. :mod:`ferbook.photos.peers` starts them.
"""
