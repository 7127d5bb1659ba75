"""A figure with sliders in a page: Python computes every state, ``book/_static/play.js`` shows the one that is chosen.

The script computes nothing. What is shown, curves, pictures and numbers as text, is tabulated over the controls' values
and lies in the page as JSON, so that the figure works when the page is opened as a file and shows what Python found.
Without JavaScript a picture drawn by Python stands there.

A figure in full::

    n = Control("n", "N", [1, 2, 3])
    square = Text("square", ["n"], lambda n: str(n * n))
    figure("squares", "Squares", [n], [square], still=drawing, alt="A parabola through ...")
"""

import base64
import io
import itertools
import json
import string
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from ferbook.core.errors import ConfigError

#: From a page, which lies two folders deep.
SCRIPT = "../../_static/play.js"
#: Most bytes of a figure, with its script.
LIMIT = 300_000
#: What stands for the numbers from 0 on; play.js knows them, too.
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Control:
    """What a reader sets.

    Parameters
    ----------
    name: by which parts refer to it.
    label: what it is, with its unit.
    values: in order; numbers, or words.
    start: place in `values` of the one that is set at first.
    form: how a value is written.
    kind: a slider, or a list to choose from.
    """

    name: str
    label: str
    values: Sequence[Any]
    start: int = 0
    form: Callable[[Any], str] = str
    kind: Literal["slider", "choice"] = "slider"


@dataclass(frozen=True)
class Text:
    """A line of words or a number below the figure: ``of`` gets the values of the controls named in `over`."""

    label: str
    over: Sequence[str]
    of: Callable[..., str]


@dataclass(frozen=True)
class Series:
    """A curve, bars or points of a chart.

    Parameters
    ----------
    x, y: (N,); of bars, their left edges and heights.
    name: in the legend; "": not in it.
    colour: 0 to 3, of the theme's; the same number is the same colour, dark or light.
    kind: how it is drawn.
    dashed: whether the line is.
    low, high: (N,) ends of intervals; None where there is none.
    width: of bars, in units of x.
    """

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""
    colour: int = 0
    kind: Literal["line", "points", "bars"] = "line"
    dashed: bool = False
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    width: float = 0.0


@dataclass(frozen=True)
class Plot:
    """One state of a chart: its axes, with units and ticks, and what is drawn."""

    xlabel: str
    ylabel: str
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    xticks: Mapping[float, str]
    yticks: Mapping[float, str]
    series: Sequence[Series]


@dataclass(frozen=True)
class Band:
    """A bar above a chart from one x to another: numbers, or names of controls; with a text of the figure on it."""

    start: str | float
    end: str | float
    text: str
    colour: int = 0


@dataclass(frozen=True)
class Chart:
    """A chart that changes with the controls in `over`.

    Parameters
    ----------
    label: what it shows, for those who do not see it.
    over: names of controls, whose values `plot` gets.
    plot: a state.
    cursors: controls that are shown as a line across the x axis, which can be dragged.
    bands: bars above the plot.
    """

    label: str
    over: Sequence[str]
    plot: Callable[..., Plot]
    cursors: Sequence[str] = ()
    bands: Sequence[Band] = ()


@dataclass(frozen=True)
class Picture:
    """A picture that changes with the controls in `over`: one tile of a sheet.

    Parameters
    ----------
    over: names of controls, whose values `of` and `alt` get.
    of: place of the tile in `tiles`.
    tiles: uint8 (N, S, S) or (N, S, S, 3); all states' pictures.
    alt: what the state shows.
    quality: of WebP, 1 to 100.
    """

    over: Sequence[str]
    of: Callable[..., int]
    tiles: np.ndarray
    alt: Callable[..., str]
    quality: int = 50


Part = Text | Chart | Picture


@dataclass
class _Numbered:
    """Things that occur more than once, written once; a state holds a number."""

    things: list[Any] = field(default_factory=list)
    places: dict[Hashable, int] = field(default_factory=dict)

    def __call__(self, key: Hashable, thing: Any) -> int:
        if key not in self.places:
            self.places[key] = len(self.things)
            self.things.append(thing)
        return self.places[key]


def figure(
    name: str, title: str, controls: Sequence[Control], parts: Sequence[Part], *, still: Figure, alt: str
) -> HTML:
    """The figure's markup, with its JSON.

    Parameters
    ----------
    name: letters and ``-``; its place in the page is ``play-NAME``.
    title: above it.
    controls: what a reader sets, in order.
    parts: what is shown, in order.
    still: shown without JavaScript; closed afterwards.
    alt: describes `still`.

    Raises
    ------
    ConfigError: if a part names no control of the figure, or a control starts outside of its values.
    """
    content = json.dumps(spec(controls, parts), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    stream = io.BytesIO()
    still.savefig(stream, format="webp", pil_kwargs={"quality": 75, "method": 6})
    plt.close(still)
    return HTML(f"""<figure class="play" id="play-{name}" role="group" aria-labelledby="play-{name}-title">
<figcaption id="play-{name}-title">{escape(title)}</figcaption>
<img class="play-still" src="{_address(stream.getvalue(), "webp")}" alt="{escape(alt)}">
<div class="play-live" hidden></div><script type="application/json">{content}</script>
</figure><script defer src="{SCRIPT}"></script>""")


def spec(controls: Sequence[Control], parts: Sequence[Part]) -> dict[str, Any]:
    """Every state as plain data, as the script reads it. Raises ConfigError as :func:`figure`."""
    known = {control.name: control for control in controls}
    for control in controls:
        if not 0 <= control.start < len(control.values):
            raise ConfigError(f"controls.{control.name}", f"has no value at {control.start}")
    texts = [part.label for part in parts if isinstance(part, Text)]
    for part in parts:
        named = [*part.over, *(part.cursors if isinstance(part, Chart) else ())]
        if isinstance(part, Chart):
            named += [end for band in part.bands for end in (band.start, band.end) if isinstance(end, str)]
            for band in part.bands:
                if band.text not in texts:
                    raise ConfigError("parts", f"no text is called {band.text!r}", f"Known: {', '.join(texts)}.")
        for wanted in named:
            if wanted not in known:
                raise ConfigError("parts", f"{wanted!r} is no control", f"Known: {', '.join(known)}.")
    return {
        "controls": [
            {
                "name": control.name,
                "label": control.label,
                "kind": control.kind,
                "start": control.start,
                "texts": [control.form(value) for value in control.values],
                "at": [value if isinstance(value, int | float) else None for value in control.values],
            }
            for control in controls
        ],
        "parts": [_part(part, known) for part in parts],
    }


def ticks(low: float, high: float, count: int = 5) -> dict[float, str]:
    """About `count` round numbers from `low` to `high`, and how they are written: for an axis."""
    places = [
        value for value in MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high) if low <= value <= high
    ]
    steps = [abs(b - a) for a, b in itertools.pairwise(places)]
    digits = max(0, -int(np.floor(np.log10(min(steps)) + 1e-9))) if steps else 2
    digits += any(round(value, digits) != round(value, 9) for value in places)
    return {float(value): f"{value:.{digits}f}" for value in places}


def states(part: Part, known: Mapping[str, Control]) -> list[tuple[Any, ...]]:
    """The values of the controls that a part depends on, every combination, the last changing first."""
    return list(itertools.product(*(known[name].values for name in part.over)))


def _part(part: Part, known: Mapping[str, Control]) -> dict[str, Any]:
    found = _Numbered()
    every = states(part, known)
    shared: dict[str, Any] = {"over": list(part.over)}
    if isinstance(part, Text):
        at = [found(said, said) for said in (part.of(*state) for state in every)]
        return shared | {"kind": "text", "label": part.label, "at": _packed(at), "of": found.things}
    if isinstance(part, Chart):
        arrays = _Numbered()
        plots = [_plain(part.plot(*state), arrays) for state in every]
        at = [found(json.dumps(plot), plot) for plot in plots]
        bands = [asdict(band) for band in part.bands]
        more = {"label": part.label, "cursors": list(part.cursors), "bands": bands, "arrays": arrays.things}
        return shared | {"kind": "chart", "at": _packed(at), "of": found.things} | more
    at = [int(part.of(*state)) for state in every]
    alts = [found(said, said) for said in (part.alt(*state) for state in every)]
    columns = int(np.ceil(np.sqrt(len(part.tiles))))
    sheet = {"source": _sheet(part.tiles, columns, part.quality), "columns": columns, "count": len(part.tiles)}
    shared |= {"kind": "picture", "at": _packed(at), "alts": _packed(alts)}
    return shared | {"of": found.things, "side": part.tiles.shape[1]} | sheet


def _packed(numbers: list[int]) -> str | list[int]:
    """One letter for each number where there are letters enough."""
    return "".join(LETTERS[number] for number in numbers) if max(numbers) < len(LETTERS) else numbers


def _plain(plot: Plot, arrays: _Numbered) -> dict[str, Any]:
    """A plot as plain data, in which a number stands for an array; numbers with the digits that a screen can show."""
    content = asdict(plot)
    for axis in ("xticks", "yticks"):
        content[axis] = [[_short(place), said] for place, said in getattr(plot, axis).items()]
    for drawn in content["series"]:
        for key in ("x", "y", "low", "high"):
            values = [None if value is None else _short(value) for value in drawn[key]]
            drawn[key] = arrays(tuple(values), values)
    return content


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _sheet(tiles: np.ndarray, columns: int, quality: int) -> str:
    """All tiles in rows as one picture, as an address that holds it."""
    missing = -len(tiles) % columns
    filled = np.concatenate([tiles, np.zeros((missing, *tiles.shape[1:]), np.uint8)])
    rows = [np.concatenate(list(filled[start : start + columns]), axis=1) for start in range(0, len(filled), columns)]
    stream = io.BytesIO()
    Image.fromarray(np.concatenate(rows)).save(stream, format="WEBP", quality=quality, method=6)
    return _address(stream.getvalue(), "webp")


def _address(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
