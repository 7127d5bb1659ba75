"""Pages of text as a PDF: two weights of DejaVu Sans, broken into lines, with an outline to find one's way by.

Written by hand, with fontTools for the fonts: what Matplotlib draws as text takes a hundred times as long, and other
libraries are not needed otherwise. The same texts give the same file; there is no date in it.
"""

import io
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib import font_manager

from ferbook.core import paths

#: A4 and its margins, in points of 1/72 inch.
PAGE, MARGIN = (595.28, 841.89), (56.0, 60.0)
WIDTH = PAGE[0] - 2 * MARGIN[0]
#: Size of the text in points, and from line to line as a multiple of it.
SIZE, LEADING = 8.5, 1.36
BLACK, GREY = 0.0, 0.35


class Font:
    """DejaVu Sans, which comes with Matplotlib and has every sign that claims use."""

    def __init__(self, weight: str):
        self.path = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", weight=weight))
        font = TTFont(self.path)
        self.unit, metrics = font["head"].unitsPerEm, font["hmtx"].metrics
        self.widths = {code: metrics[name][0] for code, name in font.getBestCmap().items()}
        self.used: set[int] = set()

    def width(self, text: str, size: float) -> float:
        """How wide a text is, in points; a sign that the font lacks counts as the one shown in its place."""
        return sum(self.widths.get(ord(sign), 0.6 * self.unit) for sign in text) * size / self.unit

    def embedded(self) -> tuple[bytes, dict[int, int], TTFont]:
        """The font with the signs that were used and no others: its file, the number of each sign's shape, itself."""
        font = TTFont(self.path, recalcTimestamp=False)
        drop = [*subset.Options().drop_tables, "FFTM"]
        options = subset.Options(notdef_outline=True, layout_features=[], hinting=False, drop_tables=drop)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=sorted(self.used))
        cutter.subset(font)
        file = io.BytesIO()
        font.save(file)
        return file.getvalue(), {code: font.getGlyphID(name) for code, name in font.getBestCmap().items()}, font


@cache
def _fonts() -> dict[str, Font]:
    return {weight: Font(weight) for weight in ("normal", "bold")}


def width(text: str, size: float, weight: str = "normal") -> float:
    """How wide a text is, in points."""
    return _fonts()[weight].width(text, size)


def wrapped(text: str, room: float, size: float, weight: str = "normal") -> Iterator[str]:
    """Lines that are no wider than `room` points, broken between words; a word that is wider is cut."""
    line = ""
    for word in text.split():
        joined = f"{line} {word}".strip()
        if width(joined, size, weight) <= room:
            line = joined
            continue
        if line:
            yield line
        while width(word, size, weight) > room:
            fits = next(end for end in range(len(word), 0, -1) if end == 1 or width(word[:end], size, weight) <= room)
            yield word[:fits]
            word = word[fits:]
        line = word
    if line:
        yield line


class Paper:
    """Pages that are filled from the top.

    ``pages`` holds their texts: x and y in points from the lower left, text, size, weight, grey (0 black, 1 white).
    """

    def __init__(self) -> None:
        self.pages: list[list[tuple[float, float, str, float, str, float]]] = []
        self.outline: list[tuple[str, int]] = []
        self.turn()

    def turn(self) -> None:
        """Begin a page."""
        self.pages.append([])
        self.y = PAGE[1] - MARGIN[1]

    def mark(self, title: str) -> None:
        """Let the outline lead to this page."""
        self.outline.append((title, len(self.pages) - 1))

    def keep(self, points: float) -> None:
        """Begin a page where less than so many points are left of this one."""
        if self.y - points < MARGIN[1]:
            self.turn()

    def put(self, text: str, x: float, size: float = SIZE, weight: str = "normal", grey: float = BLACK) -> None:
        """A text at height ``y``, `x` points from the margin."""
        self.pages[-1].append((MARGIN[0] + x, self.y, text, size, weight, grey))

    def write(
        self, text: str, size: float = SIZE, weight: str = "normal", grey: float = BLACK, after: float = 0.0
    ) -> None:
        """A paragraph; `after` it, points are left free."""
        for line in wrapped(text, WIDTH, size, weight):
            self.keep(size * LEADING)
            self.y -= size * LEADING
            self.put(line, 0, size, weight, grey)
        self.y -= after

    def row(self, cells: Sequence[str], places: Sequence[float], weight: str = "normal") -> None:
        """Short texts side by side, each at its place."""
        self.keep(SIZE * LEADING)
        self.y -= SIZE * LEADING
        for text, place in zip(cells, places, strict=True):
            self.put(text, place, weight=weight)

    def save(self, target: Path, title: str) -> None:
        """Number the pages and write them, whole or not at all.

        Raises
        ------
        OutputError: if there is no room, or no right to write.
        """
        total = len(self.pages)
        for number, page in enumerate(self.pages, 1):
            foot = f"{number} of {total}"
            page.append(((PAGE[0] - width(foot, 7)) / 2, 30.0, foot, 7.0, "normal", GREY))
        with paths.replacing(target) as whole:
            whole.write_bytes(_document(self.pages, self.outline, title))


def _document(pages: Sequence[Sequence[tuple]], outline: Sequence[tuple[str, int]], title: str) -> bytes:
    """The file (PDF 1.7): objects in order, then where each begins."""
    objects: list[bytes] = []

    def add(content: bytes | str) -> int:
        objects.append(content.encode("latin-1") if isinstance(content, str) else content)
        return len(objects)

    def stream(data: bytes, extra: str = "") -> int:
        packed = zlib.compress(data, 9)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {extra}>>\nstream\n"
        return add(head.encode() + packed + b"\nendstream")

    fonts = _fonts()
    for font in fonts.values():
        font.used.clear()
    for page in pages:
        for _, _, text, _, weight, _ in page:
            fonts[weight].used.update(map(ord, text))
    known = {weight: _font_objects(font, add, stream) for weight, font in fonts.items() if font.used}
    resources = " ".join(f"/{weight} {number} 0 R" for weight, (number, _) in known.items())
    tree, first = len(objects) + 1, len(objects) + 2
    objects.append(b"")
    for page in pages:
        drawn = []
        for x, y, text, size, weight, grey in page:
            signs = "".join(f"{known[weight][1].get(ord(sign), 0):04x}" for sign in text)
            drawn.append(f"/{weight} {size:g} Tf {grey:g} g 1 0 0 1 {x:.2f} {y:.2f} Tm <{signs}> Tj")
        add(
            f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {PAGE[0]} {PAGE[1]}] "
            f"/Resources << /Font << {resources} >> >> /Contents {len(objects) + 2} 0 R >>"
        )
        stream("\n".join(["BT", *drawn, "ET"]).encode())
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects[tree - 1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    top = len(objects) + 1
    last = top + len(outline)
    add(f"<< /Type /Outlines /First {top + 1} 0 R /Last {last} 0 R /Count {len(outline)} >>" if outline else "<< >>")
    for number, (name, page) in enumerate(outline, top + 1):
        beside = (f"/Prev {number - 1} 0 R " if number > top + 1 else "") + (
            f"/Next {number + 1} 0 R " if number < last else ""
        )
        add(f"<< /Title {_text(name)} /Parent {top} 0 R {beside}/Dest [{first + 2 * page} 0 R /Fit] >>")
    info = add(f"<< /Title {_text(title)} >>")
    root = add(f"<< /Type /Catalog /Pages {tree} 0 R /Outlines {top} 0 R /Lang (en) >>")
    file, places = io.BytesIO(), []
    file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    for number, content in enumerate(objects, 1):
        places.append(file.tell())
        file.write(f"{number} 0 obj\n".encode() + content + b"\nendobj\n")
    start = file.tell()
    file.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    file.write(b"".join(f"{place:010d} 00000 n \n".encode() for place in places))
    file.write(f"trailer\n<< /Size {len(objects) + 1} /Root {root} 0 R /Info {info} 0 R >>\n".encode())
    file.write(f"startxref\n{start}\n%%EOF\n".encode())
    return file.getvalue()


def _text(text: str) -> str:
    """A text outside of pages: UTF-16 in hexadecimal."""
    return f"<feff{text.encode('utf-16-be').hex()}>"


def _font_objects(font: Font, add, stream) -> tuple[int, dict[int, int]]:
    """Write what a reader needs to show and to copy a font's text; its object, and the number of each sign's shape."""
    file, shapes, cut = font.embedded()
    scale = 1000 / font.unit
    name = f"/DejaVuSans-{'Bold' if 'Bold' in font.path else 'Book'}"
    box = " ".join(f"{scale * getattr(cut['head'], side):.0f}" for side in ("xMin", "yMin", "xMax", "yMax"))
    lines = f"/Ascent {scale * cut['hhea'].ascent:.0f} /Descent {scale * cut['hhea'].descent:.0f} /CapHeight 729"
    embedded = stream(file, f"/Length1 {len(file)} ")
    described = add(
        f"<< /Type /FontDescriptor /FontName {name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0 {lines} /StemV 80 "
        f"/FontFile2 {embedded} 0 R >>"
    )
    widths = " ".join(f"{shape} [{scale * font.widths[code]:.0f}]" for code, shape in sorted(shapes.items()))
    inner = add(
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont {name} /CIDSystemInfo << /Registry (Adobe) /Ordering "
        f"(Identity) /Supplement 0 >> /FontDescriptor {described} 0 R /DW 600 /W [{widths}] /CIDToGIDMap /Identity >>"
    )
    pairs = [f"<{shape:04x}> <{chr(code).encode('utf-16-be').hex()}>" for code, shape in sorted(shapes.items())]
    batches = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    listed = "\n".join(f"{len(batch)} beginbfchar\n" + "\n".join(batch) + "\nendbfchar" for batch in batches)
    readable = stream(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Signs def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{listed}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end".encode()
    )
    whole = add(
        f"<< /Type /Font /Subtype /Type0 /BaseFont {name} /Encoding /Identity-H /DescendantFonts [{inner} 0 R] "
        f"/ToUnicode {readable} 0 R >>"
    )
    return whole, shapes
