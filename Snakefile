"""How the book is built: sources -> executed notebooks -> site.

A notebook is run again when its source, its parameters, a library file that it imports, the data, a claim, a recorded
result or the place of another page's claims changed, and only then.

`snakemake runs --config sweep=002 [group=nhot]` makes the recorded runs of a sweep, each by one execution of book/run.py.
It does so where a record is missing or was made from another description; new code alone does not repeat a run.
"""

import hashlib
import importlib.util
import json
import os
import sys
from functools import cache
from pathlib import Path

import yaml

from ferbook import datasets
from ferbook.claims import verdicts, links as places
from ferbook.core import dependencies, paths, records
from ferbook.learning import sweeps
from ferbook.core.errors import FerbookError

os.environ.setdefault("FERBOOK_HOME", str(Path.cwd()))
if "FERBOOK_DATA" in os.environ:
    # Notebooks run in their own folders, where a relative path would lead elsewhere.
    os.environ["FERBOOK_DATA"] = str(Path(os.environ["FERBOOK_DATA"]).absolute())
SITE = "_build/site"
PROFILE = yaml.safe_load(Path(f"book/profiles/{config.get('profile', 'quick')}.yml").read_text())


def toc_pages():
    """Pages of _toc.yml, in order, without suffix."""
    toc = yaml.safe_load(Path("_toc.yml").read_text())
    pages, waiting = [], [toc["root"], toc.get("parts", []), toc.get("chapters", [])]
    while waiting:
        entry = waiting.pop(0)
        if isinstance(entry, str):
            pages.append(entry)
        elif isinstance(entry, list):
            waiting[:0] = entry
        else:
            waiting[:0] = [entry.get("file", []), entry.get("chapters", []), entry.get("sections", [])]
    return pages


def real_data():
    """Fingerprints of the registered data sets that DATA holds, or data/ without DATA."""
    found = {name: datasets.source_mark(name) for name in datasets.ON_DISK if datasets.is_available(name)}
    if not found and "FERBOOK_DATA" in os.environ:
        raise FerbookError(f"{paths.data_root()}: none of these data sets is here: {', '.join(datasets.ON_DISK)}.")
    return found


def clearly(make):
    """What `make` gives; its error is said here, because `--quiet all` silences Snakemake's own report of it."""
    try:
        return make()
    except FerbookError as error:
        print(f"ferbook: {error}", file=sys.stderr)
        raise WorkflowError(str(error)) from None


DATA = clearly(real_data)

PAGES = toc_pages()
NOTEBOOKS = [page for page in PAGES if Path(f"{page}.py").is_file()]
PLAIN = [f"{page}.md" for page in PAGES if Path(f"{page}.md").is_file()]
STATIC = [str(path) for path in sorted(Path("book").rglob("*")) if path.suffix in {".bib", ".css", ".js", ".png", ".svg", ".wat"}]
# The shipped network for the page that runs it in the reader's browser.
BROWSER_NETWORK = [f"{SITE}/book/_static/try/compact-ferplus.{ending}" for ending in ("js", "onnx")]
RUNS = "data/recorded/{paper}/runs/{run}.json"
RUN_FILES = sorted([*Path("data").glob("sweeps/*.yml"), *Path("data").glob("recorded/*/runs/**/*.json")])
JUDGED = [
    str(path)
    for path in sorted(set(Path("data").rglob("*")) - set(RUN_FILES))
    if path.suffix in {".yml", ".json", ".csv", ".safetensors"}
]


def describe_runs():
    """The config of every run of every sweep as a file, newer than the run's record where that is not its own."""
    for path in sorted(Path("data/sweeps").glob("*.yml")):
        for name, run in sweeps.runs(path).items():
            record = Path(RUNS.format(paper=path.stem, run=name))
            described = Path(run_file(path.stem, name, "config.json"))
            records.write_json(described, run.model_dump(mode="json"))
            if sweeps.is_recorded(record, run):
                os.utime(described, times=(0, record.stat().st_mtime - 1))
        yield path.stem


def run_file(paper, run, what):
    return f"_build/runs/{paper}/{run}.{what}"


SWEEPS = clearly(lambda: list(describe_runs()))


def parameters(page):
    """What the profile sets for a page, or what it sets for it where one of its data sets is at hand."""
    entry = PROFILE.get(page, {})
    at_hand = [values for name, values in entry.get("with_data", {}).items() if name in DATA]
    return at_hand[0] if at_hand else entry.get("parameters", {})


def used_data(page):
    return {name: mark for name, mark in DATA.items() if name in PROFILE.get(page, {}).get("with_data", {})}


def library(page):
    return [os.path.relpath(path) for path in dependencies.library_files(Path(f"{page}.py"))]


def tool(name):
    """The file of a module of the library that is run and not imported."""
    return os.path.relpath(importlib.util.find_spec(f"ferbook.{name}").origin)


def judged(page):
    """Claims, records and released weights, for a page whose code reads them."""
    return JUDGED if any(path.endswith(("claims.py", "facts.py", "splits.py")) for path in library(page)) else []


@cache
def from_other_pages():
    """Hash of what pages take from each other's sources: where each claim is shown, and titles."""
    links = {
        claim.id: places.link(claim)
        for claim in verdicts.stated()
    }
    titles = [[line for line in Path(f"{page}.py").read_text().splitlines() if line[:4] == "# # "][:1] for page in NOTEBOOKS]
    return hashlib.sha256(json.dumps([links, titles]).encode()).hexdigest()


def others(page):
    """That hash, for a page whose code links to others."""
    return clearly(from_other_pages) if any(path.endswith("places.py") for path in library(page)) else ""


def recorded_runs(page):
    """Hash of all recorded runs, for a page whose code reads them. As inputs they would be made, which takes days."""
    if not any(path.endswith("sweeps.py") for path in library(page)):
        return ""
    total = hashlib.sha256()
    for path in RUN_FILES:
        total.update(str(path).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def asked_runs():
    """The records that `--config sweep=002 group=nhot` names; without a group, those of all groups."""
    # Snakemake reads 002 as a number.
    paper = f"{config['sweep']:03}" if isinstance(config.get("sweep"), int) else config.get("sweep")
    if paper not in SWEEPS:
        raise FerbookError(f"name a sweep: --config sweep={' or '.join(SWEEPS)} (given: {paper!r}).")
    runs = sweeps.chosen(sweeps.runs(Path(f"data/sweeps/{paper}.yml")), config.get("group"))
    return [RUNS.format(paper=paper, run=name) for name in runs]


rule site:
    input:
        expand(SITE + "/{page}.ipynb", page=NOTEBOOKS),
        plain=PLAIN,
        static=STATIC,
        config="_config.yml",
        toc="_toc.yml",
        tool=tool("site"),
        # For its page alone.
        network=BROWSER_NETWORK if "book/try/in_the_browser" in PAGES else [],
    output:
        SITE + "/_build/html/index.html",
    shell:
        "{sys.executable:q} -m ferbook.book.site {SITE} {input.config} {input.toc} {input.plain} {input.static}"


rule browser_network:
    input:
        library=[tool("browser"), *library(tool("browser").removesuffix(".py"))],
        weights=[path for path in JUDGED if path.startswith("data/weights/")],
        kernel="book/_static/try/matmul.wat",
    output:
        BROWSER_NETWORK,
    shell:
        "{sys.executable:q} -m ferbook.book.browser " + str(Path(BROWSER_NETWORK[0]).parent)


rule notebook:
    input:
        source="{page}.py",
        library=lambda wildcards: library(wildcards.page),
        judged=lambda wildcards: judged(wildcards.page),
        tool=tool("notebooks"),
    output:
        SITE + "/{page}.ipynb",
    params:
        values=lambda wildcards: json.dumps(parameters(wildcards.page), sort_keys=True),
        data=lambda wildcards: json.dumps(used_data(wildcards.page), sort_keys=True),
        runs=lambda wildcards: recorded_runs(wildcards.page),
        others=lambda wildcards: others(wildcards.page),
    shell:
        "{sys.executable:q} -m ferbook.book.notebooks {input.source} {output} --parameters {params.values:q}"


rule runs:
    input:
        lambda _: clearly(asked_runs),


rule run:
    input:
        "_build/runs/{paper}/{run}.config.json",
    output:
        # Not deleted before the run: an interrupted one must not cost the record that is there.
        update(RUNS),
    params:
        values=lambda wildcards, input, output: json.dumps(
            {"config": input[0], "record": output[0], "store": "_build/runs"}
        ),
        notebook=lambda wildcards: run_file(wildcards.paper, wildcards.run, "ipynb"),
    wildcard_constraints:
        paper="[^/]+",
    threads: int(config.get("threads", 1))
    shell:
        "{sys.executable:q} -m ferbook.book.notebooks book/run.py {params.notebook:q} --parameters {params.values:q}"
