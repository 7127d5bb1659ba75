# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Verdict on paper 000
#
# **The idea**, several emotions at once with a network that weighs its features, was built as described {cite}`hadi2025`, and its printed evidence computed again.
#
# *Explained in the glossary:* {term}`CBAM`, {term}`FER+`.

# %%
from ferbook.claims import ablation_variants, dataset_summary, report, verdicts
from ferbook.learning import sweeps
from ferbook.papers.cbam import results

audit = report.ClaimReport("000")

# %% tags=["remove-input"]
judged = verdicts.judge(verdicts.load_claims("000").claims, dataset_summary.recorded())
counts = verdicts.counted(judged)["000"]
report.table(
    [{"verdict": str(verdict), "claims": counts[verdict]} for verdict in verdicts.Verdict],
    caption=f"The {counts.total()} claims of the paper in this chapter, this book's own observations left out",
)

# %% [markdown]
# ## Attention, in three lines

# %% tags=["remove-input"]
runs = {name: run for group in ("attention", "placement") for name, run in sweeps.load("000", group).items()}
report.table(
    results.difference_rows(runs, "none", ("map", "auc", "f1", "hamming")),
    caption="FER+, recorded: a narrow ResNet with CBAM in each block, after each stage, after the last; minus the same without",
)

# %% tags=["remove-input"]
report.prose(f"""Differences are paired by seed. {ablation_variants.mixed_formats(runs, "*{}*".format)}""")

# %% [markdown]
# ## All claims

# %% tags=["remove-input"]
audit.table()

# %% [markdown]
# ## Summary
#
# * **Scope.** All printed numbers; the method on {term}`FER+` with small networks and on synthetic faces; not {term}`AffectNet`, not a pretrained {term}`ResNet-50 <ResNet>`.
# * **What holds.** Table 2 follows from table 1. The loss and the attention module are what they are said to be.
# * **What does not.** AffectNet as {term}`multi-label` data; a fifth of it as test faces, where the tables count six images; works that carry the method and are not
#   in the list of references, and links in it that lead to other works.
# * **What cannot be told.** [Which mean](evaluation) the mean {term}`average precision` is: as the standard one, over labels, it would be below what table 1
#   allows; under three other readings it would not. Five folds, {term}`Hamming loss`, any result without attention: none is printed, nor areas under curves in the
#   text, which is all that we had.
# * **What was easy.** The method is made of standard parts.
# * **What was difficult.** Placement of attention, source of the second label, optimiser, learning rate, {term}`epochs <epoch>`: not stated.
# * **What to take away.** [Six images](the_paper) cannot carry a percentage, and a comparison needs its other half: [with and without](attention).
