# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does attention help?
#
# The paper says so in its abstract, its discussion and its conclusion, and prints no number without attention.
#
# **You will see** that number: the same network with and without {term}`CBAM`, from the same start weights, with the same faces in the same order, turned and mirrored
# in the same way. What differs is attention. The results are compared by {term}`mAP` first of all.

# %% tags=["parameters"]
epochs = 6
seeds = [0, 1]

# %%
import numpy as np

from ferbook import datasets
from ferbook.claims import ablation_variants, report
from ferbook.core import records
from ferbook.learning import sweeps, trained
from ferbook.measures import figures
from ferbook.papers.cbam import quick, results

figures.use_style()
audit = report.ClaimReport("000")
recorded = sweeps.load("000", "attention")
elsewhere = sweeps.load("000", "placement")
measures = ("map", "auc", "f1", "hamming")

# %% [markdown]
# ## What the paper shows

# %% tags=["remove-input"]
audit.box("000-attention-shown")

# %% [markdown]
# ## With and without
#
# {term}`FER+`, two votes or more, the official test part. The narrow ResNet has one block in each of four stages; CBAM sits in each of them, on the branch
# before the addition, as its authors have it. Channel gates have a reduction of 4, because a sixteenth of 16 channels would be one hidden unit.
# The paper's own text names other places; the [next section](#the-other-two-places) has them, and the verdicts.

# %% tags=["remove-input"]
report.table(results.rows(recorded, measures), caption="FER+, recorded: mean and 95 % interval over seeds")

# %% tags=["remove-input"]
report.table(
    results.difference_rows(recorded, "none", measures),
    caption="FER+, recorded: with attention minus without, paired by seed",
)

# %% tags=["remove-input"]
planned = {f"seed{number}" for number in range(ablation_variants.SEEDS)}
first = results.difference(
    {name: run for name, run in recorded.items() if name.rpartition("-")[2] in planned}, "blocks", "none"
)
holds_zero = "held zero: undecided" if ablation_variants.direction(first) is None else "left out zero"
report.prose(f"""{ablation_variants.SEEDS} pairs were planned. Their interval {holds_zero} (mAP {ablation_variants.told(first, 2, sign=True)}). More pairs were added after that was known.
    Adding pairs after a look at the result makes an interval too narrow: read the one over all pairs as less than 95 % sure.""")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Gain in average precision through attention for each label and for their mean, with intervals over seeds"}}
_ = results.gain_figure(recorded, "blocks", "none")

# %% [markdown]
# A few seeds give wide intervals. A second kind of interval asks how the gain of one pair of trained networks would vary with other test faces:

# %% tags=["remove-input"]
gain = records.read("000/curves")["values"]["gain"]
report.table(
    [
        {
            "pair": seed,
            "gain in mAP (points)": f"{value:+.2f}",
            "95 % interval over faces": f"{low:+.2f} to {high:+.2f}",
        }
        for seed, (value, low, high) in gain.items()
    ],
    caption="FER+, recorded: with attention minus without, on the same test faces",
)

# %% [markdown]
# ## The other two places
#
# The paper's own text names other places than CBAM's authors: after certain blocks (here: after each stage), or after the last one. Each of these two has a
# verdict. For the claim as a whole all three places count, and one that is better is enough.

# %% tags=["remove-input"]
both = {**ablation_variants.of_variants(recorded, "none"), **elsewhere}
report.table(
    results.difference_rows(both, "none", measures),
    caption="FER+, recorded: after each stage and after the last, minus without attention",
)

# %% tags=["remove-input"]
report.prose(
    f"""Runs of one seed share start weights, faces and their order. {ablation_variants.mixed_formats(both, "*{}*".format)}"""
)

# %% tags=["remove-input"]
audit.box("000-attention-stages", "000-attention-last", "000-attention-gain", "000-attention-auc")

# %% [markdown]
# ## On synthetic faces
#
# A few hundred faces and some seconds of training show that the comparison runs, on faces whose truth is known.

# %%
compared = {"none": {}, "blocks": {"model": {"options": {"placement": "blocks"}}}}
described = quick.varied(compared, tuple(seeds), epochs=epochs)
store = quick.store()  # shared with the other pages of this chapter
built = quick.trained(described, store)
networks = [trained.network(described[f"blocks-seed{seed}"], store) for seed in seeds]

# %% tags=["remove-input"]
report.table(
    results.difference_rows(built, "none", measures),
    caption="Synthetic, this build: with attention minus without, paired by seed",
)

# %% [markdown]
# ## Where it looks
#
# Attention is said to look at eyes and mouth. On synthetic faces we know where those are. How much more does a spatial gate let through there than on the rest of
# the picture? Zero: no difference.

# %% tags=["remove-input"]
test = datasets.load("synthetic", count=1500).part("test")
found = [
    {
        name: float(np.mean(quick.on_parts(gates, test.landmarks)))
        for name, gates in quick.spatial_gates(one, test.images).items()
    }
    for one in networks
]
report.table(
    [
        {"gate": place} | {f"seed {seed}": f"{one[name]:+.1f} %" for seed, one in zip(seeds, found, strict=True)}
        for name, place in zip(found[0], ("24 x 24", "12 x 12", "6 x 6", "3 x 3"), strict=True)
    ],
    caption="Synthetic, this build: eyes and mouth let through more than the rest by",
)

# %% tags=["remove-input"]
audit.box("000-attention-parts", "000-attention-light")

# %% [markdown]
# A gate multiplies features; what the network makes of them is decided behind it. A bright spot on a map is therefore no proof that the answer rests on it. For
# that question see [Is relevance faithful?](../relevance/faithfulness).
#
# ## Summary
#
# * **Scope.** One narrow ResNet, three placements, FER+ at 48 pixels; not {term}`ResNet-50 <ResNet>` on {term}`AffectNet` at 224.
# * **What can be said.** The gains above, with their intervals. "Improves" does not follow from adding the module.
# * **What cannot.** Whether a pretrained ResNet-50 gains. CBAM's authors find a gain on {term}`ImageNet` with far longer training; every gate starts half
#   closed, which damps the branch it sits on, and a short training may not make up for that.
# * **What to take away.** An ablation costs as much as the run it explains. Without it, a gain is not shown.
