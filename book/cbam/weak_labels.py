# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The weak labels
#
# Section 3.6 of the paper plans what to do about sadness and anger: more augmentation, balancing, other settings. It stops at the plan.
#
# **You will see** each measure carried out alone, against the same network without it, on {term}`FER+` and on synthetic faces.

# %% tags=["parameters"]
epochs = 4
seeds = [0]
tried = ["none", "noise", "oversampling", "focal"]  # of the variants below

# %%
import tempfile
from pathlib import Path

from ferbook.claims import ablation_variants, report
from ferbook.learning import sweeps
from ferbook.measures import figures
from ferbook.papers.cbam import quick, results

figures.use_style()
audit = report.ClaimReport("000")
recorded = sweeps.load("000", "weak")
measures = ("ap_sadness", "ap_anger", "f1_sadness", "f1_anger", "map")

# %% [markdown]
# ## The plan

# %% tags=["remove-input"]
audit.box("000-weak-tried")

# %% [markdown]
# | measure | here |
# |---|---|
# | Gaussian noise | standard deviation 0.05 of the range from black to white |
# | brightness | shifted by up to 0.2 of it |
# | morphological warp | a smooth field, up to 3 % of the side |
# | oversampling | sad and angry training faces shown twice in an epoch |
# | focal loss {cite}`lin2017` | gamma 2, alpha 0.25 |
# | learning rate | a third of ours; three times ours |
# | batch size | half; twice |
# | dropout and batch normalisation in the last layer | share 0.5, before the last weights |
#
# The paper wants the augmentations for sad and angry faces. Here all faces get them, so that a network cannot tell the emotion from the noise.
#
# **{term}`F1` and {term}`average precision` can move in opposite directions.** F1 depends on the threshold 0.5, and oversampling or a {term}`focal loss` move all probabilities of a label
# up or down. Average precision looks at the order alone: it says whether faces with the label are better separated from those without.
#
# ## On FER+

# %% tags=["remove-input"]
plain = ablation_variants.variant(recorded, "none")
wider = ablation_variants.variant(sweeps.load("000", "placement"), "last")
size, other = (next((run.metrics["parameters"] for run in found.values()), None) for found in (plain, wider))
smaller = (
    f', with {size:,} parameters where the network of the page "Does attention help?" has {other:,}'
    if size and other
    else ""
)
report.prose(f"""Recorded runs: a ResNet with attention after the last stage, half as wide as the narrow one of the other pages{smaller}; four epochs.
    Measures with fewer than {ablation_variants.SEEDS} seeds have no interval below, and stay undecided.""")

# %% tags=["remove-input"]
report.table(results.rows(recorded, measures)[:1], caption="FER+, recorded: without any of the measures")

# %% tags=["remove-input"]
report.table(
    results.difference_rows(recorded, "none", measures),
    caption="FER+, recorded: with each measure minus without, paired by seed",
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Change in the average precision of sadness and anger through each measure, recorded FER+ runs"}}
_ = results.measures_figure(recorded, "none")

# %% tags=["remove-input"]
audit.rows("000-weak-noise", "000-weak-brightness", "000-weak-warp", "000-weak-oversampling", "000-weak-focal", "000-weak-lr", "000-weak-batch", "000-weak-head", caption="Section 3.6, measure by measure")  # fmt: skip

# %% [markdown]
# ## On synthetic faces
#
# Some of the same variants in this build, a few seconds each, one seed: enough to see that it runs, too little for a verdict.

# %%
steps = quick.RECIPE["augmentation"]
changes = {
    "none": {},
    "noise": {"augmentation": [*steps, {"name": "noise", "deviation": 0.05}]},
    "brightness": {"augmentation": [*steps, {"name": "brightness", "limit": 0.2}]},
    "warp": {"augmentation": [*steps, {"name": "warp", "strength": 0.03}]},
    "oversampling": {"labels": {"repeat": {"sadness": 2, "anger": 2}}},
    "focal": {"loss": "focal"},
    "lr-third": {"optimiser": {"lr": quick.RECIPE["optimiser"]["lr"] / 3}},
    "lr-triple": {"optimiser": {"lr": quick.RECIPE["optimiser"]["lr"] * 3}},
    "batch-half": {"batch": quick.RECIPE["batch"] // 2},
    "batch-twice": {"batch": quick.RECIPE["batch"] * 2},
    "head": {"model": {"options": {"head": "regularised", "dropout": 0.5}}},
}
described = quick.varied(
    {name: changes[name] for name in tried}, tuple(seeds), epochs=epochs, model={"options": {"placement": "last"}}
)
with tempfile.TemporaryDirectory() as store:
    built = quick.trained(described, Path(store))

# %% tags=["remove-input"]
report.table(
    results.difference_rows(built, "none", measures), caption="Synthetic, this build: with each measure minus without"
)

# %% [markdown]
# ## Summary
#
# * **Scope.** Every measure that section 3.6 plans, each alone, at one strength.
# * **What can be said.** What the verdicts above say, and no more: a measure with few seeds, or with an interval that holds zero, is undecided.
# * **What cannot.** Combinations, other strengths, longer training: a measure against overfitting can do little where a network trains for few {term}`epochs <epoch>`.
# * **What to take away.** Decide by average precision, then choose the threshold. A plan is not a result.
