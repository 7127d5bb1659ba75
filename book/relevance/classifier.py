# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The classifier
#
# Section III.A keeps the convolutions of VGG16 {cite}`simonyan2015` as ImageNet left them and trains a new head: two hidden layers of 4096
# neurons with dropout, and seven outputs. **You will see** how large that head is, why its training costs little once features are
# kept, and what it learns on synthetic faces.
#
# **What this build does not have: ImageNet's weights.** They would be a download. The convolutions below are *random*, unless you
# give a file with weights. What the head learns therefore says how the procedure works, and nothing about the paper's accuracy.

# %% tags=["parameters"]
faces = 210  # training pictures
size = 48  # pixels; the paper: 224
width = 256  # neurons in each hidden layer; the paper: 4096
epochs = 100  # as in the paper
weights = ""  # a .safetensors file of this VGG16, for trained convolutions
seed = 0

# %%
import time

import numpy as np
from sklearn.metrics import confusion_matrix

from ferbook import claims, figures, intervals, models, report
from ferbook.emotions import EMOTIONS
from ferbook.relevance import head
from ferbook.synthesis import render, sample

emotions = EMOTIONS[1:]  # the paper's seven: without neutral

# %% tags=["remove-input"]
figures.use_style()
prior = np.array([0.0] + [1.0] * 7)

# %% [markdown]
# ## Where the parameters are

# %% tags=["remove-input"]
whole = models.build("vgg16_frozen", num_classes=7, seed=seed)
total, trained = models.parameter_count(whole), models.parameter_count(whole, trainable=True)
first = whole.classifier[0].weight.numel()
report.table(
    [
        {"part": "convolutions, frozen", "parameters": f"{total - trained:,}"},
        {"part": "head, trained", "parameters": f"{trained:,}"},
        {"part": "of these, the first dense layer", "parameters": f"{first:,}"},
        {"part": "together", "parameters": f"{total:,}"},
    ],
    caption="VGG16 with the paper's head",
)

# %% tags=["remove-input"]
del whole
jaffe = int(next(claim.printed for claim in claims.load_claims("001").claims if claim.id == "001-jaffe-size"))
report.prose(
    f"""**{trained / total:.0%}** of the network is trained, nearly all of it in one layer: {trained / jaffe:,.0f} trained numbers for each of JAFFE's
    {jaffe} pictures. Freezing the convolutions does not make the model small."""
)

# %% [markdown]
# ## Features once, head often
#
# Since the convolutions never change, each picture needs to pass them once. The head then trains on the kept features.

# %%
train = sample(faces, seed=seed, split="train", prior=prior, blends=0.0, occlusion="none")
test = sample(faces, seed=seed, split="test", prior=prior, blends=0.0, occlusion="none")
network = models.build("vgg16_48", num_classes=7, weights=weights or None, seed=seed)

start = time.perf_counter()
kept, unseen = (head.features(network, render(part, size=size, colour=True)) for part in (train, test))
once = time.perf_counter() - start
dense = head.train(kept, train.label - 1, 7, width=width, epochs=epochs, seed=seed)
often = time.perf_counter() - start - once

# %% tags=["remove-input"]
answers = [dense(part).argmax(1).numpy() for part in (kept, unseen)]
seen = (answers[0] == train.label - 1).mean()
right = int((answers[1] == test.label - 1).sum())
found = intervals.wilson(right, len(test))
report.prose(
    f"""Computing the features of {len(train) + len(test)} pictures took {once:.0f} seconds, {epochs} epochs of the head {often:.0f} seconds. It names
    {seen:.0%} of the pictures it was trained on and **{found.estimate:.0%}** of as many pictures of people it has not seen (95 % interval
    {found.low:.0%} to {found.high:.0%}; chance is {1 / 7:.0%})."""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Confusion matrix of the head on random convolutions over seven emotions of synthetic faces"}}
counts = confusion_matrix(test.label - 1, answers[1], labels=range(7))
_ = figures.confusion(counts, emotions)

# %% [markdown]
# ## What we see
#
# The head can learn most of its training pictures by heart, whatever the convolutions do. What it does on new people stands beside chance
# above: thirteen random layers keep little, if anything, of what tells two expressions apart. With trained convolutions
# that would differ; how much cannot be said here. The experiments on the following pages use a small network that is trained from end
# to end instead, because relevance of a network that has learned nothing explains nothing.
