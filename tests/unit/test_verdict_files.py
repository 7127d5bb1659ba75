"""All verdicts as a PDF and as BibTeX: complete, the same each time, nothing beside the paper's edge."""

from __future__ import annotations

import re

import pytest

from ferbook.book import pdf, verdict_files
from ferbook.claims import citing, dataset_summary, verdicts
from ferbook.claims.claim import Verdict


@pytest.fixture(scope="module")
def results():
    return verdicts.judge(verdicts.load_claims("000").claims, dataset_summary.recorded())


def written(paper):
    return [text for page in paper.pages for text in page]


def test_every_verdict_is_in_it_within_the_margins(results):
    texts = written(verdict_files.pages(results))
    words = " ".join(text for _, _, text, *_ in texts)
    for result in results:
        assert result.claim.id in words
        assert citing.place(result.claim) in words
    for x, y, text, size, weight, _ in texts:
        assert x + pdf.width(text, size, weight) < pdf.PAGE[0] - pdf.MARGIN[0] + 1, text
        assert y > pdf.MARGIN[1] - 1, text


def test_the_same_verdicts_give_the_same_files(results, tmp_path):
    for name in ("one", "two"):
        verdict_files.make(tmp_path / name, results[:12])
    for file in (verdict_files.PDF, verdict_files.BIBTEX):
        content = (tmp_path / "one" / file).read_bytes()
        assert content == (tmp_path / "two" / file).read_bytes()
        assert b"CreationDate" not in content


def test_lines_are_broken_between_words_and_long_words_are_cut():
    text = "short words and " + "x" * 300 + " end"
    lines = list(pdf.wrapped(text, 120, 8))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert lines[0] == "short words and"
    assert all(pdf.width(line, 8) <= 120 for line in lines)


def test_the_file_is_a_pdf_whose_table_leads_to_its_objects(tmp_path):
    paper = pdf.Paper()
    paper.mark("One ≈")
    paper.write("A ✓ and a ≈, " * 900)
    paper.save(tmp_path / "one.pdf", "Title")
    content = (tmp_path / "one.pdf").read_bytes()
    assert content.startswith(b"%PDF-1.7") and content.endswith(b"%%EOF\n")
    start = int(re.search(rb"startxref\n(\d+)\n", content)[1])
    table = content[start:].decode("latin-1").splitlines()
    places = [int(line[:10]) for line in table[3 : 2 + int(table[1].split()[1])]]
    assert all(content[place:].startswith(f"{number} 0 obj".encode()) for number, place in enumerate(places, 1))
    assert content.count(b"/Type /Page ") == len(paper.pages) > 1
    # Every reference leads to an object.
    packed = re.sub(rb"stream\n.*?endstream", b"", content, flags=re.DOTALL)
    assert {int(number) for number in re.findall(rb"(\d+) 0 R", packed)} <= set(range(1, len(places) + 1))


def test_every_sign_of_the_claims_is_in_the_fonts():
    fonts = pdf._fonts()
    signs = {sign for claim in verdicts.stated() for sign in claim.says + claim.where + claim.note + claim.printed}
    for font in fonts.values():
        assert {sign for sign in signs if not sign.isspace()} <= set(map(chr, font.widths))


def test_every_verdict_has_a_mark_of_its_own():
    assert set(verdict_files.MARKS) == set(Verdict) and len(set(verdict_files.MARKS.values())) == len(Verdict)
