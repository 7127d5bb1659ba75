# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The synthetic face
#
# Papers about faces are tested on photographs, and nobody knows what a photographed person felt, or how strongly. This book
# therefore paints its own faces. Of each one we know **exactly** which emotions it shows and in which shares, how intense the
# expression is, where the eyes are, and who it is. On such faces a method can be tested against the truth.
#
# :::{admonition} This chapter
# **After it you can** say what is known about each face in this book, what {term}`FER+`'s votes are and are not, how well faces are found, and which data sets
# invite which mistakes.
#
# **You need** basic Python. No page of this chapter needs a data set or a GPU.
#
# **It takes** four pages: this one on painted faces, then [FER+ in numbers](ferplus_in_numbers), [finding faces](finding_faces), and
# [the data sets](data_sets).
# :::
#
# **You will see** what the faces look like, what is known about each, how ten simulated annotators judge them, how hard they are
# for a small network, and what they must not be used to claim.

# %% tags=["parameters"]
seed = 0  # another seed, other people
train_faces = 3000  # faces the small network learns from in this build
epochs = 14  # and how often it sees them

# %%
import numpy as np

from ferbook.book.interactive import mixture
from ferbook.claims import report
from ferbook.core import records
from ferbook.faces import raters
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.measures import figures, intervals
from ferbook.synthesis import ACTION_UNITS, render, sample
from ferbook.vision import difficulty

# Five people of the test split, facing the camera.
people = sample(5, seed=seed, split="test", pose=(0, 0, 0), occlusion="none")

# %% tags=["remove-input"]
figures.use_style()
people = people.with_pose(np.array([[0, 0, 0], [12, 0, 3], [-8, 4, 0], [0, -5, -4], [6, 2, 0]]))

# %% [markdown]
# ## Eight emotions
#
# An expression is built from **action units**, the visible movements of the face in the Facial Action Coding System: raised inner
# brows, a wrinkled nose, a parted mouth. Each emotion has a prototype, a combination of units that EMFACS, a list that maps units to emotions, associates with it. Below,
# five people at intensity 0.8.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Contact sheet of painted faces: five people in rows, the eight emotions in columns"}}
every = people[np.repeat(np.arange(5), 8)].with_expression(np.tile(np.eye(8), (5, 1)), 0.8)
_ = figures.sheet(render(every, size=112, colour=True), [f"person {p + 1}" for p in range(5)], EMOTIONS)

# %% [markdown]
# ## Intensity
#
# Intensity runs from 0, a neutral face, to 1, the full prototype. Each unit grows with it.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Contact sheet: one person showing seven emotions in rows at five rising intensities in columns"}}
levels = (0.2, 0.4, 0.6, 0.8, 1.0)
shown = EMOTIONS[1:]
one = people[np.full(len(shown) * len(levels), 1)]
sweep = one.with_expression(np.repeat(np.eye(8)[1:], len(levels), axis=0), np.tile(levels, len(shown)))
_ = figures.sheet(render(sweep, size=112, colour=True), shown, [f"{level:g}" for level in levels], cell=0.9)

# %% [markdown]
# ## Blends
#
# A face may show two emotions at once. Its {term}`action units <action unit>` are then the weighted mean of both prototypes, and the weights are the true
# **emotion distribution**, which the papers can only estimate from votes.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Contact sheet: three blends of two emotions in rows, the share of the second emotion growing from left to right"}}
pairs = [("happiness", "surprise"), ("sadness", "anger"), ("fear", "surprise")]
shares = (0.0, 0.25, 0.5, 0.75, 1.0)
mixtures = np.array(
    [(1 - s) * np.eye(8)[EMOTIONS.index(a)] + s * np.eye(8)[EMOTIONS.index(b)] for a, b in pairs for s in shares]
)
blends = people[np.repeat([0, 2, 3], len(shares))].with_expression(mixtures, 0.9)
_ = figures.sheet(
    render(blends, size=112, colour=True), [f"{a}\nto {b}" for a, b in pairs], [f"{s:.0%}" for s in shares], cell=0.95
)

# %% [markdown]
# Any two emotions of one person. At intensity 0 every face is neutral; the point in valence, arousal and dominance moves out with the
# intensity, and between the two emotions with the share.

# %% tags=["remove-input"]
mixture.blend(people[1])

# %% [markdown]
# ## As a network sees them
#
# Networks in this book mostly get 48 x 48 grey pixels, as in FER+. Random people, light, pose, covering hands and masks, and the grain
# of a cheap camera come with it.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Thirty random synthetic faces in grey at 48 by 48 pixels"}}
crowd = sample(30, seed=seed, split="train")
_ = figures.gallery(render(crowd, size=48), columns=10, cell=0.62)

# %% [markdown]
# ## What is known about a face
#
# Everything below is exact, for every face: no annotator was asked.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four synthetic faces with their five known landmarks: eyes, nose tip and mouth corners"}}
known = sample(4, seed=seed + 3, split="test", framing="head")
_ = figures.marked(render(known, size=160, colour=True), {"known": known.landmarks(160)})


# %% tags=["remove-input"]
def parts(row, names, least=0.05):
    order = [k for k in np.argsort(-row) if row[k] > least][:4]
    return ", ".join(f"{names[k]} {row[k]:.2f}" for k in order) or "none"


truth = {
    "person": [str(number) for number in known.identity],
    "emotions": [parts(row, EMOTIONS) for row in known.mixture],
    "intensity": [f"{value:.2f}" for value in known.intensity],
    **{axis: [f"{value:+.2f}" for value in known.vad[:, k]] for k, axis in enumerate(VAD_AXES)},
    "strongest action units": [parts(row, ACTION_UNITS) for row in known.action_units],
    "yaw, pitch, roll (degrees)": [", ".join(f"{angle:+.0f}" for angle in row) for row in known.pose],
}
report.comparison(
    list(truth),
    {f"face {k + 1}": [row[k] for row in truth.values()] for k in range(4)},
    "",
    "The truth about these faces",
)

# %% [markdown]
# The point in **valence, arousal and dominance** is the mixture of published reference points for the emotion words, scaled by the intensity.
# The points of seven words go back to Russell and Mehrabian's ratings of 1977; they list no contempt, whose point comes from the NRC VAD
# lexicon. That *neutral* lies at the origin is a convention.
#
# ## Ten annotators
#
# FER+ had each face judged by ten people. Ten simulated raters stand in for them: they confuse similar emotions, take weak expressions for
# neutral, have lasting preferences, and make a mistake now and then. Paper 001 asks its annotators for something else, a rank of intensity
# (minimal, average, strong), and reports a majority but no agreement. The same raters can do that, too, and how far they agree can
# be said: {term}`Fleiss' kappa` is 1 where all always agree and 0 where they agree as often as by chance.

# %%
many = sample(1000, seed=seed, split="valid")
votes = raters.vote(many.mixture, many.intensity, seed=seed)
ranks = raters.tally(raters.rate_intensity(many.intensity, seed=seed), len(raters.RANKS))

# %% tags=["remove-input"]
rows = []
for task, counts in (("emotion (ten answers)", votes), ("intensity (three ranks)", ranks)):
    label, tied = raters.majority(counts)
    kappa = raters.agreement(counts, seed=seed, resamples=300)
    rows.append(
        {
            "task": task,
            "kappa": f"{kappa.kappa:.2f}",
            "95 % interval": f"{kappa.low:.2f} to {kappa.high:.2f}",
            "faces with a tied majority": f"{tied.mean():.1%}",
        }
    )
report.table(rows, caption=f"Agreement of ten simulated annotators on {len(many):,} faces")

# %% [markdown]
# ## How hard they are
#
# A set that every network solves is of no use. The small network below has four convolutions; it learns from faces with all emotions alike
# and is tested on **people it has never seen**. *Recorded* is the full run, *this build* a short one.

# %%
faces = difficulty.balanced(round(train_faces / 0.8), seed)
quick = difficulty.measure(faces.part("train"), faces.part("test"), epochs=epochs, seed=seed)

# %% tags=["remove-input"]
full = records.read(difficulty.RECORD)
runs = full["values"]["runs"]
spread = intervals.over_seeds([run["accuracy"] for run in runs])
report.prose(
    f"""The network has {quick.parameters:,} parameters. In the recorded runs it saw {runs[0]["train"]:,} faces {runs[0]["epochs"]} times,
    which took {full["values"]["seconds"] / 60:.1f} minutes on two processor cores, and named the leading emotion of
    **{spread.estimate:.1%}** of {runs[0]["test"]:,} test faces (mean of {len(runs)} seeds of training; 95 % interval {spread.low:.1%} to {spread.high:.1%}). In this
    build it saw {quick.train:,} faces {quick.epochs} times and reached {quick.accuracy:.1%}."""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Confusion matrix of the small network over the eight emotions, recorded runs added up"}}
mistakes = np.sum([run["confusion"] for run in runs], axis=0)
_ = figures.confusion(mistakes)

# %% tags=["remove-input"]
wrong = np.where(np.eye(8, dtype=bool), 0, mistakes / mistakes.sum(axis=1, keepdims=True))
worst = [np.unravel_index(place, wrong.shape) for place in np.argsort(-wrong, axis=None)[:3]]
named = ", ".join(f"{EMOTIONS[true]} for {EMOTIONS[taken]} ({wrong[true, taken]:.0%})" for true, taken in worst)
report.prose(
    f"Most often taken for something else: {named}. A weak expression of anything resembles a neutral face, by design."
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar chart: accuracy of the small network in four groups of rising expression intensity"}}
bounds = difficulty.INTENSITY_BOUNDS
groups = [f"{low:g} to {high:g}" for low, high in zip(bounds, bounds[1:], strict=False)]
_ = figures.bars(
    groups,
    {
        "recorded": 100 * np.mean([run["by_intensity"] for run in runs], axis=0),
        "this build": 100 * np.array(quick.by_intensity, dtype=float),
    },
    [figures.SOURCE_COLOURS["recorded"], figures.SOURCE_COLOURS["build"]],
    xlabel="true intensity",
    ylabel="accuracy (%)",
    form="{:.0f}",
)

# %% [markdown]
# ## What these faces must not be used to claim
#
# * **Nothing about people.** The prototypes are a convention of emotion research. That a person who shows one feels the emotion is
#   exactly what the synthetic face cannot test.
# * **No accuracy on photographs.** A network that reads these faces has learned our renderer.
# * **No empirical verdict.** A claim about real data never *holds* because of synthetic faces. They show whether a mechanism can work
#   when everything is known, and that is all.
#
# ## Summary
#
# * **What is known** of each face: mixture, intensity, point in VAD space, action units, five {term}`landmarks <landmark>`, pose, person.
# * **Splits** go by person, and face number *i* is the same pixels whatever else is drawn.
# * **What is difficult**, for the network as for the simulated crowd: weak expressions, and a one-sided smile.
