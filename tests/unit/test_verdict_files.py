"""All verdicts as a PDF and as BibTeX: complete, the same each time, nothing beside the paper's edge."""

from __future__ import annotations

import pytest

from ferbook.book import verdict_files
from ferbook.claims import citing, dataset_summary, verdicts
from ferbook.claims.claim import Verdict


@pytest.fixture(scope="module")
def results():
    return verdicts.judge(verdicts.load_claims("000").claims, dataset_summary.recorded())


def written(paper):
    return [text for page in paper.pages for text in page.texts]


def test_every_verdict_is_in_it_within_the_margins(results):
    texts = written(verdict_files.pages(results))
    words = " ".join(text for _, _, text, _, _ in texts)
    for result in results:
        assert result.claim.id in words
        assert citing.place(result.claim) in words
    right = verdict_files.PAGE[0] - verdict_files.MARGIN[0]
    for x, y, text, font, _ in texts:
        wide = verdict_files.width(text, font.get_size_in_points(), font.get_weight())
        assert x + wide < right + 1 and y > verdict_files.MARGIN[1] - 1, text


def test_the_same_verdicts_give_the_same_files(results, tmp_path):
    for name in ("one", "two"):
        verdict_files.make(tmp_path / name, results[:12])
    for file in (verdict_files.PDF, verdict_files.BIBTEX):
        content = (tmp_path / "one" / file).read_bytes()
        assert content == (tmp_path / "two" / file).read_bytes()
        assert b"CreationDate" not in content
    assert (tmp_path / "one" / verdict_files.PDF).read_bytes().startswith(b"%PDF")


def test_lines_are_broken_between_words_and_long_words_are_cut():
    text = "short words and " + "x" * 300 + " end"
    lines = list(verdict_files.wrapped(text, 120, 8))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert lines[0] == "short words and"
    assert all(verdict_files.width(line, 8) <= 120 for line in lines)


def test_every_verdict_has_a_mark_of_its_own():
    assert set(verdict_files.MARKS) == set(Verdict) and len(set(verdict_files.MARKS.values())) == len(Verdict)
