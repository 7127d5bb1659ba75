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
# {term}`ResNet-50 <ResNet>` {cite}`he2016` turns a picture of 224 pixels into 2,048 feature maps of 7 x 7. {term}`CBAM` {cite}`woo2018` puts two gates behind features: first one
# factor per **channel** ("how much does this feature matter?"), then one per **place** ("how much does this spot matter?").
#
# **You will see** the paper's chain drawn from the network that is built, both gates written out by hand, the three places where they may sit, what they cost, and what a trained gate lets through.

# %% tags=["parameters"]
epochs = 6
seed = 0

# %%
import torch

from ferbook import datasets, models
from ferbook.claims import report
from ferbook.learning import trained
from ferbook.measures import figures
from ferbook.models.cbam import Cbam
from ferbook.papers.cbam import drawing, quick

figures.use_style()
audit = report.ClaimReport("000")

# %% [markdown]
# ## The chain
#
# The paper's figure 1 is a chain of seven stages, from the data to the interpretation. Here it is again, with the network on a shaded ground and with the
# sizes read off that network as a picture of 224 pixels passes through it. Attention is one box of the paper's and two here; it stands after
# the last block, as sections 2.2 and 2.4.2 have it.

# %% tags=["hide-input"] mystnb={"image": {"alt": "The chain from top to bottom: data, preprocessing, ResNet-50 features, channel attention, spatial attention, classification by sigmoids, evaluation, analysis; the table below has each box's text"}}
steps = drawing.chain()
_ = figures.chain(steps)

# %% tags=["hide-output", "remove-input"]
report.table([{"step": step.title, "what comes out": step.text} for step in steps], caption="The chain, in words")

# %% tags=["remove-input"]
audit.box("000-four-stages")

# %% [markdown]
# ## Two gates
#
# For features x of shape (C, H, W):
#
# * channel gate: $\sigma(\mathrm{mlp}(\mathrm{mean}_{HW}\,x) + \mathrm{mlp}(\max_{HW} x))$, one small network C → C/16 → C for both;
# * spatial gate, on the gated features: $\sigma(\mathrm{norm}(\mathrm{conv}_{7\times7}[\max_C x;\ \mathrm{mean}_C x]))$.
#
# Written out with sums and maxima, they give what the module gives:

# %%
torch.manual_seed(seed)
cbam = Cbam(32).eval()
torch.nn.init.constant_(cbam.spatial.norm.weight, 1.5)  # it starts at 0, where the gate is one half everywhere
features = torch.randn(2, 32, 7, 7)
with torch.no_grad():
    print(
        "greatest difference below one millionth:",
        bool((cbam(features) - quick.gate_by_hand(cbam, features)).abs().max() < 1e-6),
    )

# %% [markdown]
# ## Three places
#
# Section 2.4.2 of the paper sends the *last block's* features into the attention module. Section 2.4.3 applies it *in steps after certain blocks*. CBAM's
# authors put one into *every* residual block, before the shortcut is added. All three are built here.

# %% tags=["remove-input"]
audit.box("000-after-last", "000-pretrained")

# %% [markdown]
# ## What attention costs

# %%
report.table(quick.placement_rows(), caption="ResNet-50 with 7 outputs")

# %% tags=["remove-input"]
plain, gated = (models.multiply_adds(name, 224) for name in ("resnet50", "resnet50_cbam"))
report.prose(f"""In multiply-adds the gates are cheap: a CBAM in every block adds {(gated - plain) / 1e6:.0f} million to the {plain / 1e9:.2f} billion of a
    picture of 224 pixels, {(gated - plain) / plain:.2%}. Time is
    another matter: pooling over channels and places moves much memory for few operations.""")

# %% tags=["remove-input"]
audit.box("000-efficient", "000-real-time")

# %% [markdown]
# ## What a gate lets through
#
# A spatial gate starts at one half everywhere. To see it do something, a narrow ResNet with a CBAM in each block is trained on synthetic faces for
# a few seconds. Bright spots are let through more than dark ones; each row has a scale of its own.

# %%
config = quick.varied({"blocks": {"model": {"options": {"placement": "blocks"}}}}, (seed,), epochs=epochs)[
    "blocks-seed0"
]
store = quick.store()  # shared with the other pages of this chapter
quick.trained({"blocks": config}, store)
network = trained.network(config, store)
faces = datasets.load(config.data.name, **config.data.options).part("test")
gates = quick.spatial_gates(network, faces.images)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Synthetic faces and, below them, the spatial gates of four CBAMs laid over them, from fine to coarse"}}
titles = ["24 x 24", "12 x 12", "6 x 6", "3 x 3"]
_ = quick.gate_figure(faces.images, dict(zip(titles, gates.values(), strict=True)))

# %% [markdown]
# The coarse gates can hardly single out an eye: at the last stage a place covers a third of the face's height and width. [Does attention help?](attention) measures
# whether eyes and mouth are let through more than the rest.
#
# ## Summary
#
# * **Scope.** CBAM and ResNet-50 as published; three placements.
# * **What holds.** The module is well defined by its own authors' paper, and cheap.
# * **What does not.** Paper 000 says two things about where it sits, which fit together only with effort; its source, CBAM, says a third.
# * **What to take away.** "We add attention" is not a description. Where, how often, with which reduction?
