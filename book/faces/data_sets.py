# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Data sets and their readers
#
# No photograph is part of this book. Whoever has a data set names its folder (`DATA=` for a build, `FERBOOK_DATA` in a notebook), and
# `ferbook.datasets` finds it, checks it and reads it. This page is the card of each: what it holds, who may have it, and what to
# beware of when a number rests on it.

# %%
from ferbook import datasets
from ferbook.claims import report
from ferbook.datasets.cards import CARDS

# %% [markdown]
# ## At a glance

# %% tags=["remove-input"]
report.table(
    [
        {
            "data set": card.title,
            "load with": f'{"datasets.academic.load()" if card.name == "academic" else f"""datasets.load("{card.name}")"""}',
            "holds": "; ".join(f"{count:,} {part}" for part, count in card.counts.items()),
            "emotions": len(card.labels) or "–",
        }
        for card in CARDS.values()
    ],
    caption="Data sets of this book",
)

# %% [markdown]
# ## How a face set looks in code
#
# Every reader of faces gives the same object: pictures, ids, and whatever is known, in step. An error names the file and the row, and leaves nothing
# half-read behind.

# %%
faces = datasets.load("synthetic", count=200)
{key: array.shape for key, array in faces.arrays().items()}

# %% [markdown]
# ## The cards

# %% tags=["remove-input"]
report.cards(CARDS.values())

# %% [markdown]
# ## Leakage, in one paragraph
#
# Four of these sets invite it. **{term}`FER+`** holds the same picture in training and test. **{term}`CK+`** in its 48-pixel form holds three neighbouring
# frames of each sequence, so that a random split tests on near-copies. **{term}`JAFFE`** and **{term}`KDEF`** show few people many times. Split by subject
# where subjects are known, remove duplicates where they are not, and say which was done.
#
# ## Summary of this chapter
#
# * **Scope.** Painted faces whose truth is known, FER+ counted vote by vote, a face detector, and a reader for each data set.
# * **What was easy.** FER+'s votes are public, and painted faces come with every answer.
# * **What was difficult.** Most data sets are given out under agreements, so their readers were tested on files made in the same form, not on the photographs.
#   FER+ comes without {term}`landmarks <landmark>` and without the persons' identities.
# * **What to take away.** Know what a label is before you train on it: how many people gave it, of what, and how often they agree. Then look for copies.
