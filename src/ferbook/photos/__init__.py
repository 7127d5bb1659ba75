"""Anybody's photographs: every face found, its expression named with what the answer is worth, a card drawn.

==============  ====================================================================
``pictures``    files, Pillow pictures and arrays to upright 8-bit RGB; why one cannot be read
``reader``      a released network with its detector, temperature and regressor; answers
``table``       one row per face: columns, CSV and JSON lines, what is done already
``cards``       the picture that shows a photograph's answers
``folders``     many photographs into a folder of results, from where a run before ended
==============  ====================================================================

``ferbook.predict`` and ``ferbook.load_model`` are the short way in; ``ferbook predict`` that of a terminal.
"""
