"""Counter-based random numbers: every draw is a pure function of a key, the name of a stream and a position.

A stateful generator hands out numbers in the order they are asked for, so face 7 would change with the number of faces
drawn before it. Here nothing is handed out: face 7 hashes its own key. That makes a face independent of its batch, of
the process and of parameters that were added later under another stream name.

The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
2014), evaluated on whole uint64 arrays.
"""

from __future__ import annotations

import zlib

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mix(z: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser, a bijection of uint64 with good avalanche."""
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


def _word(part: int | str | np.ndarray) -> np.ndarray:
    if isinstance(part, str):
        part = zlib.crc32(part.encode())
    return np.atleast_1d(np.asarray(part)).astype(np.uint64)


def derive(*parts: int | str | np.ndarray) -> np.ndarray:
    """Keys (N,) uint64 from integers, names and integer arrays (N,), which are broadcast and hashed in order."""
    key = np.zeros(1, np.uint64)
    for part in parts:
        key = _mix(key + _GOLDEN + _mix(_word(part) + _GOLDEN))
    return key


def uniforms(keys: np.ndarray, stream: str, count: int) -> np.ndarray:
    """Uniform draws in [0, 1), (N, count) float64, from keys (N,) and a stream's name."""
    base = derive(keys, stream)[:, None]
    steps = np.arange(1, count + 1, dtype=np.uint64)[None, :] * _GOLDEN
    return (_mix(base + steps) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normals(keys: np.ndarray, stream: str, count: int) -> np.ndarray:
    """Bell-shaped draws with mean 0 and variance 1, (N, count) float64, never beyond +-3.47.

    The sum of four uniforms (Irwin-Hall): bounded, so that no rare face is a monster, and made of additions alone, so
    that the result cannot depend on how a maths library treats the end of an array.
    """
    draws = uniforms(keys, stream, 4 * count)
    total = draws[:, :count] + draws[:, count : 2 * count] + draws[:, 2 * count : 3 * count] + draws[:, 3 * count :]
    return (total - 2.0) * np.sqrt(3.0)
