# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # N-hot training
#
# Does a network learn more from labels that admit doubt? Paper 002 {cite}`duan2022` trains four networks on labels with at most N
# emotions and finds that accuracy rises steeply from N = 1 to N = 3 and hardly after that (its figure 28). Its second test set has a
# page of its own: [Complex faces](complex_faces).
#
# **You will see** the same curve for a small network on the same data, with intervals; a quick version on synthetic faces, where the
# truth is known; and how much of an accuracy comes from the way it is counted.

# %% tags=["parameters"]
count = 1500  # synthetic faces
epochs = 12
values_of_n = [1, 3]  # the paper has 1 to 8

# %%
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

from ferbook.book.interactive import nhot
from ferbook.claims import ablation_variants, report, verdicts
from ferbook.learning import sweeps, training
from ferbook.measures import figures
from ferbook.papers.nhot import curves, run_checks, training_time

figures.use_style()
audit = report.ClaimReport("002")
printed = {claim.id: report.printed(claim) for claim in verdicts.load_claims("002").claims}
recorded = sweeps.load("002", "nhot")
vgg16 = sweeps.load("002", "vgg16")
mten, tried = sweeps.load("002", "mten"), [sweeps.load("002", group) for group in run_checks.BREAKING_DOWN]
ordinary = {name: run for name, run in recorded.items() if run.config["split"]["kind"] == "ordinary"}

# %% [markdown]
# ## The runs
#
# The **recorded** runs are on {term}`FER+`, with the laptop network of this book. Every pair of runs with the same seed differs in the
# training labels only. The {term}`epoch` is chosen on validation faces, never on test faces. The loss is {term}`cross-entropy`, where the paper has the squared error, and there are six
# epochs at a falling rate, where it has forty.

# %% tags=["remove-input"]
report.prose(f"""**Recorded:** {curves.recorded_so_far(recorded)}. With one seed, an interval says only how the number would
    vary with other test faces. It takes {ablation_variants.SEEDS} seeds before a difference counts as a finding here.""")

# %% [markdown]
# **This build** trains a narrower network on synthetic faces and the ordinary test set, at first on smaller pictures: enough to show
# how it works, too short and too few faces for good accuracies.

# %%
recipe = {
    "data": {"options": {"count": count}},
    "model": {"options": {"width": 0.75, "dropout": 0.0}},
    "augmentation": [{"name": "flip"}],
    "optimiser": {"lr": 0.004, "weight_decay": 0.02},
    "schedule": {"name": "one_cycle"},
    "early": {"side": 32, "share": 0.5},
    "batch": 16,
    "epochs": epochs,
    "test_curve": True,
}
quick = curves.quick(recipe, values_of_n)
with tempfile.TemporaryDirectory() as store:
    built = {name: training.train(run, Path(store)) for name, run in quick.items()}

# %% [markdown]
# ## The ordinary test set
#
# Figure 28 of the paper, for this network.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Test accuracy over N for recorded FER+ runs and this build's synthetic runs, ordinary test set"}}
_ = curves.figure({"recorded": ordinary, "build": built})

# %% tags=["remove-input"]
report.table(
    [
        {
            "": "gain from N = 1 to 3",
            "the paper": printed["002-nhot-gain"],
            "FER+, recorded": ablation_variants.told(curves.gain(recorded, "ordinary"), sign=True),
            "this build, synthetic": ablation_variants.told(curves.gain(built, "ordinary"), sign=True),
        }
    ],
    caption="Points of accuracy, mean and 95 % interval",
)

# %% [markdown]
# Over the recorded runs you can move N yourself. Which steps have an interval that leaves zero out? And what becomes of the curve under
# a measure that looks at the whole distribution, as below under [Distributions](#distributions)?

# %% tags=["remove-input"]
nhot.accuracy(recorded)

# %% [markdown]
# The paper's numbers are for {term}`VGG16`, {term}`RAN`, {term}`DAN` and {term}`MTEN`; those of the other columns are for a network with a fraction of their parameters.

# %% tags=["remove-input"]
audit.box("002-nhot-gain")

# %% tags=["remove-input"]
audit.rows(
    "002-nhot-one-two",
    "002-nhot-two-three",
    "002-nhot-beyond-three",
    "002-nhot-fluctuation",
    caption="The shape of the curve (figure 28)",
)

# %% [markdown]
# Whether the votes that N leaves out say anything about the face can be asked without a network: [FER+ in numbers](../faces/ferplus_in_numbers) does.
#
# ### Step by step
#
# Both runs of a pair are tested on the same faces. {term}`McNemar's test` looks only at faces that one of them gets right and the other wrong, and asks
# whether the two kinds are equally frequent. A small p says that *these two trained networks* differ. Whether *training* at another N
# makes the difference is a question for several seeds.

# %% tags=["remove-input"]
report.table(curves.gain_rows(ordinary), caption="FER+, recorded: gain in accuracy")

# %% tags=["remove-input"]
report.table(curves.gain_rows(built), caption="Synthetic, this build: gain in accuracy")

# %% [markdown]
# ### With the paper's networks

# %% tags=["remove-input"]
asked = sweeps.chosen(sweeps.runs(sweeps.description("002")), "vgg16")
per_n = Counter(run.config["labels"]["n_hot"] for run in vgg16.values())
lacking = [n for n in sorted({run.labels.n_hot for run in asked.values()}) if per_n[n] < ablation_variants.SEEDS]
few = next(iter(asked.values())).epochs
seeds = len({run.seed for run in asked.values()})
speeds = training_time.speeds()
report.prose(
    f"""VGG16 takes {speeds["compact"] / speeds[training_time.TIMED]:.0f} times as long per picture as the small network, so it gets {seeds} seed{"s" * (seeds > 1)} and {few} epochs, where the
    paper has {training_time.EPOCHS[training_time.TIMED]}. It starts from random weights. At that length its level says nothing about the paper's; only differences may show which way N
    pulls. **Recorded:** {len(vgg16)} of {len(asked)} runs ({", ".join(f"N = {n}: {count}" for n, count in sorted(per_n.items())) or "none"}).
    {f"With fewer than {ablation_variants.SEEDS} seeds, as of N = {', '.join(map(str, lacking))}, they show nothing by themselves." if lacking else ""}"""
)

# %% tags=["remove-input"]
asked = sweeps.chosen(sweeps.runs(sweeps.description("002")), "mten")
length = next(iter(asked.values())).epochs
report.prose(
    f"""MTEN is the one network of the report that two cores can train for {length} epochs, half of the report's
    {training_time.EPOCHS["mten"]}, which is enough to decide a claim. It has the report's squared error and starts from random weights.
    **Recorded:** {len(mten)} of {len(asked)} runs; a claim waits for {ablation_variants.SEEDS} seeds of whatever it compares."""
)

# %% tags=["remove-input"]
rate_of = {next(iter(runs.values())).config["optimiser"]["lr"]: runs for runs in tried}
falls = []
for rate, runs in rate_of.items():
    steps = [pair for run in runs.values() for pair in pairwise(run.history)]
    before, after = min(steps, key=lambda pair: pair[1]["valid_accuracy"] - pair[0]["valid_accuracy"])
    reached = " and ".join(f"{100 * run.metrics['test_accuracy']:.1f}" for run in runs.values())
    falls.append(
        f"With a rate of at most {rate:g}, {len(runs)} runs with all labels reached {reached} % of the ordinary test set; one fell in epoch {after['epoch']} from {before['valid_accuracy']:.0%} to {after['valid_accuracy']:.0%} of the validation faces."
    )
report.prose(
    f"""Higher rates were tried first. {" ".join(falls)} A network is
    not to be judged by runs that fall back, so these decide nothing, and the rate was lowered each time, now to {next(iter(asked.values())).optimiser.lr:g}."""
)

# %% tags=["remove-input"]
networks = {"VGG16": vgg16, "MTEN": mten, **{f"MTEN, rate {rate:g}": runs for rate, runs in rate_of.items()}}
report.table(
    [
        {"network": name, **line}
        for name, runs in networks.items()
        if runs
        for line in curves.rows(runs, ("accuracy", "kl", "calibration"))
    ],
    caption="FER+, recorded: the paper's networks over N",
)

# %% tags=["remove-input"]
report.table(
    [
        {"network": name, **line}
        for name, runs in networks.items()
        if curves.gain(runs, "ordinary", 1, 3)
        for line in curves.gain_rows(runs)
    ],
    caption="FER+, recorded: gain in accuracy of the paper's networks",
)

# %% [markdown]
# ## What the counting adds
#
# Three habits give an accuracy an **optimistic bias**: it is larger than it would be on new faces, counted strictly. The paper has all three and says so for the first two. Choosing the epoch
# on the test faces can only add; so can counting each of several tied emotions as right. Test faces with an identical picture in the
# training set mostly add.

# %% tags=["remove-input"]
report.table(
    curves.rows(recorded, ("accuracy", "choice", "ties", "duplicates")),
    caption="FER+, recorded: what the counting adds",
)

# %% tags=["remove-input"]
audit.rows("002-choice-bias", "002-seed-spread", "002-contempt", caption="Limits that the report names, measured")

# %% [markdown]
# Each row names the network that it was measured on. In these runs the learning rate falls to nothing, so that the last epochs hardly differ, and choosing among them on test faces is worth next to
# nothing. With a rate that stays the same, as it seems to in the paper, which names no schedule, accuracy jumps from epoch to epoch, and the best of forty is worth more.
#
# What to look for in the first table: are the other additions as large as the gain that N is to explain? Where an addition is much the same at every N, it cancels
# in a difference between two N, and only the level is too high.
#
# ## Distributions
#
# {term}`N-hot` labels teach a distribution, but accuracy looks only at its peak. Three measures look further. **Kullback-Leibler (KL) divergence** says how
# much the prediction surprises somebody who knows the votes; the **Brier score** is the squared distance from them. For both, less is
# better. The **calibration error** is the distance between confidence and accuracy, and needs care here: a network that predicted every
# vote share exactly would be right every time, with a confidence of only the largest share. It would look unsure of itself.

# %% tags=["remove-input"]
report.table(curves.rows(recorded, ("kl", "brier", "calibration")), caption="FER+, recorded: fit to the votes")

# %% tags=["hide-input"] mystnb={"image": {"alt": "KL divergence to the crowd over N, recorded and this build, ordinary solid and complex dashed"}}
_ = curves.figure({"recorded": recorded, "build": built}, "kl")

# %% [markdown]
# ## Against the truth
#
# Ten votes are a sample. On real faces nobody knows the mixture that they were drawn from; on synthetic faces it is known, because the
# painter chose it. The same networks, judged by votes and by truth. A network that answers with few different emotions has only just
# begun to learn.

# %% tags=["remove-input"]
report.table(
    curves.rows(built, ("answers", "accuracy", "truth_accuracy", "kl", "truth_kl", "brier", "truth_brier")),
    caption="Synthetic, this build: judged by votes and by truth",
)

# %% [markdown]
# ## Summary
#
# * **Scope.** Figure 28: accuracy over N, for one small network, and VGG16 for a few epochs. Tables of counting and distributions have both test sets.
# * **What can be said.** Whatever the tables above show, with the number of seeds beside it, about this network. A verdict on the paper's needs theirs.
# * **What cannot.** Whether the paper's own four networks gain what it prints; that needs their training.
# * **What to take away.** Judge a network that was trained on distributions by distributions, not only by its first guess.
