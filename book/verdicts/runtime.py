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
# *Recorded* figures come from the machines in the last table, each called by its instruction set: what its processor multiplies matrices with.
# *This build* is one short measurement, taken while other pages of the book were perhaps being built as well: it shows that the comparison runs, not how
# fast your machine is.

# %% tags=["parameters"]
network = "compact"  # trained both ways in this build; "vgg16_48" and "cifar_resnet18" take longer; "" measures nothing
timed = 5  # steps

# %%
from ferbook.book import bench
from ferbook.claims import ablation_variants, report
from ferbook.core import machine, records
from ferbook.learning import throughput
from ferbook.measures import figures, intervals

recorded = bench.recorded("training")
detection = bench.recorded("detection")
profiles, gradients, fourfold = (bench.recorded(part) for part in ("profile", "gradients", "fourfold"))
settings = [throughput.setting(network, timed=timed)] if network else []
build = throughput.compare(settings, repeats=1, parts=False) if settings else {"networks": {}}

# %% tags=["remove-input"]
figures.use_style()
names = {"vgg16_48": "VGG16, 48 px", "cifar_resnet18": "ResNet-18, 44 px", "compact": "compact, 48 px"}
ways = {"usual": "usual loop", "engine": "this library"}
colours = ("#7f7f7f", "#0072b2", "#bdbdbd", "#56b4e9", "#555555", "#004b87", "#dddddd", "#a6d8f5")
busy = {kind for kind, found in recorded.items() if found["load"] > bench.BUSY}
each = [(kind, key, network) for kind, found in recorded.items() for key, network in found["networks"].items()]


def factor_of(found):
    """A factor with its interval, where there is one."""
    ends = found.get("factor_interval")
    return intervals.told((found["factor"], *ends)) if ends else f"{found['factor']:.2f}"


def drawn(figure_of, ylabel, form):
    """Bars of both ways on each recorded machine, network by network."""
    series = {
        f"{label}, {kind}": [figure_of(found["networks"][key][way]) for key in names]
        for kind, found in recorded.items()
        for way, label in ways.items()
    }
    shades = colours[: len(series)]
    options = {"xlabel": "network, recorded", "ylabel": ylabel, "form": form, "above": True, "height": 3.8}
    return figures.bars(list(names.values()), series, shades, **options)


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
# | step | a plain loop | Lightning, with a check that the loss is finite (on a GPU, once an epoch) |
#
# Everything else is equal: network and starting weights, synthetic faces, crop, flip, rotation, shift and zoom, batch, number of
# steps, Adam and {term}`cross-entropy`. The usual loop (`ferbook.learning.usual_loop`) is a fair one: it has a worker per core, and they read ahead.
#
# ## Pictures per second
#
# Each way runs in a process of its own, in turns. The first steps are left out, and with them start-up and the filling of queues.
# Speeds are those of the best turn; a factor is the mean over the turns, with its 95 % interval.
# Timings mean something only on a machine that does nothing else meanwhile.

# %% tags=["remove-input"]
report.prose(
    " ".join(
        f"""In the minute before the recording on {kind}, {found["load"]:.1f} programs on average wanted one of the {found["machine"]["cores"]} cores.
        {"**That machine was busy: take its speeds for a trial.**" if kind in busy else ""}"""
        for kind, found in recorded.items()
    )
)

# %% tags=["remove-input"]
older = {kind: len(found["factors"]) for kind, key, found in each if "factor_interval" not in found}
report.prose(
    " ".join(
        f"""**{kind} is an older record**, of {records.read(bench.record_name("training", kind))["provenance"]["date"]}: its speeds are the mean of {count} turns, its factors have no interval, and the
        library had neither the optimiser nor the way of keeping memory that it has now. Where its factors are smaller than others', that may be the library's doing
        and not the processor's."""
        for kind, count in older.items()
    )
    or "All records are of one way of measuring."
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar chart, logarithmic: pictures per second of three networks, trained by the usual loop and by this library, for each recorded instruction set"}}
axis = drawn(lambda found: found["images_per_s"], "pictures trained per second", "{:,.4g}").axes[0]
axis.set(yscale="log", ylim=(1, None))
axis.yaxis.set_major_formatter("{x:,.0f}")

# %% tags=["remove-input"]
report.table(
    [
        {
            "network": names[key],
            "measured": kind,
            "usual loop": f"{found['usual']['images_per_s']:,.4g}",
            "this library": f"{found['engine']['images_per_s']:,.4g}",
            "factor": factor_of(found),
            "in each turn": ", ".join(f"{factor:.2f}" for factor in found["factors"]),
        }
        for kind, key, found in [*each, *(("this build", key, found) for key, found in build["networks"].items())]
    ],
    caption="Pictures trained per second, and how many times the usual loop's that is",
)

# %% [markdown]
# ## What each step gains
#
# The parts were also measured, each once and alone. *Files* is reading and augmenting alone, in all workers; *batches* is this library's
# augmentation alone. *Step* is forward, backward and optimiser on a batch that is already there.


# %% tags=["remove-input"]
def speed(value):
    """Pictures per second as a cell shows it."""
    return "" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


parts = {
    "files": "files",
    "batched": "batches",
    "step": "step",
    "step_channels_last": "step, channels last",
    "step_bf16": "step, channels last, bfloat16",
}
report.table(
    [
        {
            "network": names[key],
            "instructions": kind,
            **{label: speed(found["parts"].get(part)) for part, label in parts.items()},
        }
        for kind, key, found in each
    ],
    caption="Pictures per second of each part alone, recorded",
)

# %% tags=["remove-input"]
rows = []
for kind, key, found in each:
    alone = found["parts"]
    half = alone.get("step_bf16")
    rows.append(
        {
            "network": names[key],
            "instructions": kind,
            "no waiting for pictures": f"{alone['step'] / found['usual']['images_per_s']:.2f}",
            "channels last": f"{alone['step_channels_last'] / alone['step']:.2f}",
            "bfloat16": f"{half / alone['step_channels_last']:.2f}" if half else "not used",
            "the rest": f"{found['engine']['images_per_s'] / (half or alone['step_channels_last']):.2f}",
            "together": f"{found['engine']['images_per_s'] / found['usual']['images_per_s']:.2f}",
        }
    )
report.table(rows, caption="Factors by which each difference changes the speed; their product is the last column")

# %% [markdown]
# *The rest* is what augmentation and Lightning cost, less what is gained by an optimiser that passes once over all weights, by memory that is kept
# from step to step, and by compilation (compact).
#
# ### Where the time of a step goes
#
# torch's profiler adds up how long each operation of this library's steps runs. Batch norm, {term}`ReLU` and pooling are one column, as compilation makes one kernel of
# them (compact). *The rest* is augmentation, Lightning and Python. The last column divides the share of the matrix rate that training reaches (next section) by the
# share of time that convolutions take: what it would reach if nothing else took any. The two were measured apart, and the profiler itself slows steps a little, so
# that it is a rough figure.

# %% tags=["remove-input"]
around = ("fused", "batch norm", "ReLU and pooling")
reached = {(kind, key): found["engine"]["matrix_share"] for kind, key, found in each}
report.table(
    [
        {
            "network": names[key],
            "measured": kind,
            "step (s)": f"{found['step_s']:.3f}",
            "convolutions": f"{found['shares']['convolutions']:.1%}",
            "norm, ReLU, pooling": f"{sum(found['shares'][work] for work in around):.1%}",
            "optimiser": f"{found['shares']['optimiser']:.1%}",
            "the rest": f"{found['shares']['rest']:.1%}",
            "rate, if alone": f"{reached[kind, key] / found['shares']['convolutions']:.0%}"
            if (kind, key) in reached
            else report.NOTHING,
        }
        for kind, profiled in profiles.items()
        for key, found in profiled["networks"].items()
    ],
    caption="Share of a training step's time, recorded",
)

# %% tags=["remove-input"]
on_files = {(kind, key): found["usual"]["images_per_s"] / found["parts"]["files"] for kind, key, found in each}
least, most = min(on_files, key=on_files.get), max(on_files, key=on_files.get)
waiting = {(kind, key): found["parts"]["step"] / found["usual"]["images_per_s"] for kind, key, found in each}
below = [value for value in waiting.values() if value < 1]
smallest = min(each, key=lambda one: one[2]["multiply_adds"])[1]
of_smallest = ", ".join(f"{value:.2f} on {kind}" for (kind, key), value in waiting.items() if key == smallest)
report.prose(
    f"""**What we see.** Reading and transforming files takes about {on_files[least]:.1%} of the usual loop's time with {names[least[1]]} on {least[0]}, and
    {on_files[most]:.1%} with {names[most[1]]} on {most[0]}. How much is gained by not waiting for
    pictures cannot be told from one timing each: for {names[smallest]} the factor is {of_smallest}. {f"{len(below)} of {len(waiting)} such factors are below 1, down to {min(below):.2f}, which less waiting cannot cause." if below else ""} The
    larger the network, the more only its arithmetic counts, which the order in memory and the number format decide."""
)

# %% [markdown]
# ## Share of the machine's arithmetic
#
# The product of two large matrices is the fastest that a processor computes. The figure shows the arithmetic of training as a share of that
# rate: six operations for each multiply-add of the network, two on the way forward and four on the way back. A share can be compared between
# machines, as a speed cannot; what the project wants of itself is therefore a share. The rate is the one that the same measurement found (the last table of this
# section). On a machine that others use, too, another measurement finds another rate, and the share moves with it.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar chart: share of the machine's matrix-product rate used by three networks, with the usual loop and with this library, for each recorded instruction set"}}
_ = drawn(lambda found: 100 * found["matrix_share"], "share of the matrix rate (%)", "{:.0f}")

# %% tags=["remove-input"]
rows, missed = [], []
for kind, key, found in each:
    limit, share = f"networks.{key}.engine.matrix_share", found["engine"]["matrix_share"]
    falls_short = bench.is_missed(limit, share)
    if falls_short and kind not in busy:
        missed.append(f"{names[key]} on {kind} ({share:.1%}, {bench.LIMITS[limit][1]:.0%} asked)")
    rows.append(
        {
            "network": names[key],
            "instructions": kind,
            "share": f"{share:.1%}",
            "wanted": f"{bench.LIMITS[limit][1]:.0%}",
            "": "not judged" if kind in busy else "missed" if falls_short else "met",
            "multiply-adds, million": f"{found['multiply_adds'] / 1e6:,.0f}",
            "GFLOP/s, usual": f"{found['usual']['gflop_per_s']:,.4g}",
            "GFLOP/s, this library": f"{found['engine']['gflop_per_s']:,.4g}",
            "MiB, usual": f"{found['usual']['peak_mib']:,}",
            "MiB, this library": f"{found['engine']['peak_mib']:,}",
        }
    )
report.table(rows, caption="Arithmetic and peak memory, recorded")

# %% tags=["remove-input"]
report.prose(
    f"""{"Every share that is wanted is reached." if not missed else f"Short of what is wanted: {'; '.join(missed)}."}
    The compact network's layers are narrow: their convolutions alone, without anything around them, do not reach the rate of large matrices.
    Peak memory is that of the training process, libraries included, and of what workers hold for themselves."""
)

# %% tags=["remove-input"]
report.table(
    [
        {
            "instructions": kind,
            "GFLOP/s, 32 bits": f"{found['matrix']['fp32']:,.0f}",
            "GFLOP/s, bfloat16": f"{found['matrix']['bf16']:,.4g}",
            "side of the matrices, 32 bits": found["matrix"]["side_fp32"],
            "bfloat16": found["matrix"]["side_bf16"],
        }
        for kind, found in recorded.items()
    ],
    caption="Rates of matrix products, recorded",
)

# %% [markdown]
# ## Finding faces
#
# Faces are searched in whole batches of pictures. The usual way calls the same detector, {term}`MTCNN`, picture by picture. Both take turns until the
# factor's 95 % interval is narrow.

# %% tags=["remove-input"]
report.table(
    [
        {
            "instructions": kind,
            "pictures per second, one by one": found["pictures_per_s_single"],
            "in a batch": found["pictures_per_s_batched"],
            "factor": factor_of(found),
            "turns": len(found["factors"]),
            "wanted": f"{bench.LIMITS['factor'][1]:g}",
            "": "not judged"
            if found["load"] > bench.BUSY
            else "missed"
            if bench.is_missed("factor", found["factor"])
            else "met",
        }
        for kind, found in detection.items()
    ],
    caption="Pictures of 160 pixels searched for faces from 40 pixels, recorded",
)

# %% [markdown]
# ## Tried and not kept
#
# * **Compilation of the large networks.** It gained nothing when it was tried, and costs some seconds, so on processors only compact is compiled. No record keeps that trial.
# * **bfloat16 everywhere.** Without instructions for it, matrix products in bfloat16 are slower than in 32 bits, as the table of rates shows.
#
# **Not built:** convolutions of our own for compact's narrow layers, which are what keeps it from its share. A few steps are written out, because torch's own
# are slow on a processor; both ways took turns on one thread, in training steps of {term}`MTEN` and in parts of others:

# %% tags=["remove-input"]
written = {
    "depthwise": "depthwise convolutions, in a step of MTEN",
    "pointwise": "1 × 1 convolutions as matrix products, in a step of MTEN",
    "orthogonality": "orthogonality of 512 filters and its gradient, by frequencies",
    "optimiser": "Adam on VGG16's weights, channels last",
}
report.table(
    [
        {
            "what": what,
            "instructions": kind,
            "torch's own (s)": f"{found[f'{key}_plain_s']:.3f}",
            "written out (s)": f"{found[f'{key}_s']:.3f}",
            "factor": intervals.told((found[f"{key}_factor"], *found[f"{key}_factor_interval"])),
        }
        for kind, found in gradients.items()
        for key, what in written.items()
    ],
    caption="What is written out, recorded: seconds of the best turn, factor over all turns with its 95 % interval",
)

# %% [markdown]
# ## What this means for your machine
#
# * **Processors with {term}`AMX` or AVX-512 bf16** multiply {term}`bfloat16` numbers in hardware, faster than 32-bit ones. The library uses those instructions
#   by itself where it finds them.
# * **Processors without** emulate bfloat16. The library then stays with 32 bits, as the usual loop does, and what is left to gain is in the order of memory,
#   the optimiser and the handling of pictures.
# * **GPUs**: the comparison uses one where it finds it (pictures and augmentation are then on the GPU, too), so
#   `ferbook bench training` tells. [Running at paper scale](../paper_scale) says what they would be worth, under assumptions.
#
# What was gained without bfloat16, on the recorded machines:

# %% tags=["remove-input"]
report.prose(
    "; ".join(
        f"{names[key]} on {kind}: {factor_of(found)}" for kind, key, found in each if found["precision"] == "32-true"
    )
    + "."
)

# %% [markdown]
# An epoch of [paper 002's VGG16](../paper_scale) shows every face four times: as it is, mirrored, and turned both ways. What one takes:

# %% tags=["remove-input"]
report.table(
    [
        {
            "measured": kind,
            "pictures in an epoch": f"{found['pictures']:,}",
            "pictures per second": f"{found['images_per_s']:,.1f}",
            "seconds per epoch": f"{found['epoch_s']:,.0f}",
            "share of the matrix rate": f"{found['matrix_share']:.1%}",
            "computed in": ablation_variants.FORMATS.get(found["precision"], found["precision"]),
        }
        for kind, found in fourfold.items()
    ],
    caption="VGG16 at the settings of paper 002, recorded from some steps of an epoch",
)

# %% [markdown]
# ## Machine and versions

# %% tags=["remove-input"]
here = machine.description()
report.comparison(
    list(here),
    {
        **{kind: [found["machine"].get(key) for key in here] for kind, found in recorded.items()},
        "this build": list(here.values()),
    },
    "",
    "Where the figures were taken",
)

# %% [markdown]
# `ferbook bench training detection` measures your machine; `ferbook record training`, `detection-speed`, `training-profile`, `gradients` and `fourfold-epoch` keep the
# figures that this page shows, one file for each instruction set or GPU. Leave the machine alone meanwhile.
