# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Running at paper scale
#
# Most trainings of this book are small, because two processor cores have to do them. The papers used graphics cards ({term}`GPU`s) and trained
# for longer. What would it take to do everything that is described here, and the settings of the papers among it?
#
# *Explained in the glossary:* {term}`GFLOP`, {term}`bfloat16`, {term}`VGG16`.
#
# **You will see** how many runs are described and how many are missing, what they cost on two cores, on one GPU and on many, how the
# cost grows, how well such an estimate holds, and how to run them on a cluster.
#
# What follows about GPUs is computed from the assumptions below, not measured, most with a worse and a better
# value; change them in the next cell to what you know of yours. What follows about two cores rests on the [speeds recorded](verdicts/runtime) of one
# processor, which is named below.

# %% tags=["parameters"]
peak_tflops = 989  # dense bfloat16, million million operations a second: an NVIDIA H100 SXM; half of the published rate for sparse matrices
shares = [0.1, 0.4]  # of that peak, reached where arithmetic is what takes time; assumed
step_ms = [10, 2]  # milliseconds that a step takes at least, whatever it computes; assumed
start_s = [60, 20]  # seconds until a training begins: the job, the program, the pictures; assumed
gpus = [1, 8, 64]

# %%
from statistics import median

from ferbook.book import bench, paper_scale
from ferbook.claims import ablation_variants, report
from ferbook.core import machine, records
from ferbook.learning import cost
from ferbook.measures import figures

figures.use_style()
assumed = [paper_scale.Gpu(peak_tflops, *worth) for worth in zip(shares, step_ms, start_s, strict=True)]
described = paper_scale.runs()
found = paper_scale.parted(described, lambda run: run.paper)
grouped = paper_scale.parted(described, lambda run: run.group)
everything = paper_scale.of(described)

# %% tags=["remove-input"]
report.table(
    [
        {
            "assumption": "peak rate, dense bfloat16 (million million operations a second)",
            "worse": f"{peak_tflops:,}",
            "better": f"{peak_tflops:,}",
            "whence": "half of what is published for an NVIDIA H100 SXM with sparse matrices",
        },
        {
            "assumption": "share of it reached where arithmetic is what takes time",
            "worse": f"{shares[0]:.0%}",
            "better": f"{shares[1]:.0%}",
            "whence": "a guess",
        },
        {
            "assumption": "least time of a step (ms)",
            "worse": f"{step_ms[0]:g}",
            "better": f"{step_ms[1]:g}",
            "whence": "a guess",
        },
        {
            "assumption": "start of a training: job, program, pictures (s)",
            "worse": f"{start_s[0]:g}",
            "better": f"{start_s[1]:g}",
            "whence": "a guess",
        },
    ],
    caption="What is assumed of a GPU",
)

# %% [markdown]
# ## How the cost is counted
#
# A network's **multiply-adds** for one picture are counted without computing anything, from its layers. A training shows every picture of an {term}`epoch`
# once, and a step takes three times the way forward: once forward, twice backward. So the **operations** of a run are six times its
# multiply-adds for one picture, times pictures, times epochs. Validation, tests and start-up are left out.
#
# On two cores, seconds are operations divided by the rate of that machine's matrix products in 32 bits and by the share of that rate which training
# was timed to reach. Of networks that were not timed the recorded runs in 32 bits tell it, with their validation and tests and from
# whatever processor, where they do not say which; where there are none, the mean share of those that were timed is taken.
#
# On a GPU, two things can be what takes time. For a large network it is arithmetic: a share of the peak rate. NVIDIA states that rate for
# the H100 {cite}`nvidia2023`, as twice the number used here, for matrices half of whose entries are zero; ours are dense. For a small
# network it is the steps themselves: however little there is to compute, a program has to start hundreds of small computations for each.
# The longer of the two counts, and the start of the program beside it.

# %% tags=["remove-input"]
speeds = records.read(cost.SPEEDS)["values"]
timed_on = speeds["machine"]["instructions"]
small, large = (paper_scale.grown(described, name) for name in paper_scale.GROWN.values())
on_peak = [1e3 * gpu.arithmetic(small) / small.steps for gpu in assumed]
reached = [gpu.share * gpu.arithmetic(small) / (small.steps * gpu.step_ms / 1e3) for gpu in assumed]
by_steps = sum(all(gpu.arithmetic(one) < one.steps * gpu.step_ms / 1e3 for gpu in assumed) for one in everything)
report.prose(
    f"""The machine with {timed_on} multiplies matrices at {machine.fastest(cost.rates()):,.0f} GFLOP/s on {speeds["machine"]["cores"]} cores. The book's small network takes
    {small.operations / small.steps / 1e9:,.0f} GFLOP a step, which a GPU at the assumed shares of its peak would do in
    {min(on_peak):.2f} to {max(on_peak):.2f} ms. If a step takes {min(step_ms)} to {max(step_ms)} ms, as guessed, it uses {min(reached):.2%} to {max(reached):.2%} of the peak: it is too
    small for such a card. Of the {len(everything)} trainings described, {by_steps} are limited by their steps in this way, with the better values and with the worse. **If
    the guesses hold, the peak rate does not matter for them**; larger batches, or several runs on one card, would."""
)

# %% [markdown]
# ## What the sweeps take
#
# Files in `data/sweeps` describe the runs of each paper. Runs do not depend on each other, but for those that go on from another one's weights.
# Many GPUs are therefore used side by side, one run on each, the longest first. The time is that of the last to end, and never less
# than the longest run. A training that several runs share is counted once; *all* means all over again.

# %% tags=["remove-input"]
report.table(
    paper_scale.sweep_rows(found, gpus, assumed),
    caption="Runs of each sweep as its groups describe them, shared ones in each, and the time until all are trained, each once",
)

# %% tags=["remove-input"]
uncounted = sum(not run.trainings for run in described)
longest = max(everything, key=lambda one: one.seconds)
share_of = {
    name: paper_scale.seconds(paper_scale.of(runs)) / paper_scale.seconds(everything) for name, runs in grouped.items()
}
dearest = max(share_of, key=share_of.get)
report.prose(
    f"""All sweeps together take two cores **{paper_scale.seconds(everything) / 86400:,.0f} days**, of which `{dearest}` takes {share_of[dearest]:.0%}. On one such GPU it would be {paper_scale.interval(everything, 1, assumed)}, {paper_scale.span([len(everything) * each for each in start_s])} of it the start of {len(everything)} programs;
    on {max(gpus)} GPUs {paper_scale.interval(everything, max(gpus), assumed)}, of which the longest run takes
    {paper_scale.interval([longest], 1, assumed)}.
    {f"Of {uncounted} runs it is not recorded how many pictures they show; they are missing from all costs." if uncounted else ""}"""
)

# %% tags=["remove-input"]
report.table(paper_scale.group_rows(grouped, assumed), caption="What one run of each group takes")

# %% [markdown]
# ## How the cost grows
#
# In N-hot training a label keeps at most N emotions. N changes labels and not pictures, so a run costs the same for every N. To *compare* N = 1 to N takes
# N runs, and as many again for each further {term}`seed`. All of it grows in proportion to the number of training faces. Dashed lines are at the
# faces that {term}`FER+` has for it, and at the seeds that this book asks for.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels of straight lines through zero, for comparisons of N = 1 alone up to N = 1 to 8, with the small network and with VGG16 at the paper's settings: hours on two cores against thousands of training faces above, against the number of seeds below"}}
_ = paper_scale.growth_figure(described)

# %% tags=["remove-input"]
report.prose(
    f"""**What we see.** One run at the paper's settings costs as much as {large.operations / small.operations:,.0f} of the small network's: the network has
    {large.operations / large.pictures / (small.operations / small.pictures):.0f} times the multiply-adds, and it sees {large.pictures / small.pictures:.0f} times as many
    pictures, as there are more epochs and copies of each face."""
)

# %% [markdown]
# ## How well the estimate holds
#
# Recorded runs say how many seconds of processor time all their threads took, which other work on the machine hardly changes. The figure sets them beside
# what was expected: seconds on two cores, times two. Expected is what that one processor takes, whichever one the run came from.

# %% tags=["remove-input"]
kinds = list(bench.processors("training"))
done = [run.recorded for run in described if run.recorded is not None]
told = sum(result.config["precision"] == "32" for result in done)
silent = sum("kind" not in result.provenance for result in done)
report.prose(
    f"""Which one it came from, {silent} of {len(done)} recorded runs do not say. Speeds are recorded of {len(kinds)} kinds of processor ({", ".join(kinds)}); those runs say only the number format in which
    they computed. bfloat16 is chosen where a processor has instructions for it, so those runs are from another kind than {timed_on}. Runs in 32 bits can be
    from any: from processors without such instructions, and from others by runs that ask for 32 bits, as {told} recorded ones do. A ratio therefore tells two things
    at once, how good the estimate is and how unlike the machines are."""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter plot, both axes logarithmic: recorded processor seconds of runs against expected ones, by network and number format, beside the line on which they are equal"}}
checked = paper_scale.checks(described)
_ = paper_scale.check_figure(checked)

# %% tags=["remove-input"]
report.table(paper_scale.check_rows(checked), caption="Recorded seconds by expected ones")

# %% tags=["remove-input"]
own = [one for one in checked if one.number_format == ablation_variants.FORMATS["32-true"]]
known = [one.ratio for one in own if cost.source(one.network) == "timed"]
other = [one.ratio for one in checked if one not in own]
circular = {one.network for one in own if cost.source(one.network) == "runs"}
reached = [cost.share(network) for network in circular]
timed = [cost.share(one.network) for one in everything if cost.source(one.network) == "others"]
guessed = sum(one.seconds for one in everything if cost.source(one.network) == "others") / sum(
    one.seconds for one in everything
)
least = min((one for one in checked if one.network not in circular), key=lambda one: one.ratio)
report.prose(
    f"""**What we see.** In 32 bits, {len(known)} runs of networks that were timed took {median(known):.2f} times the expected seconds
    (median; half of them {paper_scale.middle_half(known)}).
    {f"Of {len(circular)} networks that were not timed the share is from these runs in 32 bits, which therefore check nothing; they reached {min(reached):.2f} to {max(reached):.2f} of the matrix rate." if circular else ""}
    {f"The {len(other)} runs in bfloat16 took {median(other):.2f} times what {timed_on} was expected to." if other else ""}
    Farthest below is `{least.name}`, recorded with {least.ratio:.2f} of the expected seconds; so would be a run that was interrupted and kept the time of its last part alone.
    {f"Of the cost of all sweeps, {guessed:.0%} rests on networks without any such run, which are taken to reach {timed[0]:.2f}: if they reach no more than the untimed networks that have runs, it is several times what stands above." if timed else ""}
    The figures of sweeps above are as good as this and no better; those of GPUs are worse by as much as their assumptions."""
)

# %% [markdown]
# ## Running it
#
# `ferbook queue --budget SECONDS` trains on one machine what decides most claims per second; `ferbook sweep 002` trains what a sweep still
# lacks. To a machine without network, `ferbook pack FOLDER` packs FER+ into six files without loss; there,
# `FERBOOK_DATA=FOLDER ferbook queue --budget SECONDS` trains on it. On a cluster with {term}`Slurm`:
#
# ```sh
# pip install \
#   snakemake-executor-plugin-slurm==2.8.0
# export FERBOOK_DATA=/path/to/data
# snakemake runs --profile profiles/slurm \
#   --config sweep=002 group=imagenet
# ```
#
# Each missing run becomes a job with one GPU. `profiles/slurm/config.yaml` says how much memory and time it may take, and how often it is
# tried again; account and partition of your cluster go there. A job that reaches its limit goes on after the last finished epoch. With `--dry-run --executor dryrun` the command
# lists the jobs and hands over none.
#
# ## Summary
#
# * **Counting** multiply-adds gives the cost of a run before it is run; measured speeds make hours of them.
# * **Small networks** may leave a large GPU idle: how fast a step can be started then counts for more than its peak rate.
# * **Independent runs** spread over many GPUs until the longest one decides.
# * **What to take away.** An estimate is worth what its check says. Measure one run on your machine, and scale the others by it.
