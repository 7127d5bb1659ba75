# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Consistency
#
# The {term}`consistency cost <consistency loss>` is the papers' own contribution: 1 for each axis on which the predicted value contradicts the predicted category, 0 where they
# agree. A network that minimises it should be pulled towards predictions that fit together.
#
# **You will see** that the two papers define the cost in ways that differ, what each definition charges, and the gradient of each: the
# direction in which it moves the network. For the printed ones it is zero.

# %% tags=["parameters"]
faces = 2000  # random predictions
seed = 0

# %%
import torch

from ferbook.book.interactive import temperature as turned
from ferbook.claims import report
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, VAD_AXES
from ferbook.learning import consistency, requirements
from ferbook.measures import figures

figures.use_style()
third, fourth = report.ClaimReport("003"), report.ClaimReport("004")

# %% [markdown]
# ## Four definitions
#
# 1. **Table 1** of paper 003, a demand on the sign of each axis. Table 1 of paper 004 is the same.
# 2. **Table 2** of paper 004, which writes those signs out as costs.
# 3. **Equations 5, 9 and 13** of paper 003, which the paper calls "defined according to Table 1".
# 4. **The soft cost** of this book, which follows table 1 and has a gradient.
#
# The authors' published code has a fifth, a workbook, which is not in the papers; [below](#the-costs-in-the-code).

# %% tags=["remove-input"]
fourth.box("004-same-table1")

# %% [markdown]
# ## Where the definitions part
#
# The equations list what costs 1; everything they do not name costs nothing. So they ask *nothing* where table 1 asks for something, and
# twice they ask for something where table 1 leaves it open.

# %% tags=["remove-input"]
report.table(
    [
        {
            "category": row.category,
            "axis": row.axis,
            "table 1 asks for": row.table,
            "the equation asks for": row.equation,
            "they differ for values": ", ".join(row.signs),
        }
        for row in requirements.disagreements()
    ],
    caption="Every disagreement of paper 003 with itself",
)

# %% [markdown]
# A difference at exactly 0 alone is shown here and not counted below, as no prediction is exactly 0.

# %% tags=["remove-input"]
third.rows("003-equation-*", caption="Table 1 against the equations, cell by cell")

# %% [markdown]
# ## The cost table of paper 004
#
# Its 42 cells follow from table 1 without exception. It leaves the value 0 open, and since neutral asks for exactly 0, neutral costs 1 on both
# sides: a network that says *neutral* always pays the full price of 3.

# %% tags=["remove-input"]
fourth.rows("004-cost-*", caption="Table 2 of paper 004 against its table 1")

# %% [markdown]
# ## The costs in the code
#
# The program reads its costs from a workbook with a sheet per category: the cost of a value above, at and below 0 on each axis. It follows neither table 1
# nor the equations throughout.

# %% tags=["remove-input"]
third.box("003-code-costs-table", "003-code-costs-equations")

# %% [markdown]
# ## The slope
#
# Take a face that the network calls happy, and vary its valence. The printed cost is a step. The soft cost replaces the step by
# a smooth one whose width is a *temperature*, in units of the axis. As the temperature goes to zero, the printed cost comes back.

# %%
valence = torch.linspace(-1, 1, 201)
values = torch.stack([valence, 0.5 + 0 * valence, 0.5 + 0 * valence], 1)
happy = torch.full((len(valence),), EMOTIONS.index("happiness"))
certain = 50.0 * torch.nn.functional.one_hot(happy, len(EMOTIONS)).float()
curves = {"printed": consistency.printed_cost(happy, values, "table")[:, 0]}
for temperature in (0.03, 0.1, 0.3):
    curves[f"soft, temperature {temperature}"] = consistency.soft_cost(certain, values, temperature)[:, 0]

# %% tags=["hide-input"] mystnb={"image": {"alt": "Cost of valence for a face called happy: a step at zero for the printed cost, smooth steps of growing width for the soft cost"}}
_ = figures.lines(
    valence.tolist(),
    {name: cost.tolist() for name, cost in curves.items()},
    ("#444444", "#0072b2", "#e69f00", "#009e73"),
    xlabel="predicted valence (-1 to 1)",
    ylabel="cost of valence",
    marker="",
)

# %% [markdown]
# A network learns from the {term}`gradient` of its loss. Here are random predictions, and for each definition the share of them whose gradient is not zero. "By
# difference" moves every value by 0.0001 and looks whether the cost changes; "by torch" asks PyTorch for the gradient.

# %%
generator = torch.Generator().manual_seed(seed)
logits = 2 * torch.randn(faces, len(EMOTIONS), generator=generator)
vad = 2 * torch.rand(faces, 3, generator=generator) - 1
costs = {
    "table 1": lambda v: consistency.printed_cost(logits, v, "table"),
    "equations 5, 9, 13": lambda v: consistency.printed_cost(logits, v, "equations"),
    "soft, temperature 0.1": lambda v: consistency.soft_cost(logits, v, 0.1),
    "soft, temperature 0.01": lambda v: consistency.soft_cost(logits, v, 0.01),
}
rows = []
for name, cost in costs.items():
    changed = (cost(vad + 1e-4) != cost(vad)).double().mean().item()
    slope = consistency.slope(cost, vad)
    has_slope = 0.0 if slope is None else (slope.abs() > 1e-6).double().mean().item()
    largest = "none exists" if slope is None else f"{slope.abs().max():.1f}"
    rows.append(
        {
            "definition": name,
            "mean cost per face": f"{cost(vad).sum(1).mean():.2f}",
            "changes by difference": f"{changed:.1%}",
            "has a gradient by torch": f"{has_slope:.1%}",
            "largest gradient": largest,
        }
    )

# %% tags=["remove-input"]
report.table(rows, caption=f"Which costs have a gradient: {faces:,} random predictions on three axes")

# %% [markdown]
# The printed costs change only for a value that happens to lie within 0.0001 of zero. Everywhere else they are flat: their gradient is zero wherever it
# exists, whatever lambda is. **Adding the printed cost to a loss cannot change what a network learns.** At a very low temperature the soft
# cost has nearly the same fault: few predictions have a gradient, and those a huge one.

# %% tags=["remove-input"]
third.box("003-cost-slope")

# %% [markdown]
# Turn the temperature yourself: at 0 no prediction is pulled, at a small one only those beside zero, at a large one all, but hardly, and even a
# value that meets its demand costs something.

# %% tags=["remove-input"]
turned.cost(logits, vad)

# %% [markdown]
# ## In the loss

# %% tags=["remove-input"]
third.box("003-lambda")

# %% tags=["remove-input"]
fourth.box("004-lambda")

# %% [markdown]
# The equations also sum {term}`cross-entropy` and cost over the faces of a batch but average the squared errors, so the balance of the parts depends on
# the batch size. This book averages all parts.
#
# What the soft cost does to a single prediction shows its intention. A face with undecided category and slightly negative valence: the cost
# pulls valence *and* category probabilities.

# %%
undecided = torch.zeros(1, len(EMOTIONS))
undecided[0, EMOTIONS.index("happiness")] = 1.0
undecided.requires_grad_()
point = torch.tensor([[-0.05, 0.3, 0.3]], requires_grad=True)
consistency.soft_cost(undecided, point).sum().backward()

# %% tags=["remove-input"]
pulls = {axis: -g for axis, g in zip(VAD_AXES, point.grad[0].tolist(), strict=True)}
pulls |= {f"logit of {n}": -undecided.grad[0, EMOTIONS.index(n)].item() for n in FER2013_CODES}
report.table(
    [{"prediction": name, "pulled by": f"{pull:+z.2f}"} for name, pull in pulls.items()],
    caption="Direction of the soft cost's pull on one face",
)
