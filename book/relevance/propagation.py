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
# share. **You will see** that procedure on a network of seven neurons, whether the shares add up, what biases keep, and maps of
# relevance on synthetic faces and on those of {term}`FER+`.

# %% tags=["parameters"]
dataset = "synthetic"  # or "ferplus", "jaffe", "ckplus", "kdef", "affectnet", found through FERBOOK_DATA
train_faces = 2400  # faces the small network learns from
epochs = 8
maps_of = "synthetic"  # faces under the recorded maps of VGG16; or "ferplus", found through FERBOOK_DATA
seed = 0

# %%
import numpy as np
import torch
from torch import nn

from ferbook import models
from ferbook.claims import report
from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import sweeps
from ferbook.measures import figures
from ferbook.relevance import (
    benchmark,
    by_hand,
    drawings,
    heatmaps,
    intensity,
    lrp,
    networks,
    photographs,
    pictures,
    ranks,
)
from ferbook.relevance import maps as recorded_maps

audit = report.ClaimReport("001")

# %% tags=["remove-input"]
figures.use_style()

# %% [markdown]
# ## Two layers by hand
#
# Two inputs, three hidden neurons, two classes. Forward, each neuron adds up its weighted inputs and a bias, and a {term}`ReLU` cuts off what is
# negative. Backward, neuron $j$ has some relevance $R_j$ and divides it among its inputs in proportion to what they contributed,
# $z_{ij} = x_i w_{ij}$:
#
# $$R_i = \sum_j \frac{z_{ij}}{\sum_{i'} z_{i'j}} R_j$$
#
# That is the **epsilon rule** (with a tiny $\varepsilon$ in the denominator). The **z+ rule** lets only positive contributions count, and **alpha2-beta1** counts
# them twice and the negative ones against them. The **gamma rule** lies between the first two: it adds a share $\gamma$ of each positive weight to that weight, so
# that positive contributions count more and negative ones still count. The paper does not say which rule it used.
#
# A **composite** says which layer has which rule. Those of this book are named after the rule of their convolutions; dense layers have the epsilon rule in each
# of them. A name that ends in `_box` has a rule of its own in the first layer, [explained below](#sixteen-layers).

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
report.table(rows, caption="Figure 4's procedure with numbers: class 1 explained in four ways")

# %% tags=["hide-input"] mystnb={"image": {"alt": "The network of seven neurons twice: with its activations and arrows forward, with relevance and arrows back"}}
_ = drawings.neurons(layers, states, found["epsilon"])

# %% [markdown]
# Figures 1 and 4 of the paper draw such a network, forward and back. Orange lines have positive weights, blue ones negative. Only class 1 is explained, so
# class 2 has no relevance to hand down.

# %% [markdown]
# Without biases, each rule gives the inputs exactly the score of the class: equations 1 and 2 of the paper. If the bias counts as one
# more input, it keeps its share, and the pixels get less or more than the score.

# %% tags=["remove-input"]
audit.box("001-conservation", "001-conservation-biases")

# %% [markdown]
# ## Sixteen layers
#
# The same check on {term}`VGG16`, with random weights and biases: what share of the explained {term}`logit` arrives at the pixels?

# %%
network = models.build("vgg16_48", num_classes=7, seed=seed)
generator = torch.Generator().manual_seed(seed)
for layer in network.modules():
    if isinstance(layer, nn.Conv2d):
        layer.bias.data = 0.05 * torch.randn(layer.bias.shape, generator=generator)
colour = pictures.part(dataset, "test", 4, colour=True, seed=seed).images
inputs = torch.from_numpy(colour).permute(0, 3, 1, 2) / 255
logits = lrp.scores(network, inputs)
targets = logits.argmax(1)
shares = {}
for rule in photographs.CONSERVING:
    for bias in (False, True):
        arrived = lrp.relevance(network, inputs, targets, rule, bias=bias)
        shares[rule, bias] = lrp.conserved(arrived, logits, targets).numpy()

# %% tags=["remove-input"]
report.table(
    [
        {
            "composite": rule,
            "biases take nothing": f"{100 * shares[rule, False].min():.1f} to {100 * shares[rule, False].max():.1f} %",
            "biases take their share": f"{100 * shares[rule, True].min():.0f} to {100 * shares[rule, True].max():.0f} %",
        }
        for rule in photographs.CONSERVING
    ],
    caption="Share of the logit that arrives at the pixels of four pictures, VGG16 with random weights",
)

# %% [markdown]
# Where biases take nothing (`zero_params="bias"`), the score arrives through all sixteen layers. zennit's default lets biases keep what they
# claim, so a sum of relevance over pixels is *not* the score there. The epsilon rule is missing from the table: where a layer's bias nearly
# cancels its inputs, the denominator is almost zero and relevance explodes. Without any biases in the network it conserves, too, and is then
# the same as {term}`gradient` times input.
#
# Relevance can still get lost: a unit that its bias alone switches on, as over black pixels, has no positive contribution to hand
# anything to. **z-box** in the first layer (composites whose names end in `_box`) uses the range of pixel values and always has one. On weights
# that were trained this matters:

# %% tags=["remove-input"]
recorded = records.values_of(photographs.RECORD)
if recorded:
    rows = [
        {
            "composite": rule,
            "least": f"{100 * low:.2f} %",
            "most": f"{100 * high:.2f} %",
            "within 1 % for every face": "yes" if max(abs(low - 1), abs(high - 1)) <= 0.01 else "no",
        }
        for rule, (low, high) in recorded["conserved"].items()
    ]
    caption = f"Share of the logit that arrives at the pixels of {photographs.CHECKED} photographs; VGG16 trained on FER+, recorded"
    shown = report.table(rows, caption=caption)
else:
    shown = report.prose("The same check on a VGG16 that was trained has not been recorded yet.")
shown

# %% [markdown]
# ## Maps
#
# Now a network that has learned something: four convolutions, trained on the faces of this build. Four correctly named faces are explained
# with the z+ composite. Red pixels speak for the named emotion, blue ones against it; all maps of a figure share one scale with zero in the
# middle. The middle row lays relevance over the face, the lower row shows it alone.

# %%
small = intensity.ready(count=train_faces, epochs=epochs, seed=seed, dataset=dataset)
faces = pictures.part(dataset, "test", 400, seed=seed)
standard = networks.standardised(faces.images)
sure, answers = lrp.scores(small, standard).softmax(1).max(1)
named = np.flatnonzero((answers.numpy() == faces.distribution.argmax(axis=1)) & (answers.numpy() > 0))
# The surest face of each of four emotions.
surest = named[np.argsort(-sure[named].numpy())]
chosen = [next(i for i in surest if answers[i] == emotion) for emotion in sorted(set(answers[named].tolist()))[:4]]
box = {"low": float(standard.min()), "high": float(standard.max())}

# %% tags=["remove-input"]


def maps(rule):
    found = lrp.relevance(small, standard[chosen], answers[chosen], rule, **box).numpy()
    given = ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(found)))
    titles = [
        f"{EMOTIONS[answers[i]]}\n{ranks.RANKS[rank]}\np = {sure[i]:.2f}"
        + ("" if faces.intensity is None else f"\nstrength {faces.intensity[i]:.2f}")
        for i, rank in zip(chosen, given, strict=True)
    ]
    figure = heatmaps.overlays(faces.images[chosen], found, titles)
    figure.suptitle(f"{rule} composite", fontsize=12)


# %% tags=["remove-input"] mystnb={"image": {"alt": "Four faces, titled with emotion, rank and probability; below each, its relevance by the z+ rule laid over it and alone, in blue, white and red"}}
maps("z_plus")

# %% tags=["remove-input"]
known = "" if faces.intensity is None else f" *Strength* is its {pictures.strength(dataset)}."
report.prose(
    f"""The titles give the emotion, the paper's rank (as its tables have it) and the probability of the emotion.{known} Now the same faces with
    alpha2-beta1, which lets pixels speak against:"""
)

# %% tags=["remove-input"] mystnb={"image": {"alt": "The same four faces and their relevance by the alpha2-beta1 rule"}}
maps("alpha2_beta1")

# %% [markdown]
# The same network, the same faces and the same score, and yet two different explanations: what a map, and a rank that is made of it, says
# depends on a choice that the paper does not state.
#
# ## Colour channels
#
# A picture in colour has a map per channel. Each channel has its own relevance, and all three together have the score.

# %% tags=["hide-input"] mystnb={"image": {"alt": "A colour picture of a face and its relevance in the red, green and blue channel"}}
_ = heatmaps.by_channel(colour[:1], lrp.relevance(network, inputs[:1], targets[:1], "z_plus").numpy(), [""])

# %% [markdown]
# This is VGG16 with random weights, which has learned nothing; a reader sees a face in its map all the same. That is why
# heatmaps alone are no evidence, and why [a later page](intensity) puts untrained networks beside trained ones.
#
# ## Figures 9 to 12, with VGG16
#
# Figure 9 of the paper shows faces of {term}`CK+` beside their maps; figures 10 to 12 one map per colour channel, for faces of CK+, {term}`JAFFE` and {term}`AffectNet` with
# each rank. Here are the same figures of a VGG16 that [learned from FER+](classifier), recorded, with the emotions and ranks that the captions name as far as
# a face has them. Where nothing says which face to show, it is the one that the network is surest of.

# %% tags=["remove-input"]
found = recorded_maps.recorded(maps_of)
where = {
    "ferplus": "These are test faces of FER+. They are grey, so the network has one channel and a face one map.",
    "synthetic": f"""These are synthetic faces in colour, for which the network was given three channels and trained on for {recorded_maps.EPOCHS}
    epochs. Its maps of FER+ are recorded as well; FER+'s faces are not this book's to give away, and `make book DATA=...` shows them.""",
}
report.prose(
    f"""{where[maps_of]} Rule of the convolutions: {recorded_maps.COMPOSITE}. The run on FER+ was made again for this, and stopped after
    {recorded_maps.epochs(maps_of)} of its {sweeps.read_config(photographs.RUN).epochs} epochs."""
    if recorded_maps.epochs(maps_of) < sweeps.read_config(photographs.RUN).epochs
    else f"{where[maps_of]} Rule of the convolutions: {recorded_maps.COMPOSITE}."
)

# %% tags=["remove-input"]


def of_figure(number):
    chosen = [one for one in found[number] if one is not None]
    return (
        recorded_maps.faces_of(maps_of, chosen),
        np.stack([one.relevance for one in chosen]),
        [f"{one.emotion}\n{one.rank}\np = {one.probability:.2f}" for one in chosen],
    )


# %% tags=["remove-input"] mystnb={"image": {"alt": "Faces of up to four emotions; below each, relevance laid over it and alone"}}
_ = heatmaps.overlays(*of_figure(9)).suptitle("As figure 9, as far as an emotion is named correctly", fontsize=12)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Three faces, one of each rank, and the relevance of each channel"}}
_ = heatmaps.by_channel(*of_figure(10)).suptitle("As figure 10: one face of each rank", fontsize=12)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Six faces and the relevance of each channel"}}
_ = heatmaps.by_channel(*of_figure(11)).suptitle("As figure 11: the emotions and ranks of its caption", fontsize=12)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Six more faces and the relevance of each channel"}}
_ = heatmaps.by_channel(*of_figure(12)).suptitle("As figure 12", fontsize=12)

# %% tags=["remove-input"]
pairs = [
    (rank, one)
    for number, wanted in recorded_maps.FIGURES.items()
    for (_, rank), one in zip(wanted, found[number], strict=True)
]
there = [(rank, one) for rank, one in pairs if one is not None]
ranked = sum(rank in (None, one.rank) for rank, one in there)
report.prose(
    f"""Of the {len(pairs)} faces that the paper's captions and text name, {len(there)} have a counterpart of the same emotion here, and {ranked} of the same
    rank as well. To the eye, a *strong* map is no stronger than a *minimal* one: the rank is where zero lies between the two largest numbers of a
    face, not how much red there is."""
)

# %% [markdown]
# ## What it costs
#
# Every layer is passed at least twice, forward and back, and zennit's rules pass a convolution several times with modified weights. This
# library changes each layer's weights once, and leaves out what adds nothing: the part for negative inputs where they come from a ReLU, and
# the layer's own gradient, which relevance replaces. Below, VGG16 with the paper's head at 224 pixels, against zennit's plain loop over
# single pictures; both took turns in one process.

# %% tags=["remove-input"]
cost = records.read(benchmark.RECORD)
speed, machine = cost["values"], cost["values"]["machine"]
report.table(
    [
        {"figure": "pictures per second, batches", "measured": f"{speed['lrp_images_per_s']:.2f}", "wanted": ""},
        {
            "figure": "pictures per second, one by one",
            "measured": f"{speed['lrp_images_per_s_plain']:.2f}",
            "wanted": "",
        },
        {
            "figure": "factor",
            "measured": f"{speed['lrp_factor']:.2f} ({speed['lrp_factor_interval'][0]:.2f} to {speed['lrp_factor_interval'][1]:.2f}, {len(speed['lrp_factors'])} turns)",
            "wanted": "{} {:g}".format(*benchmark.LIMITS["lrp_factor"]),
        },
        {
            "figure": f"peak memory, {speed['lrp_batch']} pictures (MiB)",
            "measured": f"{speed['lrp_peak_mib']:,}",
            "wanted": "{} {:,g}".format(*benchmark.LIMITS["lrp_peak_mib"]),
        },
        {
            "figure": "largest difference in double precision, share of the largest relevance",
            "measured": f"{speed['lrp_difference']:.0e}",
            "wanted": "",
        },
    ],
    caption=f"Relevance of VGG16, z+ composite, recorded on {cost['provenance']['date']}: {machine['processor']} with {machine['instructions']}, {machine['threads']} threads",
)

# %% tags=["remove-input"]
report.prose(
    f"""When this was taken, {speed["load"]:.1f} programs on average wanted one of the {machine["cores"]} cores. Both ways took turns until the factor's 95 %
    interval, in brackets, was narrow."""
)
