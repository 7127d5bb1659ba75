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
# Every claim of the papers, with what was found and the verdict. **A click on a claim** leads to its place in the chapter that decides it;
# **a click on its check** leads to the few lines of code that computed the value. [How to read a verdict](how_to_read) explains the words,
# [Corrections](corrections) says what to do if one is wrong.

# %%
from ferbook import figures, report, scoreboard

figures.use_style()
results = scoreboard.judged()

# %% [markdown]
# ## In numbers

# %% tags=["hide-input"] mystnb={"image": {"alt": "Stacked bars, one per paper: how many of its claims hold, hold roughly, fail, contradict each other, or cannot be checked"}}
_ = scoreboard.counts_figure(results)

# %% tags=["remove-input"]
report.table(scoreboard.counts(results), caption="Claims by paper and verdict")

# %% tags=["remove-input"]
report.table(scoreboard.counts(results, "evidence"), caption="Claims by paper and what the verdict rests on")

# %% [markdown]
# Do not read these numbers as marks. A paper with large tables has many claims that are easy to check, and one that prints little has few. A slip
# of the pen counts as much here as the main result; [the ten findings](ten_findings) sort out what matters. *Not checkable here* is no verdict
# on a paper: it says what this book could not do.
#
# ## All claims

# %% tags=["remove-input"]
scoreboard.board(results)
