# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Ten losses
#
# A loss says how far a prediction is from a label. Paper 002 {cite}`duan2022` trains {term}`VGG16` once with each of ten losses and ranks them
# by test accuracy (its figure 26). Mean squared error comes first.
#
# **You will see** the ten formulas, which of them have the same {term}`gradient`, and how much runs on {term}`FER+` with the different losses vary.

# %% tags=["parameters"]
count = 1000  # synthetic faces
epochs = 5
# One loss of each family; all ten take longer.
trained = ["mse", "cosine", "cross_entropy", "mae", "categorical_hinge", "hinge"]

# %%
import tempfile
from pathlib import Path

import numpy as np

from ferbook.claims import ablation_variants, printed, report
from ferbook.learning import configs, losses, sweeps, training
from ferbook.measures import figures
from ferbook.papers.nhot import architectures, settings

figures.use_style()
audit = report.ClaimReport("002")
recorded = sweeps.load("002", "losses")

# %% [markdown]
# ## The ten losses
#
# p is the network's {term}`softmax`, t the label's distribution. *Mean* is over the eight emotions.

# %% tags=["remove-input"]
report.table(architectures.loss_rows(), caption="Losses as Keras defines them, in the order of the caption")

# %% tags=["remove-input"]
audit.box("002-loss-ten-named", "002-loss-ten")

# %% [markdown]
# **Label drawing** {cite}`barsoum2016` is no formula of its own: in each {term}`epoch` every face gets *one* emotion, drawn from its votes, and the
# loss is {term}`cross-entropy`.
#
# ## Which are the same
#
# A network is moved by the gradient of the loss, not by its value. Two losses whose gradients differ only by a constant factor train
# the same network at another learning rate, and Adam, which divides by the gradient's size, hardly feels even that. So take random predictions and
# random labels, and compare gradients: a cosine of 1 on *every* face means the same direction. For label drawing it is the mean over
# draws.

# %%
pairs = architectures.alike()

# %% tags=["remove-input"]
report.table(
    [
        {
            "loss": losses.LOSSES[pair["first"]].title,
            "and": losses.LOSSES[pair["second"]].title,
            "smallest cosine": f"{pair['cosine']:.6f}",
            "factor, second to first": f"{pair['factor']:.4f}",
            "largest factor / smallest": f"{pair['spread']:.3f}",
        }
        for pair in pairs
        if pair["cosine"] > 0.9
    ],
    caption="Pairs of losses with nearly parallel gradients on 500 random faces",
)

# %% [markdown]
# Cross-entropy, Kullback-Leibler (KL) divergence and Poisson have **the same gradient**, up to a factor and the tiny numbers that keep logarithms finite.
# KL divergence is cross-entropy less the entropy of the label, which the network cannot change. Poisson's first term is the mean of
# probabilities that sum to 1, so it is constant, and the rest is cross-entropy divided by eight. Label drawing has that gradient too, on
# average, with noise on top. Log cosh is nearly half the squared error, because differences of probabilities are small.
#
# This gives a yardstick that the paper does not use. **Bars of one family that differ in figure 26 differ by chance**, by label noise, or
# by what Adam makes of a factor. Two bars must differ by more than the bars of one family do, before their difference
# says something about a loss.
#
# ## What the paper found

# %% tags=["remove-input"]
audit.rows(
    "002-loss-mse",
    "002-loss-best",
    "002-loss-impact",
    "002-loss-draw-*",
    caption="Figure 26 and section 4.3.3; recorded runs decide where there are three seeds of each loss",
)

# %% tags=["remove-input"]
percent = {
    name: printed.cell("002-accuracies", f"vgg16-{name}", "accuracy (%)")
    for name in ("mse", "mse-augmented", "pld-augmented")
}
report.prose(
    f"""The report says that label drawing falls behind on augmented faces. Its numbers say more. Label drawing is "extremely close" to {percent["mse"]} % on the original
    faces and reaches {percent["pld-augmented"]} % on the augmented ones. For that loss augmentation added next to nothing; for the squared error it
    added {float(percent["mse-augmented"]) - float(percent["mse"]):.2f} points."""
)

# %% [markdown]
# ## Recorded on FER+
#
# The small network on the ordinary test set, once with each loss and seed, by one recipe. The right edge has the one number that the paper prints.

# %% tags=["remove-input"]
report.prose(f"**FER+:** {settings.so_far('losses', recorded)}. {settings.mixed_formats('losses', recorded)}")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Accuracy of recorded FER+ runs by loss, with intervals over seeds; the paper's number beside them"}}
_ = settings.figure("losses", {"recorded": recorded})

# %% tags=["remove-input"]
report.table(
    settings.rows("losses", {"recorded": recorded}, ("accuracy", "kl", "calibration"), base="mse"),
    caption="Figure 26: mean over seeds, from three on with a 95 % interval; differences paired by seed",
)

# %% tags=["remove-input"]
three = {
    "one gradient": ("cross_entropy", "kl_divergence", "poisson"),
    "different ones": ("mse", "cosine", "cross_entropy"),
}
spreads = {name: ablation_variants.told(settings.spread(recorded, compared)) for name, compared in three.items()}
report.prose(
    f"""**The yardstick, applied.** Best less worst, in points and seed by seed: {spreads["one gradient"]}, for three losses of one gradient (cross-entropy, KL divergence,
    Poisson); {spreads["different ones"]}, for three of different gradients (squared error, cosine similarity, cross-entropy). Runs of one seed share start weights and the order of
    the faces, so this is the least that chance does. In points, {settings.finding("losses", recorded, "mse", "cross_entropy")}."""
)

# %% [markdown]
# ## Short runs
#
# A narrower network on synthetic faces, once per family of losses, for a few epochs. That is far too short for a ranking: a network that has
# just begun gives the most frequent answer to every face, and the last column tells how many different answers there were. What can be
# seen is the fit to the votes: with hinge and with the mean absolute error a network becomes sure long before it is right, which shows in
# its calibration error.

# %%
recipe = {
    "data": {"options": {"count": count}},
    "split": {"kind": "ordinary"},
    "model": {"options": {"width": 0.5, "dropout": 0.0}},
    "augmentation": [{"name": "flip"}],
    "optimiser": {"lr": 0.006, "weight_decay": 0.02},
    "schedule": {"name": "one_cycle"},
    "early": {"side": 24, "share": 0.8},
    "batch": 16,
    "epochs": epochs,
    "test_curve": True,
}
with tempfile.TemporaryDirectory() as store:
    built = {f"{name}-seed0": training.train(configs.parse({**recipe, "loss": name}), Path(store)) for name in trained}

# %% tags=["remove-input"]
report.table(
    settings.rows("losses", {"build": built}, ("accuracy", "kl", "calibration", "answers")),
    caption="This build, synthetic faces: one run of each loss that was trained",
)

# %% tags=["remove-input"]
counts = np.array(next(iter(built.values())).metrics["test"]["confusion"])
report.prose(
    f"""The most frequent emotion is that of about {100 * counts.sum(axis=1).max() / counts.sum():.1f} % of this build's {counts.sum()} test faces: whoever always
    gave that answer would reach as much. Read the accuracies against it."""
)

# %% [markdown]
# ## Summary
#
# * **Scope.** Figure 26 and section 3.6.3.
# * **What holds by mathematics.** Of ten losses, four are one: cross-entropy, KL divergence, Poisson, and label drawing on average. Two more, the
#   squared error and log cosh, are nearly one.
# * **What is open.** The ranking, which rests on a single run of VGG16 per loss.
# * **What to take away.** Before comparing losses, compare their gradients.
