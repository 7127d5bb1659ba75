"""What the claim file of paper 002 says of other people's work, and of its own parts: references, figures, chapters.

Nothing here imports torch.
"""

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import RARE_EMOTIONS, Facts
from ferbook.claims.printed_checks import against_itself
from ferbook.datasets import affectnet

#: The references of the report, and which works introduced what it cites.
REFERENCES, SOURCES = "002-references", "002-sources"
#: Figures and tables, and where the text mentions them.
FIGURES = "002-figures"
#: Places in an order of accuracies.
PLACES = ("best", "second", "third", "fourth", "fifth")
#: Parts that the report announces, and those that follow.
ANNOUNCED = "002-announced"


@register("reference that introduced")
def reference_that_introduced(claim: Claim, facts: Facts) -> Outcome:
    """Number of the reference that introduced a data set or network; ``none`` where the list does not have that work.

    Argument: ``subject``, a row of the table of sources.
    """
    source = printed.row(SOURCES, claim.arguments["subject"])
    references = printed.table(REFERENCES)
    found = references[references["work"] == source["introduced in"]]["number"]
    cited = printed.row(REFERENCES, claim.printed)
    detail = f"introduced in {_quoted(source['introduced in'])} ({source['by']})"
    if cited["work"] != source["introduced in"]:
        detail += f"; reference {claim.printed} is {_quoted(cited['work'])} ({cited['first author']} {cited['year']})"
    return Outcome(found.iloc[0] if len(found) else "none", Evidence.PUBLISHED, detail)


def _quoted(text: str) -> str:
    return f"“{text}”"


@register("announced parts that follow")
def announced_parts_that_follow(claim: Claim, facts: Facts) -> Outcome:
    """How many announcements of a number of parts are followed by that many; a contradiction where one is not."""
    table = printed.table(ANNOUNCED)
    kept = [len(line["follow"].split("; ")) == int(line["announced"]) for _, line in table.iterrows()]
    detail = ", ".join(f"{line['announced']} {line['what']}" for _, line in table.iterrows())
    return against_itself(claim, sum(kept), detail)


@register("references that are cited")
def references_that_are_cited(claim: Claim, facts: Facts) -> Outcome:
    """How many references the text cites; with ``in_order``, how many of them in the order of their numbers."""
    table = printed.table(REFERENCES)
    cited = table[table["first cited in"] != ""]
    if claim.arguments.get("in_order"):
        cited = cited[cited["order of first citation"] == cited["number"]]
    return against_itself(claim, len(cited), f"of {len(table)}")


@register("place among published accuracies")
def place_among_published(claim: Claim, facts: Facts) -> Outcome:
    """``best``, ``second``, ... : the place of an ``accuracy`` among it and ``others``, at best.

    A work that is not among the others can only make it worse. Argument ``others``: accuracy by source.
    """
    own, others = claim.arguments["accuracy"], claim.arguments["others"]
    above = [accuracy for accuracy in others.values() if accuracy > own]
    detail = "; ".join(f"{accuracy} % in {source}" for source, accuracy in others.items())
    place = PLACES[len(above)] if len(above) < len(PLACES) else f"place {len(above) + 1}"
    return Outcome(place, Evidence.PUBLISHED, f"{own} % beside {detail}")


@register("rare emotions elsewhere")
def rare_emotions_elsewhere(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of faces with an emotion that is rare in FER+, in that one of other data sets that has most.

    Argument: ``counted``, faces by emotion of each data set besides AffectNet, whose training table is published.
    """
    counted = {"AffectNet": affectnet.TRAINING_FACES, **claim.arguments["counted"]}
    shares = {
        name: 100 * sum(faces.get(emotion, 0) for emotion in RARE_EMOTIONS) / sum(faces.values())
        for name, faces in counted.items()
    }
    detail = ", ".join(f"{name} {share:.1f} %" for name, share in shares.items())
    return Outcome(max(shares.values()), Evidence.PUBLISHED, f"{', '.join(RARE_EMOTIONS)}: {detail}")


@register("figures that are mentioned")
def figures_that_are_mentioned(claim: Claim, facts: Facts) -> Outcome:
    """How many figures and tables the text mentions."""
    table = printed.table(FIGURES)
    silent = table[table["mentioned in"] == ""]["item"]
    detail = f"of {len(table)}" + (f"; not: {', '.join(silent)}" if len(silent) else "")
    return Outcome(len(table) - len(silent), Evidence.ARITHMETIC, detail)
