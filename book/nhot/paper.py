# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Faces without one-hot labels
#
# Most face data sets say *one* emotion per picture. FER+ {cite}`barsoum2016` has ten votes per picture, so it can say how the opinion
# was divided. Paper 002 {cite}`duan2022` asks what a network gains when it is trained on the divided opinion. It is the final-year report of a
# student, well written and open about its limits, and it is the only one of our five papers whose data set lies complete before us.
#
# **You will see** what was done, what is claimed, which of the claims can be decided here, and by what.

# %%
from ferbook import nhot, report, sweeps

audit = report.ClaimReport("002")
recorded = sweeps.load("002", "nhot")

# %% [markdown]
# ## The method in short
#
# 1. Ten votes are cleaned and divided by their sum. Each face then has a **distribution** over eight emotions.
# 2. The training labels are reduced: **N-hot** labels keep the N largest shares at most. N = 1 is the usual single label, N = 8 is everything.
# 3. One tenth of the faces is for testing: drawn from all (**ordinary**), or only from faces with votes on more than three emotions
#    (**complex**). The test labels are never reduced.
# 4. A prediction counts as right when it is one of the emotions with the most votes.
# 5. Four networks (VGG16, RAN, DAN, MTEN) are trained at each N with Adam. Before that, VGG16 serves to choose augmentation, alignment, loss
#    and start weights.
#
# Steps 1 to 4 need no network. [FER+ in numbers](../faces/ferplus_in_numbers) counts them on the data set itself, and nothing of it is
# repeated here.
#
# ## Results in short
#
# The headline is accuracy. None of these four networks has been trained here at the scale of the paper, so the first four numbers stay open.

# %% tags=["remove-input"]
audit.rows(
    "002-best-*",
    "002-augmentation",
    "002-alignment",
    "002-imagenet",
    caption="What the best networks reach, and what each measure adds",
)

# %% [markdown]
# The one contradiction is small. Two numbers are printed for what seems to be the same thing. It does show how far a single run can be
# trusted: the differences that the report interprets are often smaller than one point.
#
# ## Where the other claims are decided

# %% tags=["remove-input"]
report.table(
    [
        {
            "subject": "votes, cleaning, complexity, classes, test sets",
            "claims": "counted on FER+",
            "page": "FER+ in numbers",
        },
        {"subject": "gain from N = 1 to 3, ordinary and complex", "claims": "recorded runs", "page": "N-hot training"},
        {"subject": "ten losses", "claims": "mathematics, recorded runs", "page": "Losses"},
        {"subject": "networks", "claims": "built and counted", "page": "Architectures"},
    ],
    caption="Evidence by subject",
)

# %% [markdown]
# ## What can be checked
#
# The labels and the test sets are defined so precisely that they can be rebuilt from the text. Training cannot be repeated to the
# letter: the report does not say which faces were drawn for testing, the batch size, the random seeds, or whether dropout was used. And
# four big networks times eight values of N times two test sets is more than a laptop can do.
#
# So this book asks the same question of a small network, with everything else as in the report: same faces, same labels, same two kinds
# of test set, same way of counting. If N-hot labels help because of what they say, they should help a small network too. If they do
# not, that is no proof against the report, which speaks of other networks. Every verdict says which network it rests on.

# %% tags=["remove-input"]
report.prose(f"""**Recorded on FER+ so far:** {nhot.recorded_so_far(recorded)}.""")

# %% [markdown]
# ## What the report could not say
#
# It tested each setting once, chose the best epoch **on the test faces**, and says so itself (sections 5.1.1 and 5.2.1). What that does
# to the numbers was left open: how much another seed changes, what the choice on test adds, what counting ties as right adds, and how many test
# faces have a copy in training. [N-hot training](nhot_training) measures each of them.
#
# ## Summary
#
# * **Scope.** Sections 3 and 4 of the report: labels, N-hot training, complex faces, losses, networks.
# * **What was easy.** Definitions of labels, test sets and metric are complete.
# * **What was difficult.** Most results stand in bar charts without numbers, and each rests on one run.
# * **What to take along.** A difference of one point between two single runs says little. Look for seeds and intervals before looking at means.
