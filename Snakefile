"""How the book is built: sources -> executed notebooks -> site.

A notebook is run again when its source, its parameters, a library file that it imports, the data, a claim or a recorded
result changed, and only then.
"""

import json
import os
import sys
from pathlib import Path

import yaml

from ferbook import datasets, dependencies, paths
from ferbook.errors import FerbookError

os.environ.setdefault("FERBOOK_HOME", str(Path.cwd()))
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


try:
    DATA = real_data()
except FerbookError as error:
    # Said here, because `--quiet all` silences Snakemake's own report of it.
    print(f"ferbook: {error}", file=sys.stderr)
    raise WorkflowError(str(error)) from None

PAGES = toc_pages()
NOTEBOOKS = [page for page in PAGES if Path(f"{page}.py").is_file()]
PLAIN = [f"{page}.md" for page in PAGES if Path(f"{page}.md").is_file()]
STATIC = [str(path) for path in sorted(Path("book").rglob("*")) if path.suffix in {".bib", ".css", ".png", ".svg"}]
JUDGED = [str(path) for path in sorted(Path("data").rglob("*")) if path.suffix in {".yml", ".json", ".csv"}]


def parameters(page):
    """What the profile sets for a page, or what it sets for it where one of its data sets is at hand."""
    entry = PROFILE.get(page, {})
    at_hand = [values for name, values in entry.get("with_data", {}).items() if name in DATA]
    return at_hand[0] if at_hand else entry.get("parameters", {})


def used_data(page):
    return {name: mark for name, mark in DATA.items() if name in PROFILE.get(page, {}).get("with_data", {})}


def library(page):
    return [os.path.relpath(path) for path in dependencies.library_files(Path(f"{page}.py"))]


def judged(page):
    """Claims and records, for a page whose code reads them."""
    return JUDGED if any(path.endswith(("claims.py", "facts.py", "splits.py")) for path in library(page)) else []


rule site:
    input:
        expand(SITE + "/{page}.ipynb", page=NOTEBOOKS),
        plain=PLAIN,
        static=STATIC,
        config="_config.yml",
        toc="_toc.yml",
    output:
        SITE + "/_build/html/index.html",
    shell:
        "{sys.executable:q} -m ferbook.site {SITE} {input.config} {input.toc} {input.plain} {input.static}"


rule notebook:
    input:
        source="{page}.py",
        library=lambda wildcards: library(wildcards.page),
        judged=lambda wildcards: judged(wildcards.page),
    output:
        SITE + "/{page}.ipynb",
    params:
        values=lambda wildcards: json.dumps(parameters(wildcards.page), sort_keys=True),
        data=lambda wildcards: json.dumps(used_data(wildcards.page), sort_keys=True),
    shell:
        "{sys.executable:q} -m ferbook.notebooks {input.source} {output} --parameters {params.values:q}"
