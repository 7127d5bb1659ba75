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
# Most face data sets say *one* emotion per picture. {term}`FER+` {cite}`barsoum2016` has ten votes per picture, so it can say how the opinion
# was divided. Paper 002 {cite}`duan2022` asks what a network gains when it is trained on the divided opinion. It is the final-year report of a
# student, well written and open about its limits, and it is the only one of our five papers whose data set lies complete before us.
#
# **You will see** what was done, what is claimed, which of the claims can be decided here, and by what.
#
# :::{admonition} This chapter
# **After it you can** say what a label distribution adds to training, what an accuracy on such labels counts, and what has to be equal, repeated and
# counted before a difference between two trainings means something.
#
# **You need** [FER+ in numbers](../faces/ferplus_in_numbers), and to know what {term}`softmax`, {term}`cross-entropy` and an {term}`epoch` are.
#
# **It takes** ten pages. [N-hot training](nhot_training) and [Complex faces](complex_faces) hold the main results.
# :::

# %%
import pandas as pd

from ferbook.claims import dataset_summary, report, verdicts
from ferbook.learning import sweeps
from ferbook.papers.nhot import curves

audit = report.ClaimReport("002")
recorded = sweeps.load("002", "nhot")

# %% [markdown]
# ## All claims
#
# Every number and statement of the paper that was checked, folded because they are many. Each line leads to the place where it is decided.

# %% tags=["hide-output", "remove-input"]
audit.table(caption="All claims of this paper")

# %% [markdown]
# ## The method in short
#
# 1. Ten votes are cleaned and divided by their sum. Each face then has a **distribution** over eight emotions.
# 2. The training labels are reduced: **N-hot** labels keep the N largest shares at most. N = 1 is the common single label, N = 8 is everything.
# 3. One tenth of the faces is for testing: drawn from all (**ordinary**), or only from faces with votes on more than three emotions
#    (**complex**). The test labels are never reduced.
# 4. A prediction counts as right when it is one of the emotions with the most votes.
# 5. Four networks are trained ({term}`VGG16`; RAN, the region attention network; DAN, "distract your attention"; MTEN, a multi-task EfficientNet) at each N with Adam. Before that, VGG16 serves to choose augmentation, {term}`alignment`, loss
#    and start weights.
#
# Steps 1 to 4 need no network. [FER+ in numbers](../faces/ferplus_in_numbers) counts them on the data set itself, and nothing of it is
# repeated here.
#
# ## The claims
#
# The report was read sentence by sentence. What it states falls into four kinds: numbers that follow from other printed numbers
# (*arithmetic*), counts on the data (*measured*), results of training (*trained*), and statements without numbers of their own
# (*unsupported*).

# %% tags=["remove-input"]
judged = verdicts.judge(verdicts.load_claims("002").claims, dataset_summary.recorded())
kinds = pd.crosstab(*zip(*((result.claim.kind, str(result.verdict)) for result in judged), strict=True), margins=True)
order = [name for name in map(str, verdicts.Verdict) if name in kinds] + ["All"]
report.table(
    kinds[order]
    .rename_axis(index="kind", columns=None)
    .rename(index={"All": "all"}, columns={"All": "all"})
    .reset_index(),
    caption="Claims by kind and verdict",
)

# %% [markdown]
# *Trained* claims are about networks, a loss, a length and test faces that the report names. Only runs of these decide them, with three seeds of all that is
# compared, and at least half of the length. What the small network of this book finds in their place is shown beside the claim and decides nothing:
# "not checkable here (stand-in)".
#
# ## Results in short
#
# The headline is accuracy. Four networks are named with two decimals, each from one run and from the epoch that was best on the test faces.

# %% tags=["remove-input"]
audit.rows("002-best-*", "002-vgg16-augmented", caption="What the networks reach")

# %% [markdown]
# Such levels can only be tested by training the same networks as long as the report did. What stands between the numbers can be computed.

# %% tags=["remove-input"]
audit.rows("002-order-*", "002-about-*", caption="One network against another, by the printed accuracies")

# %% [markdown]
# Watch what is compared with what. VGG16's number is from faces with mirrored and turned copies, the numbers of the three other networks are from
# the plain faces. For RAN the report prints both, and with copies on both sides the lead is smaller than the
# ups and downs of [table 2](augmentation).
#
# ## Augmentation, alignment, start weights
#
# Mirrored and turned copies, faces turned upright, and weights from other data each have a claim or a table of their own. They are computed again, and tried, in
# [Augmentation and alignment](augmentation) and [Starting weights](starting_weights).
#
# ## Whole faces
#
# An accuracy is a number of right answers divided by a number of faces. Section 5.2.1 says that the test set was drawn once and never changed, and section
# 3.3.2 that it holds about a tenth of the faces. Then all accuracies are fractions with **one denominator**. Which denominators fit? With so few faces two decimals of a per
# cent are finer than one face, so a given accuracy fits some sizes and not others, and several accuracies together say something.

# %% tags=["remove-input"]
audit.rows("002-whole-*", caption="Printed accuracies as fractions of one test set")

# %% [markdown]
# The five numbers of table 2 agree on a size. With the three other accuracies of VGG16 no size fits all, whether the last digit was rounded or cut off. That
# is no error in itself. A program that averages over batches gives each face of a smaller last batch more weight, and then the result is no
# fraction of faces. It is a hint that the numbers were not all counted in one way.
#
# ## Labels, time and memory
#
# The printed examples of votes and labels are computed again in [Labels and splits](labels_and_splits), the printed times in [Time](time).
#
# ## Printed twice
#
# Numbers and statements that stand in two places, and comparisons of printed numbers. A long report that keeps nearly all of them the same
# was written with care.

# %% tags=["remove-input"]
audit.rows("002-twice-*", "002-larger-*", "002-easier-*", "002-web-complexity", caption="The same thing in two places")

# %% [markdown]
# ## References
#
# What the report says of other people's work can be looked up. Below: whether the reference that is given for a data set or a network is the work that
# introduced it, what other works print for numbers that are quoted from them, and whether the report's own parts are where it says. A published number is
# no measurement of this book; the verdict only says whether the quotation is right.

# %% tags=["remove-input"]
audit.rows(
    "002-cites-*",
    "002-quoted-*",
    "002-affectnet-size",
    "002-affectnet-half",
    "002-sfew-size",
    "002-rafdb-*",
    "002-rafml-*",
    "002-imagenet-size",
    "002-imagenet-bytes",
    "002-web-imbalance",
    "002-vgg-depth",
    "002-barsoum",
    caption="Other people's work",
)

# %% tags=["remove-input"]
audit.rows(
    "002-announced",
    "002-inner",
    "002-figures-*",
    "002-references-*",
    caption="Chapters, figures, references",
)

# %% [markdown]
# ## State of the art
#
# Which accuracy was the best, and what others had made public, by April 2022, when the report last looked up its references. One published
# figure is enough to show that something was not the best. Where none is named here, there may still be one.

# %% tags=["remove-input"]
audit.rows(
    "002-fer2013-best",
    "002-sfew-best",
    "002-affectnet-best",
    "002-dan-rafdb",
    "002-ferplus-second",
    "002-code",
    caption="The state of the art in 2022",
)

# %% [markdown]
# ## Without support
#
# Statements that rest on data sets that are not at hand, or on nothing printed. They may well be true. Several are proposals, and
# the author calls them so.

# %% tags=["remove-input"]
audit.rows(
    "002-affectnet-bytes",
    "002-outliers",
    "002-intensity",
    "002-attributes",
    "002-balanced",
    "002-resolution",
    caption="Statements that nothing here can decide",
)

# %% [markdown]
# ## Where the other claims are decided
#
# | subject | decided by | page |
# |---|---|---|
# | votes, cleaning, complexity, classes, test sets, single and minor votes | counting on FER+ | [FER+ in numbers](../faces/ferplus_in_numbers) |
# | printed votes, shares and categories | computing them again | [Labels and splits](labels_and_splits) |
# | networks, layers, operations | building and counting | [Architectures](architectures) |
# | mirrored and turned copies, alignment | arithmetic, recorded runs | [Augmentation and alignment](augmentation) |
# | ten losses | mathematics, recorded runs | [Ten losses](losses) |
# | start weights | arithmetic, recorded runs | [Starting weights](starting_weights) |
# | gain from N = 1 to 3 on ordinary faces | recorded runs | [N-hot training](nhot_training) |
# | complex faces | recorded runs, arithmetic | [Complex faces](complex_faces) |
# | hours and cards | arithmetic, recorded speeds | [Time](time) |
# | all together | | [Verdict](verdict) |
#
# ## What can be checked
#
# The labels and the test sets are defined so precisely that they can be rebuilt from the text. Training cannot be repeated to the
# letter: the report does not say which faces were drawn for testing, the batch size, the random seeds, or whether dropout was used. And
# four big networks times eight values of N times two test sets is more than a laptop can do.
#
# So this book asks the same question of a small network: same faces, same labels, same two kinds of test set, same way of counting. Loss, schedule,
# augmentation and number of epochs are its own, and a tenth of the training faces is kept to choose the epoch. If {term}`N-hot` labels help because of what they say, they should help a small network too. Whether they
# do or not, it proves nothing about the report, which speaks of other networks: no verdict rests on it.

# %% tags=["remove-input"]
report.prose(f"""**Recorded on FER+:** {curves.recorded_so_far(recorded)}.""")

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
# * **What to take away.** A difference of one point between two single runs says little. Look for seeds and intervals before looking at means.
