# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From photo to tensor
#
# Before the network sees a face, it is found, cut out, scaled, and (in training) changed a little at random. Its label becomes
# a row of zeros and ones. That last step looks trivial, and decides most of what the result means.
#
# **You will see** each step of the paper's section 2.4.1 on synthetic photos, and what "several labels" means on faces with ten votes.

# %% tags=["parameters"]
count = 4  # photos
seed = 3

# %%
import numpy as np

from ferbook import datasets, synthesis
from ferbook.claims import report
from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.measures import figures
from ferbook.papers.cbam import quick, results
from ferbook.vision import detection

figures.use_style()
audit = report.ClaimReport("000")

# %% [markdown]
# ## Find the face
#
# {term}`MTCNN` is a cascade of three small networks that propose boxes, refine them and place five {term}`landmarks <landmark>`.
# [Finding faces](../faces/finding_faces) measures it. Here it runs on photos with a loosely framed head.

# %%
people = synthesis.sample(count, seed=seed, split="test", framing="loose", occlusion=0.0)
photos = synthesis.render(people, size=224, colour=True)
found = detection.detect(photos, np.arange(count).astype(str))
faces = detection.crop(photos, found.boxes)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Synthetic photos with the landmarks that MTCNN found, above the faces cut out at 224 pixels"}}
_ = figures.marked(photos, {"MTCNN": found.landmarks}, columns=count)

# %% tags=["hide-input"] mystnb={"image": {"alt": "The same faces cut out and scaled to 224 by 224 pixels"}}
_ = figures.gallery(faces, columns=count, cell=1.5)

# %% [markdown]
# ## Augmentation
#
# The paper turns by up to 10 degrees, mirrors, and changes the contrast, by how much it does not say (here: up to 30 %). Section 3.6 plans three
# more: noise, brightness, and a "morphological warp", which we read as a smooth local bending of the face.

# %%
steps = {
    "rotation": {"name": "affine", "degrees": 10},
    "flip": {"name": "flip", "p": 1.0},
    "contrast": {"name": "contrast", "limit": 0.3},
    "noise": {"name": "noise", "deviation": 0.05},
    "brightness": {"name": "brightness", "limit": 0.2},
    "warp": {"name": "warp", "strength": 0.03},
}
made = quick.augmented(faces, steps, seed)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Each face as it is, then rotated, mirrored, with other contrast, with noise, with other brightness, and warped"}}
_ = figures.sheet(made, ["as it is", *steps], [""] * count, cell=1.15)

# %% tags=["remove-input"]
audit.box("000-flip-degrees", "000-contrast")

# %% [markdown]
# ## Several labels
#
# A face with several labels needs several opinions, or a known mixture. Three sources:
#
# * **AffectNet**: one annotator, one expression. Its {term}`one-hot` rows are "{term}`multi-label`" in form only.
# * **{term}`FER+`**: ten votes. A label is present from *k* votes on. With k = 1, a single vote by mistake is an emotion; with a large k, only one is left.
# * **Synthetic faces**: the mixture that the painter used. A label is present where its weight reaches one fifth.

# %% tags=["remove-input"]
labels = records.read("000/labels")["values"]
drawn = datasets.load("synthetic", count=1500)
truth = quick.label_share(drawn, 0.2)
report.comparison(
    [*results.LABELS, "labels per face"],
    {
        **{f"FER+, k = {k}": [*found["share"].values(), found["labels_per_face"]] for k, found in labels.items()},
        "synthetic": [
            *(truth[EMOTIONS.index(name)] for name in results.LABELS),
            truth[list(results.PLACES)].sum(),
        ],
    },
    ".2f",
    "Share of the faces that have each label",
)

# %% tags=["remove-input"]
two, three = labels["2"], labels["3"]


def many(found):
    return sum(found["with_labels"][2:]) / found["faces"]


differing = [found["same_as_votes"] for found in (two, three)]
same = (
    "no label is another one, for k = 2 or 3"
    if not any(differing)
    else f"{differing[0]:,} labels differ for k = 2, {differing[1]:,} for k = 3"
)
report.prose(f"""From two votes on, **{many(two):.0%}** of FER+'s faces have two labels or more; from three votes on, {many(three):.0%}. This book takes
    k = 2 as its main case. For the faces that cleaning keeps it hardly matters whether a label takes k votes of ten or a share of k tenths of the emotion votes: {same}. FER+ has an eighth emotion, contempt, that the paper does not have: our networks learn it, and
    every figure leaves it out. {two["contempt_alone"]} of {two["faces"]:,} faces have contempt alone, and count as faces without a label.""")

# %% [markdown]
# Which emotions meet? The paper names two pairs that "often" do.

# %% tags=["remove-input"]
names = results.LABELS
together = np.array(two["together"])
report.table(
    [
        {"": name} | {other: f"{100 * together[i, j]:.1f}" for j, other in enumerate(names)}
        for i, name in enumerate(names)
    ],
    caption="FER+, two votes or more: % of all faces with both labels (diagonal: with the label)",
)

# %% tags=["remove-input"]
audit.box("000-combinations-1", "000-combinations-2")

# %% [markdown]
# ## Summary
#
# * **Scope.** All of section 2.4.1, on synthetic photos; labels from FER+'s votes.
# * **What holds.** The steps can be done as described, but for the numbers that are missing.
# * **What does not.** {term}`AffectNet`, as it is given out, has no several labels to binarise.
# * **What to take away.** "Several labels" is a threshold on opinions. Say which.
