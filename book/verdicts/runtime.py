# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Runtime and environment
#
# A book that trains dozens of networks on a laptop must train them fast. This page measures how fast, beside the loop that repositories
# for facial expressions commonly have, and says on which machine.
#
# *Explained in the glossary:* {term}`GFLOP`, {term}`VGG16`.
#
# **You will see** what the two ways do differently and what each difference gains, how much of the machine's arithmetic they use, and
# what limits the gain on a given processor.
#
# *Recorded* figures come from the machine in the last table. *This build* is one short measurement, taken while other pages of the book were
# perhaps being built as well: it shows that the comparison runs, not how fast your machine is.

# %% tags=["parameters"]
network = "compact"  # trained both ways in this build; "vgg16_48" and "cifar_resnet18" take longer; "" measures nothing
timed = 5  # steps

# %%
from ferbook.book import bench
from ferbook.claims import report
from ferbook.core import machine, records
from ferbook.learning import throughput
from ferbook.measures import figures

recorded = records.read(bench.RECORD)["values"]
settings = [throughput.setting(network, timed=timed)] if network else []
build = throughput.compare(settings, repeats=1, parts=False) if settings else {"networks": {}}

# %% tags=["remove-input"]
figures.use_style()
networks = recorded["networks"]
names = {"vgg16_48": "VGG16, 48 px", "cifar_resnet18": "ResNet-18, 44 px", "compact": "compact, 48 px"}
ways = {"usual": "usual loop", "engine": "this library"}
colours = ("#7f7f7f", "#0072b2")


# %% [markdown]
# ## Two ways to train
#
# | | usual loop | this library |
# |---|---|---|
# | pictures | a file is opened each time one is needed | all are held as bytes where the network computes |
# | augmentation | one picture at a time, with PIL | whole batches, flip and affine in one resampling |
# | who does it | worker processes, on the same cores that train | the training process |
# | order in memory | channel by channel | channels last |
# | arithmetic | 32 bits | bfloat16 where the hardware has instructions for it, else 32 bits |
# | step | a plain loop | Lightning, with a check that the loss is finite |
#
# Everything else is equal: network and starting weights, synthetic faces, crop, flip, rotation, shift and zoom, batch, number of
# steps, Adam and {term}`cross-entropy`. The usual loop (`ferbook.learning.usual_loop`) is a fair one: it has a worker per core, and they read ahead.
#
# ## Pictures per second
#
# Each way runs in a process of its own, in turns. The first steps are left out, and with them start-up and the filling of queues.
# Timings mean something only on a machine that does nothing else meanwhile.

# %% tags=["remove-input"]
busy = recorded["load"] > bench.BUSY
report.prose(
    f"""In the minute before the recording, {recorded["load"]:.1f} programs on average wanted one of the {recorded["machine"]["cores"]} cores.
    {"**The machine was busy: take the speeds below for a trial; factors in turns that differ show how rough they are.**" if busy else ""}"""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar chart, logarithmic: pictures per second of three networks, trained by the usual loop and by this library"}}
speeds = {label: [networks[key][way]["images_per_s"] for key in networks] for way, label in ways.items()}
figure = figures.bars(
    [names[key] for key in networks],
    speeds,
    colours,
    xlabel="network, recorded",
    ylabel="pictures trained per second",
    form="{:,.4g}",
)
axis = figure.axes[0]
axis.set(yscale="log", ylim=(1, None))
axis.yaxis.set_major_formatter("{x:,.0f}")

# %% tags=["remove-input"]
measured = [("recorded", recorded), ("this build", build)]
report.table(
    [
        {
            "network": names[key],
            "measured": label,
            "usual loop": f"{found['usual']['images_per_s']:,.4g}",
            "this library": f"{found['engine']['images_per_s']:,.4g}",
            "factor": f"{found['factor']:.2f}",
            "in each turn": ", ".join(f"{factor:.2f}" for factor in found["factors"]),
            "wanted": f"{bench.LIMITS[f'networks.{key}.factor'][1]:g}",
            "": "not judged"
            if busy or values is build
            else "missed"
            if bench.is_missed(f"networks.{key}.factor", found["factor"])
            else "met",
        }
        for label, values in measured
        for key, found in values["networks"].items()
    ],
    caption="Pictures trained per second, and how many times the usual loop's that is",
)

# %% tags=["remove-input"]
missed = {names[key]: why for key, found in networks.items() if (why := bench.shortfall(key, found))}
if busy:
    finding = "They are not judged here, because the recorded speeds are those of a busy machine."
elif missed:
    listed = "; ".join(f"**{name}**, {why}" for name, why in missed.items())
    finding = f"The recorded machine falls short of them: {listed}."
else:
    finding = "The recorded machine reaches all of them."
report.prose(f"The factors that the project wants were set with bfloat16 units in mind. {finding}")

# %% [markdown]
# ## What each step gains
#
# The parts were also measured one by one. *Files* is reading and augmenting alone, in all workers; *batches* is this library's
# augmentation alone. *Step* is forward, backward and optimiser on a batch that is already there.

# %% tags=["remove-input"]
parts = {
    "files": "files",
    "batched": "batches",
    "step": "step",
    "step_channels_last": "step, channels last",
    "step_bf16": "step, channels last, bfloat16",
}
shown = [part for part in parts if any(part in found["parts"] for found in networks.values())]
report.table(
    [
        {"network": names[key], **{parts[part]: f"{found['parts'][part]:,.4g}" for part in shown}}
        for key, found in networks.items()
    ],
    caption="Pictures per second of each part alone, recorded",
)

# %% tags=["remove-input"]
rows = []
for key, found in networks.items():
    alone, best = found["parts"], shown[-1]
    rows.append(
        {
            "network": names[key],
            "no waiting for pictures": f"{alone['step'] / found['usual']['images_per_s']:.2f}",
            "channels last": f"{alone['step_channels_last'] / alone['step']:.2f}",
            **({"bfloat16": f"{alone[best] / alone['step_channels_last']:.2f}"} if best == "step_bf16" else {}),
            "paid for augmentation and Lightning": f"{found['engine']['images_per_s'] / alone[best]:.2f}",
            "together": f"{found['factor']:.2f}",
        }
    )
report.table(rows, caption="Factors by which each difference changes the speed; their product is the last column")

# %% tags=["remove-input"]
on_files = {key: found["usual"]["images_per_s"] / found["parts"]["files"] for key, found in networks.items()}
least, most = min(on_files, key=on_files.get), max(on_files, key=on_files.get)
report.prose(
    "**What we see.** On a busy machine, nothing that can be relied on."
    if busy
    else f"""**What we see.** Reading and transforming files takes about {on_files[least]:.0%} of the usual loop's time with {names[least]}, and
    {on_files[most]:.0%} with {names[most]}: the smaller the network, the more there is to gain from holding the pictures in memory. The larger
    the network, the more only its arithmetic counts, which the order in memory and the number format decide."""
)

# %% [markdown]
# ## Share of the machine's arithmetic
#
# The product of two large matrices is the fastest that a processor computes. The figure shows the arithmetic of training as a share of that
# rate: six operations for each multiply-add of the network, two on the way forward and four on the way back.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar chart: share of the machine's matrix-product rate used by three networks, with the usual loop and with this library"}}
_ = figures.bars(
    [names[key] for key in networks],
    {label: [100 * networks[key][way]["matrix_share"] for key in networks] for way, label in ways.items()},
    colours,
    xlabel="network, recorded",
    ylabel="share of the matrix rate (%)",
    form="{:.0f}",
)

# %% tags=["remove-input"]
report.table(
    [
        {
            "network": names[key],
            "multiply-adds, million": f"{found['multiply_adds'] / 1e6:,.0f}",
            "GFLOP/s, usual": f"{found['usual']['gflop_per_s']:,.4g}",
            "GFLOP/s, this library": f"{found['engine']['gflop_per_s']:,.4g}",
            "factor at the full rate": f"{found['factor_allowed']:.1f}",
            "MiB, usual": f"{found['usual']['peak_mib']:,}",
            "MiB, this library": f"{found['engine']['peak_mib']:,}",
        }
        for key, found in networks.items()
    ],
    caption="Arithmetic and peak memory, recorded",
)

# %% tags=["remove-input"]
matrix = recorded["matrix"]
report.prose(
    f"""On the recorded machine a product of {matrix["side_fp32"]:,} x {matrix["side_fp32"]:,} matrices runs at **{matrix["fp32"]:,.0f} GFLOP/s**
    in 32 bits, and one of {matrix["side_bf16"]:,} x {matrix["side_bf16"]:,} at **{matrix["bf16"]:,.4g} GFLOP/s** in bfloat16. The *factor at the
    full rate* is the gain over the usual loop if training were nothing but such products. Peak memory is that of the
    training process, libraries included, and of what the workers hold for themselves."""
)

# %% [markdown]
# ## What this means for your machine
#
# * **Processors with {term}`AMX` or AVX-512 bf16** multiply {term}`bfloat16` numbers in hardware, faster than 32-bit ones. The library uses those instructions
#   by itself where it finds them, and the factors wanted above presuppose them.
# * **Processors without** emulate bfloat16, as the matrix rates show where the recorded machine is such a one. The library then stays with 32
#   bits, and the usual loop already does the same arithmetic at the same speed: a large network leaves little to gain.
# * **GPUs** are not measured here. The comparison uses one where it finds it (pictures and augmentation are then on the GPU, too), so
#   `ferbook bench training` tells. [Running at paper scale](../paper_scale) says what they would be worth, under assumptions.
#
# ## Machine and versions

# %% tags=["remove-input"]
stated, here = recorded["machine"], machine.description()
report.comparison(
    list(stated),
    {"recorded": list(stated.values()), "this build": [here.get(key) for key in stated]},
    "",
    "Where the figures were taken",
)

# %% [markdown]
# `ferbook bench training` measures your machine, and `ferbook record training` keeps the figures that this page shows. Leave the machine alone
# meanwhile.
