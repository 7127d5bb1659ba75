"""What a reader sees of claims and numbers."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from ferbook.claims import comparison, dataset_summary, folded, links, report, verdicts
from ferbook.claims.checks import Outcome
from ferbook.claims.claim import ClaimFile, Evidence, Training, Verdict
from ferbook.claims.dataset_summary import Facts
from ferbook.core.errors import ConfigError
from ferbook.datasets import NAMES
from ferbook.datasets.cards import CARDS
from tests.unit.claiming import stated


def soup(html):
    return BeautifulSoup(html.data, "html.parser")


@pytest.fixture
def synthetic():
    """Facts of a build without real data: every number is another one."""
    values = {
        key: [v + 1 for v in value] if isinstance(value, list) else value + 1
        for key, value in dataset_summary.recorded().values.items()
    }
    return Facts(values, "synthetic", {})


def test_a_box_shows_printed_recorded_and_build_and_decides_on_the_recorded(synthetic):
    box = soup(report.ClaimReport("002", synthetic).box("002-seven-answers")).select_one("aside")
    shown = {term.get_text(): term.find_next("dd").get_text() for term in box.select("dt")}
    assert shown == {
        "the paper": "at least 7 answers",
        "FER+, recorded": "8 answers",
        "this build, synthetic": "9 answers",
    }
    assert box.select_one("strong").get_text() == "holds"
    assert "same data" in box.get_text()


def test_a_build_with_the_real_data_decides_itself():
    live = Facts({**dataset_summary.recorded().values, "most_answers": 6}, "same data", {})
    box = soup(report.ClaimReport("002", live).box("002-seven-answers"))
    assert box.select_one("strong").get_text() == "fails"
    assert "recorded" not in box.get_text()


def test_numbers_that_mean_nothing_elsewhere_are_not_shown(synthetic):
    assert "this build" not in soup(report.ClaimReport("002", synthetic).box("002-size")).get_text()


def test_an_unknown_claim_is_refused(synthetic):
    with pytest.raises(ConfigError, match="002-none"):
        report.ClaimReport("002", synthetic).box("002-none")


def test_rows_list_what_matches_and_links_lead_to_each(synthetic):
    audit = report.ClaimReport("002", synthetic)
    rows = soup(audit.rows("002-clean-*", "002-size", caption="some")).select("tbody tr")
    assert [row["id"] for row in rows] == ["claim-002-size", "claim-002-clean-a", "claim-002-clean-b"]
    assert rows[1].select_one("strong").get_text() == "holds"
    with pytest.raises(ConfigError, match="002-none"):
        audit.rows("002-none*", caption="none")


def test_boxes_and_rows_lead_to_their_check(synthetic):
    audit = report.ClaimReport("002", synthetic)
    for shown in (audit.box("002-rare"), audit.rows("002-rare", caption="one")):
        line = soup(shown).select_one(".verdict-check")
        assert line.select_one("a")["href"] == "../verdicts/checks.html#check-fact"
        assert line.select_one("code").get_text() == "fact: share_rare; scale: 100"


def test_the_table_leads_to_boxes(synthetic):
    every = verdicts.load_claims("002").claims
    targets = [link["href"] for link in soup(report.ClaimReport("002", synthetic).table()).select("tbody a")]
    assert sorted(targets) == sorted(links.link(claim) for claim in every)


def test_an_account_names_everything_that_a_verdict_rests_on():
    (result,) = verdicts.judge(
        [c for c in verdicts.load_claims("002").claims if c.id == "002-clean-a"], dataset_summary.recorded()
    )
    found = report.account(result)
    assert found["check"].startswith("cleaning rule keeps: kept or dropped: what rule does")
    assert found["arguments"] == "rule: sum; votes: 0, 0, 0, 6, 0, 0, 0, 0, 2, 2"
    assert found["code"].startswith("cleaning_rule_keeps, ferbook.claims.data_checks, line ")
    assert found["decided"] == "book/faces/ferplus_in_numbers#claim-002-clean-a, section cleaning"
    assert found["tolerance"] == "none: the same word or digits"


def test_a_report_without_a_build_shows_what_is_recorded():
    box = soup(report.ClaimReport("002").box("002-seven-answers")).get_text()
    assert "recorded, same data8 answers" in box
    assert "this build" not in box


def test_the_table_lists_every_claim(synthetic):
    rows = soup(report.ClaimReport("002", synthetic).table()).select("tbody tr")
    every = verdicts.load_claims("002").claims
    assert len(rows) == len(every)
    here = soup(report.ClaimReport("002", synthetic).table("book/faces/ferplus_in_numbers")).select("tbody tr")
    assert 0 < len(here) == sum(claim.page.startswith("book/faces/ferplus_in_numbers") for claim in every) < len(rows)


def test_a_table_of_some_verdicts_holds_their_claims_and_no_others(synthetic):
    audit = report.ClaimReport("002", synthetic)
    whole, failed = (
        [[cell.text for cell in row("td")] for row in soup(table).select("tbody tr")]
        for table in (audit.table(), audit.table(verdicts=[Verdict.FAILS]))
    )
    assert sorted(failed) == sorted(cells for cells in whole if cells[-1] == "fails") != []
    assert soup(audit.table(verdicts=())).select("tbody tr") == []


@pytest.mark.parametrize(
    ("printed", "value", "expected"),
    [
        ("90", 87.43, "87.4 %"),
        ("100", 99.9972, "99.997 %"),
        # 68 of 71: 95.775 would round to the printed value, which the number itself does not.
        ("95.78", 100 * 68 / 71, "95.7746 %"),
        ("95.78", 95.7751, "95.775 %"),
        ("35000", 35710.0, "35,710 %"),
        ("0.5", 0.25, "0.25 %"),
        ("0.7", 0.7000000000000001, "0.70 %"),
        ("90", None, "–"),
        ("kept", "kept", "kept"),
    ],
)
def test_found_values_show_one_digit_more_than_the_paper(printed, value, expected):
    assert report.show(value, stated(printed=printed, unit="%")) == expected


@pytest.mark.parametrize(
    ("printed", "value", "expected"),
    [("2014", 2014, "2014 points"), ("9063", 1880.7, "1880.7 points"), ("18432", 2048, "2,048 points")],
)
def test_years_and_what_the_paper_writes_alike_have_no_separator(printed, value, expected):
    assert report.show(value, stated(printed=printed, unit="points")) == expected


@pytest.mark.parametrize(
    ("unit", "printed", "found"),
    [
        ("points", "about 1 point", "1 point"),
        ("networks with such a part", "about 1 network with such a part", "1 network with such a part"),
        ("losses", "about 1 loss", "1 loss"),
        ("times as long", "about 1 times as long", "1 times as long"),
        ("expression labels per face", "about 1 expression label per face", "1 expression label per face"),
        ("precision less recall", "about 1 precision less recall", "1 precision less recall"),
        ("% of faces", "about 1 % of faces", "1 % of faces"),
        ("%", "about 1 %", "1 %"),
        ("", "about 1", "1"),
    ],
)
def test_one_is_told_in_the_singular(unit, printed, found):
    claim = stated(printed="1", unit=unit, relation="about", tolerance={"holds": 0.1, "roughly": 0.2})
    assert (report.printed(claim), report.show(1.0, claim)) == (printed, found)
    assert report.show(11.0, claim) == f"11 {unit}".strip()


def test_what_a_claim_allows_is_written_as_numbers_are_elsewhere():
    tolerance = {"holds": 1, "roughly": 42_000}
    claim = stated(printed="420000", unit="faces", relation="about", tolerance=tolerance)
    expected = "holds up to 1 face from 420,000, holds roughly up to 42,000 faces"
    assert comparison.allowance(claim, 1.0) == expected


def test_tables_escape_what_they_are_given():
    table = report.table(pd.DataFrame({"a": ["<script>"]}), caption="A & B")
    assert "<script>" not in table.data
    assert soup(table).select_one("caption").get_text() == "A & B"


def test_a_table_is_turned_into_blocks_only_where_a_narrow_screen_would_cut_it():
    narrow = soup(report.table([{"what": "a word and others", "n": 1.5}], caption="c"))
    assert narrow.table["class"] == ["dataframe", "ferbook-table"]
    names = [f"quantity <{number}>" for number in range(6)]
    wide = soup(report.table([dict.fromkeys(names, 1.5), dict.fromkeys(names, "two & more")], caption="c"))
    assert "ferbook-blocks" in wide.table["class"]
    for row in wide.select("tbody tr"):
        assert [cell["data-title"] for cell in row.select("td")] == names
    assert wide.select("td")[-1].get_text() == "two & more"
    assert report.NARROW < 400


def test_there_is_a_card_for_every_reader_and_its_leakage_is_the_recorded_one():
    assert set(NAMES) <= set(CARDS)
    leaked = dataset_summary.recorded().values["official_test_leaked"]
    assert any(caveat.startswith(f"{leaked} faces of the official test part") for caveat in CARDS["ferplus"].caveats)
    assert list(CARDS["ferplus"].counts.values()) == dataset_summary.recorded().values["faces_by_part"]
    assert len(soup(report.cards(CARDS.values())).select("section")) == len(CARDS)


# --- marks, stand-ins and sources ---


def reported(monkeypatch, outcome, **fields):
    """Box and row of one claim, decided by a given outcome."""
    one = stated(**{"printed": "1", "unit": "%"} | fields)
    monkeypatch.setattr(verdicts, "load_claims", lambda paper: ClaimFile(paper=paper, citation="c", claims=(one,)))
    monkeypatch.setattr(verdicts, "known_checks", lambda: {"fact": lambda *_: outcome})
    audit = report.ClaimReport("002")
    return soup(audit.box("002-x")), soup(audit.rows("002-x", caption="one"))


def test_a_stand_in_is_named_with_what_was_trained_instead(monkeypatch):
    trained = Training(networks=("compact",), loss="cross_entropy", epochs=20, splits=("official",), side=48)
    outcome = Outcome(1.0, Evidence.SAME_DATA, trained=trained)
    shown = reported(monkeypatch, outcome, kind="trained", about=Training(networks=("vgg16",), epochs=100))
    for text in (part.get_text() for part in shown):
        assert Verdict.STAND_IN in text
        assert "compact instead of VGG16, 20 epochs instead of 100" in text
        assert "trained: compact, cross-entropy, 20 epochs, official test faces, 48 pixels" in text
    box = shown[0].select_one("aside")
    assert box["class"] == ["verdict", "verdict-not-checkable-here-stand-in"]
    assert "evidence: none" in box.get_text()
    terms = {term.get_text(): term.find_next("dd").get_text() for term in box.select("dt")}
    assert terms == {"the paper": "1 %", "a stand-in found": "1 %"}


def test_a_published_source_is_not_called_recomputed(monkeypatch):
    box, _ = reported(monkeypatch, Outcome(2.0, Evidence.PUBLISHED))
    terms = {term.get_text(): term.find_next("dd").get_text() for term in box.select("dt")}
    assert terms == {"the paper": "1 %", "published": "2 %"}
    assert "evidence: published source" in box.get_text()


@pytest.mark.parametrize(
    ("fields", "marks"),
    [
        ({}, []),
        ({"by": "book"}, ["an observation of this book, not a claim of the paper"]),
        ({"extracted": True}, ["read from extracted text, which can lose signs"]),
    ],
)
def test_marks_stand_on_boxes_and_rows(monkeypatch, fields, marks):
    for shown in reported(monkeypatch, Outcome(1.0, Evidence.ARITHMETIC), **fields):
        assert [mark.get_text() for mark in shown.select(".badge-claim")] == marks


def test_long_tables_are_folded_by_the_part_of_the_paper_and_short_ones_are_not(synthetic):
    audit = report.ClaimReport("002", synthetic)
    whole = soup(audit.table())
    folds = whole.select("details.fold-part")
    assert folds[0].select_one(".fold-title").get_text() == "abstract"
    assert all(table.find_parent("details") for table in whole.select("table"))
    assert max(len(table.select("tbody tr")) for table in whole.select("table")) <= folded.AT_ONCE
    short = soup(audit.table("book/faces/ferplus_in_numbers"))
    assert len(short.select("tbody tr")) <= folded.AT_ONCE
    assert not short.select("details")


@pytest.mark.parametrize(
    ("paper", "expected"),
    [("000", "000 · Hadi & Sari 2025"), ("001", "001 · Punuri et al. 2024"), ("002", "002 · Duan 2022")],
)
def test_a_short_citation_names_authors_and_year(paper, expected):
    assert report.short_citation(paper) == expected
