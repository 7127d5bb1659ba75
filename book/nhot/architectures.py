# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Architectures
#
# Paper 002 {cite}`duan2022` first looks for the best ordinary network (its figure 22), then compares it with three that were made for faces
# (figure 23): RAN (region attention network), DAN ("distract your attention" network) and MTEN (multi-task EfficientNet). {term}`VGG16` wins the first round; DAN and
# MTEN win the second.
#
# **You will see** these networks built and counted: how many parameters each has, what it costs to look at one face, and what the
# counting says about the conclusions. None is trained on this page.

# %%
from ferbook import models
from ferbook.claims import report
from ferbook.core import records
from ferbook.measures import figures
from ferbook.papers.nhot import architectures

figures.use_style()
audit = report.ClaimReport("002")
counted = records.read(architectures.RECORD)["values"]

# %% [markdown]
# ## Networks by size
#
# Eight outputs, as for eight emotions. The input is as large as section 4.1 says: 48 pixels, and 224 for DAN. A **multiply-add** is one product
# and one sum; convolutions and matrix products are counted.

# %% tags=["remove-input"]
report.table(
    [
        {
            "network": name,
            "source": models.describe(name).source.partition(";")[0],
            "input (pixels)": counted["side"][name],
            "parameters (million)": f"{counted['parameters'][name] / 1e6:.2f}",
            "multiply-adds a face (million)": f"{counted['multiply_adds'][name] / 1e6:,.0f}",
        }
        for name in architectures.NETWORKS
    ],
    caption="The networks of section 4.2, built and counted",
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter plot: parameters and multiply-adds per face of each network, both axes logarithmic"}}
_ = architectures.sizes(counted)

# %% tags=["remove-input"]
audit.rows("002-mobilenet-light", "002-densenet-heavy", caption="Light and heavy networks")

# %% [markdown]
# Count one network here and compare with the record:

# %%
built = architectures.parameters("vgg16_48")
assert built == counted["parameters"]["vgg16_48"]
f"{built:,} parameters"

# %% [markdown]
# ## Why VGG16 looks so large
#
# The original VGG16 ends in two layers of 4,096 units, made for features of 7 x 7. A face of 48 pixels leaves VGG16 as a single
# point. The original head would repeat that point 49 times, at a price:

# %% tags=["remove-input"]
heads = {name: counted["parameters"][name] for name in ("vgg16", "vgg16_48")}
report.prose(
    f"""{heads["vgg16"] / 1e6:.1f} million parameters with the original head, {heads["vgg16_48"] / 1e6:.1f} million with one linear layer. The paper
    does not say which head it used, nor whether there was dropout. With ImageNet's weights the convolutions are the same in both."""
)

# %% [markdown]
# ## Layers as printed
#
# Figures 3 and 5 of the paper are tables, taken over from the papers on VGG and on ResNet. A network's name says how many layers with weights it has;
# the cells below it say which. They can be added up. First the same for networks that were built here: how many convolutions there are of each kind (side of
# the kernel and number of maps).

# %% tags=["remove-input"]
depths = ("vgg13", "vgg16_48", "vgg19", "resnet18", "resnet34", "resnet50")
kinds = {name: architectures.convolutions(name) for name in depths}
report.table(
    [
        {
            "network": name,
            "convolutions": "; ".join(f"{kind}: {number}" for kind, number in found.items()),
            "in all": sum(found.values()),
        }
        for name, found in kinds.items()
    ],
    caption="Figures 3 and 5, from the networks as built, without shortcuts",
)

# %% [markdown]
# And the printed cells:

# %% tags=["remove-input"]
audit.rows("002-fig3-*", "002-vgg-four", "002-fig5-*", caption="Figures 3 and 5, computed again")

# %% [markdown]
# ## A residual block
#
# What makes a ResNet is the line past the layers (figure 4): a block learns what to *add* to what it is given. This is the first block of the {term}`ResNet-18 <ResNet>` that
# the book builds, drawn from the network; its layers lie on the shaded ground.

# %% tags=["hide-input"] mystnb={"image": {"alt": "The block from top to bottom: input, first convolution, batch normalisation and ReLU, second convolution, batch normalisation, sum with the input, ReLU"}}
_ = figures.chain(architectures.residual_block())

# %% [markdown]
# ## Operations
#
# Figure 5 also prints how many operations each ResNet needs at 224 pixels. They follow from its cells: every output of a convolution costs its
# kernel's area times the maps that enter. Where we built the network, that count stands beside it.

# %% tags=["remove-input"]
audit.rows("002-flops-*", caption="Multiply-adds of figure 5, computed again")

# %% tags=["remove-input"]
resnet = {
    side: values["resnet18"] for side, values in ((48, counted["multiply_adds"]), (224, counted["multiply_adds_224"]))
}
dan = counted["multiply_adds"]["dan"] / counted["multiply_adds"]["vgg16_48"]
report.prose(
    f"""At 48 pixels ResNet-18 computes **{resnet[224] / resnet[48]:.0f} times less** than at 224. Its first layers shrink the picture by four, and
    the last blocks see two pixels by two. ResNets made for small pictures leave that shrinking out; the paper's comparison of VGG with ResNet at
    48 pixels is therefore also one of *how soon the picture is shrunk*. DAN, which gets the face enlarged to 224 pixels, spends {dan:.1f} times
    the operations of VGG16 on it."""
)

# %% [markdown]
# ## What the figures claim
#
# VGG16 is "apparently more accurate" than ResNet, DenseNet and MobileNet (figure 22), and the report's explanation is that faces are
# simple enough for twenty layers.

# %% tags=["remove-input"]
audit.rows(
    "002-layers-enough", "002-classical-*", "002-advanced-*", caption="What the comparison of networks is said to show"
)

# %% [markdown]
# Depth is not the only thing that differs. Networks of the first round differ in how soon they shrink the picture, in whether they have batch normalisation, in parameters, and
# in whether {term}`ImageNet` weights were used. Of those of the second round DAN gets larger faces. MTEN is, but for its heads,
# the EfficientNet-B2 that lost the first round to VGG16; its author's weights had learned faces first, and whether the report started from them it does not say.
# The bars compare packages; which part of a package made the difference, they cannot say.
#
# ## Summary
#
# * **Scope.** Figures 3, 5, 22 and 23, as far as counting goes.
# * **What was checked.** Layers and operations of figures 3 and 5, with the verdicts above.
# * **What is open.** All accuracies; see [the paper's claims](paper).
# * **What to take away.** Say with a network's name also its input size, its head and its start weights.
