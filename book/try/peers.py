# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What other tools say
#
# Packages that name the emotion of a face are one installation away. Here some of them answer for the same faces as the book's network: {term}`FER+`'s
# official test part, each face as the 48-pixel grey picture that it is.
#
# **You will see** how often each tool says what most people said, how far its confidence can be trusted, and why the comparison is not quite fair to
# anybody.

# %%
from ferbook.claims import report
from ferbook.measures import figures
from ferbook.photos import peers

figures.use_style()
found = peers.recorded()
titles = {name: peers.title(name) for name in found}

# %% [markdown]
# ## Over the seven shared emotions
#
# No other tool here knows contempt. The fairest figure leaves it out on both sides: faces that most people call contempt do not count, and the book's
# network may not answer with it. Where several emotions tie for most votes, each of them is right.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Chart: accuracy of each tool on the test faces over the seven shared emotions, with 95 percent intervals"}}
_ = figures.forest(
    {
        titles[name]: tuple(100 * entry["values"]["seven"][key] for key in ("accuracy", "low", "high"))
        for name, entry in found.items()
    },
    xlabel="accuracy over seven emotions, 95 % interval (%)",
    zero=None,
)

# %% tags=["remove-input"]
report.table(peers.accuracy_rows(found, "seven"), caption="Seven emotions, FER+ official test part, recorded")

# %% [markdown]
# *Macro {term}`F1`* weighs every emotion alike, so it falls where a tool misses rare ones. The *calibration error* is the mean distance between a tool's
# confidence and how often it is right (15 bins); the book's network answers with its
# {term}`temperature`, as [In the browser](in_the_browser) explains.
#
# ## Over all eight

# %% tags=["remove-input"]
report.table(
    peers.accuracy_rows(found, "eight"),
    caption="Eight emotions: a tool without contempt is wrong about every face of it",
)

# %% [markdown]
# ## Emotion by emotion

# %% tags=["remove-input"]
report.comparison(
    list(peers.SHARED),
    {titles[name]: entry["values"]["seven"]["recall"] for name, entry in found.items()},
    ".0%",
    "Share of each emotion's faces that is recognised, of the seven",
)

# %% [markdown]
# ## Speed and size

# %% tags=["remove-input"]
report.table(
    [
        {
            "tool": titles[name],
            "version": peers.PEERS[name].version if name in peers.PEERS else "",
            "from": peers.PEERS[name].registry if name in peers.PEERS else "this repository",
            "weights, MB": f"{entry['values']['bytes'] / 1e6:.2f}",
            "faces/s": f"{entry['values']['images_per_s']:,.0f}",
            "how it was asked": peers.PEERS[name].note if name in peers.PEERS else "face and mirror image",
        }
        for name, entry in found.items()
    ],
    caption="One face after the other by the tool's own call, two cores, recorded",
)

# %% [markdown]
# Speed is one over the median time per face. The machine was not idle: take differences of less than a factor of two for nothing.
#
# ## What is unfair
#
# * **To the others**: the book's network was trained on FER+'s training part, with FER+'s votes. Theirs learned other labels, as a rule those of {term}`FER2013`,
#   which one person gave each picture. FER+ exists because those labels are often wrong, and a tool that learned them faithfully loses here.
# * **To the others, again**: their packages find faces with detectors of their own and cut them out in their own way. Here all get the finished
#   48-pixel picture, which suits the book's network; a tool that expects 200 pixels and colour has to invent them.
# * **To the book's network**: the packages do not say which faces they were trained on. Who trained on all of FER2013 has seen these test faces.
#   An accuracy on them says nothing certain about new ones. One of them, facial-emotion-recognition, prints an
#   accuracy of its own when it loads, above nine tenths; the tables show how little that says about these faces.
# * **To everybody**: pictures from the web of 2013, found with search words and cut to 48 pixels. Nobody's photographs look like that today.
#
# ## What was left out
#
# Many well-known tools fetch their weights from elsewhere when they first run: HSEmotion and EmotiEffLib, deepface, py-feat, rmn, fer-pytorch. Only packages that hold
# their weights were compared, so that the comparison can be repeated from the package registries alone. `@vladmandic/human` holds an emotion network that its
# source names as the one behind `fer`, and has no call for a face that is cut out already.
#
# `ferbook record peers` repeats everything: it makes an environment for each kind of tool under `_build/peers`, separate from the book's, and asks them. One
# of them needs Node.
#
# ## Summary of this chapter
#
# * **Scope.** One small network of this book, trained on FER+, and other packages, all on the same test faces.
# * **What was easy.** Votes let the answer say how far people would disagree, which a single label cannot.
# * **What was difficult.** Nobody can say how good an answer is for faces unlike FER+'s: other light, other poses, other people.
# * **What to take away.** A network predicts what people would call a picture. Show its uncertainty, and do not take the word for a feeling.
