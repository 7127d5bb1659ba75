# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Two papers on valence, arousal and dominance
#
# An emotion can be a word, or a point. The point has three coordinates: **valence** (unpleasant to pleasant), **arousal** (calm to
# excited) and **dominance** (submissive to in control), V, A, D for short. Papers 003 {cite}`huo2024access` and 004
# {cite}`huo2024ieice` are by the same two authors and share one method. A network sees a face of FER2013 and predicts both the word (one
# of seven) and the point. A third loss, **consistency**, charges the network when the two do not fit: a face called *happy* should not
# have negative valence. The papers report that this makes every prediction better.
#
# **You will see** what the tables of the two papers say when one computes with them. The method itself, its data and its published code are
# the subject of the pages that follow.

# %%
from ferbook import printed, report

third, fourth = report.ClaimReport("003"), report.ClaimReport("004")

# %% [markdown]
# ## The method in one paragraph
#
# Four losses are added: cross-entropy for the category, the squared errors of V, A and D, and lambda times the consistency cost. The network is
# a ResNet-18. Each axis is trained with the category (three models), then all of them together (a fourth), each once with and once without the
# consistency cost. The metric is the *average loss*: the mean squared error over the test faces. Annotations are whole numbers from -2 to 2.
#
# ## Decreases
#
# The abstract of paper 003 puts the gain from consistency at 0.7 % (V), 6 % (A) and 0.4 % (D). Its discussion gives the gains as differences of
# losses, and table 3 the losses themselves. Together they fix the percentages, up to rounding.

# %% tags=["remove-input"]
third.box("003-abstract-valence", "003-abstract-arousal", "003-abstract-dominance")

# %% [markdown]
# It looks as if two of the three were differences of losses times 100, and one a true percentage.
#
# ## Accuracy
#
# Consistency is said to raise the accuracy of the category by 9.68 and 6.45 points. A share of a test set is a whole number of faces; which
# numbers could these be?

# %% tags=["remove-input"]
third.box("003-accuracy-public", "003-accuracy-private")

# %% [markdown]
# Both are within rounding of *no* count out of FER2013's 3,589 test faces, though only by a hair; and both are exactly what three and two
# faces out of 31 would give. That may be chance.
#
# ## One model or four
#
# Table 3 compares learning one axis with the category against learning all of them at once.

# %% tags=["remove-input"]
third.rows("003-joint-*-*", "003-efficiency", caption="Table 3 of paper 003, pair by pair")

# %% [markdown]
# Equal to every printed digit, six times. The paper concludes that learning together does no harm. Two runs of one network that shares its
# features among tasks would hardly agree so well. [A later page](leads) shows when they do: if nothing is shared.

# %% tags=["remove-input"]
fourth.box("004-joint")

# %% [markdown]
# ## Training
#
# Paper 003 trains for 120 epochs in batches of 16, with a rate of 0.01 that falls tenfold every 10,000 iterations. FER2013 has 28,709 training faces.

# %%
iterations = -(-28_709 // 16)  # per epoch, rounded up
epoch = 7 * 10_000 / iterations

# %% tags=["remove-input"]
report.prose(
    f"""One epoch is {iterations:,} iterations, so by epoch {epoch:.0f} the rate has fallen ten-million-fold, which is about as finely as single precision resolves a weight.
    The remaining epochs can hardly change anything. (The published code has another schedule, with a first step after 80 epochs.)"""
)

# %% [markdown]
# ## Table 3 of paper 004
#
# The second paper repeats the comparison with 40 epochs.

# %% tags=["remove-input"]
report.table(printed.table("004-table3"), caption="Paper 004, table 3: average losses and accuracy (%)")

# %% tags=["remove-input"]
fourth.box("004-v-better", "004-a-better", "004-d-better", "004-classify-worse", "004-accuracy-use", "004-accuracy-not")

# %% [markdown]
# Differences in the sixth decimal are printed, so they hold as printed. Whether they mean anything depends on how much such a loss moves by
# itself; the [authors' logs](leads) tell.
#
# ## The confusion matrix

# %% tags=["remove-input"]
fourth.box("004-matrix-accuracy", "004-matrix-disgust", "004-matrix-disgust-anger")

# %% [markdown]
# ## Printed twice
#
# Statements that stand in two places and differ. Most are slips of the pen without consequence.

# %% tags=["remove-input"]
third.box("003-without-without", "003-joint-table", "003-figure7", "003-seven-categories")

# %% tags=["remove-input"]
fourth.box("004-seven-categories")

# %% [markdown]
# ## Without support
#
# Statements that the papers give no numbers for. They may well be true; nothing here can tell.

# %% tags=["remove-input"]
third.rows(
    "003-first-d",
    "003-user-study-*",
    "003-duration",
    caption="Statements of paper 003 without numbers",
)
