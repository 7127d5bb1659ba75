# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Relevance
#
# Layer-wise relevance propagation {cite}`bach2015` starts with the score of one class and hands it down, layer by layer, until every pixel holds a
# share. **You will see** that procedure on a network of seven neurons, whether the shares add up, what biases swallow, and maps of
# relevance on faces.

# %% tags=["parameters"]
train_faces = 2400  # faces the small network learns from
epochs = 8
seed = 0

# %%
import numpy as np
import torch
from torch import nn

from ferbook import figures, models, report
from ferbook.emotions import EMOTIONS
from ferbook.relevance import by_hand, heatmaps, intensity, lrp, networks, ranks
from ferbook.synthesis import render, sample

audit = report.ClaimReport("001")

# %% tags=["remove-input"]
figures.use_style()

# %% [markdown]
# ## Two layers by hand
#
# Two inputs, three hidden neurons, two classes. Forward, each neuron adds up its weighted inputs and a bias, and a ReLU cuts off what is
# negative. Backward, neuron $j$ has some relevance $R_j$ and divides it among its inputs in proportion to what they contributed,
# $z_{ij} = x_i w_{ij}$:
#
# $$R_i = \sum_j \frac{z_{ij}}{\sum_{i'} z_{i'j}} R_j$$
#
# That is the **epsilon rule** (with a tiny $\varepsilon$ in the denominator). The **z+ rule** lets only positive contributions count, and **alpha2-beta1** counts
# them twice and the negative ones against them. The paper does not say which rule it used.

# %%
layers, x = by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT
states = by_hand.forward(layers, x)
found = {rule: by_hand.propagate(layers, x, target=0, rule=rule) for rule in by_hand.RULES}
found["epsilon, biases take part"] = by_hand.propagate(layers, x, 0, "epsilon", bias_takes_part=True)

# %% tags=["remove-input"]


def numbers(values):
    return ", ".join(f"{value:.2f}" for value in values)


rows = [
    {"": "activation", "inputs": numbers(states[0]), "hidden": numbers(states[1]), "class 1": numbers(states[2][:1])}
]
rows += [
    {"": f"relevance, {rule}", "inputs": numbers(r[0]), "hidden": numbers(r[1]), "class 1": numbers(r[2][:1])}
    for rule, r in found.items()
]
for row, r in zip(rows, [None, *found.values()], strict=True):
    row["sum at the inputs"] = "" if r is None else f"{r[0].sum():.2f}"
report.table(rows, caption="Figure 4's procedure with numbers: class 1 explained by four rules")

# %% [markdown]
# Without biases, each rule gives the inputs exactly the score of the class: equations 1 and 2 of the paper. If the bias counts as one
# more input, it keeps its share, and the pixels get less or more than the score.

# %% tags=["remove-input"]
audit.box("001-conservation", "001-conservation-biases")

# %% [markdown]
# ## Sixteen layers
#
# The same check on VGG16, with random weights and biases: what share of the explained logit arrives at the pixels?

# %%
network = models.build("vgg16_48", num_classes=7, seed=seed)
generator = torch.Generator().manual_seed(seed)
for layer in network.modules():
    if isinstance(layer, nn.Conv2d):
        layer.bias.data = 0.05 * torch.randn(layer.bias.shape, generator=generator)
pictures = torch.from_numpy(render(sample(4, seed=seed), size=48, colour=True)).permute(0, 3, 1, 2) / 255
logits = lrp.scores(network, pictures)
targets = logits.argmax(1)
shares = {}
for rule in ("z_plus", "alpha2_beta1", "gamma_box"):
    for bias in (False, True):
        arrived = lrp.relevance(network, pictures, targets, rule, bias=bias)
        shares[rule, bias] = lrp.conserved(arrived, logits, targets).numpy()

# %% tags=["remove-input"]
report.table(
    [
        {
            "composite": rule,
            "biases take nothing": f"{100 * shares[rule, False].min():.1f} to {100 * shares[rule, False].max():.1f} %",
            "biases take their share": f"{100 * shares[rule, True].min():.0f} to {100 * shares[rule, True].max():.0f} %",
        }
        for rule in ("z_plus", "alpha2_beta1", "gamma_box")
    ],
    caption="Share of the logit that arrives at the pixels of four pictures, VGG16",
)

# %% [markdown]
# With `zero_params="bias"` relevance is conserved through all sixteen layers. zennit's default lets biases keep what they claim, so a sum of
# relevance over pixels is *not* the score there. The epsilon rule is missing from the table: where a layer's bias nearly cancels its
# inputs, the denominator is almost zero and relevance explodes. Without any biases in the network it conserves, too, and is then the same as
# gradient times input.
#
# ## Maps
#
# Now a network that has learned something: four convolutions trained on synthetic faces. Four correctly named faces, explained with
# the z+ composite. Red pixels speak for the named emotion, blue ones against it; all maps share one scale with zero in the middle.

# %%
small = intensity.ready(count=train_faces, epochs=epochs, seed=seed)
faces = sample(400, seed=seed, split="test", blends=0.0, occlusion="none", pose=(0, 0, 0))
images = render(faces, size=48)
inputs = networks.standardised(images)
answers = lrp.scores(small, inputs)
right = np.flatnonzero((answers.argmax(1).numpy() == faces.label) & (faces.label > 0))
chosen = [
    next(i for i in right[np.argsort(-faces.intensity[right])] if faces.label[i] == label)
    for label in sorted(set(faces.label[right]))[:4]
]
labels = torch.from_numpy(faces.label[chosen])
box = {"low": float(inputs.min()), "high": float(inputs.max())}

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four synthetic faces; below each, its relevance laid over it and alone, in blue, white and red"}}
for rule in ("z_plus", "gamma_box"):
    maps = lrp.relevance(small, inputs[chosen], labels, rule, **box).numpy()
    given = ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(maps)))
    sure = answers.softmax(1)[chosen, labels].numpy()
    titles = [
        f"{EMOTIONS[label]}\n{ranks.RANKS[rank]}\np = {p:.2f}\nintensity {faces.intensity[i]:.2f}"
        for label, rank, p, i in zip(labels, given, sure, chosen, strict=True)
    ]
    figure = heatmaps.overlays(images[chosen], maps, titles)
    figure.suptitle(rule, fontsize=12)

# %% [markdown]
# Above, the z+ composite; below, gamma with the z-box. The same network, the same faces and the same score, and yet two different
# explanations and, at times, two different ranks: a rank depends on a choice that the paper does not state.
#
# ## Colour channels
#
# Figures 10 to 12 of the paper show a map per colour channel. Each channel has its own relevance, and all three together have the score.

# %% tags=["hide-input"] mystnb={"image": {"alt": "A colour picture of a synthetic face and its relevance in the red, green and blue channel"}}
colour = render(sample(4, seed=seed), size=48, colour=True)[0]
_ = heatmaps.channels(colour, lrp.relevance(network, pictures[:1], targets[:1], "z_plus")[0].numpy())

# %% [markdown]
# This is VGG16 with random weights, which has learned nothing; the eyes of the reader find a face in its map all the same. That is why
# heatmaps alone are no evidence, and why [a later page](intensity) puts untrained networks beside trained ones.
