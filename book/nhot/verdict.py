# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Verdict on paper 002
#
# **The idea**, to train on the divided opinion of ten annotators instead of on its winner, needs no defence: it costs nothing where votes are at hand. The
# question is how much it gains, and whether the report {cite}`duan2022` can know.
#
# *Explained in the glossary:* {term}`DAN`, {term}`FER+`, {term}`MTEN`, {term}`RAN`, {term}`VGG16`.

# %%
import pandas as pd

from ferbook.claims import ablation_variants, dataset_summary, report, verdicts
from ferbook.core import paths
from ferbook.learning import sweeps
from ferbook.papers.nhot import best_network, complex_faces, curves, training_time

audit = report.ClaimReport("002")
judged = verdicts.judge(verdicts.load_claims("002").claims, dataset_summary.recorded())
recorded = sweeps.load("002", "nhot")

# %% tags=["remove-input"]
counts = verdicts.counted(judged)["002"]
report.table(
    [{"verdict": str(verdict), "claims": counts[verdict]} for verdict in verdicts.Verdict],
    caption=f"The {counts.total()} claims of the paper in this chapter, this book's own observations left out",
)

# %% [markdown]
# ## By subject
#
# Each claim is decided on one page. A page with many claims that cannot be checked waits for trainings.

# %% tags=["remove-input"]
pages = [result.claim.page.partition("#")[0] for result in judged]
titles = {
    page: next(
        line[4:] for line in (paths.project_root() / f"{page}.py").read_text().splitlines() if line[:4] == "# # "
    )
    for page in dict.fromkeys(pages)
}
table = pd.crosstab([titles[page] for page in pages], [str(result.verdict) for result in judged])
shown = [verdict for verdict in map(str, verdicts.Verdict) if verdict in table]
report.table(
    table.loc[list(titles.values()), shown].rename_axis(index="page", columns=None).reset_index(),
    caption="Claims by page and verdict, with this book's own observations",
)

# %% [markdown]
# ## What matters most
#
# Four claims carry the report: the level it reaches, what {term}`N-hot` labels gain, what complex faces cost, and that the squared error is the best loss. All four
# are about large networks trained for forty {term}`epochs <epoch>`. What a small network does in six stands beside them and decides none.

# %% tags=["remove-input"]
audit.box("002-best-vgg16", "002-nhot-gain", "002-nhot-drop", "002-loss-best")

# %% tags=["remove-input"]
gain = {kind: ablation_variants.told(curves.gain(recorded, kind), sign=True) for kind in curves.KINDS}
report.prose(
    f"""**The gain from N = 1 to 3, in the recorded runs of a small network on FER+:** {gain["ordinary"]} on ordinary faces, {gain["complex"]} on complex ones (points of
    accuracy). **Complex faces.** {complex_faces.in_words(complex_faces.falls(recorded))} See the pages "N-hot training" and "Complex faces"."""
)

# %% [markdown]
# ## How far a processor gets
#
# The report's levels belong to large networks, forty epochs and a graphics card, on test faces of its own drawing. What follows is this book's best from
# random weights, on the official parts of {term}`FER+`, each run with one seed.

# %% tags=["remove-input"]
single = best_network.runs("official", "long")
report.table(best_network.rows(single), caption="FER+, official test part, recorded")

# %% tags=["remove-input"]
report.prose(
    f"""{best_network.in_words(single)} VGG16, RAN, DAN and MTEN at the report's length, and larger recipes, wait for a graphics card."""
)

# %% [markdown]
# ## What does not hold
#
# All claims that fail or contradict others of the report, by what is known today.

# %% tags=["remove-input"]
audit.table(
    caption="Claims that fail or contradict themselves", verdicts=(verdicts.Verdict.FAILS, verdicts.Verdict.CONTRADICTS)
)

# %% [markdown]
# ## What it would take
#
# *Trained* claims wait for runs of the networks that they are about, and are judged by themselves as soon as there are enough seeds. Claims without support cannot be decided by any run: most
# give a reason for what was seen, propose what to do next, or speak of other data sets.

# %% tags=["remove-input"]
opened = [r for r in judged if r.verdict in (verdicts.Verdict.UNCHECKED, verdicts.Verdict.STAND_IN)]
waiting = [result for result in opened if result.claim.kind == "trained"]
stand_ins = [result for result in waiting if result.verdict is verdicts.Verdict.STAND_IN]
grids = training_time.grids()
missing = {name: grid.described - grid.recorded for name, grid in grids.items()}
days = sum(map(training_time.days, training_time.EXPERIMENTS))
report.table(
    [
        {
            "claims": len(waiting),
            "what they wait for": f"the paper's own networks, half of its epochs or more, {ablation_variants.SEEDS} seeds",
            "cost": f"at least {ablation_variants.SEEDS * days:,.0f} days of two cores, for all experiments; of the runs described here {sum(missing.values())} are missing",
        },
        {
            "claims": len(stand_ins),
            "what they wait for": f"the same; of the {len(waiting)}, those beside which a small network's answer stands",
            "cost": report.NOTHING,
        },
        {
            "claims": len(opened) - len(waiting),
            "what they wait for": "nothing that is printed, or data that are not at hand",
            "cost": report.NOTHING,
        },
    ],
    caption=f"The {len(opened)} claims that cannot be decided yet, or not here",
)

# %% [markdown]
# [Time](time) has the account. A *difference* can be asked of any network, and what a small one says is worth knowing; it is no verdict on another.
#
# ## What the report did well
#
# It defines labels, complexity and test sets so precisely that they can be rebuilt from the text, and shows an example with numbers. It prints where its results
# come from, keeps nearly every number the same wherever it stands twice, and devotes a section to what it could not do: one run each, choice on the test faces,
# rare emotions, ten votes as an estimate. Most of what this chapter measures beyond the report, the report named first.
#
# ## All claims

# %% tags=["remove-input"]
audit.table()

# %% [markdown]
# ## Summary
#
# * **Scope.** All printed numbers; labels and splits on FER+; training with a small network. Not {term}`RAN`, {term}`DAN` and {term}`MTEN` at full length.
# * **What holds.** The data are what they are said to be, tables and text agree, two sentences do not agree with others, and the steps from votes to labels give the printed examples.
#   A fall of about twenty points for {term}`VGG16` at N = 1 holds roughly.
# * **What does not.** Three references that lead elsewhere, and what was the best accuracy in 2022; see the table above. Nor are all printed accuracies out of one
#   number of test faces, which the report does not claim.
# * **What cannot be told.** How firm the report's own rankings are, of angles, losses and start weights: one run per setting, and bars without numbers.
# * **What was easy.** Text and definitions.
# * **What was difficult.** Batch size, dropout and seeds are not stated, and the learning rate only "for most experiments".
# * **What to take away.** [Labels with all votes](labels_and_splits) cost nothing. [A difference](nhot_training) needs seeds, and [a hard test set](complex_faces)
#   changes what is left to train on.
