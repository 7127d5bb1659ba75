# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Annotators and agreement
#
# Section IV.D of paper 001 {cite}`punuri2024` has ten annotators rank each picture; the majority is the truth. Tables 6 to 9 then print precision, recall
# and {term}`F1` of the network's ranks. **You will see** how far ten annotators can agree at all, and which of the printed scores
# exclude each other.

# %% tags=["parameters"]
count = 1000  # synthetic faces for the simulated annotators
seed = 0

# %%
import numpy as np

from ferbook.claims import printed, report
from ferbook.faces import raters
from ferbook.measures import figures
from ferbook.papers.relevance import tables
from ferbook.synthesis import sample

audit = report.ClaimReport("001")

# %% tags=["remove-input"]
figures.use_style()

# %% [markdown]
# ## Table 5 recomputed
#
# Six pictures of {term}`KDEF` with all ten answers are the only ratings in the paper.

# %% tags=["remove-input"]
again = tables.annotation_counts()
rows = [
    {
        "picture": row["image"],
        **{
            name: f"{row[name]}" + (f" (not {row[f'{name}_again']})" if row[name] != row[f"{name}_again"] else "")
            for name in raters.RANKS
        },
        "final": row["final"],
    }
    for _, row in again.iterrows()
]
report.table(rows, caption="Table 5: label counts, in brackets what the ten answers give where it differs")

# %% tags=["remove-input"]
audit.box(
    "001-annotator-count",
    "001-annotator-majority",
    "001-annotator-counts",
    "001-annotator-total",
    "001-annotator-ties",
    "001-open-table5-covers",
)

# %% tags=["remove-input"]
six = raters.tally(tables.annotations(), 3)
kappa = raters.agreement(six, seed=seed, resamples=300)
report.prose(
    f"""The paper reports no measure of agreement. From its six rows, Fleiss' kappa is {kappa.kappa:.2f} (1: all always agree, 0: as by chance); six pictures
    leave an interval of {kappa.low:.2f} to {kappa.high:.2f}."""
)

# %% [markdown]
# ## Ten simulated annotators
#
# On synthetic faces intensity is known, so one can see what a majority of ten is worth. Each simulated annotator places the two
# borders between the ranks a little differently and is a little uncertain each time.

# %%
faces = sample(count, seed=seed, split="test")
counts = raters.tally(raters.rate_intensity(faces.intensity, seed=seed), 3)
label, tied = raters.majority(counts)
truth = np.searchsorted(raters.RANK_BOUNDS, faces.intensity)
answers = raters.rate_intensity(faces.intensity, seed=seed)
one = answers[:, 0]

# %% tags=["remove-input"]
short = {0: "Min", 1: "Avg", 2: "Str"}
lines = [
    {
        "face": place + 1,
        "intensity": f"{faces.intensity[place]:.2f}",
        **{f"A{k + 1}": short[answer] for k, answer in enumerate(answers[place].tolist())},
        **dict(zip(short.values(), counts[place].tolist(), strict=True)),
        "final": short[int(label[place])] + (" (tied)" if tied[place] else ""),
    }
    for place in range(6)
]
report.table(lines, caption="As table 5: ten simulated answers for each of six faces, and what they are ranked")

# %% tags=["remove-input"]
kappa = raters.agreement(counts, seed=seed, resamples=300)
report.prose(
    f"""They agree with a kappa of {kappa.kappa:.2f} ({kappa.low:.2f} to {kappa.high:.2f}). One of them gives the true rank to {(one == truth).mean():.0%} of the faces, the
    majority of ten to **{(label == truth).mean():.0%}**; {tied.mean():.1%} of the majorities are ties. Any method that is scored against such a majority
    inherits its errors: one that always gave the true rank would be scored {(label == truth).mean():.0%} here. A single annotator, who is a tenth of the
    majority, agrees with it for {(one == label).mean():.0%} of the faces although the ten differ that much from each other. What the paper's 94 to 96 % are
    worth therefore depends on how often its annotators differ, which it does not print."""
)

# %% [markdown]
# ## Ten real annotators
#
# The paper aims at higher precision and reliability by ten annotators. Its ratings are not published, but some pictures stand twice in {term}`FER+`, each time with
# ten answers. The task was another one, to name the emotion. How often does a single answer, and how often the commonest of ten, meet the commonest of the other
# ten?

# %% tags=["remove-input"]
audit.box("001-open-rating-reliability")

# %% [markdown]
# ## Harmonic means
#
# F1 is the harmonic mean of precision and recall. Printed with two digits, these allow a small range of F1; four cells lie outside of it. For three
# of them, precision and recall of 1.00 stand beside an F1 of 0.97.

# %% tags=["remove-input"]
audit.box("001-f1-table6", "001-f1-table7", "001-f1-table8", "001-f1-table9")

# %% tags=["hide-output", "remove-input"]
audit.box(
    "001-f1-table6-disgust-minimal",
    "001-f1-table8-disgust-minimal",
    "001-f1-table8-disgust-average",
    "001-f1-table8-disgust-strong",
)

# %% [markdown]
# ## Matrices that cannot exist
#
# Precision and recall of the three ranks of one emotion come from one 3 x 3 matrix. They are not free: if two ranks are named without any
# mistake, there is nothing left that the third could be mistaken for. For each emotion we ask whether *any* matrix has the printed values, with at
# most 199 faces in a rank, so that a printed 1.00 means no mistake. The test sets of {term}`JAFFE`, {term}`CK+` and KDEF have fewer faces altogether.

# %%
for table, name in tables.SCORE_TABLES.items():
    few = None if name == "AffectNet" else 199
    missing = tables.impossible_matrices(table, few)
    print(f"{name:10}", f"no matrix for {', '.join(missing)}" if missing else "a matrix for each emotion")

# %% tags=["remove-input"]
audit.box("001-matrices-table6", "001-matrices-table7", "001-matrices-table8", "001-matrices-table9")

# %% tags=["remove-input"]
audit.rows("001-matrix-*", caption="Emotions for which no matrix exists: printed, and what the other column leaves")

# %% [markdown]
# This is a proof by linear programming, not an estimate. It assumes, as section IV.G says, one matrix of three ranks per emotion, of
# pictures whose emotion was named correctly. Where a matrix exists, the printed accuracies can be held against it, too, if they are taken as accuracies of
# ranks. The paper does not say whether they are: the abstract speaks of predicting intensity, section IV.F of recognising emotions. So an accuracy that fits
# no matrix is shown here and gets no verdict.

# %% tags=["remove-input"]
audit.rows("001-accuracies-*", caption="Accuracies of the ranks beside their precisions and recalls")

# %% [markdown]
# ## Averages
#
# The last row of each table is headed average. Is it the plain mean of the 18 rows above it? Rounding of 18 cells mostly cancels out: *holds* allows for the printed average's own rounding
# and three standard deviations of the cells', *holds roughly* for the worst case, in which all 18 were rounded the same way.

# %% tags=["remove-input"]
rows = [
    {
        "table": f"{table[9:]} ({name})",
        **{
            column.replace(
                "f1", "F1"
            ): f"{printed.cell(table, 'average', column)} / {tables.column_mean(table, column):.3f}"
            for column in tables.SCORES
        },
    }
    for table, name in tables.SCORE_TABLES.items()
]
report.table(rows, caption="Averages: printed / computed from the 18 cells")

# %% tags=["remove-input"]
audit.rows("001-mean-table*", caption="The averages as claims")

# %% tags=["remove-input"]
kdef, ck = (tables.scores(name) for name in ("001-table6", "001-table8"))
same = (
    (kdef[["precision", "recall", "f1"]].to_numpy() == ck[["precision", "recall", "f1"]].to_numpy()).all(axis=1).sum()
)
report.prose(
    f"""Two data sets with different test pictures seldom have the same scores. Here {same} of the 18 rows of table 6 (KDEF) and table 8 (CK+) have the
    same precision, recall and F1, digit by digit."""
)

# %% tags=["remove-input"]
audit.box("001-same-rows")

# %% [markdown]
# ## The text beside the tables
#
# Sections IV.F and IV.G retell the tables. Where a number differs from the table's, one of the two is wrong. Most of what the text says about CK+
# are the numbers of KDEF.

# %% tags=["remove-input"]
audit.rows("001-text-*", caption="What the text says about tables 6 to 9")
