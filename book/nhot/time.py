# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Time
#
# Paper 002 {cite}`duan2022` ran everything once, for want of time, and says so (section 5.1.1). What does an {term}`epoch` cost, then and now?
#
# **You will see** what the printed times of {term}`VGG16` imply, what the same work costs on two processor cores, and what it takes to decide the claims that are still open. Nothing
# is timed on this page; [Runtime and environment](../verdicts/runtime) measures speeds, and [Running at paper scale](../paper_scale) has GPUs.

# %%
from ferbook.book import bench
from ferbook.claims import printed, report
from ferbook.core import records
from ferbook.measures import figures
from ferbook.papers.nhot import training_time

figures.use_style()
audit = report.ClaimReport("002")
cards = training_time.cards()
grids = training_time.grids()

# %% [markdown]
# ## What is printed

# %% tags=["remove-input"]
report.table(printed.table("002-table4"), caption="Table 4 of the paper: one epoch of VGG16 on augmented faces")

# %% tags=["remove-input"]
report.table(printed.table("002-table5"), caption="Table 5 of the paper: memory of the cards")

# %% [markdown]
# ## What it implies
#
# The augmented set is four times the original one, and the original one is what {term}`FER+` leaves beside the ordinary test set. Both numbers are known, so a time is a
# speed. With the multiply-adds of VGG16 it is also a rate of arithmetic (forward and backward, a multiply-add counted as two operations). This book's own speeds are from
# [Runtime and environment](../verdicts/runtime).

# %% tags=["remove-input"]
report.table(
    training_time.card_rows(),
    caption=f"An epoch of {training_time.COPIES * training_time.training_faces():,} pictures: printed times, and recorded speeds of this book",
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Points on a logarithmic axis: minutes per epoch of VGG16 on three graphics cards and two processor cores, and of the compact network"}}
_ = training_time.figure()

# %% tags=["remove-input"]
fastest, slowest = (pick(cards, key=lambda one: one.images_per_s) for pick in (max, min))
least = min(cards, key=lambda one: int(one.memory))
speeds = training_time.speeds()
counted_with = records.read(training_time.SPEEDS)["values"]["machine"]["instructions"]
others = {
    kind: found["networks"][training_time.TIMED]["engine"]["images_per_s"]
    for kind, found in bench.processors("training").items()
    if kind != counted_with
}
report.prose(
    f"""The fastest machine of the three is the one with the {fastest.card}{", which has the least memory" if fastest is least else ""}. It shows
    {fastest.images_per_s:.0f} pictures a second, the slowest {slowest.images_per_s:.0f}. Three different models that lie so close together suggest that
    something else than the card set the pace, such as reading and changing pictures; the report gives neither the batch size nor how faces were loaded. Two
    processor cores with {counted_with}, which this page counts with, train VGG16 at {speeds[training_time.TIMED]:.0f} pictures a second, a {fastest.images_per_s / speeds[training_time.TIMED]:.0f}th of that, and the
    small network of this book at {speeds["compact"]:,.0f}. The other recorded processors train VGG16 at
    {" and ".join(f"{speed:.0f} ({kind})" for kind, speed in others.items())}."""
)

# %% [markdown]
# ## Time and memory

# %% tags=["remove-input"]
audit.rows("002-table4-*", "002-table5-*", "002-time-*", "002-memory-*", caption="Tables 1, 4 and 5")

# %% [markdown]
# ## What fits a card
#
# Did memory stand in the way? A training step keeps each weight with its gradient and the two means of the Adam optimiser, and of each picture the maps that the backward
# pass needs again. Both can be counted without a card (32 bits for a number). The last columns say how many pictures half of a card's memory holds at once; the
# other half is left to what is not counted, such as the convolutions' own work. How many pictures there are in all makes no difference.

# %% tags=["remove-input"]
report.table(training_time.memory_rows(), caption="What a training step keeps in memory")

# %% [markdown]
# ## What a whole reproduction costs
#
# The text fixes how many trainings stand behind most figures. Each costs its epochs (40, for {term}`DAN` 60) times the pictures of one epoch. {term}`RAN`, DAN and {term}`MTEN` were not
# timed; they are taken to run at VGG16's rate of arithmetic, which is likely to flatter DAN and MTEN (small kernels and attention are slower per operation). Reading the
# data, testing, figures 22 to 24 and pre-training are left out. It is a lower bound.

# %% tags=["remove-input"]
report.table(training_time.plan_rows(), caption="The paper's trainings, each once")

# %% tags=["remove-input"]
days = sum(map(training_time.days, training_time.EXPERIMENTS))
report.prose(
    f"""Two cores with {counted_with} would be busy for **{days:,.0f} days**, and {3 * days:,.0f} with three seeds of each. This is why the book asks the paper's questions of a
    small network, which takes {speeds["compact"] / speeds[training_time.TIMED]:.0f} times as many pictures a second, for few epochs; and why its verdicts say so."""
)

# %% [markdown]
# ## What this book's runs cost
#
# All runs of `data/sweeps/002.yml`, in CPU hours: seconds of all threads, which other work on the machine does not lengthen. What is expected of the whole grid is the
# mean of the recorded runs times their number. A run that belongs to two groups, as the plain recipe to most, counts in the first; the pre-training of `start` is not counted.

# %% tags=["remove-input"]
report.table(training_time.grid_rows(grids), caption="Runs on FER+ of this chapter, by group")

# %% [markdown]
# ## Summary
#
# * **Scope.** Sections 5.1.1 and 5.1.2, and tables 1, 4 and 5.
# * **What holds.** The tables agree with each other, and weeks it would have been.
# * **What is open.** Whether memory limited the batch. From about two hundred faces (DAN) to over a thousand (VGG16) fit, but the batch size is not given.
# * **What was easy.** A time per epoch and a network's name give a speed.
# * **What to take away.** State batch size and pictures per second. And when time allows one run only, three shorter ones say more: they have an interval.
