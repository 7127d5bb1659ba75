# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Try a face
#
# What does the network say about *your* photo? This page answers for one photograph: it finds the faces, names what people would call their
# expressions, says how sure it may be, and shows which pixels spoke for the answer.
#
# *Explained in the glossary:* {term}`ECE`.
#
# :::{admonition} This chapter
# **After it you can** answer photographs of your own, read the card (what people would call the face, how sure that is, how far they would disagree), and say
# where such an answer must not be used.
#
# **You need** no knowledge of networks. Read [use and misuse](use_and_misuse) before you use an answer.
#
# **It takes** four pages: this one, [use and misuse](use_and_misuse), [the network in your browser](in_the_browser), and [other tools](peers).
# :::
#
# By default the photograph is made of synthetic faces, so that you can compare the answer with the truth. Set `PHOTO` to the path of your own.
# Everything runs on your machine. Read [use and misuse](use_and_misuse) before you show it anybody else's face.

# %% tags=["parameters"]
PHOTO = ""  # path of your own photograph; empty: synthetic faces
count = 3  # synthetic faces, 1 to 3
seed = 7

# %%
from pathlib import Path

import ferbook
from ferbook.claims import report
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.learning import calibration
from ferbook.measures import figures
from ferbook.papers.vad import readout
from ferbook.photos import cards, pictures, scenes
from ferbook.relevance import heatmaps

figures.use_style()
model = ferbook.load_model("compact-ferplus")
if PHOTO:
    picture, people, middles = pictures.decode(pictures.load(Path(PHOTO))), None, None
else:
    pixels, people, middles = scenes.scene(count, seed)
    picture = pictures.of_array(pixels)

# %% [markdown]
# ## The card
#
# `ferbook predict photo.jpg --out answers --explain` writes this card. Its steps: [MTCNN](../faces/finding_faces) finds boxes and {term}`landmarks <landmark>`, each face is
# aligned and scaled to 48 x 48 grey pixels, and the network that the book trained on {term}`FER+` answers for the face and its mirror image.

# %% mystnb={"image": {"alt": "The photograph with a numbered box around each face, and for each face bars of eight emotions, three axes with error bars, and a note on whether a crowd would agree"}}
seen = model.see(picture)
answers = model.answer(seen.faces)
leading = answers.probabilities.argmax(axis=1)
relevance = model.explain(seen.faces, leading)
cards.draw(Path(PHOTO).name or "synthetic faces", picture, seen, answers, model, relevance)

# %% [markdown]
# ## Two distributions
#
# The network learned how ten people's votes were shared out, so its own answer is a **share of votes**. How likely an emotion is the one that *most*
# people name is another number. Six votes of ten are a clear majority, and the probability of that majority is far above 0.6. Dividing the
# network's {term}`logits <logit>` by one number, a **temperature** fitted on FER+'s validation part {cite}`guo2017`, turns the first into the second.

# %% tags=["remove-input"]
fitted = calibration.read("compact-ferplus")
test = fitted["parts"]["test"]
report.table(
    [
        {
            "": name,
            "mean gap between confidence and accuracy (ECE)": f"{test[f'ece_{when}']:.3f}",
            "divergence from the votes (nats)": f"{test[f'kl_{when}']:.3f}",
        }
        for name, when in (
            ("shares of votes (temperature 1)", "before"),
            (f"probabilities (temperature {fitted['temperature']:.2f})", "after"),
        )
    ],
    caption=f"Recorded on {fitted['measured_on']}; the temperature was fitted on the validation part",
)

# %% [markdown]
# Each of the two is the better one for its own question, so the table of answers holds both: `probability_*` and `votes_*`.

# %%
table = ferbook.predict(picture.pixels, model=model)
table[["face", "emotion", "complexity", "disagree", *VAD_AXES, "reason"]]

# %% tags=["hide-input"] mystnb={"image": {"alt": "For each face bars of the eight emotions: the network's shares of votes, and for synthetic faces the true mixture"}}
if people is None:
    rows, titles = list(answers.shares), [f"face {k + 1}: shares of votes" for k in range(len(leading))]
else:
    owner = scenes.nearest(seen.found.boxes, middles)
    pairs = [
        pair
        for k, person in enumerate(owner)
        for pair in ((answers.shares[k], f"face {k + 1}: answer"), (people.mixture[person], f"face {k + 1}: truth"))
    ]
    rows, titles = zip(*pairs, strict=True) if pairs else ((), ())
if len(rows):
    _ = figures.distributions(rows, titles, columns=2)

# %% tags=["remove-input"]
if people is not None:
    shown = report.table(
        [
            {
                "face": k + 1,
                "true emotion": f"{EMOTIONS[people.label[person]]}, strength {people.intensity[person]:.1f}",
                "answer": f"{EMOTIONS[leading[k]]} ({answers.probabilities[k].max():.0%})",
                **{
                    axis: f"{answers.vad[k, j]:+.2f} (true {people.vad[person, j]:+.2f})"
                    for j, axis in enumerate(VAD_AXES)
                },
            }
            for k, person in enumerate(owner)
        ],
        caption="What the truth was. The network never saw a synthetic face in training",
    )
else:
    shown = None
shown

# %% [markdown]
# The answers are often wrong here, and often sure of it: nothing in the training data looks like these painted faces. What FER+ says of the {term}`temperature` holds for
# faces like FER+'s, and a confidence says nothing about pictures of another kind. [Use and misuse](use_and_misuse) has the accuracy on real faces.
#
# ## Would a crowd agree?
#
# If ten people voted independently by the predicted shares, they would name some number of emotions; its expectation is the predicted counterpart of
# paper 002's complexity. From a threshold on, the card says that the crowd would probably disagree, which means: three emotions or more would be named. The
# threshold was chosen on validation faces, where it separates both kinds best (the largest sum of sensitivity and specificity).

# %% tags=["remove-input"]
note = fitted["note"]
report.table(
    [
        {
            "FER+": part,
            "crowds that disagree": f"{rate['disagree']:.0%}",
            "note made": f"{rate['flagged']:.0%}",
            "right where it is made": f"{rate['precision']:.0%}",
            "disagreements that it finds": f"{rate['sensitivity']:.0%}",
            "right over all faces": f"{rate['right']:.0%}",
        }
        for part, rate in note.items()
    ],
    caption=f"How often the note is right (threshold {fitted['disagree_above']:.2f} emotions)",
)

# %% [markdown]
# ## Valence, arousal, dominance
#
# A straight line per axis leads from the eight shares to the axes. It was fitted on the published annotations of [papers 003 and 004](../vad/the_paper) and knows nothing of a
# face but those shares. Its error is large, and the card draws it.

# %% tags=["remove-input"]
judged, _, _ = readout.read("compact-ferplus")
report.table(
    [
        {
            "predictor": name,
            **{axis: f"{one[axis]['rmse']:.2f} (R² {round(one[axis]['r2'], 2) + 0.0:.2f})" for axis in VAD_AXES},
        }
        for name, one in judged["scores"].items()
    ],
    caption=f"Root mean squared error in five folds of {judged['faces']:,} annotated faces; the axes run from -1 to 1",
)

# %% [markdown]
# ## Which pixels spoke for it
#
# [Layer-wise relevance propagation](../relevance/propagation) hands the leading emotion's logit back to the pixels. Its rule here counts positive contributions alone, so
# red says "this spoke for it", and nothing speaks against. In a network with shortcuts, other rules give values without bound; this one keeps the sum.

# %% tags=["hide-input"] mystnb={"image": {"alt": "The faces as the network saw them, relevance over the fainter faces, and relevance alone"}}
if len(seen.faces):
    names = [f"{k + 1}: {EMOTIONS[j]}" for k, j in enumerate(leading[:4])]
    _ = heatmaps.overlays(seen.faces[:4], relevance[:4, None], names)

# %% [markdown]
# The map shows what moved the network. Whether it moved for a good reason, the map cannot say.
#
# ## In your own code
#
# ```python
# import ferbook
#
# faces = ferbook.predict(["photo.jpg", "holiday/"])  # paths, folders, Pillow pictures or arrays
# ```
#
# One row per face. A photograph without a face, or one that cannot be read, has one row that says why.
