# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The network
#
# Both papers use a {term}`ResNet-18 <ResNet>` for small pictures: a 3 x 3 kernel at the entrance, no pooling there, four stages of two blocks, one number at the end: valence, arousal or
# dominance (V, A, D).
# Paper 003 lists its parameters row by row.
#
# **You will see** that list recounted, what "one multi-task network" and "four networks" differ in, and the regulariser that keeps the filters
# of a layer from repeating each other.

# %% tags=["parameters"]
seed = 0

# %%
import torch

from ferbook import models
from ferbook.claims import printed, report
from ferbook.core import records
from ferbook.faces.emotions import VAD_AXES
from ferbook.learning import orthogonality
from ferbook.measures import figures
from ferbook.models.vad import regularised_layers
from ferbook.papers.vad import checks, drawing, independence

figures.use_style()
third, fourth = report.ClaimReport("003"), report.ClaimReport("004")

# %% [markdown]
# ## Parameters row by row
#
# A convolution has one weight per input channel, output channel and place of its kernel. Paper 003 divides this by the square of the stride
# (equation 17). The stride says how often the kernel is applied, not how large it is, so the true count has no such division.

# %% tags=["remove-input"]
rules = ("printed", "formula", "true")
counts = {place: [checks.layer_amount(place, rule) for rule in rules] for place in checks.layers()}
convolutions = {place: c for place, c in counts.items() if printed.cell("003-table2", place, "operation") == "conv"}
totals = [sum(column) for column in zip(*counts.values(), strict=True)]
rest = [total - sum(c[k] for c in convolutions.values()) for k, total in enumerate(totals)]
report.table(
    [
        {"row": place, **dict(zip(rules, (f"{n:,}" for n in numbers), strict=True))}
        for place, numbers in {**convolutions, "all other rows": rest, "total": totals}.items()
    ],
    caption="Table 2 of paper 003: parameters as printed, by the paper's own formula, and true",
)

# %% tags=["remove-input"]
third.box("003-params-sum", "003-params-formula", "003-params-true", "003-params-about", "003-params-stride")

# %% [markdown]
# The network built from the table has exactly the true number:

# %%
one_output = models.build("cifar_resnet18", num_classes=1, seed=seed)
print(f"{models.parameter_count(one_output):,} parameters")

# %% [markdown]
# Its layers from top to bottom, as figure 3 of the paper draws them. A block of type B changes the number of channels, so its shortcut has a convolution;
# one of type A hands its input on as it is.

# %% tags=["hide-input"] mystnb={"image": {"alt": "The ResNet-18 from top to bottom: a 3 x 3 convolution, four layers of two blocks with their types, a mean over places and one number"}}
_ = figures.chain(drawing.layers())

# %% [markdown]
# All 42 rows, each against the paper's formula:

# %% tags=["remove-input"]
third.rows(
    "003-params-stem-*",
    "003-params-layer*",
    "003-params-avgpool",
    "003-params-fc",
    caption="Table 2 of paper 003 against equations 17 and 18, row by row",
)

# %% [markdown]
# ## One trunk or four networks
#
# "Multi-task" suggests one network whose features serve all tasks, and figure 2 of paper 003 can be read so. The published code trains **four**
# networks, one per task, that share nothing but the sum of their losses. Both are in the library:

# %%
shared = models.build("vad_shared", num_classes=7, seed=seed)
separate = models.build("vad_separate", num_classes=7, seed=seed)

# %% tags=["remove-input"]
report.table(
    [
        {
            "network": name,
            "parameters": f"{models.parameter_count(net):,}",
            "parameters that several tasks use": f"{common:,}",
        }
        for name, net, common in (
            ("one trunk, two heads", shared, models.parameter_count(shared.trunk)),
            ("four networks", separate, 0),
        )
    ],
    caption="Two readings of the method (three channels, seven categories, three axes)",
)

# %% [markdown]
# Figure 2 of the paper shows two tasks whose predictions meet in a consistency constraint. Here it is with one thing more, measured: along which
# of its arrows a {term}`gradient` comes back.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Faces go to a classifier and to regressors; cross-entropy and squared error send a gradient back to one of them each, the printed consistency cost to none"}}
_ = drawing.joint(drawing.flow())

# %% [markdown]
# In four separate networks the only bridge between the tasks would be the {term}`consistency cost <consistency loss>`. [It carries nothing](consistency), so each
# network learns as if it were alone; [the leads](leads) show this on gradients.
#
# ## Orthogonality
#
# Both papers regularise some convolutions to be *orthogonal*, without formula or weight. The published code has the losses of Wang et
# al. {cite}`wang2020orthogonal`, on eleven layers of each network. Two forms exist. The **matrix form** asks the filters, flattened, to be orthonormal.
# The **convolution form** asks the same of the filters and all their shifted copies, which is what makes the whole layer orthogonal.

# %%
torch.manual_seed(seed)
plain = torch.randn(8, 16, 3, 3) / 12
rows = torch.linalg.qr(torch.randn(16 * 9, 8)).Q.T.reshape(8, 16, 3, 3)
spike = torch.zeros(8, 16, 3, 3)
spike[range(8), range(8), 1, 1] = 1.0

# %% tags=["remove-input"]
kernels = {"random filters": plain, "orthonormal filters": rows, "one pixel per filter": spike}
report.table(
    [
        {
            "kernel": name,
            "matrix form": f"{orthogonality.matrix_form(k):.2f}",
            "convolution form": f"{orthogonality.convolutional_form(k):.2f}",
            "published code, stride 1": f"{orthogonality.as_published(k, 1):.2f}",
            "published code, stride 2": f"{orthogonality.as_published(k, 2):.2f}",
        }
        for name, k in kernels.items()
    ],
    caption="Orthogonality losses of three kernels (8 filters of 16 x 3 x 3; 0 is orthogonal)",
)

# %% [markdown]
# Orthonormal filters still repeat each other when shifted, which only the convolution form sees. The published code takes the root of the loss and
# pads by one pixel whatever the stride. With stride 2 it then never compares a filter with itself in place, and even a perfect layer keeps a
# loss of 2 or more here (the square root of half the number of filters). That affects three of the eleven layers.

# %%
print(len(regularised_layers(one_output)), "regularised layers in each network")

# %% [markdown]
# ## Learning with it
#
# The papers say that the loss makes features more diverse and predictions better, and report no run without it. Here is one with and one without, several
# times: the book's compact network learns categories and guessed V, A, D of {term}`FER+` (as on the [page of the ablation](ablation)) with the
# loss of Wang et al. on the first convolution of each residual block and on the shortcuts. Runs of one seed differ in the weight of that loss alone.
# *Overlap* is the mean size of the correlation between two features on faces that were not learned from: 0 if all features differ, 1 if all are one.

# %% tags=["remove-input"]
trained = records.read(independence.RECORD)
plan, found = trained["provenance"]["plan"], trained["values"]


def cell(variant, of, name, form):
    mean = found["arms"][variant][of][name]
    return f"{mean['estimate']:{form}} ({mean['low']:{form}} to {mean['high']:{form}})"


report.table(
    [
        {
            "loss": "without" if variant == "none" else variant,
            "orthogonality loss at the end": cell(variant, independence.FORM, "filters", ".2f"),
            "overlap of features": cell(variant, independence.OVERLAP, "filters", ".3f"),
            **{f"R² of {axis}": cell(variant, "r2", axis, "+.3f") for axis in VAD_AXES},
            "accuracy": cell(variant, "accuracy", "category", ".1%"),
        }
        for variant in independence.VARIANTS
    ],
    caption=(
        f"With and without the orthogonality loss: {plan['seeds']} seeds, {found['learned_from']:,} faces of FER+, {plan['epochs']} epochs; "
        f"tested on {found['faces']:,} annotated faces (recorded; mean and 95 % interval over seeds)"
    ),
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Change of accuracy and R squared when the orthogonality loss is added, with intervals over pairs of runs"}}
changes = {
    f"{variant}: {what}": tuple(100 * found["differences"][of][variant][name][k] for k in ("estimate", "low", "high"))
    for variant in independence.VARIANTS
    if variant != "none"
    for what, of, name in (
        *((f"R² of {axis}", "r2", axis) for axis in VAD_AXES),
        ("accuracy", "accuracy", "category"),
        ("overlap of features", independence.OVERLAP, "filters"),
    )
}
_ = figures.forest(changes, xlabel="change (hundredths)")

# %% tags=["remove-input"]
told = {what: changes[f"weight 0.5: {what}"] for what in (*(f"R² of {axis}" for axis in VAD_AXES), "accuracy")}
better, worse = (sum(low > 0 for _, low, _ in told.values()), sum(high < 0 for _, _, high in told.values()))
_, low, high = changes["weight 0.5: overlap of features"]
report.prose(
    f"""With the published weight the features overlap {"less" if high < 0 else "more" if low > 0 else "neither more nor less"} than without the loss. Of the three
    axes and the category, {better} are predicted clearly better and {worse} clearly worse. Features that differ more are thus not the same as features that
    predict better."""
)

# %% [markdown]
# A small network on guessed labels cannot decide what a ResNet-18 does. The table says what the loss does here; what recorded pairs of [the papers' own
# network](ablation) say stands in the boxes.

# %% tags=["remove-input"]
third.box("003-orthogonal", "003-orthogonal-diverse")

# %% tags=["remove-input"]
fourth.box("004-orthogonal")
