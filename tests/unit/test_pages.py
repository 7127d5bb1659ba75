"""Pages as prose: chapters open and end alike, abbreviations are spelled out where they are first used."""

import ast
import re
from functools import cache

import pytest
import yaml

from ferbook.book import building, notebooks
from ferbook.core import paths

ROOT = paths.project_root()
TOC = ROOT / "_toc.yml"

#: Abbreviation to a pattern of what it stands for. A link to the glossary serves as well.
ABBREVIATIONS = {
    "AMX": "Advanced Matrix Extensions",
    "AUC": "area under the curve|areas? under",
    "CAM": "class activation map",
    "CBAM": "convolutional block attention module|attention module",
    "CCC": "concordance correlation",
    "CIFAR": "small photographs of objects",
    "CK+": "Cohn-Kanade",
    "DAN": "distract your attention",
    "ECE": "calibration error",
    "EMFACS": "maps units to emotions",
    "F1": "harmonic mean",
    "FACS": "Facial Action Coding System",
    "FER+": "FERPlus",
    "GFLOP": "thousand million",
    "ICC": "intraclass correlation",
    "JAFFE": "Japanese Female",
    "KDEF": "Karolinska",
    "KL": "Kullback-Leibler",
    "LRP": "layer-wise relevance propagation",
    "MAE": "mean absolute error",
    "mAP": "mean average precision",
    "MSE": "mean squared error",
    "MTCNN": "multi-task cascaded",
    "MTEN": "multi-task EfficientNet",
    "NRC": "lexicon",
    "ONNX": "Open Neural Network Exchange",
    "PCC": "Pearson",
    "RAN": "region attention network",
    "RMSE": "root mean squared",
    "ROC": "receiver operating characteristic",
    "SGD": "stochastic gradient descent",
    "V, A": "valence",
    "VAD": "valence, arousal",
    "VGG16": "Visual Geometry Group",
}


@cache
def prose(page):
    """What a page says, in its order: its text cells, and the texts in its code. Headings are left out."""
    path = ROOT / f"{page}.py"
    if not path.is_file():
        return [(ROOT / f"{page}.md").read_text(encoding="utf-8")]
    found = []
    for cell in notebooks.read_source(path).cells:
        if cell.cell_type == "markdown":
            found.append(re.sub(r"^#+ .*$", "", cell.source, flags=re.MULTILINE))
        else:
            strings = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Constant))
            found.extend(node.value for node in strings if isinstance(node.value, str) and " " in node.value)
    return found


def first_use(text, abbreviation):
    """Where an abbreviation stands for the first time as a word; none is found in a longer word, code or a link."""
    text = re.sub(r"\[[^\]]*\]\([^)]*\)", lambda link: "·" * len(link[0]), text)
    text = re.sub(r"`[^`]*`", lambda quoted: quoted[0] if "<" in quoted[0] else "·" * len(quoted[0]), text)
    match = re.search(rf"(?<![\w`-]){re.escape(abbreviation)}(?![\w`])", text)
    return match.start() if match else None


def unexplained(page):
    """The abbreviations that a page uses before, or without, saying what they stand for."""
    text = "\n".join(prose(page))
    found = []
    for abbreviation, meaning in ABBREVIATIONS.items():
        linked = text.find(f"{{term}}`{abbreviation}`")
        plain = first_use(text, abbreviation)
        if plain is None or 0 <= linked <= plain:
            continue
        # What it stands for may follow in the same sentence, as in "MTCNN (multi-task cascaded ...)".
        before = re.sub(r"\{term\}`([^`<]*?)(?: <[^`]*>)?`", r"\1", text[: plain + 160])
        if not re.search(meaning, before, re.IGNORECASE):
            found.append(abbreviation)
    return found


@pytest.mark.parametrize(
    "page", [page for page in building.pages(TOC) if not page.endswith(("glossary", "references"))]
)
def test_abbreviations_are_explained_where_they_are_first_used(page):
    assert not unexplained(page)


def test_an_abbreviation_without_its_meaning_is_found(monkeypatch):
    texts = {
        "bare": ["The mAP is high."],
        "later": ["The mAP is high." + " x" * 100, "A mean average precision."],
        "before": ["The mean {term}`average precision`, or mAP, is high."],
        "linked": ["The {term}`mAP` is high."],
        "code": ["Set `mAP` to one, see [mAP](page)."],
    }
    monkeypatch.setattr(f"{__name__}.prose", texts.get)
    assert [page for page in texts if unexplained(page)] == ["bare", "later"]


# --- chapters ---


def chapters():
    """First and last page of each chapter that says what it is for."""
    parts = yaml.safe_load(TOC.read_text(encoding="utf-8"))["parts"]
    named = {part["caption"]: [chapter["file"] for chapter in part["chapters"]] for part in parts}
    return {
        name: (pages[0], pages[-1])
        for name, pages in named.items()
        if name[:3].isdigit() or name in ("Faces", "Try it")
    }


def test_there_are_seven_chapters():
    assert len(chapters()) == 7


@pytest.mark.parametrize("chapter", chapters())
def test_a_chapter_opens_with_objectives_and_prerequisites(chapter):
    text = "\n".join(prose(chapters()[chapter][0]))
    opening = re.search(r"^:::\{admonition\} This chapter$(.*?)^:::$", text, re.DOTALL | re.MULTILINE)[1]
    assert list(re.findall(r"\*\*(.+?)\*\*", opening)) == ["After it you can", "You need", "It takes"]


@pytest.mark.parametrize("chapter", chapters())
def test_a_chapter_ends_with_what_was_easy_and_difficult_and_what_to_take_away(chapter):
    text = "\n".join(prose(chapters()[chapter][1]))
    places = [text.rfind(f"**What {what}.**") for what in ("was easy", "was difficult", "to take away")]
    assert places == sorted(places) and places[0] > 0


# --- what a cell shows ---

#: Methods that give something to show. A notebook shows what the last line of a cell gives, and nothing else.
SHOWN = ("box", "rows", "table", "prose", "points")


def lost(code):
    """Lines of a cell that give something to show and are not its last one."""
    *before, _ = ast.parse(code).body or [None]
    calls = [line.value for line in before if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)]
    return [ast.unparse(call) for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in SHOWN]


def test_what_is_not_the_last_line_of_a_cell_is_lost():
    assert lost('audit.box("a")\nother.box("b")') == ["audit.box('a')"]
    assert not lost('display(audit.box("a"))\nrows.append(1)\nother.box("b")') and not lost("")


@pytest.mark.parametrize("page", [page for page in building.pages(TOC) if (ROOT / f"{page}.py").is_file()])
def test_every_cell_shows_all_that_it_makes(page):
    cells = notebooks.read_source(ROOT / f"{page}.py").cells
    assert not [line for cell in cells if cell.cell_type == "code" for line in lost(cell.source)]


# --- the glossary ---


def test_the_glossary_is_linked_and_each_of_its_entries_is_explained():
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    body = re.search(r"```\{glossary\}\n:sorted:\n\n(.*?)```", text, re.DOTALL)[1]
    entries = [entry.splitlines() for entry in body.strip().split("\n\n")]
    assert all(not lines[0].startswith(" ") and lines[-1].startswith("  ") for lines in entries)
    names = [line.lower() for lines in entries for line in lines if not line.startswith(" ")]
    assert len(names) == len(set(names))
    assert [lines[0].lower() for lines in entries] == sorted(lines[0].lower() for lines in entries)
    linking = [page for page in building.pages(TOC) if "{term}`" in "".join(prose(page))]
    assert len(linking) > 30
