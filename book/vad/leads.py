# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Four leads in the published code
#
# The authors published their training code and its logs. Reading it gives four leads that, if true, decide what the printed
# numbers mean. None has to be believed: each effect is reproduced here in a few lines of this book's own.
#
# 1. The {term}`consistency cost <consistency loss>` reaches the loss as a plain number, without a {term}`gradient`.
# 2. Category, valence, arousal and dominance (V, A, D) are learned by four networks that share nothing.
# 3. In the regression loss, predictions of shape (B, 1) meet targets of shape (B,).
# 4. The "average loss" divides a sum of batch means by the number of faces.

# %% tags=["parameters"]
count = 128  # synthetic faces
epochs = 2
seed = 0

# %%
import torch
from torch.nn import functional

from ferbook import datasets
from ferbook.claims import printed, report
from ferbook.core import records
from ferbook.faces.emotions import VAD_AXES
from ferbook.learning import consistency
from ferbook.measures import figures
from ferbook.models import build
from ferbook.papers.vad import annotated, checks, experiments

figures.use_style()
third, fourth = report.ClaimReport("003"), report.ClaimReport("004")
real = records.read(annotated.RECORD)["values"]
faces = experiments.Faces.of(datasets.load("synthetic", count=count, seed=seed))

# %% [markdown]
# ## No gradient, no effect
#
# Train one small network four times from the same seed: without consistency, with the printed cost in its two forms, and with the soft one. Then compare
# the trained weights, bit by bit.

# %%
trained = {}
for cost in ("none", "table", "equations", "soft"):
    recipe = experiments.described(
        experiments.PICTURES,
        vad={"consistency": cost, "weight": 10},
        model={"options": {"width": 0.34}},
        epochs=epochs,
        seed=seed,
    )
    trained[cost] = experiments.train(recipe, faces)

# %% tags=["remove-input"]
report.table(
    [
        {
            "consistency": cost,
            "loss of the last epoch": f"{task.history[-1]['train_loss']:.3f}",
            "weights that differ from training without": f"{experiments.differing(task, trained['none']):,}",
        }
        for cost, task in trained.items()
    ],
    caption="The same training with four costs, lambda = 10",
)

# %% [markdown]
# The printed costs change the *number* that is reported as the loss and not a single bit of the network. The reported gains of consistency can
# then only come from whatever else differed between two runs, such as their seeds.
#
# ## Four networks that share nothing
#
# The gradient of the joint loss, and of the loss of valence alone, for the weights of the network that predicts valence:

# %%
torch.manual_seed(seed)
pictures = torch.rand(4, 3, 16, 16)
categories, targets = torch.tensor([0, 1, 2, 3]), torch.rand(4, 3) * 2 - 1


def gradient(network, weights, alone):
    output = network.train()(pictures)
    joint = consistency.vad_loss(output.logits, output.vad, categories, targets, consistency="table")
    loss = (output.vad[:, 0] - targets[:, 0]).square().mean() if alone else joint.total
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(weights))])


separate = build("vad_separate", num_classes=8, seed=seed)
shared = build("vad_shared", num_classes=8, seed=seed)
pairs = {
    "four networks: that of valence": [
        gradient(separate, separate.regressors["valence"].parameters(), a) for a in (False, True)
    ],
    "one trunk: the trunk": [gradient(shared, shared.trunk.parameters(), a) for a in (False, True)],
}

# %% tags=["remove-input"]
report.table(
    [
        {
            "weights": name,
            "joint gradient equals that of valence alone": "yes, to the last bit" if torch.equal(*pair) else "no",
            "angle between them (degrees)": f"{torch.rad2deg(torch.acos(functional.cosine_similarity(*pair, dim=0).clamp(-1, 1))):.0f}",
        }
        for name, pair in pairs.items()
    ],
    caption="Does learning together change anything?",
)

# %% [markdown]
# With four networks, "all together" and "each with the category" are the same trainings side by side. That alone does not explain why the six pairs of
# [table 3 of paper 003](the_paper) agree to every digit: without a fixed seed, two runs of the same training start elsewhere and see the faces in another
# order, so their losses would still differ in the last digit now and then. Regressors that end at the *same constant* agree in every run. The next lead
# says why they might.
#
# ## A loss that asks for the mean
#
# Subtract targets (B,) from predictions (B, 1) and torch broadcasts: every prediction meets *every* target of the batch. The mean of all those
# squares is the variance of the predictions, plus the variance of the targets, plus the squared difference of their means. Nothing in it says which face
# has which target. Its best answer is the mean of the targets, for every face.
#
# A toy: targets are twice a feature plus noise, and a line is fitted by gradient descent, once with each loss.

# %%
generator = torch.Generator().manual_seed(seed)
feature = torch.randn(256, 1, generator=generator)
target = 2 * feature[:, 0] + 0.5 + 0.1 * torch.randn(256, generator=generator)
fitted = {}
for name, loss in (
    ("(B, 1) against (B, 1)", lambda p, t: functional.mse_loss(p, t[:, None])),
    ("(B, 1) against (B,)", consistency.broadcast_mse),
):
    line = torch.nn.Linear(1, 1)
    optimiser = torch.optim.SGD(line.parameters(), 0.05)
    for chosen in torch.arange(256).split(16) * 40:
        optimiser.zero_grad()
        loss(line(feature[chosen]), target[chosen]).backward()
        optimiser.step()
    fitted[name] = (line.weight.item(), line.bias.item())

# %% tags=["remove-input"]
report.table(
    [
        {"shapes": name, "slope": f"{slope:+.2f}", "intercept": f"{start:+.2f}"}
        for name, (slope, start) in fitted.items()
    ],
    caption="The fitted line (true: slope 2, intercept 0.5)",
)

# %% [markdown]
# With this broadcast bug, a regressor forgets its input and answers with the mean. A network trained so would show a test loss that soon stands
# still.
#
# ## The scale of the average loss
#
# Equations 20 to 22 of paper 003 read as a mean over faces. If the code adds up the means of batches of 16 and divides by the number of *faces*, the
# result is about the mean squared error **divided by 16** (exactly so where all batches are full). Whoever reads 0.07 as a mean squared error on a scale from -2 to 2 takes it for a superb
# regressor. What would a predictor score that says the same for every face?

# %% tags=["remove-input"]
rows = []
for axis in VAD_AXES:
    scale = real["published_scale"][axis]
    rows.append(
        {
            "axis": axis,
            "constant: the mean": f"{scale['mean']:.4f}",
            "constant: 0": f"{scale['zero']:.4f}",
            "the same as a mean squared error": f"{scale['mse_of_mean']:.2f}",
            "003, table 3, public": printed.cell("003-table3", axis, "public, all"),
            "003, table 3, private": printed.cell("003-table3", axis, "private, all"),
            "004, table 3": printed.cell("004-table3", "consistency", axis),
        }
    )
report.table(
    rows,
    caption="Average losses on the papers' scale: constant predictors on the 1,154 annotated faces, and what is printed",
)

# %% [markdown]
# Of paper 004's losses arousal lies between the constants of these faces and dominance somewhat above both. Its valence is printed as 0.000. Paper 003's losses lie lower. Before that
# is put down to learning, one has to ask which faces it was tested on: what a constant scores depends on how much the labels of those faces spread.

# %% tags=["remove-input"]
pixels = real["pixels"]
report.table(
    [{"axis": axis, "constant: the mean": f"{pixels['published_scale'][axis]['mean']:.4f}"} for axis in VAD_AXES],
    caption=f"The same for the {pixels['faces']} faces that were published with pixels",
)

# %% [markdown]
# ## What a constant scores
#
# When paper 003 was published, its repository held three label files: 31 faces of each of {term}`FER2013`'s two tests, and 199 to train on (numbered 0 to 199,
# with one number missing). The labels are known, the pictures are not; for a constant the labels are enough. This is the loss of the best single value for all
# faces of a test, in that code's averaging, beside what table 3 prints:

# %% tags=["remove-input"]
first = records.read(annotated.FIRST_RECORD)["values"]
report.table(
    [
        {
            "axis": axis,
            "test": f"{part}, {first[part]['faces']} faces",
            "best constant": f"{first[part][axis]['best']:+.2f}",
            "its loss": f"{first[part][axis]['loss']:.4f}",
            "003, table 3": printed.cell("003-table3", axis, f"{part}, all"),
            "003, without consistency": f"{checks.without(axis, part)[0]:.3f}",
            "loss of the training rows' mean": f"{first[part][axis]['train_mean']:.4f}",
            "loss of 0": f"{first[part][axis]['zero']:.4f}",
        }
        for part in ("public", "private")
        for axis in VAD_AXES
    ],
    caption="Average losses of constants on the labels that were public with paper 003 (recorded), and what it prints",
)

# %% tags=["remove-input"]
third.rows("003-constant-*", caption="Table 3 against the best constant, loss by loss")

# %% [markdown]
# If table 3 is of these faces, there is nothing in it that a number without any network does not reach, and the losses without consistency could be those of
# a worse one. The code picks, for each test, the {term}`epoch` that did best on it, so a regressor that puts out one slowly moving value for every face would be
# caught where that value is nearest to the best constant. This would explain the equal pairs, too: two trainings that both end at the best constant print the same loss.
# The paper does not say how many faces it tested, so all this is conditional. What speaks for the 31 faces of each test is [the gains of accuracy](the_paper) that it prints:
# 9.68 % and 6.45 % are three and two faces of 31.
#
# ## The published logs
#
# The authors' logs of the joint training hold the average loss of each axis after every epoch. If lead 3 is right, they must stand still, at the level of
# a constant; standing still could have other causes, as a small learning rate. (Two further logs, of ten epochs of a network called VAD-Net, after valence, arousal and dominance, name no axis. Their losses rise and fall, at times severalfold, from one epoch
# to the next, so no level can be read from them, and they are left out.)

# %% tags=["remove-input"]
rows = []
for axis in VAD_AXES:
    for part in ("public", "private"):
        log = real["logs"][axis][part]
        rows.append(
            {
                "axis": axis,
                "test": part,
                "first epoch": f"{log['first']:.5f}",
                "epochs 4 to 20": f"{log['settled_low']:.5f} to {log['settled_high']:.5f}",
                "they move by": f"{log['spread'] / log['last']:.2%}",
            }
        )
report.table(rows, caption="Average losses in the authors' logs of the joint training (recorded)")

# %% [markdown]
# They stand still: from the fourth epoch to the last the losses move by fractions of a per cent. For arousal and dominance the level of the public test
# is that of table 3 of paper 004.

# %% tags=["remove-input"]
fourth.box("004-a-log", "004-d-log", "004-a-noise", "004-d-noise", "004-v-zero")

# %% [markdown]
# ## What follows
#
# * The losses of table 3 of paper 003 equal those of the best constant on the labels that were public with it, five of six to every printed digit (the sixth is 0.0434
#   against 0.044). This says something if these were the test faces.
# * The losses of arousal and dominance that paper 004 prints are those at which the published log of the public test stands still. If its networks were trained
#   as in leads 1 and 3, consistency made no difference to them.
# * If the printed numbers come from the published code, the comparison that both papers are about has not been made yet: it needs a cost with a gradient, a loss that pairs each face with its own target, and
#   more than one seed. The [next page](ablation) makes it.
# * Leads 1 and 3 pass in silence or with a warning, and two assertions catch them: that the gradient of a new loss is not zero, and that shapes are equal.
#   Lead 4 shows as soon as a constant predictor is scored beside the network. Lead 2 is a choice of design, which may be right; whoever makes it should not
#   expect that tasks learn from each other.
