"""Verdicts of arithmetic claims change when the paper prints another number, or the claim says why they do not."""

import pytest

from ferbook.claims import checks, dataset_summary, mutation, verdicts
from ferbook.claims.checks import Outcome
from ferbook.claims.claim import Evidence, Tolerance, Verdict
from tests.unit.claiming import judged_files
from tests.unit.claiming import stated as claim

FACTS = dataset_summary.recorded()


@pytest.fixture(scope="module")
def unmoved():
    return mutation.weigh(judged_files(), FACTS).unmoved.keys()


@pytest.fixture(scope="module")
def insensitive():
    return {result.claim.id for result in judged_files() if result.claim.insensitive}


def test_every_arithmetic_claim_moves_or_says_why_not(unmoved, insensitive):
    assert unmoved - insensitive == set()


def test_no_claim_gives_a_reason_that_it_does_not_need(unmoved, insensitive):
    assert insensitive - unmoved == set()


def moved(value, **options):
    one = claim(**options)
    outcome = Outcome(value, Evidence.ARITHMETIC)
    return mutation.others(verdicts.Result(one, verdicts.verdict(one, outcome), outcome))


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (87.4, {"printed": "87.4"}, ["87.6", "87.2"]),
        (87.0, {"printed": "87.4"}, ["87.0"]),
        (90, {"printed": "90", "relation": "at least"}, ["92"]),
        (90, {"printed": "90", "relation": "less than"}, ["91"]),
        (3.0, {"printed": "2 to 4", "relation": "between"}, ["5 to 7", "-1 to 1"]),
        (9.0, {"printed": "2 to 4", "relation": "between"}, ["8 to 10"]),
        (87, {"printed": "90", "tolerance": Tolerance(holds=1, roughly=4)}, ["97", "77"]),
        ("kept", {"printed": "kept"}, [mutation.OTHER_WORD]),
        ("dropped", {"printed": "kept"}, ["dropped"]),
        (None, {}, []),
    ],
)
def test_where_the_printed_value_is_moved(value, options, expected):
    assert moved(value, **options) == expected


def test_a_check_that_looks_at_nothing_is_found(monkeypatch):
    monkeypatch.setitem(checks._CHECKS, "idle", lambda one, _: Outcome(float(one.printed), Evidence.ARITHMETIC))
    monkeypatch.setitem(checks._CHECKS, "sound", lambda *_: Outcome(90.0, Evidence.ARITHMETIC))
    results = verdicts.judge([claim(id="002-idle", check="idle"), claim(id="002-sound", check="sound")], FACTS)
    assert [result.verdict for result in results] == [Verdict.HOLDS] * 2
    assert mutation.weigh(results, FACTS).unmoved == {"002-idle": ["92", "88"]}
