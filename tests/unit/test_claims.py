"""Claim files, comparisons and verdicts."""

import ast
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ferbook.claims import checks, comparison, dataset_summary, links, verdicts
from ferbook.claims.checks import Outcome, known_checks
from ferbook.claims.claim import Evidence, Tolerance, Training, Verdict
from ferbook.claims.comparison import tolerance
from ferbook.core import dependencies, paths
from ferbook.core.errors import DataError, FerbookError
from tests.unit.claiming import anchors
from tests.unit.claiming import stated as claim

ALL = verdicts.stated()


def judged(value, *, evidence=Evidence.SAME_DATA, **options):
    return verdicts.verdict(claim(**options), Outcome(value, evidence))


@given(st.decimals(min_value=-1000, max_value=1000, places=2), st.floats(-0.02, 0.02))
def test_equals_is_printed_rounding(printed, off):
    """Twin: the printed number has two places, so anything that rounds to it agrees; halves may go either way."""
    value = float(printed) + off
    if math.isclose(abs(off), 0.005, rel_tol=1e-6):
        return
    expected = Verdict.HOLDS if abs(off) < 0.005 else Verdict.FAILS
    assert judged(value, printed=str(printed)) is expected


STRICT = {"tolerance": Tolerance(holds=0, roughly=0.1)}
BETWEEN = {"printed": "2 to 4", "relation": "between", "tolerance": Tolerance(holds=0.5, roughly=1)}
SYNTHETIC = {"evidence": Evidence.SYNTHETIC}


@pytest.mark.parametrize(
    ("options", "holds", "roughly", "fails"),
    [
        ({"relation": "about"}, [91], [87.4], [80]),
        ({"relation": "at least"}, [90], [], [89.9]),
        ({"relation": "at most"}, [90], [], [90.1]),
        ({"relation": "more than"}, [90.1], [], [90]),
        ({"relation": "less than"}, [89.9], [], [90]),
        (STRICT, [90.0], [90.04], [90.2]),
        (BETWEEN, [1.5, 3, 4.5], [1.2, 4.9], [0.9, 5.1]),
        ({"printed": "kept"}, ["kept"], [], ["dropped"]),
    ],
)
def test_relations_tolerances_and_words(options, holds, roughly, fails):
    for values, expected in ((holds, Verdict.HOLDS), (roughly, Verdict.ROUGHLY), (fails, Verdict.FAILS)):
        for value in values:
            assert judged(value, **options) is expected


@pytest.mark.parametrize(("value", "options"), [(90, SYNTHETIC), (90, SYNTHETIC | {"kind": "trained"}), (None, {})])
def test_synthetic_faces_never_decide_a_claim_about_real_ones_nor_does_nothing(value, options):
    assert judged(value, **options) is Verdict.UNCHECKED


def test_an_accuracy_allows_what_its_digits_and_its_faces_do():
    again = claim(printed="86.06", relation="about", unit="%", faces=3535, kind="arithmetic")
    allowed = tolerance(again)
    assert (allowed.holds, allowed.roughly) == pytest.approx((0.005, 0.01))
    trained = claim(printed="86.06", unit="%", faces=3535, kind="trained")
    noise = 1.96 * 100 * math.sqrt(0.8606 * 0.1394 / 3535)
    assert tolerance(trained).holds == pytest.approx(0.005 + noise)
    assert tolerance(trained).roughly == pytest.approx(0.005 + 2 * noise)
    assert judged(86.06 + noise, printed="86.06", unit="%", faces=3535, kind="trained") is Verdict.HOLDS
    assert judged(86.17, printed="86.06", relation="about", unit="%", faces=3535, kind="arithmetic") is Verdict.FAILS
    # A share of more faces is surer.
    assert tolerance(claim(printed="86.06", unit="%", faces=10_000, kind="trained")).holds < 0.9 * noise


PAPERS_OWN = Training(networks=("vgg16", "vgg16_48"), loss="mse", epochs=40, splits=("ordinary",), side=48)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"epochs": 20}, None),
        ({"epochs": 19}, "19 epochs instead of 40"),
        ({"networks": ("compact",)}, "compact instead of VGG16"),
        ({"networks": ("vgg16_48", "compact")}, "compact instead of"),
        ({"networks": ()}, "another instead of"),
        ({"loss": "cross_entropy"}, "cross-entropy instead of squared error"),
        ({"loss": ""}, "several losses instead of squared error"),
        ({"splits": ("official",)}, "official test faces instead of ordinary test faces"),
        ({"side": 224}, "224 pixels a side instead of 48"),
        ({"side": None}, "an unknown number of pixels"),
    ],
)
def test_a_stand_in_never_decides(change, said):
    done = PAPERS_OWN.model_copy(update={"networks": ("vgg16_48",)} | change)
    one = claim(kind="trained", about=PAPERS_OWN)
    for value, decided in ((90.0, Verdict.HOLDS), (50.0, Verdict.FAILS)):
        outcome = Outcome(value, Evidence.SAME_DATA, trained=done)
        result = verdicts.Result(one, verdicts.verdict(one, outcome), outcome)
        if said is None:
            assert result.verdict is decided and not result.departures
        else:
            assert result.verdict is Verdict.STAND_IN and result.evidence == verdicts.NO_EVIDENCE
            assert said in ", ".join(result.departures)


def test_a_claim_that_names_no_training_is_decided_by_any():
    outcome = Outcome(90.0, Evidence.SAME_DATA, trained=Training())
    assert verdicts.verdict(claim(kind="trained", about={}), outcome) is Verdict.HOLDS


def test_a_trained_claim_is_never_decided_unseen(monkeypatch):
    """Neither by a check that keeps quiet about what was trained, nor where the claim does not say what it is about."""
    found = {"quiet": Outcome(90.0, Evidence.SAME_DATA), "said": Outcome(90.0, Evidence.SAME_DATA, trained=Training())}
    for name, outcome in found.items():
        monkeypatch.setitem(checks._CHECKS, name, lambda *_, outcome=outcome: outcome)
    with pytest.raises(FerbookError, match="does not say what was trained"):
        verdicts.judge([claim(kind="trained", check="quiet")], dataset_summary.recorded())
    with pytest.raises(FerbookError, match="must say what it is about"):
        verdicts.judge([claim(check="said")], dataset_summary.recorded())


def test_the_books_own_observations_count_for_no_paper():
    one, own = claim(), claim(by="book")
    results = [verdicts.Result(c, Verdict.HOLDS, Outcome(90, Evidence.ARITHMETIC)) for c in (one, own)]
    assert verdicts.counted(results) == {"002": {"holds": 1}}


def test_a_contradiction_is_a_verdict():
    assert verdicts.verdict(claim(), Outcome(90, Evidence.ARITHMETIC, contradiction=True)) is Verdict.CONTRADICTS


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_every_claim_is_judged_with_named_evidence(one):
    (result,) = verdicts.judge([one], dataset_summary.recorded())
    assert isinstance(result.outcome.evidence, Evidence)
    assert result.outcome.evidence is not Evidence.SYNTHETIC
    if result.verdict is Verdict.UNCHECKED:
        assert result.outcome.detail, "says why"
    elif result.verdict is Verdict.STAND_IN:
        assert result.departures, "says how it departs"
    else:
        assert result.evidence in set(Evidence)


def test_a_verdict_without_a_value_rests_on_nothing():
    def rests_on(**outcome):
        return verdicts.Result(claim(), Verdict.UNCHECKED, Outcome(evidence=Evidence.ARITHMETIC, **outcome)).evidence

    assert rests_on(value=None) == verdicts.NO_EVIDENCE
    assert rests_on(value=1.0) == Evidence.ARITHMETIC
    assert rests_on(value=None, contradiction=True) == Evidence.ARITHMETIC


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_every_claim_is_shown_by_the_page_that_decides_it(one):
    page, _, anchor = one.page.partition("#")
    known = anchors(page)
    assert known is not None, one.page
    assert anchor in known
    assert links.is_shown(one), f"no box or row of {page} shows it"


# --- records and runs that claims rest on ---


def missing_records(stated, folder):
    """Ids of claims that name a record which is not there, or a group of runs that nobody describes."""
    found = []
    for one in stated:
        record, group = one.arguments.get("record"), one.arguments.get("group")
        if record is not None and not (folder / "recorded" / f"{record}.json").is_file():
            found.append(one.id)
        if group is not None:
            description = folder / "sweeps" / f"{one.paper}.yml"
            known = yaml.safe_load(description.read_text())["groups"] if description.is_file() else {}
            if not {*([group] if isinstance(group, str) else group)} <= known.keys():
                found.append(one.id)
    return found


def constants(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def orphaned_records(stated, folder, pages):
    """Records that no claim names and no page reads, itself or through the library files that it imports."""
    used = {str(value) for one in stated for value in one.arguments.values()}
    files = {file for page in pages for file in (page, *dependencies.library_files(page))}
    checks = {Path(sys.modules[check.__module__].__file__) for check in known_checks().values()}
    said = set().union(*map(constants, files | checks)) | used
    # A group's name is a plain word: only what is about a paper can mean the group by it.
    of_papers = {file for file in files if "papers" in file.parts}
    groups = set().union(*map(constants, {*pages, *checks, *of_papers})) | used
    orphaned = []
    for path in sorted((folder / "recorded").rglob("*.json")):
        name = path.relative_to(folder / "recorded").with_suffix("").as_posix()
        if "/runs/" in name:
            group = name.split("/runs/")[1].split("/")[0]
            whole = any(constant.startswith(name.replace("/runs/", "/")) for constant in said)
            if not (group in groups or whole):
                orphaned.append(name)
        # Some read a whole folder, by names that they put after it.
        elif name not in said and f"{name.rpartition('/')[0]}/" not in said:
            orphaned.append(name)
    return orphaned


DATA = paths.project_root() / "data"
PAGES = sorted((paths.project_root() / "book").rglob("*.py"))


def test_every_record_that_a_claim_names_is_there():
    assert missing_records(ALL, DATA) == []


def test_every_record_is_used():
    assert orphaned_records(ALL, DATA, PAGES) == []


def test_the_guard_sees_missing_and_orphaned_records(tmp_path):
    for name in ("003/ablation", "003/left_over", "002/runs/nhot/a-seed0", "002/runs/left_over/a-seed0"):
        (tmp_path / "recorded" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "recorded" / f"{name}.json").write_text("{}")
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "002.yml").write_text("groups: {nhot: {}}")
    stated = [claim(arguments={"record": "003/ablation"}), claim(arguments={"record": "003/none"}),
              claim(arguments={"group": "nhot"}), claim(arguments={"group": "none"})]  # fmt: skip
    assert missing_records(stated, tmp_path) == ["002-x", "002-x"]
    page = tmp_path / "page.py"
    page.write_text('runs = load("002", "nhot")')
    assert orphaned_records(stated[:1], tmp_path, [page]) == ["002/runs/left_over/a-seed0", "003/left_over"]


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
        ({"kind": "trained"}, "a trained claim says what it is about"),
        ({"kind": "trained", "about": {"network": "vgg16"}}, r"002-a\.about\.network"),
        ({"relation": "about", "unit": "%"}, "needs a tolerance, or the number of test faces"),
        ({"faces": 10}, "faces set the tolerance of an accuracy"),
        ({"relation": "between", "printed": "4 to 2"}, "a smaller and a larger number"),
    ],
)
def test_broken_claim_files_name_claim_and_field(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        verdicts.load_claims("002", write(tmp_path, **changes))


def test_missing_and_unreadable_claim_files(tmp_path):
    with pytest.raises(DataError, match="no claims of paper 999"):
        verdicts.load_claims("999", tmp_path)
    (tmp_path / "002.yml").write_text("claims: [")
    with pytest.raises(DataError, match="is not YAML"):
        verdicts.load_claims("002", tmp_path)


def test_a_check_that_breaks_names_its_claim():
    with pytest.raises(FerbookError, match="002-x: check 'fact' could not be run"):
        verdicts.judge([claim(arguments={"fact": "no such fact"})], dataset_summary.recorded())


def test_a_check_that_breaks_does_not_stop_the_others():
    broken, sound = claim(arguments={"fact": "none"}), claim(arguments={"fact": "faces"}, relation="at least")
    results, errors = verdicts.survey([broken, sound], dataset_summary.recorded())
    assert [result.verdict for result in results] == [Verdict.HOLDS]
    assert len(errors) == 1 and "002-x" in str(errors[0])
    missing = claim(check="recorded", arguments={"record": "003/none", "fact": []})
    _, errors = verdicts.survey([missing], dataset_summary.recorded())
    assert "002-x" in str(errors[0]) and "no such record" in str(errors[0])


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [
        ({"printed": "87.4", "unit": "%"}, 87.43, "printed rounding: 87.35 to 87.45 %"),
        ({"printed": "90"}, 90, "printed rounding: 89.5 to 90.5"),
        ({"printed": "90", "relation": "about"}, 91, "holds up to 2.25 from 90, holds roughly up to 9"),
        ({"printed": "90", "relation": "at least"}, 91, "none: at least 90"),
        ({"printed": "90", "relation": "at least", "tolerance": Tolerance(holds=1, roughly=2)}, 91,
         "holds up to 1 on the wrong side of 90, holds roughly up to 2"),
        ({"printed": "2 to 4", "relation": "between", "tolerance": Tolerance(holds=1, roughly=2)}, 3,
         "holds up to 1 outside 2 to 4, holds roughly up to 2"),
        ({"printed": "86.1", "relation": "about", "unit": "%", "faces": 3535, "kind": "arithmetic"}, 86.1,
         "holds up to 0.05 % from 86.1, holds roughly up to 0.1 %"),
        ({"printed": "kept"}, "kept", "none: the same word or digits"),
        ({"printed": "90"}, None, "none: nothing was found to compare"),
    ],
)  # fmt: skip
def test_what_is_allowed_in_words(options, value, expected):
    one = claim(**options)
    assert comparison.allowance(one, value) == expected


@given(st.decimals(min_value=-1000, max_value=1000, places=3), st.integers(0, 3))
def test_the_allowed_range_is_where_equals_holds(value, places):
    """The words are about the same numbers as the verdict."""
    printed = f"{float(value):.{places}f}"
    one = claim(printed=printed)
    low, high = comparison.allowance(one, float(printed)).split(": ")[1].split(" to ")
    for end, inward in ((float(low), 1e-6), (float(high), -1e-6)):
        assert judged(end + inward, printed=printed) is Verdict.HOLDS
        assert judged(end - inward, printed=printed) is Verdict.FAILS


def test_claims_are_judged_quickly_and_without_torch():
    code = (
        "import sys, time; from ferbook.cli.commands import main; "
        "status = main(['claims']) or main(['claims', 'show', sys.argv[1]]); "
        "print('seconds', time.process_time()); sys.exit(status or 'torch' in sys.modules)"
    )
    # Where Python may not keep what it compiles, half of the time goes there.
    keeps = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    # Time of the processor, not of the clock; the least of three tries, because a core that other programs share does
    # less in a second.
    while not seconds or (min(seconds) >= 10 and len(seconds) < 3):
        done = subprocess.run(
            [sys.executable, "-c", code, ALL[0].id], capture_output=True, text=True, check=False, env=keeps
        )
        assert done.returncode == 0, done.stderr
        assert f"\n{sum(one.by == 'paper' for one in ALL)} claims:" in done.stdout
        seconds.append(float(done.stdout.split("seconds ")[1]))
    assert min(seconds) < 10


@pytest.mark.parametrize(
    ("options", "stated"),
    [
        ({"printed": "65 to 70", "relation": "between"}, "between 65 and 70"),
        ({"printed": "12000", "relation": "at least"}, "at least 12,000"),
        ({"printed": "1024"}, "1024"),
    ],
)
def test_a_printed_value_reads_with_its_relation(options, stated):
    assert claim(**options).stated == stated


def test_every_module_with_a_check_is_known():
    """A check that is registered in a module which nothing imports would be unknown to the claims."""
    sources = dependencies.PACKAGE.rglob("*.py")
    registering = {path for path in sources if "\n@register(" in path.read_text(encoding="utf-8")}
    assert registering == {Path(sys.modules[check.__module__].__file__) for check in known_checks().values()}
