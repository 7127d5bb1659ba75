# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The scoreboard
#
# Every claim of the papers, with what was found and the verdict. [How to read a verdict](how_to_read) explains the words,
# [Corrections](corrections) says what to do if one is wrong.

# %% tags=["remove-cell"]
from ferbook.book import scoreboard
from ferbook.claims import report
from ferbook.measures import figures

figures.use_style()
results = scoreboard.judged()

# %% tags=["remove-input"]
scoreboard.counts_table(results)

# %% tags=["remove-input"]
scoreboard.board(results)

# %% [markdown]
# To take along: all verdicts [as a PDF](../_static/verdicts/reading-faces-verdicts.pdf) and
# [as BibTeX](../_static/verdicts/reading-faces-verdicts.bib).
#
# A paper opens, and in it each of its parts. **A click on a claim** leads to its place in the chapter that decides it; **a click on its check**
# leads to the few lines of code that computed the value.
#
# ## How to read the numbers

# %% tags=["remove-input"]
own = sum(result.claim.by == "book" for result in results)
report.prose(
    f"""{scoreboard.bulk(results)} A *cell* is one number of a table or figure that was checked with many others like it, mostly by the same
    line of code; a *statement* is what a paper says in so many words. {own} further verdicts are observations of this book. They are listed with the
    paper that they are about, marked, and not counted."""
)

# %% [markdown]
# Do not read these numbers as marks. A paper with large tables has many claims that are easy to check, and one that prints little has few. A typing
# error counts as much here as the main result; [the ten findings](ten_findings) sort out what matters. *Not checkable here* is no verdict
# on a paper: it says what this book could not do. Where a small network stood in for the paper's own, the verdict is *not checkable here (stand-in)*,
# whatever the small network did.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two stacked bar charts, one bar per paper: how many of its statements, and of its table cells, hold, hold roughly, fail, contradict each other, or cannot be checked"}}
_ = scoreboard.counts_figure(results)

# %% [markdown]
# What the verdicts rest on:

# %% tags=["remove-input"]
scoreboard.counts_table(results, "evidence")
