"""Checks of what paper 001's text, captions and references say, beside each other and beside what others publish.

Nothing here imports torch.
"""

from difflib import SequenceMatcher
from itertools import combinations
from math import gcd

import pandas as pd

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed_checks import against_itself
from ferbook.relevance.ranks import BINS

#: From this share of equal letters on, two titles are nearly the same.
ALIKE = 0.9


@register("pictures per sequence")
def pictures_per_sequence(claim: Claim, facts: Facts) -> Outcome:
    """For how many emotions a row of table 2 counts so many pictures for each published sequence.

    Arguments: ``row``; ``each``, pictures per sequence; ``sequences``, how many each emotion has, and their ``source``.
    """
    row, each, sequences = (claim.arguments[key] for key in ("row", "each", "sequences"))
    cells = printed.row("001-table2", row)
    fit = [name for name, published in sequences.items() if int(cells[name]) == each * published]
    detail = f"{claim.arguments['source']} has {', '.join(f'{n} of {name}' for name, n in sequences.items())}"
    return Outcome(len(fit), Evidence.PUBLISHED, detail)


@register("pictures in groups")
def pictures_in_groups(claim: Claim, facts: Facts) -> Outcome:
    """No value, but a remark: the greatest number that divides all counts of a row of table 2. Argument: ``row``."""
    cells = printed.row("001-table2", claim.arguments["row"]).iloc[1:-1]
    common = gcd(*(int(cell) for cell in cells))
    detail = f"all {len(cells)} counts of that row in table 2 are multiples of {common}; {claim.arguments['because']}"
    return Outcome(None, Evidence.ARITHMETIC, detail)


# --- the groups of section III.G ---


def _groups_of(score: float) -> list[str]:
    """The printed groups that a score belongs to; a bound belongs to its group where its bracket is square."""
    groups = printed.table("001-groups")
    low, high = (groups[name].astype(float) for name in ("low", "high"))
    above = (score > low) | ((score == low) & (groups["low_included"] == "yes"))
    below = (score < high) | ((score == high) & (groups["high_included"] == "yes"))
    return groups["group"][above & below].tolist()


@register("scores in two groups")
def scores_in_two_groups(claim: Claim, facts: Facts) -> Outcome:
    """How many bounds of the printed list of groups belong to two of them; by the printed formula none does."""
    twice = [bound / BINS for bound in range(BINS + 1) if len(_groups_of(bound / BINS)) > 1]
    return against_itself(claim, len(twice), ", ".join(f"{score:.1f}" for score in twice))


@register("group by the formula")
def group_by_the_formula(claim: Claim, facts: Facts) -> Outcome:
    """The group j of a score r by the printed formula, (j - 1) / 10 <= r < j / 10. Argument: ``score``."""
    score = claim.arguments["score"]
    found = [f"group {j}" for j in range(1, BINS + 1) if (j - 1) / BINS <= score < j / BINS]
    listed = " and ".join(f"group {j}" for j in _groups_of(score))
    return against_itself(claim, found[0] if found else "no group", f"the list has it in {listed or 'no group'}")


# --- the network's memory ---


@register("memory to train vgg16")
def memory_to_train_vgg16(claim: Claim, facts: Facts) -> Outcome:
    """MiB that VGG16 and AdamW hold in single precision while the paper's head is trained, without any pictures.

    All weights; of the head also gradients and AdamW's two moments. Argument: ``classes``.
    """
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    convolutions = sum(9 * a * b + b for a, b in zip(widths, widths[1:], strict=False))
    dense = (7 * 7 * 512, 4096, 4096, claim.arguments["classes"])
    head = sum(a * b + b for a, b in zip(dense, dense[1:], strict=False))
    detail = f"{convolutions + head:,} weights of four bytes, and three more numbers for each of the head's {head:,}"
    return Outcome(4 * (convolutions + 4 * head) / 2**20, Evidence.ARITHMETIC, detail)


# --- captions and references ---


@register("pictures of another table")
def pictures_of_another_table(claim: Claim, facts: Facts) -> Outcome:
    """How many pictures of a caption have the emotion and the rank of some picture of table 4. Argument: ``table``."""
    images = printed.table("001-table4")
    there = {(image.partition("_")[0], rank) for image, rank in zip(images["image"], images["rank"], strict=True)}
    caption = printed.table(claim.arguments["table"])
    same = [one for one in zip(caption["emotion"], caption["rank"], strict=True) if one in there]
    detail = f"of {len(caption)}: {', '.join(f'{emotion}, {rank.lower()}' for emotion, rank in same)}"
    return Outcome(len(same), Evidence.ARITHMETIC, detail)


def _reference(number: int) -> pd.Series:
    return printed.row("001-references", str(number))


@register("reference names")
def reference_names(claim: Claim, facts: Facts) -> Outcome:
    """Whether the title of a reference has one of some ``words``: "yes" or "no". Argument also: ``number``."""
    entry = _reference(claim.arguments["number"])
    found = any(word.lower() in entry["title"].lower() for word in claim.arguments["words"])
    detail = f"reference {entry['number']} is {entry['first_author']} {entry['year']}, \u201c{entry['title']}\u201d"
    return against_itself(claim, "yes" if found else "no", detail)


@register("year of a reference")
def year_of_a_reference(claim: Claim, facts: Facts) -> Outcome:
    """The year in which a reference appeared. Argument: ``number``."""
    entry = _reference(claim.arguments["number"])
    return against_itself(claim, int(entry["year"]), f"{entry['first_author']}, \u201c{entry['title']}\u201d")


@register("authors of a reference")
def authors_of_a_reference(claim: Claim, facts: Facts) -> Outcome:
    """How many authors a reference lists. Argument: ``number``."""
    entry = _reference(claim.arguments["number"])
    return against_itself(claim, int(entry["authors"]), f"the first is {entry['first_author']}")


@register("references by")
def references_by(claim: Claim, facts: Facts) -> Outcome:
    """How many references have one of some first ``authors``."""
    entries = printed.table("001-references")
    found = entries[entries["first_author"].isin(claim.arguments["authors"])]
    return Outcome(len(found), Evidence.ARITHMETIC, f"of {len(entries)}")


@register("titles alike")
def titles_alike(claim: Claim, facts: Facts) -> Outcome:
    """How many pairs of references have nearly the same title: ``ALIKE`` of their letters, in the same order."""
    entries = printed.table("001-references")
    titles = [title.lower() for title in entries["title"]]
    pairs = [
        (entries["number"][a], entries["number"][b])
        for a, b in combinations(range(len(titles)), 2)
        if (match := SequenceMatcher(None, titles[a], titles[b], autojunk=False)).real_quick_ratio() >= ALIKE
        and match.quick_ratio() >= ALIKE
        and match.ratio() >= ALIKE
    ]
    told = "; ".join(
        f"{a} ({_reference(a)['first_author']}) and {b} ({_reference(b)['first_author']})" for a, b in pairs
    )
    return Outcome(len(pairs), Evidence.ARITHMETIC, told)
