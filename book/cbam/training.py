# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Training
#
# One {term}`sigmoid` per emotion, {term}`binary cross-entropy <BCE>`, and a data set cut into parts: an 80/20 hold-out and five folds, "balanced between the labels".
#
# **You will see** the loss term by term, folds that keep that promise for several labels at once, and the curves of the runs that are recorded on {term}`FER+`.

# %% tags=["parameters"]
epochs = 6
seed = 0

# %%
import numpy as np
import torch

from ferbook import datasets
from ferbook.claims import ablation_variants, report
from ferbook.core import records
from ferbook.faces import folds
from ferbook.learning import losses, sweeps
from ferbook.measures import figures
from ferbook.papers.cbam import quick, results

figures.use_style()
audit = report.ClaimReport("000")
recorded = sweeps.load("000", "attention")

# %% [markdown]
# ## The loss
#
# For a face with labels y and probabilities p of C emotions, the paper prints
#
# $$\mathcal{L} = -\frac{1}{C} \sum_{i=1}^{C} \left[ y_i \log p_i + (1 - y_i) \log(1 - p_i) \right]$$
#
# and averages over the faces of a batch. Term by term and in one call:

# %%
generator = torch.Generator().manual_seed(seed)
logits = torch.randn(64, 7, generator=generator, dtype=torch.float64)
target = (torch.rand(64, 7, generator=generator) < 0.3).double()
print(
    f"term by term {quick.loss_by_terms(logits, target):.6f}, library {losses.binary_cross_entropy(logits, target):.6f}"
)

# %% tags=["remove-input"]
audit.box("000-bce", "000-bce-independent")

# %% [markdown]
# That each label is judged alone is a strength (any combination can be learned) and a weakness: nothing tells the network that a face is
# rarely happy *and* sad.
#
# ## Folds
#
# With one label per face, balanced folds are simple: share out each label's faces. With several, a face would be shared out twice.
# **Iterative stratification** {cite}`sechidis2011` starts with the rarest label and gives each of its faces to the fold that lacks it most. Ours also
# keeps identical pictures in one fold and, where people are known, all pictures of a person.

# %%
faces = datasets.load("synthetic", count=1500)
labels = np.asarray(faces.distribution) >= 0.2
fold = folds.iterative_folds(labels, rng=np.random.default_rng(seed), groups=folds.kept_together(faces))
shuffled = np.random.default_rng(seed).permutation(fold)

# %% tags=["remove-input"]
real = records.read("000/labels")["values"]


def line(name, sizes, balanced, random, twice):
    return {
        "faces": name,
        "sizes of the folds": f"{min(sizes):,} to {max(sizes):,}",
        "label off by at most (points)": f"{balanced:.2f}",
        "same, shuffled": f"{random:.2f}",
        "pictures in two folds": f"{twice[0]:,}",
        "same, shuffled ": f"{twice[1]:,}",
    }


report.table(
    [
        *(
            line(
                f"FER+, k = {k}", found["folds"]["sizes"], found["folds"]["imbalance"], found["folds"]["imbalance_shuffled"],
                (found["folds"]["pictures_in_two"], found["folds"]["pictures_in_two_shuffled"]),
            )
            for k, found in real.items()
        ),
        line(
            "synthetic, by person", np.bincount(fold), 100 * folds.imbalance(labels, fold).max(),
            100 * folds.imbalance(labels, shuffled).max(), (0, 0),
        ),
    ],
    caption="Five folds: distance of a label's share in a fold from its share in all faces",
)  # fmt: skip

# %% [markdown]
# On many faces, shuffling alone comes close, because large numbers balance themselves. What shuffling does not do is keep copies of a picture
# together: {term}`FER2013` holds pictures twice, and a copy in the training folds makes a test face easy. The first fold tested alone is the 80/20 hold-out.

# %% tags=["remove-input"]
audit.box("000-balanced-folds")

# %% [markdown]
# ## The runs
#
# The paper names neither optimiser nor learning rate, batch size or number of {term}`epochs <epoch>`. **Recorded** runs: a narrow ResNet on {term}`FER+` at 48 pixels, {term}`AdamW`,
# one cycle of the learning rate, five epochs, the first three on smaller pictures. Which epoch is kept is decided on validation faces.
# **This build**: the same network at half the width, on synthetic faces.

# %%
config = quick.varied({"none": {}}, (seed,), epochs=epochs)["none-seed0"]
built = quick.trained({"none-seed0": config}, quick.store())  # shared with the other pages of this chapter

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation mean average precision over epochs, recorded FER+ runs without attention and this build's synthetic run"}}
_ = results.learning_figure({"recorded": ablation_variants.variant(recorded, "none"), "build": built})

# %% tags=["remove-input"]
report.table(
    [
        {
            "": name,
            "parameters": f"{one.metrics['parameters']:,}",
            "training faces": f"{one.metrics['faces']['train']:,}",
            "test faces": f"{one.metrics['faces']['test']:,}",
            "epochs": one.config["epochs"],
        }
        for name, runs in (("FER+, recorded", recorded), ("synthetic, this build", built))
        for one in list(runs.values())[:1]
    ],
    caption="What was trained",
)

# %% [markdown]
# The recorded curves jump where training goes over from pictures of 24 pixels to those of 48, on which the network is judged all along.
# A small network was trained for few epochs, so the curves still rise at the end. The runs serve to compare settings with each other, not with large
# pretrained networks.
#
# ## Summary
#
# * **Scope.** Section 2.3 and both sections 2.4: hold-out, five folds, loss.
# * **What holds.** The loss, and that several labels can be balanced over folds.
# * **What does not.** The paper shows no fold. Nobody can tell how balanced they were.
# * **What to take away.** Before balancing labels, look for copies.
