"""Figures with sliders: every state is what Python computes, small, and complete without JavaScript."""

import json
import re
import shutil
from functools import cache
from html import escape, unescape

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from ferbook.book.interactive import mixture, nhot, rank_rule, temperature, widget
from ferbook.book.interactive.widget import Band, Chart, Control, Picture, Plot, Series, Text
from ferbook.claims import ablation_variants
from ferbook.core.errors import ConfigError
from ferbook.learning import consistency, sweeps
from ferbook.papers.nhot import curves
from ferbook.relevance import ranks
from ferbook.synthesis import sample
from tests.browsing import HTML, ROOT, needs_chromium

SCRIPT = ROOT / "book" / "_static" / "play.js"
#: Pages with such a figure, and its name.
PAGES = {
    "nhot": "book/nhot/nhot_training",
    "temperature": "book/vad/consistency",
    "mixture": "book/faces/synthetic_face",
    "ranks": "book/relevance/ranks",
}
PAGE_LIMIT = 1_500_000


def content(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def state(spec, part, chosen):
    """What a part shows when these values are set, read as the script reads it."""
    place = 0
    for name in part["over"]:
        control = next(control for control in spec["controls"] if control["name"] == name)
        place = place * len(control["texts"]) + control["texts"].index(chosen[name])
    number = part["at"][place]
    return part["of"][widget.LETTERS.index(number) if isinstance(number, str) else number]


def text(spec, label, **chosen):
    return state(spec, next(part for part in spec["parts"] if part.get("label") == label), chosen)


def drawing():
    figure, _ = plt.subplots(figsize=(2, 1))
    return figure


def squares(extra=(), **changes):
    """A figure with each kind of part."""
    a, b = Control("a", "first <number>", [1, 2, 3], 1), Control("b", "second", ["x", "y"], kind="choice")

    def plot(b):
        series = Series([1, 2, 3], [1, 4, 9], name=b, low=[0, None, 8], high=[2, None, 10])
        return Plot("n", "n squared", (1, 3), (0, 10), {1: "1", 3: "3"}, {0: "0", 10: "10"}, [series])

    parts = [
        Text("square", ["a"], lambda a: f"{a * a} </script>"),
        Text("both", ["b", "a"], lambda b, a: f"{b}{a}"),
        Chart("squares", ["b"], plot, cursors=["a"], bands=[Band(1, "a", "square")]),
        Picture(
            ["a"], lambda a: a - 1, np.arange(3, dtype=np.uint8).repeat(64).reshape(3, 8, 8), lambda a: f"grey {a}"
        ),
        *extra,
    ]
    return widget.figure("squares", "Squares & more", [a, b], parts, still=drawing(), alt="A parabola", **changes).data


# --- the markup ---


def test_every_state_lies_in_the_page():
    spec = content(squares())
    assert [text(spec, "both", a=a, b=b) for b in "xy" for a in "123"] == ["x1", "x2", "x3", "y1", "y2", "y3"]
    assert text(spec, "square", a="3", b="x") == "9 </script>"
    assert [control["start"] for control in spec["controls"]] == [1, 0]
    chart = spec["parts"][2]
    assert [state(spec, chart, {"b": b})["series"][0]["name"] for b in "xy"] == ["x", "y"]
    # An array that stands twice is written once.
    assert len(chart["arrays"]) == 4 and chart["arrays"][2] == [0, None, 8]


def test_what_is_said_cannot_leave_its_place():
    html = squares()
    assert html.count("</script>") == 2 and escape("Squares & more") in html
    assert 'class="play-still" src="data:image/' in html and 'alt="A parabola"' in html
    assert "first <number>" in json.dumps(content(html)["controls"])


def test_many_states_are_numbers_where_letters_do_not_suffice():
    many = Control("many", "many", list(range(100)))
    for of in (str, lambda k: str(k % 7)):
        spec = widget.spec([many], [Text("said", ["many"], of)])
        assert [text(spec, "said", many=str(k)) for k in range(100)] == [of(k) for k in range(100)]


def test_the_letters_are_those_of_the_script():
    assert re.search(r'var LETTERS = "(.*)";', SCRIPT.read_text())[1] == widget.LETTERS


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Text("more", ["c"], str), "'c' is no control"),
        (Chart("more", ["a"], str, cursors=["c"]), "'c' is no control"),
        (Chart("more", ["a"], str, bands=[Band("c", 1, "square")]), "'c' is no control"),
        (Chart("more", ["a"], str, bands=[Band(0, 1, "cube")]), "no text is called 'cube'"),
    ],
)
def test_a_wrong_name_is_told(part, said):
    with pytest.raises(ConfigError, match=said):
        squares([part])


def test_a_start_outside_of_the_values_is_told():
    with pytest.raises(ConfigError, match=r"controls\.n: has no value at 3"):
        widget.spec([Control("n", "N", [1, 2, 3], 3)], [])


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ((74, 78), ["74", "75", "76", "77", "78"]),
        ((0.441, 0.552), ["0.450", "0.475", "0.500", "0.525", "0.550"]),
        ((0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_ticks_are_round_and_show_their_digits(ends, wanted):
    assert list(widget.ticks(*ends).values()) == wanted


# --- the four figures: what a state says is what the library computes ---


@cache
def built(name):
    if name == "nhot":
        return nhot.accuracy(sweeps.load("002", "nhot")).data
    if name == "temperature":
        generator = torch.Generator().manual_seed(0)
        logits = 2 * torch.randn(50, 8, generator=generator)
        return temperature.cost(logits, 2 * torch.rand(50, 3, generator=generator) - 1).data
    if name == "mixture":
        return mixture.blend(sample(1, seed=3, split="test", pose=(0, 0, 0), occlusion="none")).data
    rng = np.random.default_rng(0)
    maps = {rule: rng.laplace(size=(8, 1, 48, 48)) for rule in ("epsilon", "gamma", "z_plus", "alpha")}
    faces = [f"face {row}" for row in range(8)]
    return rank_rule.edges(maps, faces, rng.integers(0, 256, (48, 48), dtype=np.uint8)).data


@pytest.mark.parametrize("name", PAGES)
def test_a_figure_is_small_and_described(name):
    html = built(name)
    assert len(html.encode()) + SCRIPT.stat().st_size < widget.LIMIT
    assert html.startswith(f'<figure class="play" id="play-{name}"')
    assert len(re.search(r'alt="([^"]*)"', html)[1].split()) >= 8
    assert "http" not in html


def test_accuracy_over_n_is_that_of_the_records():
    spec, runs = content(built("nhot")), sweeps.load("002", "nhot")
    for kind in curves.KINDS:
        for n in (1, 3, 8):
            values = [100 * run.metrics["test_accuracy"] for name, run in runs.items() if f"{kind}-n{n}-" in name]
            chosen = {"kind": kind, "measure": curves.MEASURES["accuracy"].title, "n": str(n), "start": "1"}
            said = text(spec, "at this N, with its 95 % interval", **chosen)
            assert said.startswith(f"{np.mean(values):.1f} (") and said.endswith(f"{len(values)} seeds")
    both = {"kind": "complex", "start": "1", "n": "3"}
    assert text(spec, "gain in accuracy over that N (points)", **both) == ablation_variants.told(
        curves.gain(runs, "complex", 1, 3), 1, sign=True
    )
    assert text(spec, "gain in accuracy over that N (points)", kind="complex", start="3", n="3") == "–"


def test_runs_that_are_missing_are_left_out():
    assert "No run is recorded yet" in nhot.accuracy({}).data
    runs = {name: run for name, run in sweeps.load("002", "nhot").items() if name.startswith("ordinary-n1-")}
    controls = {control["name"]: control["texts"] for control in content(nhot.accuracy(runs).data)["controls"]}
    assert controls["n"] == ["1"] and controls["kind"] == ["ordinary"]


@pytest.mark.parametrize("chosen", [("happiness", "valence", 0.1, -0.05), ("neutral", "arousal", 0.3, 0.4)])
def test_the_cost_is_that_of_the_loss(chosen):
    category, axis, width, value = chosen
    spec = content(built("temperature"))
    said = {"category": category, "axis": axis, "temperature": f"{width:g}", "value": f"{value:+.2f}"}
    demand = ">0" if category == "happiness" else "=0"
    assert text(spec, "table 1 asks for", **said) == f"{axis} {demand}"
    x = value / width
    wanted = 1 / (1 + np.exp(x)) if demand == ">0" else 1 - np.exp(-(x**2))
    assert text(spec, "cost of this value", **said) == f"{wanted:.3f}"
    slope = -wanted * (1 - wanted) / width if demand == ">0" else 2 * x * np.exp(-(x**2)) / width
    assert text(spec, "gradient there", **said) == f"{slope:+.2f}"


def test_the_printed_cost_has_no_slope_and_a_low_temperature_reaches_few():
    spec = content(built("temperature"))
    shares = [
        float(text(spec, "random predictions with a gradient", temperature=t)[:-1])
        for t in ("0 (as printed)", "0.01", "0.3")
    ]
    assert shares[0] == 0 < shares[1] < shares[2]
    # A certain category costs what the printed cost says where the value is far from zero.
    values = torch.tensor([[-1.0, 0, 0], [1.0, 0, 0]])
    printed = consistency.printed_cost(torch.tensor([1, 1]), values, "table")[:, 0].tolist()
    said = {"category": "happiness", "axis": "valence", "temperature": "0.01"}
    assert [float(text(spec, "cost of this value", value=v, **said)) for v in ("-1.00", "+1.00")] == printed


def test_a_mixture_is_known_and_painted():
    spec = content(built("mixture"))
    chosen = {"first": "happiness", "second": "surprise", "share": "25%", "intensity": "0.5"}
    wanted = sample(1, seed=3, split="test", pose=(0, 0, 0), occlusion="none").with_expression(
        np.array([mixture.mixed("happiness", "surprise", 0.25)]), np.array([0.5])
    )
    assert text(spec, "valence", **chosen) == f"{wanted.vad[0, 0]:+.2f}"
    assert text(spec, "emotion distribution", **chosen) == "75% happiness, 25% surprise"
    # Either order of two emotions is one picture, and at intensity 0 all are.
    picture = next(part for part in spec["parts"] if part["kind"] == "picture")
    assert picture["count"] == 1 + 4 * (7 + 3 * 21)
    assert set(picture["at"]) == set(range(picture["count"]))


def test_a_rank_is_the_rule_of_the_tables_with_other_ends():
    spec = content(built("ranks"))
    rng = np.random.default_rng(0)
    scores = ranks.scaled(rng.laplace(size=(8, 1, 48, 48)))[2]
    for ends in ((0.3, 0.5, 0.8), (0.05, 0.9, 0.55), (0.45, 0.35, 0.95)):
        said = dict(zip(("start", "middle", "end"), (f"{value:.2f}" for value in ends), strict=True))
        chosen = {"face": "face 2", "rule": "epsilon", **said}
        start, middle, end = ends
        kept = scores[np.isfinite(scores)]
        counts = [(kept < middle).sum(), ((kept >= start) & (kept < end)).sum(), (kept >= middle).sum()]
        assert [text(spec, name, **chosen) for name in ranks.RANKS] == [f"{count:,}" for count in counts]
        strongest = max(range(3), key=lambda k: (counts[k], k))
        assert text(spec, "rank with these ends", **chosen) == ranks.RANKS[strongest]
    paper = ranks.RANKS[ranks.rank_as_tabulated(ranks.histogram(scores[None]))[0]]
    assert text(spec, "rank with the paper's ends", **chosen) == paper


# --- in a browser ---


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A page with a figure of each kind of part, and the four of the book, opened as a file."""
    folder = tmp_path_factory.mktemp("page") / "book" / "some"
    folder.mkdir(parents=True)
    static = folder.parents[1] / "_static"
    static.mkdir()
    for name in ("play.js", "ferbook.css"):
        shutil.copyfile(SCRIPT.with_name(name), static / name)
    figures = "".join([squares(), *map(built, PAGES)])
    (folder / "page.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>page</title>'
        f'<link rel="stylesheet" href="../../_static/ferbook.css"><body>{figures}</body></html>',
        encoding="utf-8",
    )
    return (folder / "page.html").as_uri()


@pytest.fixture
def page(chromium, written):
    """The page, ready; at the end: it said nothing in the console and asked for nothing beside it."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    opened = context.new_page()
    said, asked = [], []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(written)
    opened.wait_for_selector("#play-ranks[data-ready]")
    yield opened
    context.close()
    assert said == [] and not [url for url in asked if not url.startswith(("file:", "data:"))]


def shown(page, name):
    return page.evaluate(f"ferbookPlay[{json.dumps(name)}].values()")


def said(page, name, label):
    return page.locator(f'#play-{name} [data-text="{label}"]').inner_text()


@needs_chromium
class TestBrowser:
    def test_the_keyboard_moves_a_slider_and_the_numbers_are_pythons(self, page):
        spec = content(built("nhot"))
        page.focus("#play-nhot [data-control=n]")
        for n in ("4", "8"):
            page.keyboard.press("ArrowRight")
            label = "gain in accuracy over that N (points)"
            assert said(page, "nhot", label) == text(spec, label, kind="ordinary", start="1", n=n)
            slider = page.locator("#play-nhot [data-control=n]")
            assert slider.get_attribute("aria-valuetext") == n
            assert page.locator("#play-nhot output").first.inner_text() == n

    @pytest.mark.parametrize("name", ["squares", *PAGES])
    def test_any_state_is_the_one_that_python_wrote(self, page, name):
        spec = content(squares() if name == "squares" else built(name))
        rng = np.random.default_rng(5)
        for _ in range(8):
            chosen = {}
            for control in spec["controls"]:
                number = int(rng.integers(len(control["texts"])))
                chosen[control["name"]] = control["texts"][number]
                field = page.locator(f"#play-{name} [data-control={control['name']}]")
                if control["kind"] == "choice":
                    field.select_option(str(number))
                else:
                    field.fill(str(number))
            wanted = {part["label"]: state(spec, part, chosen) for part in spec["parts"] if part["kind"] == "text"}
            assert shown(page, name) == wanted
            for label, words in wanted.items():
                assert said(page, name, label) == words
            for part in spec["parts"]:
                if part["kind"] == "picture":
                    place = page.locator(f"#play-{name} .play-picture")
                    alts = {**part, "at": part["alts"]}
                    assert place.get_attribute("aria-label") == state(spec, alts, chosen)

    def test_an_end_of_a_window_is_dragged(self, page):
        chart = page.locator("#play-ranks .play-chart svg.play-draggable")
        chart.scroll_into_view_if_needed()
        box, handle = chart.bounding_box(), page.locator("#play-ranks .play-handle").nth(1).bounding_box()
        y = handle["y"] + handle["height"] / 2
        page.mouse.move(handle["x"] + handle["width"] / 2, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 2, y, steps=5)
        page.mouse.up()
        assert page.locator("#play-ranks label", has_text="minimal ends").locator("output").inner_text() == "0.90"
        spec = content(built("ranks"))
        ends = {"rule": "epsilon", "face": "face 0", "start": "0.30", "middle": "0.90", "end": "0.80"}
        assert said(page, "ranks", "rank with these ends") == text(spec, "rank with these ends", **ends)
        # The pointer is free again.
        page.mouse.move(box["x"] + 5, y)
        assert page.locator("#play-ranks label", has_text="minimal ends").locator("output").inner_text() == "0.90"

    def test_every_control_has_a_name_and_the_picture_makes_way(self, page):
        for field in page.locator(".play input, .play select").all():
            assert field.evaluate("field => field.labels.length && field.labels[0].textContent.trim().length") > 0
        assert page.locator(".play-still:visible").count() == 0
        assert page.locator(".play-live:visible").count() == 1 + len(PAGES)

    def test_it_fits_a_telephone(self, page):
        page.set_viewport_size({"width": 400, "height": 900})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        widths = page.evaluate("[...document.querySelectorAll('.play-chart svg')].map(s => s.viewBox.baseVal.width)")
        assert max(widths) <= 400

    def test_without_javascript_the_pictures_stand_there(self, chromium, written):
        context = chromium.new_context(java_script_enabled=False)
        opened = context.new_page()
        opened.goto(written)
        assert opened.locator(".play-still:visible").count() == 1 + len(PAGES)
        assert opened.locator(".play-live:visible").count() == 0
        context.close()

    @pytest.mark.parametrize(("name", "place"), PAGES.items())
    def test_on_its_page_it_moves_and_asks_for_nothing_elsewhere(self, chromium, name, place):
        path = HTML / f"{place}.html"
        if not path.is_file():
            pytest.skip("the book is not built (make book)")
        context = chromium.new_context()
        opened = context.new_page()
        wrong, asked = [], []
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(path.as_uri())
        opened.wait_for_selector(f"#play-{name}[data-ready]")
        spec = content(opened.locator(f"#play-{name}").evaluate("figure => figure.outerHTML"))
        control = spec["controls"][0]
        opened.focus(f"#play-{name} [data-control={control['name']}]")
        opened.keyboard.press("Home")
        chosen = {other["name"]: other["texts"][other["start"]] for other in spec["controls"]}
        chosen |= {control["name"]: control["texts"][0]}
        wanted = {part["label"]: state(spec, part, chosen) for part in spec["parts"] if part["kind"] == "text"}
        assert shown(opened, name) == wanted
        context.close()
        assert wrong == [] and not [url for url in asked if not url.startswith(("file:", "data:"))]


# --- in the book ---


@pytest.mark.parametrize(("name", "place"), PAGES.items())
def test_the_page_has_it_and_stays_light(name, place):
    path = HTML / f"{place}.html"
    if not path.is_file():
        pytest.skip("the book is not built (make book)")
    html = path.read_text(encoding="utf-8")
    found = re.search(rf'<figure class="play" id="play-{name}".*?</figure>', html, re.DOTALL)
    assert found
    assert len(found[0].encode()) + SCRIPT.stat().st_size < widget.LIMIT
    assert len(html.encode()) < PAGE_LIMIT
    assert (path.parent / unescape(re.search(r'src="([^"]*play\.js)"', html)[1])).resolve().is_file()
