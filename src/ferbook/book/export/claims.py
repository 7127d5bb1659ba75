"""The claims with their verdicts, as a table and as JSON-LD in the words of schema.org, and the coverage of the papers.

What schema.org has no word for has one of this book's; the table's descriptions are also those of the words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ferbook.book import coverage
from ferbook.book.export.tables import Field, Table, from_mappings
from ferbook.claims import citing, dataset_summary, report, verdicts
from ferbook.claims.claim import NO_EVIDENCE, Evidence, Training, Value, Verdict
from ferbook.claims.comparison import allowance
from ferbook.claims.verdicts import Result

FIELDS = (
    Field("id", "the claim's permanent name: paper, hyphen, words"),
    Field("paper", "three digits of the paper, as in papers.csv"),
    Field("where", "where the paper prints it: section, figure, table, page"),
    Field("says", "the claim in this book's words"),
    Field("kind", "what it would take to check it: arithmetic, measured, trained, or unsupported"),
    Field("by", "who says it: paper, or book for this book's own observations, which count for no paper"),
    Field("cell", "whether it is one of many alike cells of a table or figure", "boolean"),
    Field("printed", "the printed value as text, so that its digits are known"),
    Field("unit", "unit of the printed and of the found value"),
    Field("relation", "how the found value has to lie to the printed one: equals, about, at least, ..."),
    Field("tolerance", "how far it may lie from it, and what counts as roughly, in words"),
    Field("check", "name of the check that computes the value"),
    Field("arguments", "what the claim hands to its check, as JSON"),
    Field("verdict", f"what became of the claim: {'; '.join(Verdict)}"),
    Field("evidence", f"what the verdict rests on: {'; '.join(Evidence)}; or {NO_EVIDENCE}"),
    Field("found", "the value that the check found; empty where there was nothing to compare"),
    Field("detail", "how the found value came about"),
    Field("trained", "the network and training that the value comes from, in words; empty where nothing was trained"),
    Field("departures", "how that training departs from the one that the claim is about"),
    Field("note", "what else a reader should know of the claim"),
    Field("place", "page of the book that decides it, with the claim's anchor, from the top of the rendered book"),
)
#: The words of this book's own vocabulary: columns that schema.org has no word for.
TERMS = ("where", "kind", "by", "printed", "unit", "relation", "tolerance", "check", "evidence", "found", "place")
#: The vocabulary's prefix. It names, it leads nowhere: what the words mean stands in the same file.
PREFIX = "urn:ferbook:"
_SCHEMA = "https://schema.org/"


def claims(results: Sequence[Result]) -> Table:
    """One row per judged claim."""
    return from_mappings(
        "claims.csv",
        "Claims and verdicts",
        "One row per claim of the five papers, and per observation of this book, with what was found and the verdict.",
        FIELDS,
        [_row(result) for result in results],
        ("id",),
    )


def _row(result: Result) -> dict[str, Any]:
    claim, outcome = result.claim, result.outcome
    return {
        "id": claim.id,
        "paper": claim.paper,
        "where": claim.where,
        "says": claim.says,
        "kind": claim.kind,
        "by": claim.by,
        "cell": claim.cell,
        "printed": claim.printed,
        "unit": claim.unit,
        "relation": claim.relation,
        "tolerance": allowance(claim, outcome.value),
        "check": claim.check,
        "arguments": claim.arguments or None,
        "verdict": str(result.verdict),
        "evidence": str(result.evidence),
        "found": _found(outcome.value),
        "detail": outcome.detail,
        "trained": _trained(outcome.trained),
        "departures": "; ".join(result.departures),
        "note": claim.note,
        "place": citing.place(claim),
    }


def _found(value: Value | None) -> str | None:
    """To ten digits: the last ones of a sum may differ from machine to machine."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else f"{value:.10g}"


def _trained(trained: Training | None) -> str:
    return report.training(trained) if trained else ""


def papers(results: Sequence[Result]) -> Table:
    """One row per paper."""
    counts = verdicts.counted(results)
    columns = {verdict: "claims " + str(verdict) for verdict in Verdict}
    fields = [
        Field("paper", "its three digits in this book"),
        Field("citation", "how it is cited"),
        *(
            Field(name, f"how many of its claims have the verdict: {verdict}", "integer")
            for verdict, name in columns.items()
        ),
    ]
    rows = [
        {"paper": paper, "citation": verdicts.load_claims(paper).citation}
        | {name: counts[paper][verdict] for verdict, name in columns.items()}
        for paper in counts
    ]
    description = "One row per paper. Observations of this book are not counted."
    return from_mappings("papers.csv", "The papers, with their verdicts counted", description, fields, rows, ("paper",))


def remade() -> Table:
    """One row per figure and table that the papers number."""
    fields = [
        Field("paper", "three digits of the paper"),
        Field("id", "figure or table, with its number"),
        Field("shows", "what it shows, in this book's words"),
        Field("remade", "whether the book has one of the same kind from its own computation: yes, partly, no"),
        Field("where", "page and section of the book that show it"),
        Field("data", "what the book's is computed from"),
        Field("network", "what was trained for it, or none"),
        Field("departs", "how it differs from the printed one, or why there is none"),
    ]
    rows = [{"paper": paper} | entry.model_dump() for paper, entries in coverage.load().items() for entry in entries]
    description = "One row per figure or table that the papers number: whether the book makes it again, and from what."
    return from_mappings("coverage.csv", "What is re-made", description, fields, rows, ("paper", "id"))


def linked_data(results: Sequence[Result]) -> dict[str, Any]:
    """The claims as JSON-LD: a ``ClaimReview`` for each, of a ``Claim`` that appears in a ``ScholarlyArticle``.

    Its context is in it, so that it is read without asking anybody; the words of this book's own are described in it.
    """
    described = {field.name: field.description for field in FIELDS}
    words = [
        {"@id": f"ferbook:{term}", "@type": "rdf:Property", "rdfs:label": term, "rdfs:comment": described[term]}
        for term in TERMS
    ]
    articles = [
        {"@id": _article(paper), "@type": "ScholarlyArticle", "name": verdicts.load_claims(paper).citation}
        for paper in dict.fromkeys(result.claim.paper for result in results)
    ]
    book = {"@id": f"{PREFIX}book", "@type": "Book", "name": "Reading Faces, Re-run"}
    return {
        "@context": {
            "@vocab": _SCHEMA,
            "ferbook": PREFIX,
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        },
        "@graph": [book, *words, *articles, *map(_review, results)],
    }


def _review(result: Result) -> dict[str, Any]:
    claim, row = result.claim, _row(result)
    own = {f"ferbook:{term}": row[term] for term in TERMS if row[term] not in (None, "")}
    stated: Mapping[str, Any] = {"@id": f"{PREFIX}claim:{claim.id}", "@type": "Claim", "text": claim.says}
    source = (
        {"appearance": {"@id": _article(claim.paper)}} if claim.by == "paper" else {"author": {"@id": f"{PREFIX}book"}}
    )
    rating = {"@type": "Rating", "alternateName": str(result.verdict)}
    if result.outcome.detail:
        rating["ratingExplanation"] = result.outcome.detail
    return {
        "@id": f"{PREFIX}review:{claim.id}",
        "@type": "ClaimReview",
        "claimReviewed": claim.says,
        "itemReviewed": {**stated, **source},
        "reviewRating": rating,
        "isPartOf": {"@id": f"{PREFIX}book"},
        **own,
    }


def _article(paper: str) -> str:
    return f"{PREFIX}paper:{paper}"


def judged() -> list[Result]:
    """All claims of all papers, judged on what is recorded."""
    return verdicts.judge(verdicts.stated(), dataset_summary.recorded())
