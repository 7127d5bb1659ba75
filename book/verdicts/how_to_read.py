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
# printed one; the comparison gives one of five verdicts. Nobody writes a verdict by hand.
#
# Every verdict can be followed back: from [the scoreboard](scoreboard) to the claim's box in its chapter, and from each box to
# [its check](checks). The examples on this page are real claims, shown as they stand today.

# %% tags=["parameters"]
count = 400  # synthetic faces

# %%
from ferbook import claims, facts, report, scoreboard
from ferbook.claims import Evidence, Verdict
from ferbook.datasets import load

results = scoreboard.judged()
audits = {paper: report.ClaimReport(paper) for paper in claims.paper_numbers()}


def box(prefer, **wanted):
    claim = scoreboard.example(results, prefer=prefer, **wanted).claim
    return audits[claim.paper].box(claim.id)


# %% [markdown]
# ## The parts of a box
#
# * **The verdict**, and what it rests on.
# * **The claim** in our words, and where the paper prints it.
# * **The paper** has the printed value. Beside it stands what was found: *recomputed* from the printed text, *recorded* on real data, or found in *this build*.
# * **Remarks**, if any: how the value came about, what speaks for the paper, what the check leaves open.
# * **The check**, which leads to its code, with its arguments: the table and the row that it reads, the record, or the printed numbers.
#
# ## Five verdicts
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
# them is the slip. Most are slips of the pen.

# %% tags=["remove-input"]
box("004-mse-against-conclusion", verdict=Verdict.CONTRADICTS)

# %% [markdown]
# **Not checkable here**: data, weights or details that a check would need are not at hand. This is no verdict on the claim.

# %% tags=["remove-input"]
box("004-large-scale", verdict=Verdict.UNCHECKED)

# %% [markdown]
# ## Four kinds of evidence
#
# **Arithmetic** needs the printed text alone, and is the strongest: anybody can repeat it with a pencil.

# %% tags=["remove-input"]
box("003-params-sum", evidence=Evidence.ARITHMETIC)

# %% [markdown]
# **Same data**: the value was found on the data set that the paper used. Where a network was trained for it, the box names the network: it may not be the paper's.

# %% tags=["remove-input"]
box("002-complex-pool", evidence=Evidence.SAME_DATA)

# %% [markdown]
# **Other data**: the value was found on another data set, or another part of it. The box says which. A claim that fails there
# may still be right about the paper's own case.

# %% tags=["remove-input"]
box("001-measures-intensity", evidence=Evidence.OTHER_DATA)

# %% [markdown]
# **Synthetic**: the value was found on painted faces, whose truth is known. That shows whether a mechanism can work; it never decides a claim about
# photographs. Here is one claim, judged by synthetic faces alone, and by what is recorded of the paper's own data:

# %% tags=["remove-input"]
painted = facts.measure(load("synthetic", count=count))
claim = scoreboard.example(results, evidence=Evidence.SAME_DATA, prefer="002-rare").claim
report.table(
    [
        {
            "evidence": known.evidence,
            "printed": report.printed(claim),
            "found": report.show(result.outcome.value, claim),
            "verdict": str(result.verdict),
        }
        for known in (painted, facts.recorded())
        for result in claims.judge([claim], known)
    ],
    caption=claim.says,
)

# %% [markdown]
# Where nothing was found to compare, the evidence is *none*.
#
# ## How much may differ
#
# A printed number stands for all numbers that round to it. So a difference within printed rounding is no difference: 87.43 agrees with a
# printed 87.4, and where several printed numbers enter a check, the rounding of each of them is allowed for. Beyond that:

# %% tags=["remove-input"]
report.prose(
    f"""a paper that says "about" is given {claims.ABOUT_HOLDS:.1%} of the printed value, and up to {claims.ABOUT_ROUGHLY:.0%} for *holds roughly*. "At least", "at most",
    "more than" and "less than" are taken at their word. A claim can bring a tolerance of its own, which its file states. Words are compared
    as they are."""
)

# %% tags=["remove-input"]
report.table(scoreboard.allowances(results), caption="One claim for each kind of comparison")

# %% [markdown]
# Results of training carry at least three seeds, with mean and 95 % interval; where two variants are compared, they are compared in pairs. Fewer seeds give no
# verdict, and neither does an interval that has room for the claim and for its contrary: that is *undecided*.
#
# ## Where this can go wrong
#
# A check can misread a table, take a sentence too literally, or compare with the wrong thing. Then the verdict is wrong, however exact the
# arithmetic. [Corrections](corrections) says how to have it mended. In a terminal, `ferbook claims show` with a claim's id prints all that
# there is to know about it.
