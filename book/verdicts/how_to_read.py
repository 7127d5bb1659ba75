# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How to read a verdict
#
# Each number or statement of a paper is a **claim**. A *check*, a short piece of code, computes a value for it; the value is compared with the
# printed one; the comparison gives one of six verdicts. Nobody writes a verdict by hand.
#
# Every verdict can be followed back: from [the scoreboard](scoreboard) to the claim's box in its chapter, and from each box to
# [its check](checks). The examples on this page are real claims, shown as they stand today.

# %% tags=["parameters"]
count = 400  # synthetic faces

# %%
from ferbook.book import scoreboard
from ferbook.claims import comparison, dataset_summary, mutation, report, verdicts
from ferbook.claims.claim import Evidence, Verdict
from ferbook.datasets import load

results = scoreboard.judged()
audits = {paper: report.ClaimReport(paper) for paper in verdicts.paper_numbers()}


def box(prefer, **wanted):
    claim = scoreboard.example(results, prefer=prefer, **wanted).claim
    return audits[claim.paper].box(claim.id)


# %% [markdown]
# ## The parts of a box
#
# * **The verdict**, and what it rests on.
# * **The claim** in our words, and where the paper prints it.
# * **The paper** has the printed value. Beside it stands what was found: *recomputed* from the printed text, *published* elsewhere, *recorded* on real
#   data, found in *this build*, or found by *a stand-in*.
# * **Remarks**, if any: how the value came about, what speaks for the paper, what the check leaves open.
# * **The check**, which leads to its code, with its arguments: the table and the row that it reads, the record, or the printed numbers.
# * **Cite this verdict**, folded: its id, its permanent address in this book, and a BibTeX entry to copy. The entries of all verdicts, those in long tables
#   included, are in [one file](../_static/verdicts/reading-faces-verdicts.bib).
#
# ## Six verdicts
#
# **Holds**: the value found agrees with the printed one.

# %% tags=["remove-input"]
box("002-rare", verdict=Verdict.HOLDS)

# %% [markdown]
# **Holds roughly**: it is off by a little, within a margin that was set beforehand.

# %% tags=["remove-input"]
box("002-simple-share", verdict=Verdict.ROUGHLY)

# %% [markdown]
# **Fails**: it is off by more. That says something about this number or sentence, and nothing about the rest of the paper.

# %% tags=["remove-input"]
box("003-point-fear-arousal", verdict=Verdict.FAILS)

# %% [markdown]
# **Contradicts itself**: two places of the same paper cannot both be right, whatever the world is like. The box names both places; it does not know which of
# them is wrong. Most are typing errors.

# %% tags=["remove-input"]
box("004-mse-against-conclusion", verdict=Verdict.CONTRADICTS)

# %% [markdown]
# **Not checkable here**: data, weights or details that a check would need are not at hand. This is no verdict on the claim.

# %% tags=["remove-input"]
box("004-large-scale", verdict=Verdict.UNCHECKED)

# %% [markdown]
# **Not checkable here (stand-in)**: something was trained, but another network, with another loss, for a shorter time or on other test faces than the claim is about.
# The box shows what the stand-in did and how it departs. Whatever it did decides nothing, neither for the paper nor against it.

# %% tags=["remove-input"]
box("002-nhot-gain-complex", verdict=Verdict.STAND_IN)

# %% [markdown]
# Some boxes carry **a mark**. *An observation of this book*: no paper says it, the book does, and it is not counted among the paper's claims.
# *Read from extracted text*: the check rests on signs or indices of an equation, and the text of the PDF, from which it was read, can lose both.
#
# ## Five kinds of evidence
#
# **Arithmetic** needs the printed text alone, and is the strongest: anybody can repeat it with a pencil.

# %% tags=["remove-input"]
box("003-params-sum", evidence=Evidence.ARITHMETIC)

# %% [markdown]
# **Published source**: what somebody else has published, such as the number of pictures in a data set. Nothing was computed.

# %% tags=["remove-input"]
box("001-data-jaffe-counts", evidence=Evidence.PUBLISHED)

# %% [markdown]
# **Same data**: the value was found on the data set that the paper used.

# %% tags=["remove-input"]
box("002-complex-pool", evidence=Evidence.SAME_DATA)

# %% [markdown]
# **Other data**: the value was found on another data set, or another part of it. The box says which. A claim that fails there
# may still be right about the paper's own case.

# %% tags=["remove-input"]
box("000-sad-like-neutral", evidence=Evidence.OTHER_DATA)

# %% [markdown]
# **Synthetic**: the value was found on painted faces, whose truth is known. That shows whether a mechanism can work; it never decides a claim about
# photographs. Here is one claim, judged by synthetic faces alone, and by what is recorded of the paper's own data:

# %% tags=["remove-input"]
painted = dataset_summary.measure(load("synthetic", count=count))
claim = scoreboard.example(results, evidence=Evidence.SAME_DATA, prefer="002-rare").claim
report.table(
    [
        {
            "evidence": known.evidence,
            "printed": report.printed(claim),
            "found": report.show(result.outcome.value, claim),
            "verdict": str(result.verdict),
        }
        for known in (painted, dataset_summary.recorded())
        for result in verdicts.judge([claim], known)
    ],
    caption=claim.says,
)

# %% [markdown]
# Where nothing was found to compare, or by a stand-in alone, the evidence is *none*.
#
# ## How much may differ
#
# A printed number stands for all numbers that round to it. So a difference within printed rounding is no difference: 87.43 agrees with a
# printed 87.4, and where several printed numbers enter a check, the rounding of each of them is allowed for. Beyond that:

# %% tags=["remove-input"]
report.prose(
    f"""a paper that says "about" of a count, a size or a time is given {comparison.ABOUT_HOLDS:.1%} of the printed value, and up to {comparison.ABOUT_ROUGHLY:.0%} for
    *holds roughly*. "At least", "at most", "more than" and "less than" are taken at their word, and a range ("2 to 4") at both of its ends. Words are compared
    as they are."""
)

# %% [markdown]
# **An accuracy is never given a share of itself**: of 86 % that would be points, and more points than most papers gain. Its claim names the number of
# test faces instead. Where the same paper prints it again, half of the last digit is allowed, and one unit of it for *holds roughly*. Where networks were
# trained again, an accuracy $p$ of $n$ test faces varies with the faces, and $1.96\sqrt{p(1-p)/n}$ is added, twice that for *holds roughly*. A claim that needs
# something else brings its own tolerance, which its file states.

# %% tags=["remove-input"]
scoreboard.allowance_table(results)

# %% [markdown]
# Results of training carry at least three seeds, with mean and 95 % interval; where two variants are compared, they are compared in pairs. Fewer seeds give no
# verdict, and neither does an interval that includes both outcomes, the claim and its contrary: that is *undecided*.
#
# ## Verdicts that bear weight
#
# A verdict can be right and still say nothing. Three things keep that from happening.
#
# **Another printed value must give another verdict.** A check that never looks at the printed number would say "holds" whatever stood there. So every claim
# that is decided by arithmetic is judged again with other printed values: one that holds is moved away from what was found, by more than its tolerance and on
# each side that the sentence looks at; one that does not hold is moved onto it. The verdict has to change, each time.

# %% tags=["remove-input"]
known = dataset_summary.recorded()
weight = mutation.weigh(results, known)
reasons = {result.claim.id for result in results if result.claim.insensitive}
open_cases = len(weight.unmoved.keys() - reasons)
report.prose(
    f"""For this page that was done with **{weight.claims}** claims and {weight.values:,} other values: **{weight.moved}** claims change their verdict with each of
    them, {len(weight.unmoved)} do not. {f"{open_cases} of those give no reason." if open_cases else "Each of those says why:" if weight.unmoved else ""}"""
)

# %% tags=["remove-input"]
scoreboard.insensitive(results)

# %% [markdown]
# **A stand-in never decides.** A claim about training says which networks it is about, which loss, how many {term}`epochs <epoch>`, which test faces and how many pixels, as far as
# the paper says it; a check says what was trained. Both are fields, and code compares them: half of the epochs are enough, all else has to be the same. Otherwise
# the verdict is *not checkable here (stand-in)*, also where a stand-in agrees with the paper.

# %% tags=["remove-input"]
trained = [result for result in results if result.outcome.trained is not None]
stood_in = sum(result.verdict is Verdict.STAND_IN for result in trained)
report.prose(
    f"""Of {sum(result.claim.kind == "trained" for result in results)} claims about training, {len(trained)} have a check that trained something. In
    **{stood_in}** of them that was a stand-in."""
)

# %% [markdown]
# **One claim, one count.** Cells of long tables are counted separately from statements, and observations of this book are not counted: see [the scoreboard](scoreboard).
#
# ## Where this can go wrong
#
# A check can misread a table, take a sentence too literally, or compare with the wrong thing. Then the verdict is wrong, however exact the
# arithmetic. [Corrections](corrections) says how to have it mended. In a terminal, `ferbook claims show` with a claim's id prints all that
# there is to know about it.
