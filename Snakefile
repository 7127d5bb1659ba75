"""How the book is built: sources -> executed notebooks -> site.

A notebook is run again when its source, its parameters, a library file that it imports, the data, a claim, a recorded
result or the place of another page's claims changed, and only then.

`snakemake runs --config sweep=002 [group=nhot]` makes the recorded runs of a sweep, each by one execution of book/run.py.
It does so where a record is missing or was made from another description; new code alone does not repeat a run.
With `--profile profiles/slurm` each is a job of a cluster.
"""

import atexit
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import yaml

from ferbook import datasets
from ferbook.book import building
from ferbook.core import locks, paths
from ferbook.core.errors import FerbookError
from ferbook.learning import sweeps

os.environ.setdefault("FERBOOK_HOME", str(Path.cwd()))
if "FERBOOK_DATA" in os.environ:
    # Notebooks run in their own folders, where a relative path would lead elsewhere.
    os.environ["FERBOOK_DATA"] = str(Path(os.environ["FERBOOK_DATA"]).absolute())
SITE = "_build/site"
PROFILE = yaml.safe_load(Path(f"book/profiles/{config.get('profile', 'quick')}.yml").read_text())


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


def build_alone():
    """Let no other build into this folder for as long as this process lives.

    Snakemake's own locks stay behind when it is killed, and then lock everybody out. With this one held nobody else is at
    work, so any of those is such a rest.
    """
    held = ExitStack()
    instead = "Wait until it is done; nothing is lost."
    held.enter_context(locks.alone(Path("_build/.build.lock"), "builds in this folder", wait=False, instead=instead))
    atexit.register(held.close)
    for rest in Path(".snakemake/locks").glob("*"):
        rest.unlink(missing_ok=True)


# Jobs that a cluster or another process runs for a build read this file too; a dry run changes nothing.
if workflow.is_main_process and not {"-n", "--dry-run", "--dryrun"} & set(sys.argv):
    clearly(build_alone)

DATA = clearly(real_data)
FOLDER = Path("data")
PAGES = building.pages(Path("_toc.yml"))
NOTEBOOKS = [page for page in PAGES if Path(f"{page}.py").is_file()]
# Pages that take longest, longest first: they are run before the others, so that no core waits at the end for another. The
# list is typed, from the book's page of what pages took: it matters most for the first build of a checkout, when nothing
# has been timed yet.
LONGEST = [
    "relevance/intensity",
    "faces/synthetic_face",
    "vad/ablation",
    "nhot/nhot_training",
    "run",
    "cbam/attention",
    "verdicts/runtime",
    "nhot/losses",
]
PLAIN = [f"{page}.md" for page in PAGES if Path(f"{page}.md").is_file()]
STATIC = [str(path) for path in sorted(Path("book").rglob("*")) if path.suffix in {".bib", ".css", ".html", ".js", ".png", ".svg", ".wat"}]
# The shipped network for the page that runs it in the reader's browser.
BROWSER_NETWORK = [f"{SITE}/book/_static/try/compact-ferplus.{ending}" for ending in ("js", "onnx")]
# All verdicts to take along, which the front page and the scoreboard offer.
VERDICT_FILES = [f"{SITE}/book/_static/verdicts/reading-faces-verdicts.{ending}" for ending in ("pdf", "bib")]
# Claims, tables and results to take away, for the page that offers them.
TAKEN_AWAY = f"{SITE}/book/_static/data/reading-faces-data.zip"
RUNS = "data/recorded/{paper}/runs/{run}.json"
CONFIGS = "_build/runs/{paper}/{run}.config.json"
SWEEPS = clearly(lambda: list(building.describe_runs(FOLDER, RUNS, CONFIGS)))


def first(page):
    """How urgently a page is run; 0 for those that do not take long."""
    name = page.removeprefix("book/")
    return len(LONGEST) - LONGEST.index(name) if name in LONGEST else 0


def relative(files):
    return [os.path.relpath(file) for file in files]


def tool(name):
    return os.path.relpath(building.module_file(name))


def parameters(page):
    """What the profile sets for a page, or what it sets for it where one of its data sets is at hand."""
    entry = PROFILE.get(page, {})
    at_hand = [values for name, values in entry.get("with_data", {}).items() if name in DATA]
    return at_hand[0] if at_hand else entry.get("parameters", {})


def used_data(page):
    return {name: mark for name, mark in DATA.items() if name in PROFILE.get(page, {}).get("with_data", {})}


def others(page):
    """What a page takes from others: where each claim that it judges is shown, and what the chapters are called."""
    if not building.uses(page, "claims.links"):
        return ""
    where = clearly(lambda: building.linked(building.papers_judged(page)))
    return where + (json.dumps(building.chapters(Path("_toc.yml"))) if building.uses(page, "book.scoreboard") else "")


def asked_runs():
    """Record to config of what `--config sweep=002 group=nhot` names; without a group, of all groups."""
    # Snakemake reads 002 as a number.
    paper = f"{config['sweep']:03}" if isinstance(config.get("sweep"), int) else config.get("sweep")
    if paper not in SWEEPS:
        raise FerbookError(f"name a sweep: --config sweep={' or '.join(SWEEPS)} (given: {paper!r}).")
    runs = sweeps.chosen(sweeps.runs(Path(f"data/sweeps/{paper}.yml")), config.get("group"))
    return {RUNS.format(paper=paper, run=name): described for name, described in runs.items()}


def say_missing():
    """Check what was asked for before anything is planned, and say how much of it there is to do."""
    asked = asked_runs()
    missing = sum(not sweeps.is_recorded(Path(record), described) for record, described in asked.items())
    todo = f"{missing} of {len(asked)} runs to train" if missing else f"nothing to train: all {len(asked)} runs are recorded"
    print(f"ferbook: {todo}.", file=sys.stderr)


if workflow.is_main_process and {"sweep", "group"} & set(config):
    clearly(say_missing)


rule site:
    input:
        expand(SITE + "/{page}.ipynb", page=NOTEBOOKS),
        plain=PLAIN,
        static=STATIC,
        config="_config.yml",
        toc="_toc.yml",
        tool=[tool(f"book.{name}") for name in ("site", "publishing", "access", "mathml", "offline", "statistics")],
        verdicts=VERDICT_FILES,
        taken_away=TAKEN_AWAY,
        # For its page alone.
        network=BROWSER_NETWORK if "book/try/in_the_browser" in PAGES else [],
    output:
        SITE + "/_build/html/index.html",
    shell:
        "{sys.executable:q} -m ferbook.book.site {SITE} {input.config} {input.toc} {input.plain} {input.static}"


rule browser_network:
    input:
        library=relative(building.imported(tool("book.browser").removesuffix(".py"))) + [tool("book.browser")],
        weights=[str(path) for path in building.judged_files(FOLDER) if path.parts[1] == "weights"],
        kernel="book/_static/try/matmul.wat",
    output:
        BROWSER_NETWORK,
    shell:
        "{sys.executable:q} -m ferbook.book.browser " + str(Path(BROWSER_NETWORK[0]).parent)


rule verdict_files:
    input:
        library=lambda _: relative(building.library(tool("book.verdict_files").removesuffix(".py"))),
        judged=[str(path) for path in building.judged_files(FOLDER)] + ["CITATION.cff"],
        tool=tool("book.verdict_files"),
    output:
        VERDICT_FILES,
    params:
        runs=building.recorded_runs(FOLDER),
    shell:
        "{sys.executable:q} -m ferbook.book.verdict_files " + str(Path(VERDICT_FILES[0]).parent)


rule taken_away:
    input:
        library=lambda _: relative(building.library(tool("book.export.package").removesuffix(".py"))),
        judged=[str(path) for path in [*building.judged_files(FOLDER), *building.dictionaries(FOLDER)]],
        tool=tool("book.export.package"),
    output:
        TAKEN_AWAY,
    params:
        runs=building.recorded_runs(FOLDER),
    shell:
        "{sys.executable:q} -m ferbook.book.export.package {output:q}"


rule notebook:
    input:
        source="{page}.py",
        library=lambda wildcards: relative(building.library(wildcards.page)),
        judged=lambda wildcards: clearly(lambda: [str(path) for path in building.judged(wildcards.page, FOLDER)]),
        tool=tool("book.notebooks"),
    output:
        SITE + "/{page}.ipynb",
    priority:
        lambda wildcards: first(wildcards.page)
    params:
        values=lambda wildcards: json.dumps(parameters(wildcards.page), sort_keys=True),
        data=lambda wildcards: json.dumps(used_data(wildcards.page), sort_keys=True),
        runs=lambda wildcards: building.recorded_runs(FOLDER) if building.uses(wildcards.page, "learning.sweeps") else "",
        others=lambda wildcards: others(wildcards.page),
    shell:
        # One thread for each page: two pages with as many threads as there are cores would wait for each other.
        "OMP_NUM_THREADS=${{OMP_NUM_THREADS:-{threads}}} "
        "{sys.executable:q} -m ferbook.book.notebooks {input.source} {output} --parameters {params.values:q}"


rule runs:
    input:
        lambda _: list(clearly(asked_runs)),


rule run:
    input:
        CONFIGS,
    output:
        # Not deleted before the run: an interrupted one must not cost the record that is there.
        update(RUNS),
    params:
        values=lambda wildcards, input, output: json.dumps(
            {"config": input[0], "record": output[0], "store": "_build/runs"}
        ),
        notebook=lambda wildcards: f"_build/runs/{wildcards.paper}/{wildcards.run}.ipynb",
    wildcard_constraints:
        paper="[^/]+",
    threads: int(config.get("threads", 1))
    shell:
        "{sys.executable:q} -m ferbook.book.notebooks book/run.py {params.notebook:q} --parameters {params.values:q}"
