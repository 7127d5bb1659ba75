# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What is re-made, and how closely
#
# A verdict says whether a number is right. It does not say how much of a paper was done again. Here is every figure and every table that
# the papers number, with what this book has in its place.
#
# * **yes**: a figure or table of the same kind, from this book's own computation. The word leads to it.
# * **partly**: some of it.
# * **no**: nothing, and why.
#
# "Re-made" does not mean "the same". No network of the papers was published, and most were trained on data or for a time that this book does not have.
# So each line says what ours is computed from, which network was trained for it, and how it departs from the printed one. Where a table could be computed
# again from numbers that the paper prints elsewhere, the data are *printed numbers* and there is no network.

# %% tags=["remove-cell"]
from ferbook.book import coverage
from ferbook.claims import report

entries = coverage.load()

# %% tags=["remove-input"]
found = coverage.counts(entries).loc["all"]
report.prose(
    f"""The papers number **{found["printed"]}** figures and tables. Of these **{found["yes"]}** are re-made, {found["partly"]} in part, and
    {found["no"]} are not."""
)

# %% tags=["remove-input"]
coverage.counts_table(entries)

# %% [markdown]
# ## One by one

# %% tags=["remove-input"]
coverage.lists(entries)

# %% [markdown]
# The list is `data/claims/coverage.yml`. A line that is wrong can be [reported](corrections) like a verdict.
