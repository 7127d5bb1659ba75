"""Pictures of any kind as upright 8-bit RGB, no larger than the detector needs; and why one cannot be read."""

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

#: The longer side of what faces are looked for in, in pixels. Larger pictures are averaged down to it, or a bit above.
LONGEST = 1600
#: Pictures of more pixels are not decoded: they would fill the memory.
MOST_PIXELS = 250_000_000
#: Bytes of a file beyond which it is not read.
MOST_BYTES = 1_000_000_000
#: A folder whose name ends like a picture's gets a row of its own, which says that it is a folder.
ENDINGS = frozenset([".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".ppm", ".pgm"])
# What transparent parts are laid on.
_PAPER = (255, 255, 255)


class UnreadableError(Exception):
    """A picture that cannot be read; says why, as a clause."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A photograph, upright.

    Parameters
    ----------
    pixels: uint8 (H, W, 3), perhaps averaged down.
    size: width and height of the photograph itself, upright, in pixels.
    note: what a user should know of how it was read; mostly nothing.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    note: str = ""

    @property
    def scale(self) -> np.ndarray:
        """Pixels of the photograph per pixel of ``pixels``, (2,): across, down."""
        return np.array(self.size, dtype=float) / np.array([self.pixels.shape[1], self.pixels.shape[0]])


def digest(data: bytes) -> str:
    """First 16 hex digits of a file's sha256."""
    return hashlib.sha256(data).hexdigest()[:16]


def load(path: Path) -> bytes:
    """The bytes of a file. Raises UnreadableError if it is no file, empty, too large, or may not be read."""
    try:
        if path.is_dir():
            raise UnreadableError("it is a folder, not a picture")
        if not path.exists():
            raise UnreadableError("there is no such file")
        # Opening a pipe would wait for ever.
        if not path.is_file():
            raise UnreadableError("it is not a regular file")
        size = path.stat().st_size
        if not size:
            raise UnreadableError("the file is empty")
        if size > MOST_BYTES:
            raise UnreadableError(f"the file has {size:,} bytes, more than {MOST_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"it cannot be read ({error.strerror or error})") from None


@contextmanager
def _large_ones() -> Iterator[None]:
    """Pillow refuses pictures that may be a trap; here the limit is the module's own."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MOST_PIXELS
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def decode(data: bytes) -> Picture:
    """The picture in a file's bytes; of an animation the first frame.

    Raises UnreadableError if it is no picture, broken, or too large.
    """
    try:
        with warnings.catch_warnings(), _large_ones():
            # Damaged EXIF and large pictures are dealt with here.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                return of_image(picture)
    except UnidentifiedImageError:
        raise UnreadableError("it is not a picture of a known format") from None
    except Image.DecompressionBombError:
        raise UnreadableError(f"it has more than {MOST_PIXELS:,} pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError, MemoryError) as error:
        raise UnreadableError(f"it is a broken picture ({str(error) or type(error).__name__})") from None


def of_image(picture: Image.Image) -> Picture:
    """A Pillow picture upright and in RGB. Raises UnreadableError if it is too large or has no pixels."""
    width, height = picture.size
    if not width or not height:
        raise UnreadableError("it has no pixels")
    if width * height > MOST_PIXELS:
        raise UnreadableError(f"it has {width:,} x {height:,} pixels, more than {MOST_PIXELS:,}")
    frames = getattr(picture, "n_frames", 1)
    note = f"the first of {frames} frames" if frames > 1 else ""
    # A JPEG can be decoded at a half, a quarter or an eighth of its size; never below what is asked for.
    if getattr(picture, "format", None) == "JPEG" and max(width, height) > LONGEST:
        share = LONGEST / max(width, height)
        picture.draft(None, (max(1, round(width * share)), max(1, round(height * share))))
    turn = _TURNS.get(_orientation(picture))
    small = _eight_bits(picture)
    if max(small.size) > LONGEST:
        share = LONGEST / max(small.size)
        target = tuple(max(1, round(side * share)) for side in small.size)
        small = small.resize(target, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, (*_PAPER, 255)), small)
    upright = small if turn is None else small.transpose(turn)
    size = (height, width) if turn in _SIDEWAYS else (width, height)
    return Picture(np.array(upright.convert("RGB")), size, note)


def of_array(pixels: np.ndarray) -> Picture:
    """An array (H, W), (H, W, 3) or (H, W, 4) as a picture: uint8, uint16, or floats in [0, 1].

    Raises UnreadableError if it is none of these or has no pixels.
    """
    pixels = np.asarray(pixels)
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if not fits or not pixels.size:
        raise UnreadableError(f"an array of shape {pixels.shape} is no picture (H, W), (H, W, 3) or (H, W, 4)")
    if pixels.dtype == np.uint16:
        pixels = _of_16_bits(pixels)
    elif np.issubdtype(pixels.dtype, np.floating):
        if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
            raise UnreadableError("floats must be in [0, 1]")
        pixels = (pixels * 255).round().astype(np.uint8)
    elif pixels.dtype != np.uint8:
        raise UnreadableError(f"pixels are {pixels.dtype}, not uint8, uint16 or floats in [0, 1]")
    return of_image(Image.fromarray(np.ascontiguousarray(pixels)))


#: How to undo each orientation of EXIF's tag 274.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_TURNS[code] for code in (5, 6, 7, 8)}
_ORIENTATION = 274


def _orientation(picture: Image.Image) -> int:
    """EXIF's orientation; 1, upright, where there is none or it is damaged."""
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError):
        return 1


def _eight_bits(picture: Image.Image) -> Image.Image:
    """The picture in mode L, RGB or RGBA."""
    mode = picture.mode
    if mode in ("L", "RGB", "RGBA"):
        # A single colour of a grey or RGB picture may count as transparent.
        return picture.convert("RGBA") if mode != "RGBA" and "transparency" in picture.info else picture
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_of_wide(np.asarray(picture)))
    if mode in ("LA", "La", "PA", "RGBa") or "transparency" in picture.info:
        return picture.convert("RGBA")
    return picture.convert("L" if mode == "1" else "RGB")


def _of_wide(values: np.ndarray) -> np.ndarray:
    """Pixels of more than eight bits, whole or broken numbers, as uint8 of the same shape."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or high > 65_535:
        raise UnreadableError(f"its pixels run from {low:g} to {high:g}, which is no known scale")
    if np.issubdtype(values.dtype, np.floating):
        scale = 255 if high <= 1 else 1 if high <= 255 else 1 / 257
        return (values * scale).round().astype(np.uint8)
    return _of_16_bits(values)


def _of_16_bits(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def listed(given: Path, without: Path | None = None) -> Iterator[Path]:
    """The files that a path stands for, in order: itself, or what a folder holds at any depth.

    Hidden files are left out, and so is the folder `without`, where results are. A folder that is named like a picture
    is given as it is, and not entered.
    """
    if not given.is_dir():
        yield given
        return
    for path in sorted(given.iterdir()):
        if path.name.startswith(".") or (without is not None and path.resolve() == without.resolve()):
            continue
        if path.is_dir() and not path.is_symlink() and path.suffix.lower() not in ENDINGS:
            yield from listed(path, without)
        else:
            yield path
