# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Paper 001: the paper
#
# Paper 001 {cite}`punuri2024` names the emotion on a face and then says **how strong** it is: minimal, average or strong. Both come from
# one network, {term}`VGG16`, trained to distinguish emotions. No label says how strong they are. The rank is read off an *explanation* of its
# answer: layer-wise relevance propagation (LRP) {cite}`bach2015` gives every pixel a share of the network's score, the shares are sorted
# into ten bins, and the fullest part of the histogram decides.
#
# If that worked, it would be remarkable: a measure of intensity without a single label of intensity. Averaged over emotions and ranks, the
# paper reports an accuracy of 94 to 96 % against ten annotators.
#
# **You will see** in this chapter the method in steps small enough to do by hand, each printed table computed again from
# its own cells, and the test that the paper could not make: on faces whose intensity is known.
#
# :::{admonition} This chapter
# **After it you can** compute relevance through a small network by hand, say what a heat map can and cannot show, and test a measure that was read off an
# explanation: where the truth is known, beside an untrained network, and beside the plain score.
#
# **You need** to know how a convolutional network computes its scores, and what a {term}`gradient` is. [The synthetic face](../faces/synthetic_face) explains where
# known intensity comes from.
#
# **It takes** nine pages. [Does it measure intensity?](intensity) holds the main result.
# :::
#
# | page | question |
# |---|---|
# | [The classifier](classifier) | What is trained, and what does it cost? |
# | [Relevance](propagation) | What does LRP do, and does it conserve what it hands down? |
# | [From relevance to rank](ranks) | What decides the rank? The text and the tables disagree. |
# | [Annotators and agreement](agreement) | Are the printed scores possible? |
# | [Are the ranks right?](rank_scores) | The same scores and matrices for ranks of our own, on known intensity. |
# | [Does it measure intensity?](intensity) | What does follow intensity, before training, after it, and on photographs? |
# | [Is relevance faithful?](faithfulness) | Does it point at what the network uses? |
# | [Verdict](verdict) | All claims. |

# %%
import matplotlib.pyplot as plt
import numpy as np

from ferbook.claims import printed, report
from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.measures import figures
from ferbook.relevance import photographs

audit = report.ClaimReport("001")
recorded = records.values_of(photographs.RECORD)

# %% tags=["remove-input"]
figures.use_style()

# %% [markdown]
# ## All claims
#
# Every number and statement of the paper that was checked, folded because they are many. Each line leads to the place where it is decided.

# %% tags=["hide-output", "remove-input"]
audit.table(caption="All claims of this paper")

# %% [markdown]
# ## The method
#
# 1. Four data sets: {term}`JAFFE`, {term}`CK+`, {term}`KDEF` (posed in a laboratory) and {term}`AffectNet` (from the web). Seven emotions.
# 2. VGG16 with {term}`ImageNet`'s convolutions, which stay as they are; a new classifier of 4096, 4096 and 7 neurons is trained.
# 3. For each correctly named test picture, LRP gives a relevance per pixel and colour channel.
# 4. Relevance is brought to the range from 0 to 1 and sorted into ten bins. Three overlapping windows of five bins compete: 1 to 5
#    (minimal), 4 to 8 (average), 6 to 10 (strong).
# 5. Ten annotators rank the same pictures; the majority is the truth that ranks are compared with.
#
# ## The settings

# %% tags=["remove-input"]
settings = printed.table("001-table1")
report.table(settings, caption="Table 1 of the paper: training parameters")

# %% [markdown]
# Two batch sizes and two numbers of {term}`epochs <epoch>` are given without saying which belongs to which data set, the learning rate is not given, and
# *regularization* repeats weight decay. Pictures have two sizes: 255 pixels in section III.C, 224 in table 1. Tables 3 and 4 settle which,
# because their bins add up to the number of values in a picture: one table used 224, the other 255.

# %% tags=["remove-input"]
audit.box("001-input-side", "001-resized-side", "001-vgg-layers", "001-seven-emotions", "001-gpu-memory")

# %% tags=["remove-input"]
audit.rows("001-setting-*", caption="Settings in the text and in table 1")

# %% [markdown]
# ## The data

# %% tags=["remove-input"]
report.table(printed.table("001-table2"), caption="Table 2 of the paper: pictures per emotion")

# %% [markdown]
# The rows for JAFFE and KDEF list *contempt* and no *neutral*. Both data sets have it the other way round, so either the column is
# mislabelled or neutral faces were used as contempt. JAFFE's row adds up to 210, as it should with 30 pictures of each of seven
# expressions; the printed total and the printed size of the data set are two other numbers.

# %% tags=["remove-input"]
audit.box(
    "001-jaffe-total",
    "001-ckplus-total",
    "001-kdef-total",
    "001-jaffe-size",
    "001-jaffe-classes",
    "001-kdef-pictures",
    "001-ck-size",
    "001-jaffe-test",
)

# %% tags=["remove-input"]
audit.rows("001-data-*", caption="More on the data")

# %% [markdown]
# CK+ is a set of short films. Its makers count 327 with a labelled emotion, and table 2 has each of their seven counts **three times**: the
# last three frames of each, as a copy at 48 pixels holds them. These frames look alike, so a split that shuffles pictures puts neighbours of most test
# pictures into training.
#
# Figure 8 of the paper draws how many pictures of AffectNet show each emotion. AffectNet is not at hand; the same drawing of {term}`FER+`'s labels, whose faces the
# recorded networks of this chapter were tested on:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars: how many cleaned test faces of FER+ have each of eight emotions as their label"}}
if recorded:
    faces = np.sum(recorded["confusion"], axis=1)
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 2.8))
    bars = axis.bar(EMOTIONS, faces, color=figures.SOURCE_COLOURS["build"])
    axis.bar_label(bars, fontsize=10)
    axis.set_ylabel("test faces of FER+")
    axis.tick_params(axis="x", labelrotation=30)

# %% [markdown]
# ## Text, captions and references
#
# What stands between the tables was read as closely: captions against the text, numbers of references against the list of references, and what is said
# about other people's data and {term}`action units <action unit>` against what these people published.

# %% tags=["remove-input"]
audit.rows(
    "001-caption-*",
    "001-au-*",
    "001-reference-*",
    "001-open-reference-35",
    "001-name-*",
    "001-ranking-trained",
    "001-grey-to-colour",
    caption="Captions, action units and references",
)

# %% [markdown]
# ## What we cannot repeat
#
# JAFFE, CK+, KDEF and AffectNet are given out under agreements and are not part of this book; [readers](../faces/data_sets) for them are.
# ImageNet's weights are a download that the build does not make. The annotators' ratings were not published. So the paper's accuracies
# are not re-measured here. Everything that follows from the printed text is, and the method itself runs on synthetic faces and was recorded
# on FER+. Who has one of the paper's data sets on disk can name it in the parameter `dataset` of the pages on the classifier, on relevance
# and on ranks, and gets the same steps on it.
