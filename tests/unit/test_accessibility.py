"""Every page in a real browser, read from disk: for all readers, by keyboard, on a telephone, without a network.

A page is opened once; what the tests want to know of it is asked then (`Seen`). Needs a built book and a Chromium.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browsing import HTML, all_pages, needs_book, needs_chromium

pytestmark = [needs_book, needs_chromium]

#: WCAG 2.2, levels A and AA, as axe-core knows its rules.
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Bytes of a page and of all local files that it loads until it stands: what no page reaches, and half of them.
HEAVIEST, USUAL = 6_000_000, 1_500_000

# A colour on its way to another one is no colour of the page.
_AT_REST = "*, *::before, *::after { transition: none !important; animation: none !important; }"

# What colours decide takes axe most of its time, and a page has thousands of words but few pairs of ink and ground. So
# each element with text of its own is given a key of all that its contrast depends on: its ink, what lies under it up
# to the page, and for a link the ink of the words around it. axe judges the first and the last element of each key.
_MARK = """() => {
  document.querySelectorAll("[data-judged]").forEach(e => e.removeAttribute("data-judged"));
  const grounds = new Map();
  function ground(e) {
    if (!e) return "";
    if (!grounds.has(e)) {
      const s = getComputedStyle(e);
      const own = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter, s.mixBlendMode, s.clipPath, s.visibility];
      const plain = own.join() === "rgba(0, 0, 0, 0),none,1,none,normal,none,visible";
      grounds.set(e, ground(e.parentElement) + (plain ? "" : "/" + own.join()));
    }
    return grounds.get(e);
  }
  const kinds = new Map();
  for (const e of document.body.querySelectorAll("*")) {
    const written = Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim());
    if (!written && !e.matches("a, input, select, textarea") || !e.checkVisibility()) continue;
    const s = getComputedStyle(e);
    const key = [s.color, s.fontSize, s.fontWeight, s.textShadow, ground(e)];
    if (e.matches("a")) key.push(getComputedStyle(e.parentElement).color, s.textDecoration, s.borderBottom, s.display);
    kinds.set(key.join(), [...kinds.get(key.join()) || [], e]);
  }
  for (const same of kinds.values())
    for (const e of [same[0], same[same.length - 1]]) e.setAttribute("data-judged", "");
  axe.configure({rules: [
    {id: "color-contrast", selector: "[data-judged]"},
    {id: "link-in-text-block", selector: "a[href][data-judged]:not([role]), [role=link][data-judged]"},
  ]});
}"""

# The pages' script sees a change of sizes when the next picture is drawn.
_DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

_JUDGE = """async rules => {
  const found = await axe.run(document, {runOnly: rules, preload: false, resultTypes: ["violations"]});
  const say = (rule, node) => `${rule.id} (${rule.impact}): ${node.html.slice(0, 200)} ${node.failureSummary}`;
  return found.violations.flatMap(rule => rule.nodes.map(node => say(rule, node)));
}"""

# Which controls the Tab key passes by or takes out of turn, and which look the same with the focus as without it; of
# the latter one of each kind is tried. Needs a key pressed before: browsers show the focus to readers who use keys.
_FOCUS = """() => {
  const faults = [], kinds = new Map();
  const look = e => {
    const s = getComputedStyle(e);
    return [s.outline, s.boxShadow, s.backgroundColor, s.border, s.textDecoration, s.color].join();
  };
  const CONTROLS = "a[href], button, input, select, textarea, summary, [onclick], [role=button], [tabindex='0']";
  for (const e of document.querySelectorAll(CONTROLS)) {
    if (e.disabled || !e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    if (e.tabIndex) faults.push(`tabindex ${e.tabIndex}: ${e.outerHTML.slice(0, 200)}`);
    const kind = [e.tagName, e.className, e.parentElement.className].join();
    if (!kinds.has(kind)) kinds.set(kind, e);
  }
  for (const e of kinds.values()) {
    document.activeElement.blur();
    const before = look(e);
    e.focus({preventScroll: true});
    const seen = document.activeElement === e && look(e) !== before;
    if (!seen) faults.push(`no focus is seen: ${e.outerHTML.slice(0, 200)}`);
  }
  document.activeElement.blur();
  return faults;
}"""

# The folds that stand in sight, one of each kind: their places among all.
_FOLDS = """() => {
  const kinds = new Map();
  document.querySelectorAll("summary").forEach((e, place) => {
    if (e.checkVisibility() && !kinds.has(e.parentElement.className)) kinds.set(e.parentElement.className, place);
  });
  return Array.from(kinds.values());
}"""


@dataclass
class Seen:
    """What a page showed: faults that axe found in the light, in the dark and on a telephone, how many pixels do not
    fit there, what the keyboard does not do, the addresses that it asked for, and its errors in the console."""

    light: list[str]
    dark: list[str]
    narrow: list[str]
    overhang: int
    keyboard: list[str]
    asked: list[str]
    said: list[str]

    def elsewhere(self) -> list[str]:
        """Addresses that lie neither on the disk nor in the page itself."""
        return [url for url in self.asked if urlsplit(url).scheme not in {"file", "data", "blob"}]

    def weight(self) -> int:
        """Bytes on the disk of the page and all files that it loaded, each once."""
        files = {unquote(urlsplit(url).path) for url in self.asked if url.startswith("file:")}
        return sum(Path(file).stat().st_size for file in files)


@pytest.fixture(scope="module")
def tab(chromium):
    """One tab for all pages: 1280 pixels wide, without a network."""
    return chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True).new_page()


@pytest.fixture(scope="module")
def look(tab):
    """A page's name to what was seen of it."""
    return cache(lambda name: see(tab, HTML / f"{name}.html"))


def see(tab, path) -> Seen:
    asked, said = [], []
    listeners = {
        "request": lambda request: asked.append(request.url),
        "console": lambda message: said.append(message.text) if message.type == "error" else None,
        "pageerror": lambda error: said.append(str(error)),
    }
    for event, listener in listeners.items():
        tab.on(event, listener)
    tab.emulate_media(color_scheme="light")
    tab.goto(path.as_uri())
    tab.add_style_tag(content=_AT_REST)
    keyboard = by_keyboard(tab)
    tab.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    tab.evaluate(AXE_SCRIPT)
    tab.evaluate(_DRAWN)
    light = judged(tab, WCAG)
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    dark = judged(tab, rules("color-contrast", "link-in-text-block"))
    tab.set_viewport_size({"width": 400, "height": 900})
    tab.evaluate(_DRAWN)
    overhang = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    narrow = tab.evaluate(_JUDGE, rules("scrollable-region-focusable"))
    tab.set_viewport_size({"width": 1280, "height": 900})
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    return Seen(light, dark, narrow, overhang, keyboard, asked, said)


def by_keyboard(tab) -> list[str]:
    faults = []
    tab.keyboard.press("Tab")
    # The page of search puts the reader into its field.
    first = tab.evaluate("""() => {
      const e = document.activeElement, box = e.getBoundingClientRect();
      return box.width > 0 && box.top >= 0 && box.left >= 0 && e.hash;
    }""")
    if first != "#main-content" and not tab.url.endswith("/search.html"):
        faults.append(f"the first stop is no link to the text in sight: {first}")
    for place in tab.evaluate(_FOLDS):
        fold = f"document.querySelectorAll('summary')[{place}]"
        before = tab.evaluate(f"{fold}.focus(); {fold}.parentElement.open")
        tab.keyboard.press("Enter")
        if tab.evaluate(f"{fold}.parentElement.open") == before:
            faults.append(f"Enter does not open: {tab.evaluate(f'{fold}.outerHTML')[:200]}")
    return faults + tab.evaluate(_FOCUS)


def judged(tab, wanted) -> list[str]:
    tab.evaluate(_MARK)
    return tab.evaluate(_JUDGE, wanted)


def rules(*names):
    """Some of axe's rules alone: those that the change made since the last judgement can break."""
    return {"type": "rule", "values": names}


@pytest.mark.parametrize("name", all_pages())
def test_axe_finds_no_fault(look, name):
    assert look(name).light == []


@pytest.mark.parametrize("name", all_pages())
def test_axe_finds_no_fault_in_the_dark(look, name):
    assert look(name).dark == []


@pytest.mark.parametrize("name", all_pages())
def test_the_console_stays_empty(look, name):
    assert look(name).said == []


@pytest.mark.parametrize("name", all_pages())
def test_nothing_is_asked_for_over_the_network(look, name):
    assert look(name).asked
    assert look(name).elsewhere() == []


@pytest.mark.parametrize("name", all_pages())
def test_it_fits_a_telephone(look, name):
    """With all folds open, nothing reaches beyond 400 pixels; what is wider scrolls within itself, by keyboard, too."""
    assert look(name).overhang == 0
    assert look(name).narrow == []


@pytest.mark.parametrize("name", all_pages())
def test_the_keyboard_reaches_everything(look, name):
    """The first stop leads past the sidebar, Enter opens folds, each control is a stop, and one sees where one is."""
    assert look(name).keyboard == []


@pytest.mark.parametrize("name", all_pages())
def test_it_is_not_heavy(look, name):
    assert look(name).weight() < HEAVIEST


def test_most_pages_are_light(look):
    assert median(look(name).weight() for name in all_pages()) < USUAL


BAD = """<!doctype html><html data-theme="dark"><title>Bad</title><body style="background: #fff">
<style>:focus { outline: none; box-shadow: none } a { text-decoration: none; color: #00c }</style>
<script src="https://elsewhere.example/script.js"></script><script>console.error("a complaint")</script>
<main><h1 style="color: #bbb">Pale</h1><img src="nothing.png"><p>Text with <a href="#x">a link</a></p>
<div style="overflow: auto; height: 2em; width: 90vw"><p style="width: 150vw; height: 9em">Wide</p></div>
<div style="width: 600px" onclick="0">A button</div><details><summary onclick="return false">Shut</summary></details>"""


def test_a_bad_page_would_not_pass(tab, tmp_path):
    (tmp_path / "bad.html").write_text(BAD, encoding="utf-8")
    (tmp_path / "nothing.png").touch()
    seen = see(tab, tmp_path / "bad.html")
    rules = {fault.split()[0] for fault in seen.light}
    assert {
        "color-contrast",
        "html-has-lang",
        "image-alt",
        "link-in-text-block",
        "scrollable-region-focusable",
    } <= rules
    assert {fault.split()[0] for fault in seen.dark} == {"color-contrast", "link-in-text-block"}
    assert seen.narrow
    assert seen.overhang > 0
    for fault in ("the first stop", "Enter does not open", "tabindex -1: <div", "no focus is seen: <a"):
        assert [said for said in seen.keyboard if said.startswith(fault)], fault
    assert seen.elsewhere() == ["https://elsewhere.example/script.js"]
    assert "a complaint" in seen.said
    assert seen.weight() == len(BAD.encode())
