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
# Section III.A keeps the convolutions of {term}`VGG16` {cite}`simonyan2015` as {term}`ImageNet` left them and trains a new head: two hidden layers of 4096
# neurons with dropout, and seven outputs. **You will see** how large that head is beside a data set such as {term}`JAFFE`, why its training costs little once features are
# kept, and what it learns on synthetic faces; and what it takes to train all of VGG16 on photographs.
#
# **What this build does not have: ImageNet's weights.** They would be a download. The frozen convolutions below are *random*, unless
# you give a file with weights. What the head learns therefore says how the procedure works, and nothing about the paper's accuracy.

# %% tags=["parameters"]
dataset = "synthetic"  # or "jaffe", "ckplus", "kdef", "affectnet", "ferplus", found through FERBOOK_DATA
faces = 240  # training pictures at most, neutral ones among them
size = 48  # pixels; the paper: 224
width = 256  # neurons in each hidden layer; the paper: 4096
epochs = 100  # as in the paper
weights = ""  # a .safetensors file of this VGG16, for trained convolutions
seed = 0

# %%
import time

import numpy as np
import torch
from sklearn.metrics import confusion_matrix

from ferbook import models
from ferbook.claims import printed, report, verdicts
from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import sweeps
from ferbook.measures import figures, intervals
from ferbook.relevance import drawings, head, photographs, pictures

emotions = EMOTIONS[1:]  # the paper's seven: without neutral

# %% tags=["remove-input"]
figures.use_style()

# %% [markdown]
# ## Where the parameters are

# %% tags=["remove-input"]
whole = models.build("vgg16_frozen", num_classes=7, seed=seed)
total, trained = models.parameter_count(whole), models.parameter_count(whole, trainable=True)
first = models.parameter_count(whole.classifier[0])
report.table(
    [
        {"part": "convolutions, frozen", "parameters": f"{total - trained:,}"},
        {"part": "head, trained", "parameters": f"{trained:,}"},
        {"part": "of these, the first dense layer", "parameters": f"{first:,}"},
        {"part": "together", "parameters": f"{total:,}"},
    ],
    caption="VGG16 with the paper's head",
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixteen bars, one per layer with weights, falling in height from 224 to 1: thirteen blue convolutions and three orange dense layers"}}
_ = drawings.stack(whole, drawings.layers_with_weights(whole.eval(), torch.zeros(1, 3, 224, 224)))

# %% [markdown]
# This is figure 2 of the paper, drawn from the network as it was built: above each layer the size of what it gives for a picture of 224 pixels.

# %% tags=["remove-input"]
jaffe = int(next(claim.printed for claim in verdicts.load_claims("001").claims if claim.id == "001-jaffe-size"))
report.prose(
    f"""**{trained / total:.0%}** of the network is trained, nearly all of it in one layer: {trained / jaffe:,.0f} trained numbers for each of JAFFE's
    {jaffe} pictures. Freezing the convolutions does not make the model small."""
)

# %% [markdown]
# ## From face to rank
#
# Figure 3 of the paper shows where this network stands: a face goes in, an emotion comes out, and the relevance of the face's pixels for that emotion
# becomes one of three ranks. Here is the chain with the sizes of the network as built; the network lies on the shaded ground.

# %% tags=["hide-input"] mystnb={"image": {"alt": "The chain from top to bottom: face, frozen convolutions, trained head, emotion, relevance of each pixel, score, rank"}}
maps = next(layer for layer in reversed(whole.features) if isinstance(layer, torch.nn.Conv2d)).out_channels
side = round((whole.classifier[0].in_features / maps) ** 0.5)
_ = figures.chain(
    [
        figures.Step("Face", "224 x 224 pixels, three colours"),
        figures.Step(
            "Convolutions of VGG16, frozen", f"{maps} maps of {side} x {side}; {total - trained:,} weights", True
        ),
        figures.Step(
            "Head, trained", f"two hidden layers of {whole.classifier[0].out_features}; {trained:,} weights", True
        ),
        figures.Step("Emotion", f"one of {whole.classifier[-1].out_features}: the largest logit", True),
        figures.Step("Layer-wise relevance propagation", "back through all layers: 224 x 224 x 3 relevances"),
        figures.Step("Score", "relevances brought to 0 to 1, then one mean per face"),
        figures.Step("Rank", "Minimal, Average or Strong"),
    ]
)

# %% tags=["remove-input"]
del whole

# %% [markdown]
# ## Features once, head often
#
# Since the convolutions never change, each picture needs to pass them once. The head then trains on the kept features. Training
# and test pictures show different people.

# %%
train, test = (
    pictures.without_neutral(pictures.part(dataset, part, faces, size=size, colour=True, seed=seed))
    for part in ("train", "test")
)
network = models.build("vgg16_48", num_classes=7, weights=weights or None, seed=seed)

start = time.perf_counter()
kept, unseen = (head.features(network, part.images) for part in (train, test))
once = time.perf_counter() - start
labels, truth = (part.distribution.argmax(axis=1) - 1 for part in (train, test))
dense = head.train(kept, labels, 7, width=width, epochs=epochs, seed=seed)
often = time.perf_counter() - start - once

# %% tags=["remove-input"]
answers = [dense(part).argmax(1).numpy() for part in (kept, unseen)]
seen = (answers[0] == labels).mean()
right = int((answers[1] == truth).sum())
found = intervals.wilson(right, len(test))
report.prose(
    f"""Computing the features of {len(train) + len(test)} pictures took {once:.0f} seconds, {epochs} epochs of the head {often:.1f} seconds. It names
    {seen:.0%} of the pictures it was trained on and **{found.estimate:.0%}** of {len(test)} pictures of people it has not seen (95 % interval
    {found.low:.0%} to {found.high:.0%}; the most frequent emotion alone is {np.bincount(truth).max() / len(truth):.0%} of them)."""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Confusion matrix of the head on random convolutions over seven emotions of synthetic faces"}}
counts = confusion_matrix(truth, answers[1], labels=range(7))
_ = figures.confusion(counts, emotions)

# %% [markdown]
# The head can learn most of its training pictures by heart, whatever the convolutions do. What it does on new people stands beside the
# most frequent emotion above: thirteen random layers keep little, if anything, of what distinguishes two expressions. With trained
# convolutions that would differ; how much cannot be said here.
#
# ## All layers trained, on photographs
#
# A VGG16 whose relevance is worth looking at has to be trained. `data/sweeps/001.yml` describes such a run: all sixteen layers, on
# {term}`FER+` {cite}`barsoum2016`, at 48 pixels and for a few {term}`epochs <epoch>`. It is no repetition of the paper's training: other pictures, smaller ones,
# another head, no start from ImageNet.

# %% tags=["remove-input"]
recorded = records.values_of(photographs.RECORD)
if recorded:
    run = sweeps.read_record(photographs.RUN)
    text = f"""After {run.config["epochs"]} epochs, of which the validation faces chose number {run.metrics["chosen_epoch"]}, it names **{recorded["accuracy"]:.1%}** of
    {recorded["faces"]:,} cleaned test faces correctly (one seed; either of two emotions with equally many votes counts as correct)."""
else:
    text = "**It has not been recorded yet**: `ferbook sweep 001` and `ferbook record relevance-vgg16 --root FOLDER` do that."
report.prose(text)

# %% tags=["remove-input"]
report.ClaimReport("001").box("001-vgg16-ties")

# %% tags=["remove-input"]
if recorded:
    config = run.config
    ours = {
        "Optimizer": config["optimiser"]["name"],
        "Batch Size": config["batch"],
        "Weight Decay": config["optimiser"]["weight_decay"],
        "Loss Function": config["loss"],
        "Number of training iterations (Epochs)": config["epochs"],
        "Dropout Rate": f"{100 * config['model']['options']['dropout']:.0f}",
        "Input image shape": "(48, 48, 1)",
    }
    lines = [
        {"parameter": row["parameter"], "the paper": row["value"], "our recorded run": ours.get(row["parameter"], "")}
        for _, row in printed.table("001-table1").iterrows()
    ]
    shown = report.table(lines, caption="Table 1 of the paper, and the settings of the recorded run")
else:
    shown = report.prose("Its settings stand beside table 1 once it is recorded.")
shown

# %% tags=["hide-input"] mystnb={"image": {"alt": "Confusion matrix of VGG16 on FER+'s test faces, eight emotions, recorded"}}
if recorded:
    _ = figures.confusion(recorded["confusion"])

# %% [markdown]
# ## What we see
#
# * The head holds nearly all of the parameters, and features that are kept make its training cheap.
# * What it can learn is decided by the convolutions, which the paper took from ImageNet and which a build without downloads does not have.
# * On the following pages relevance is looked at through networks that were trained from end to end, first of all a small one on synthetic
#   faces, whose intensity is known. Relevance of a network that has learned nothing explains nothing.
