"""What tells strangers about the project: one version everywhere, a citation that tools read, forms for issues."""

import json
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

import ferbook
from ferbook.claims.claim import Verdict
from ferbook.core import extras

ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: Headings of the changelog: a version, and its day.
RELEASES = re.findall(r"^## \[(\d[^\]]*)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def test_one_place_says_the_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", ferbook.__version__)
    assert "version" not in PROJECT["project"] and PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ferbook.__version__"}
    assert CITATION["version"] == CODEMETA["version"] == RELEASES[0][0] == ferbook.__version__


def test_the_day_of_the_release_is_the_same_everywhere():
    day = CITATION["date-released"]
    assert isinstance(day, date)
    assert CODEMETA["dateModified"] == RELEASES[0][1] == day.isoformat()


def test_the_citation_has_what_the_format_asks_for():
    assert CITATION["cff-version"] == "1.2.0"
    assert all(isinstance(CITATION[key], str) and CITATION[key] for key in ("message", "title", "abstract"))
    assert CITATION["type"] == "software"
    assert CITATION["authors"] and all(author["name"] for author in CITATION["authors"])
    assert set(CITATION["license"]) == {"MIT", "CC-BY-4.0"}
    known = {"cff-version", "message", "title", "type", "version", "date-released", "license", "abstract", "keywords",
             "authors", "repository-code", "url", "doi", "identifiers"}  # fmt: skip
    assert CITATION.keys() <= known


def test_both_descriptions_say_the_same():
    assert CODEMETA["@type"] == "SoftwareSourceCode" and CODEMETA["@context"].endswith("codemeta/3.0")
    assert CODEMETA["alternateName"] == CITATION["title"]
    assert CODEMETA["description"] == CITATION["abstract"].strip()
    assert CODEMETA["keywords"] == CITATION["keywords"]
    assert [author["name"] for author in CODEMETA["author"]] == [author["name"] for author in CITATION["authors"]]
    assert [address.rsplit("/", 1)[1] for address in CODEMETA["license"]] == CITATION["license"]
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert CITATION["title"].startswith(settings["title"])


def test_the_changelog_has_its_form():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.index("## [Unreleased]") < text.index(f"## [{RELEASES[0][0]}]")
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert [day for _, day in RELEASES] == sorted((day for _, day in RELEASES), reverse=True)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_of_issues_are_what_github_reads(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form.keys() == {"name", "description", "title", "labels", "body"}
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in fields}) == len(fields)
    assert any(part.get("validations", {}).get("required") for part in fields)
    for part in form["body"]:
        assert part["type"] in {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert part["attributes"].get("value" if part["type"] == "markdown" else "label")
        options = part["attributes"].get("options", [])
        assert all(isinstance(option, str) for option in options), "yes and no are truth values unless in quotes"
        assert bool(options) == (part["type"] == "dropdown")


def test_a_correction_can_propose_every_verdict():
    (form,) = (path for path in FORMS if path.stem == "verdict")
    body = yaml.safe_load(form.read_text(encoding="utf-8"))["body"]
    (proposed,) = (part for part in body if part.get("id") == "proposed")
    # A stand-in is nothing that anybody would propose.
    assert {*Verdict} - {Verdict.STAND_IN} == set(proposed["attributes"]["options"][:-1])


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "ARCHITECTURE.md"])
def test_links_between_documents_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target, _, section in (link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", text)):
        # What begins with ../../ is a page of the repository's own site.
        if target.startswith(("http", "../../")):
            continue
        path = ROOT / (target or name)
        assert path.exists(), target
        headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) if section else []
        assert not section or section in {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}


def test_how_extras_are_installed_is_told_as_the_project_pins_them(monkeypatch):
    wanted = PROJECT["project"]["optional-dependencies"]
    told = ["numpy", *(f'{one}; extra == "{extra}"' for extra, needs in wanted.items() for one in needs)]
    monkeypatch.setattr(extras, "requires", lambda name: told)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for extra, needs in wanted.items():
        assert extras.command(extra) == f"pip install {' '.join(needs)}"
        assert f"`{extras.command(extra)}`" in readme
    monkeypatch.setattr(extras, "requires", lambda name: None)
    assert extras.command("dlib") == "pip install '.[dlib]'"
