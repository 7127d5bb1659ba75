# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Verdict on paper 001
#
# **The idea**, a rank of intensity from the explanation of a classifier, was tested on faces of known intensity, and the printed
# evidence was computed again from its own cells {cite}`punuri2024`.

# %%
from ferbook.claims import dataset_summary, report, verdicts
from ferbook.papers.relevance import tables

audit = report.ClaimReport("001")

# %% tags=["remove-input"]
judged = verdicts.judge(verdicts.load_claims("001").claims, dataset_summary.recorded())
counts = verdicts.counted(judged)["001"]
report.table(
    [{"verdict": str(verdict), "claims": counts[verdict]} for verdict in verdicts.Verdict],
    caption=f"The {counts.total()} claims of the paper in this chapter, this book's own observations left out",
)

# %% [markdown]
# ## Headline numbers
#
# The abstract's accuracies should be the averages of tables 6 to 9. The boxes compare them with the last row of each table, allowing for its rounding, and
# with each other. Beside the printed average, each box tells what the 18 cells average, and the six emotions: {term}`KDEF`'s number is none of these. All four
# numbers do have a form that averages of 18 two-digit numbers have, so they may come from such tables with other cells.

# %% tags=["remove-input"]
audit.box(
    "001-headline-jaffe-mean",
    "001-headline-ckplus-mean",
    "001-headline-kdef-mean",
    "001-headline-affectnet-mean",
    "001-headline-kdef-again",
    "001-headline-jaffe-again",
    "001-headline-ck-again",
    "001-ml-dcnnet",
    "001-headline-eighteenths",
)

# %% tags=["remove-input"]
audit.rows(
    "001-headline-*-other", "001-headline-affectnet-again", "001-earlier-work", caption="Other places, same numbers"
)

# %% tags=["remove-input"]
small = [name for name in tables.SCORE_TABLES if tables.SCORE_TABLES[name] != "AffectNet"]
missing = sum(len(tables.impossible_matrices(name, faces=199)) for name in small)
asked = sum(tables.scores(name)["emotion"].nunique() for name in small)
report.prose(
    f"""Behind these averages stand rows that exclude one another (page "Annotators and agreement"): for **{missing} of {asked}** emotions in tables 6 to 8 no confusion
    matrix has the printed precisions and recalls."""
)

# %% [markdown]
# ## What cannot be checked

# %% tags=["remove-input"]
audit.box("001-emotion-accuracy", "001-annotated", "001-real-time")

# %% tags=["remove-input"]
audit.rows(
    "001-open-data-set-single",
    "001-open-others-real-time",
    "001-open-robust-by-lrp",
    "001-open-more-accurate",
    "001-open-generalise",
    "001-open-exact-pixels",
    "001-open-architecture-helps",
    "001-open-reproducible",
    "001-open-biometric",
    "001-open-trust",
    caption="Statements without support in the paper",
)

# %% [markdown]
# ## All claims

# %% tags=["remove-input"]
audit.table()

# %% [markdown]
# ## Summary
#
# * **Scope.** All printed tables; the method on synthetic faces with known intensity, and on {term}`FER+`; not the paper's own pictures.
# * **What holds.** Relevance can be conserved through {term}`VGG16`. Bin sums and ranks of tables 3 and 4 follow from the counts, but for three cells.
# * **What does not.** The rule in the text is not the one in the tables, and would call each picture strong.
# * **What the rank measures.** On [our reading of the scaling](ranks), which the paper does not state, the largest against the smallest relevance of single
#   pixels; on known intensity it is [no better than chance](rank_scores), and [other quantities](intensity) follow intensity better.
# * **What was easy.** The tables are detailed enough to find out how they were made.
# * **What was difficult.** {term}`LRP` rule, scaling, learning rate and how many pictures were ranked are not stated.
# * **What to take away.** Test a measure where the truth is known, and beside an untrained network.
