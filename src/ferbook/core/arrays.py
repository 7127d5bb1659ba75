"""Arrays in files: ``.npy`` and ``.npz`` read within bounds, nothing unpickled.

An array's header may promise more than memory holds, and numpy asks for the memory first; a broken header may end in
any kind of error, up to those of Python's tokenizer. Here both are a ValueError.
"""

import io
import math
import zipfile
from pathlib import Path

import numpy as np

#: Bytes of the largest array that is read.
LARGEST = 2**30

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def parse_npy(data: bytes) -> np.ndarray:
    """The array of an ``.npy`` file's bytes, read-only. Raises ValueError if they are no such file, or hold objects."""
    stream = io.BytesIO(data)
    try:
        shape, by_column, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
    except Exception as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None
    size = len(data) - stream.tell()
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{size:,} bytes do not make an array of shape {shape} and type {dtype.str}")
    if not size:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape, order="F" if by_column else "C")


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file by name.

    Raises
    ------
    FileNotFoundError: if there is no such file.
    ValueError: if it is no such file, is damaged, or an array is too large.
    """
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.file_size > LARGEST:
                    raise ValueError(f"{member.filename} unpacks to {member.file_size:,} bytes")
                with archive.open(member) as stream:
                    # Not more than it says, whatever it unpacks to.
                    found[member.filename.removesuffix(".npy")] = parse_npy(stream.read(member.file_size + 1))
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None
    return found
