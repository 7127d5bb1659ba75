"""Claim files, comparisons and verdicts."""

from __future__ import annotations

import fnmatch
import math
import re
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ferbook import claims, facts, paths
from ferbook.claims import Claim, Evidence, Outcome, Tolerance, Verdict
from ferbook.errors import DataError, FerbookError

ALL = [claim for paper in claims.paper_numbers() for claim in claims.load_claims(paper).claims]


def claim(printed="90", relation="equals", kind="measured", **extra):
    base = {"id": "002-x", "where": "here", "says": "so", "check": "fact", "page": "book/faces/a"}
    return Claim(**base, printed=printed, relation=relation, kind=kind, **extra)


def judged(value, *, evidence=Evidence.SAME_DATA, **options):
    return claims.verdict(claim(**options), Outcome(value, evidence))


@given(st.decimals(min_value=-1000, max_value=1000, places=2), st.floats(-0.02, 0.02))
def test_equals_is_printed_rounding(printed, off):
    """Twin: the printed number has two places, so anything that rounds to it agrees; halves may go either way."""
    value = float(printed) + off
    if math.isclose(abs(off), 0.005, rel_tol=1e-6):
        return
    expected = Verdict.HOLDS if abs(off) < 0.005 else Verdict.FAILS
    assert judged(value, printed=str(printed)) is expected


@pytest.mark.parametrize(
    ("relation", "value", "expected"),
    [
        ("about", 91, Verdict.HOLDS),
        ("about", 87.4, Verdict.ROUGHLY),
        ("about", 80, Verdict.FAILS),
        ("at least", 90, Verdict.HOLDS),
        ("at least", 89.9, Verdict.FAILS),
        ("at most", 90, Verdict.HOLDS),
        ("at most", 90.1, Verdict.FAILS),
        ("more than", 90, Verdict.FAILS),
        ("more than", 90.1, Verdict.HOLDS),
        ("less than", 90, Verdict.FAILS),
        ("less than", 89.9, Verdict.HOLDS),
    ],
)
def test_relations(relation, value, expected):
    assert judged(value, relation=relation) is expected


def test_a_tolerance_replaces_printed_rounding():
    strict = Tolerance(holds=0, roughly=0.1)
    assert judged(90.0, tolerance=strict) is Verdict.HOLDS
    assert judged(90.04, tolerance=strict) is Verdict.ROUGHLY
    assert judged(90.2, tolerance=strict) is Verdict.FAILS


def test_words_are_compared_as_they_are():
    assert judged("kept", printed="kept") is Verdict.HOLDS
    assert judged("dropped", printed="kept") is Verdict.FAILS


def test_synthetic_faces_never_decide_a_claim_about_real_ones():
    assert judged(90, evidence=Evidence.SYNTHETIC) is Verdict.UNCHECKED
    assert judged(90, evidence=Evidence.SYNTHETIC, kind="trained") is Verdict.UNCHECKED


def test_no_value_is_no_verdict_and_a_contradiction_is_one():
    assert judged(None) is Verdict.UNCHECKED
    assert claims.verdict(claim(), Outcome(90, Evidence.ARITHMETIC, contradiction=True)) is Verdict.CONTRADICTS


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_every_claim_is_judged_with_named_evidence(one):
    (result,) = claims.judge([one], facts.recorded())
    assert isinstance(result.outcome.evidence, Evidence)
    assert result.outcome.evidence is not Evidence.SYNTHETIC
    if one.kind != "unsupported":
        assert result.verdict is not Verdict.UNCHECKED


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_every_claim_names_a_page_that_exists(one):
    page, _, anchor = one.page.partition("#")
    source = next((paths.project_root() / f"{page}{suffix}" for suffix in (".py", ".md")
                   if (paths.project_root() / f"{page}{suffix}").is_file()), None)  # fmt: skip
    assert source is not None, one.page
    text = source.read_text()
    headings = [line.lstrip("# ").strip() for line in text.splitlines() if line.lstrip("# ") and "## " in line]
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    named = re.findall(r'"(\d{3}-[a-z0-9*-]+)"', text)
    assert any(fnmatch.fnmatchcase(one.id, pattern) for pattern in named), "a page shows the claims that it decides"


def write(folder, **changes):
    content = {
        "paper": "002",
        "citation": "somebody",
        "claims": [{"id": "002-a", "where": "w", "says": "s", "kind": "measured", "printed": "1", "check": "fact",
                    "page": "book/faces/a", **changes}],
    }  # fmt: skip
    (folder / "002.yml").write_text(yaml.safe_dump(content))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "guess"}, r"002-a\.kind"),
        ({"check": "magic"}, "002-a names an unknown check"),
        ({"printed": 1}, r"002-a\.printed"),
        ({"colour": "red"}, r"002-a\.colour"),
        ({"tolerance": {"holds": 2, "roughly": 1}}, "roughly must not be smaller"),
        ({"id": "003-a"}, "003-a stands in the file of paper 002"),
        ({"page": "nowhere"}, r"002-a\.page"),
    ],
)
def test_broken_claim_files_name_claim_and_field(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        claims.load_claims("002", write(tmp_path, **changes))


def test_missing_and_unreadable_claim_files(tmp_path):
    with pytest.raises(DataError, match="no claims of paper 005"):
        claims.load_claims("005", tmp_path)
    (tmp_path / "002.yml").write_text("claims: [")
    with pytest.raises(DataError, match="is not YAML"):
        claims.load_claims("002", tmp_path)


def test_a_check_that_breaks_names_its_claim():
    with pytest.raises(FerbookError, match="002-x: check 'fact' could not be run"):
        claims.judge([claim(arguments={"fact": "no such fact"})], facts.recorded())


def test_claims_are_judged_without_torch():
    code = (
        "import sys; from ferbook.cli import main; status = main(['claims']); "
        "sys.exit(status or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "claims:" in done.stdout
