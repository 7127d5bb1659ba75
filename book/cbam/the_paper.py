# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Paper 000: the paper
#
# Paper 000 {cite}`hadi2025` wants a camera to see **several emotions at once** on a face, as a help in monitoring mental health. A
# {term}`ResNet-50 <ResNet>` reads the face, an attention module (CBAM {cite}`woo2018`) weighs its features, and seven {term}`sigmoids <sigmoid>` answer seven questions with yes
# or no: happy? sad? angry? afraid? surprised? disgusted? neutral? It reports a mean {term}`average precision` of 89.7 % and an {term}`F1` of 100 % for
# five of the seven emotions.
#
# **You will see** in this chapter the system built as it is described, on synthetic faces whose truth is known and on photographs with several
# votes each. And you will see the one comparison that the paper leaves out: the same network without attention.
#
# :::{admonition} This chapter
# **After it you can** read a {term}`multi-label` result: say what a precision, a recall and a mean average precision rest on, how wide their intervals are, and
# whether a comparison has its other half.
#
# **You need** to know what a convolutional network and a {term}`confusion matrix` are. [FER+ in numbers](../faces/ferplus_in_numbers) explains where the votes come from.
#
# **It takes** eight pages. This one needs no network; [Evaluation](evaluation) and [Does attention help?](attention) hold the results.
# :::
#
# | page | question |
# |---|---|
# | this page | What do the printed tables show, and what can they not show? |
# | [From photo to tensor](photo_to_tensor) | What is done to a picture, and where do several labels come from? |
# | [The network](network) | Where does attention sit, and what does it cost? |
# | [Training](training) | Which loss, which folds? |
# | [Evaluation](evaluation) | The paper's figures and tables, from our runs. |
# | [Does attention help?](attention) | With and without, from the same start. |
# | [The weak labels](weak_labels) | Would the planned measures help sadness and anger? |
# | [Verdict](verdict) | All claims. |

# %%
from ferbook.claims import printed, report
from ferbook.core import records
from ferbook.measures import figures
from ferbook.papers.cbam import mean_precision
from ferbook.papers.cbam import tables as cbam_tables

figures.use_style()
audit = report.ClaimReport("000")

# %% [markdown]
# ## All claims
#
# Every number and statement of the paper that was checked, folded because they are many. Each line leads to the place where it is decided.

# %% tags=["hide-output", "remove-input"]
audit.table(caption="All claims of this paper")

# %% [markdown]
# ## The method
#
# The paper's figure 1 is a chain: get {term}`AffectNet` {cite}`mollahosseini2019`; find the face ({term}`MTCNN`), scale it to 224 pixels, augment, write the labels as
# zeros and ones; let a pretrained ResNet-50 extract features; let channel attention and then spatial attention weigh them; answer with one
# fully connected layer and sigmoids; measure; interpret. It is drawn again, with the sizes of the network that is built, in
# [The network](network).
#
# ## The data
#
# AffectNet has one expression per face: its tables, as they are described where it is given out, hold one code in one column. The paper
# treats it as multi-label data and does not say where the second label of a face comes from.

# %% tags=["remove-input"]
audit.box("000-images", "000-multilabel-data", "000-contempt")

# %% [markdown]
# ## Six images
#
# The printed counts are those of a test set of six images, where a fifth of AffectNet would be many thousands.

# %% tags=["remove-input"]
report.table(printed.table("000-table1"), caption="Table 1 of the paper: confusion counts per emotion")

# %% tags=["remove-input"]
counted = cbam_tables.counts()
(images,) = {sum(row) for row in counted.values()}
(with_it,) = {row.tp + row.fn for row in counted.values()}
voted = records.read("000/labels")["values"]["2"]["labels_per_face"]
report.prose(f"""Every row adds up to {images}, and every emotion is on {with_it} of the {images}. So an image
    carries **{with_it * len(counted) / images:.1f}** emotions on average: some must be, say, happy, sad, angry and disgusted at once. On FER+, where ten
    people vote on a face and two votes make a label, a face carries {voted:.1f}.""")

# %% tags=["remove-input"]
audit.box(
    "000-test-share",
    "000-seven",
    "000-cross-validation",
    "000-labels-in-six",
    "000-fullest-image",
    "000-balanced-table1",
)

# %% [markdown]
# ## Tables 1 and 2
#
# Precision, recall and F1 follow from the counts, and all of them do.

# %% tags=["remove-input"]
audit.rows("000-table2-*", caption="Table 2 of the paper, computed again from table 1")

# %% tags=["remove-input"]
audit.box(
    "000-same-counts",
    "000-f1-sad",
    "000-f1-angry",
    "000-perfect-five",
    "000-near-one",
    "000-balance",
    "000-sad-anger-errors",
    "000-sad-both-errors",
    "000-errors-two",
    "000-sad-most-errors",
    "000-anger-diagonal",
)

# %% [markdown]
# ## Averages that are not printed
#
# The paper gives no average over its labels but the mean average precision (mAP), though the standard averages follow from table 1. *Micro* takes all cells of the table together, *macro* the mean
# of the labels' scores. Subset accuracy asks for images that are right in every label; which images the three errors are on is not said, so it has
# two ends.

# %% tags=["remove-input"]
audit.rows("000-derived-*", caption="Averages of table 1, computed by this book")

# %% [markdown]
# ## What six images can show
#
# Three of three looks perfect. The interval says how far the truth may lie from it: the recall of a system that finds three of three could well
# be one half.

# %%
report.table(cbam_tables.rows(), caption="Table 2 again, with Wilson's 95 % intervals")

# %% tags=["remove-input"]
by_chance, first = cbam_tables.chance()
enough = cbam_tables.images_for(0.95)
report.prose(f"""Is it luck? For one emotion, a random order of six images puts the three right ones first in **{first:.0%}** of cases;
    five emotions out of seven by luck alone is next to impossible. So the six images do show *something*. They do not show how much: for the interval
    of a perfect score to begin above 95 %, one needs **{enough}** images with the emotion, all of them found.""")

# %% tags=["remove-input"]
audit.box(
    "000-perfect-interval",
    "000-perfect-images",
    "000-lowest-sad-precision",
    "000-lowest-sad-recall",
    "000-lowest-sad-f1",
    "000-sad-by-chance",
    "000-anger-by-chance",
    "000-anger-careful",
)

# %% [markdown]
# ## Mean average precision
#
# Average precision looks at an *order* by score. Table 1 does not give the scores, but it restricts the order: what was predicted lies above what
# was not. So the mean average precision (mAP) is bounded. But "mAP" has several meanings, and the paper does not say which is its own. [Which mean?](evaluation) tries
# every order under each of them.

# %% tags=["remove-input"]
usual, over_images = (mean_precision.readings()[name] for name in ("labels", "images"))
report.prose(f"""A random order of six images, three of them right, has an expected average precision of {by_chance:.1%}. With the counts of table 1,
    the standard mAP, a mean over labels, cannot go below **{float(usual.low):.1%}**, and the paper prints less, 89.7 %. A mean over images can go down to
    {float(over_images.low):.1%}. So either the paper took another mean than the standard one, or it took it on other images than table 1 counts; it says
    neither.""")

# %% tags=["remove-input"]
audit.box("000-map-table1", "000-map-again")

# %% [markdown]
# ## ROC curves
#
# The areas under the {term}`ROC` curves of figure 2 are not in the paper's text, and we had no more than that. Table 1 bounds them too.

# %% tags=["remove-input"]
report.table(cbam_tables.auroc_rows(), caption="Areas under the ROC curve that table 1 allows")

# %% tags=["remove-input"]
audit.box("000-auc")

# %% [markdown]
# ## What is not printed
#
# Section 2.2 names the {term}`Hamming loss`, the share of wrong cells among all labels of all images, as one of two measures. It is never given.

# %% tags=["remove-input"]
audit.box("000-hamming")

# %% [markdown]
# ## References
#
# What the text refers to, in itself and elsewhere. Most of these are typing errors. One is more than that: the method rests on seven works, and only one of them
# can be looked up in the list.

# %% tags=["remove-input"]
report.table(
    printed.table("000-list").rename(columns={"link names": "what the link's letters name"}),
    caption="The paper's list of references: first authors, where printed, and where the links lead",
)

# %% tags=["remove-input"]
audit.box(
    "000-works-listed",
    "000-method-sources",
    "000-compared",
    "000-five-years",
    "000-links",
    "000-article-118534",
    "000-cvpr-year",
    "000-list-numbered",
    "000-own-references",
    "000-sections-numbered",
)

# %% [markdown]
# ## What we cannot repeat
#
# AffectNet is given out under an agreement; a [reader](../faces/data_sets) for it is part of this book, and whoever has the data can run this chapter's
# networks on it. {term}`ImageNet`'s weights are a download that the build does not make. What follows uses synthetic faces, whose mixtures are known, and
# FER+ {cite}`barsoum2016`, whose ten votes per face are real multi-label data.
