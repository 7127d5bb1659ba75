# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The anatomy of one run
#
# The trained numbers of this book come from runs like the one on this page; this very notebook can make them, executed once per run
# with another description. Here it trains a small network for seconds on few synthetic faces. It does not learn much, but it has all
# the parts of a run that does.
#
# **You will see** what describes a run, which faces and labels it learns from, how the {term}`epoch` that counts is chosen, how sure the
# final number is, and what is kept so that the run can be repeated.

# %% tags=["parameters"]
config = '{"data": {"options": {"count": 2500, "prior": null}}, "labels": {"n_hot": 3}, "model": {"options": {"width": 0.35}}, "augmentation": [{"name": "flip"}, {"name": "brightness", "limit": 0.1}], "optimiser": {"lr": 0.004, "weight_decay": 0.05}, "schedule": {"name": "one_cycle"}, "batch": 16, "epochs": 10, "test_curve": true}'
record = ""  # where the result is kept as JSON, if anywhere; what is there from the same description is shown
store = ""  # folder of runs, to go on with an interrupted one; empty: a folder that is used once

# %%
import tempfile
from functools import partial
from pathlib import Path

import torch

from ferbook.claims import report
from ferbook.core import paths
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import run_report, sweeps, training
from ferbook.measures import figures
from ferbook.vision import augment

figures.use_style()
run = sweeps.read_config(config)

# %% [markdown]
# ## The description
#
# A run is described by one small, checked text. Whatever is not said has a default, and a misspelt or impossible setting is refused
# before anything is computed. Two runs with the same description are the same run, so its **hash** is the run's name.

# %% tags=["remove-input"]
report.table(run_report.settings(run), caption=f"Run {run.hash}")

# %% [markdown]
# ## Faces and labels
#
# The faces fall into three parts. The network learns from the **training** faces, the **validation** faces choose the epoch, and the
# **test** faces are what the result is about.

# %%
faces, parts = training.load_parts(run)

# %% tags=["remove-input"]
report.table(
    [
        {
            "part": part,
            "faces": f"{len(chosen):,}",
            "emotions per label, mean": f"{(target[:, : len(EMOTIONS)] > 0).sum(axis=1).mean():.2f}",
        }
        for part, (chosen, target) in parts.items()
    ],
    caption=f"Parts of the {faces.name} faces",
)

# %% [markdown]
# Where people were asked, a label is the distribution of their votes over eight emotions. {term}`N-hot` training keeps at most the N largest
# shares of a *training* label and scales them to a sum of 1. Validation and test labels stay as the votes were.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar charts: the label distributions of three training faces"}}
chosen, target = parts["train"]
_ = figures.distributions(target[:3, : len(EMOTIONS)], [f"training face {place + 1}" for place in range(3)])

# %% [markdown]
# ## Augmentation
#
# The network should not learn a face by heart. In each epoch every face is therefore changed at random, in the ways that the
# description lists, and keeps its label. Above, six training faces; below, the same faces as one batch might show them.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six training faces, and below the same faces after random augmentation"}}
shown = torch.from_numpy(chosen.images[:6].copy())
batch = shown.unsqueeze(1) if shown.ndim == 3 else shown.permute(0, 3, 1, 2)
changed = augment.build(run.augmentation)(batch, torch.Generator().manual_seed(run.seed))
changed = changed.squeeze(1) if shown.ndim == 3 else changed.permute(0, 2, 3, 1)
_ = figures.gallery(torch.cat([shown, changed]).numpy(), columns=6)

# %% [markdown]
# ## Training
#
# The network's answer is compared with the label by the **loss**, and the optimiser moves the weights against its {term}`gradient`, batch after
# batch. One pass over all training faces is an **epoch**. After each, the state is saved: a run that is killed goes on from there and
# ends with the same numbers as an unbroken one.

# %%
with tempfile.TemporaryDirectory() as once:
    train = partial(training.train, store=paths.project_root() / store if store else Path(once))
    result = sweeps.record(paths.project_root() / record, run, train) if record else train(run)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Curves over the epochs: training and validation loss, accuracy, learning rate"}}
_ = run_report.curves(result)

# %% [markdown]
# The training loss may fall for as long as one likes, because a network can learn its training faces by heart. What the validation
# faces say is what decides: the epoch with the best score on them is kept (dashed line), the others are forgotten.
#
# ## The result

# %% tags=["remove-input"]
report.prose(run_report.verdict(result))

# %% tags=["remove-input"]
report.prose(run_report.choice_on_test(result))

# %% [markdown]
# An answer counts as right if no other emotion got more votes than it. The interval says how the number would vary with
# *other test faces* of the same kind. It knows nothing of *other runs*: a different seed gives other start weights and another
# order of the faces. That is why a claim about training rests on several seeds.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Which emotion was taken for which, on the test faces"}}
_ = run_report.mistakes(result)

# %% [markdown]
# ## What is kept
#
# The result is a small file: the description, the curves, the metrics, and where they come from. The checksum is of the faces
# themselves, and the library's hash is of the code that made the result.

# %% tags=["remove-input"]
report.table(
    [
        {"what": name.replace("_", " "), "value": {True: "yes", False: "no"}.get(value, str(value))}
        for name, value in result.provenance.items()
    ],
    caption="Provenance",
)

# %% [markdown]
# ## Runs in series
#
# A comparison needs many runs that differ in one thing. `data/sweeps/` describes them: a base and what varies.
# `ferbook sweep 002` makes the missing ones, and `make runs SWEEP=002` makes each by executing this notebook.
# `ferbook train` repeats a single recorded run. What all of them cost, and how a cluster makes them, is on [the next page](paper_scale).
#
# ## Summary
#
# * A run is its **description**; the same description gives the same numbers on the same machine.
# * **Validation** faces choose the epoch. The **test** faces say how good it is, and take no part in the choice.
# * A number has an **interval** over faces; a comparison also needs several **seeds**.
