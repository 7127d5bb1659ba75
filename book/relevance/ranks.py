# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From relevance to rank
#
# Ten bins between 0 and 1, three windows of five bins, and the winner is the rank. The text of paper 001 {cite}`punuri2024` defines the
# winner by a formula; its tables 3 and 4 show sixteen pictures with bins, three numbers each, and the rank. **You will see** that these are two
# different rules, that one of them can only ever say *strong*, and what decides the other.

# %% tags=["parameters"]
dataset = "synthetic"  # or "ferplus", "jaffe", "ckplus", "kdef", "affectnet", found through FERBOOK_DATA
train_faces = 2400  # faces the small network learns from
epochs = 8
seed = 0

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from ferbook.book.interactive import rank_rule
from ferbook.claims import report
from ferbook.faces.emotions import EMOTIONS
from ferbook.measures import figures
from ferbook.papers.relevance import tables
from ferbook.relevance import drawings, intensity, lrp, ranks

audit = report.ClaimReport("001")

# %% tags=["remove-input"]
figures.use_style()

# %% [markdown]
# ## The tables recomputed
#
# Beside each row's ten counts stand three numbers, headed $\mu_1$ to $\mu_3$. All of them are **sums of counts**: how many values lie in bins
# 1 to 5, 4 to 8 and 6 to 10. The tables below repeat these sums from the printed counts.

# %% tags=["remove-input"]
for table, data in (("001-table3", "JAFFE"), ("001-table4", "AffectNet")):
    found = tables.windows(table)
    rows = [
        {
            "picture": row["image"],
            **{
                f"mu {k}": f"{row[f'mu_{k}']:,}"
                + (f" (not {row[f'mu_{k}_again']:,})" if row[f"mu_{k}"] != row[f"mu_{k}_again"] else "")
                for k in (1, 2, 3)
            },
            "rank": row["rank"] + (f" (not {row['rank_again']})" if row["rank"] != row["rank_again"] else ""),
        }
        for _, row in found.iterrows()
    ]
    display(
        report.table(
            rows, caption=f"Table {table[-1]} ({data}): printed, and in brackets what the counts give where it differs"
        )
    )

# %% [markdown]
# Three cells do not follow from their row: a number that lost its last digit, one that lost its first, and one rank. Digits may have been lost in the text
# that was taken from the PDF; the rank is wrong with or without them.

# %% tags=["remove-input"]
audit.box("001-fear-11-mu3", "001-surprise-240-mu2", "001-surprise-240-rank")

# %% tags=["remove-input"]
audit.rows("001-windows-*", "001-ranks-*", caption="The other cells of tables 3 and 4")

# %% [markdown]
# ## Two rules
#
# Section III.G says *mean relevance score* of the values in each window. A mean of numbers between 0 and 1 is not 150,318. And that rule would
# give a single answer: the second window has bins 4 and 5, all of whose values lie below those of bins 6 to 8, which it shares with the
# third; the third has bins 9 and 10, all of whose values lie above. So the mean of the third window is never below the second's, and the
# first's stays below 0.5. **As printed, each picture with one value of 0.5 or more is strong**, and after scaling the largest value is 1.

# %%
one_row = np.array([[0.02, 0.15, 0.15, 0.16, 0.2, 0.3, 0.97]])
means, counts = ranks.window_means(one_row)[0], ranks.window_counts(ranks.histogram(one_row))[0]
print("means ", means.round(2), ranks.RANKS[ranks.rank_as_printed(one_row)[0]])
print("counts", counts, ranks.RANKS[ranks.rank_as_tabulated(ranks.histogram(one_row))[0]])

# %% tags=["remove-input"]
audit.box(
    "001-mean-score",
    "001-rule-as-printed",
    "001-rule-as-tabulated",
    "001-positive-only",
    "001-groups-range",
    "001-groups-overlap",
)

# %% [markdown]
# ## How the values got between 0 and 1
#
# The paper does not say. Each row of table 3 counts 150,527 values and a picture of 224 x 224 x 3 has 150,528: all but one. The reading
# that gives this is the **range** of the picture: the smallest relevance becomes 0 and the largest 1, and one of these two is not counted. The text
# has a reason for either: the smallest is then exactly 0 and so *not positive*; the largest is exactly 1, which the formula of the intervals leaves out. If
# both were left out, two values would be missing. Which one is, the bins of a row tell only where one of the two outer ones is empty:

# %% tags=["remove-input"]
rows = [
    {
        "table": table[-1],
        "picture": image,
        "bin 1": f"{groups[0]:,}",
        "bin 2": f"{groups[1]:,}",
        "bin 10": f"{groups[-1]:,}",
        "not counted": missing,
        "more likely": "maximum" if missing == "either" and groups[0] == 1 and groups[1] == 0 else "",
    }
    for table in tables.COUNT_TABLES
    for (image, missing), groups in zip(tables.left_out(table).items(), tables.counts(table).tolist(), strict=True)
]
report.table(rows, caption="Which end of its range each row does not count, if relevance is scaled to its range")

# %% tags=["remove-input"]
audit.box("001-left-out-row-2", "001-left-out-row-7")

# %% [markdown]
# The page goes on with the minimum, which the second row shows to be missing; which of the two it is changes one count in a row and no rank.
#
# ## What decides the rank
#
# In each of the sixteen rows one bin holds nearly everything.

# %% tags=["remove-input"]
fullest = np.concatenate(
    [tables.counts(name).max(axis=1) / tables.counts(name).sum(axis=1) for name in tables.COUNT_TABLES]
)
report.prose(
    f"""Between {fullest.min():.0%} and {fullest.max():.1%} of all values. On this reading these are the pixels without relevance, and their bin is where *zero*
    went when the range was scaled, at -min / (max - min). A rank is then a comparison of **two pixels**, the one most for and the one most against the
    emotion. If the strongest against is much weaker than the strongest for, zero lands near 0: *minimal*. If both are alike: *average*. If the one
    against is the stronger: *strong*. The most negative explanation gets the strongest rank."""
)

# %% tags=["remove-input"]
audit.box("001-fullest-group")

# %%
network = intensity.ready(count=train_faces, epochs=epochs, seed=seed, dataset=dataset)
faces = intensity.part(dataset, "test", 600, seed)
right = lrp.scores(network, faces.images).argmax(1) == faces.labels
kept = faces.where((right & (faces.labels != intensity.NEUTRAL)).numpy())
box = {"low": float(faces.images.min()), "high": float(faces.images.max())}
maps = {
    rule: lrp.relevance(network, kept.images, kept.labels, rule, batch=64, **box).numpy() for rule in lrp.COMPOSITES
}

# %% tags=["remove-input"]
rows = []
for rule, found in maps.items():
    values = found.reshape(len(found), -1)
    zero = -values.min(axis=1) / (values.max(axis=1) - values.min(axis=1))
    tabulated = np.bincount(ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(found))), minlength=3)
    positive = np.bincount(ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(found, "positive"))), minlength=3)
    always = (ranks.rank_as_printed(ranks.scaled(found)) == 2).mean()
    rows.append(
        {
            "composite": rule,
            "minimal, average, strong": ", ".join(map(str, tabulated)),
            "same, positive values only": ", ".join(map(str, positive)),
            "strong as printed": f"{always:.0%}",
            "core minus place of zero (median)": f"{np.median(np.abs(ranks.core(found) - zero)):.3f}",
        }
    )
report.table(rows, caption=f"Ranks of {len(kept.labels)} correctly named faces ({dataset}) by each composite and rule")

# %% [markdown]
# ## Tables 3 and 4 of our own
#
# Eight of these faces, one line each, as the paper's tables have theirs: how many values lie in each bin, how many in each window, and the rank.

# %% tags=["remove-input"]
composite = "epsilon"
groups = ranks.histogram(ranks.scaled(maps[composite][:8]))
rows = [
    {
        "face": f"{EMOTIONS[label]}_{place + 1}",
        **{f"{k}-{k + 1}": f"{count:,}" for k, count in enumerate(line)},
        **{f"mu {k}": f"{count:,}" for k, count in enumerate(ranks.window_counts(line[None])[0], start=1)},
        "rank": ranks.RANKS[ranks.rank_as_tabulated(line[None])[0]],
    }
    for place, (label, line) in enumerate(zip(kept.labels.tolist(), groups, strict=False))
]
report.table(
    rows, caption=f"As tables 3 and 4, {composite} composite, {dataset} faces of 48 x 48 pixels in one channel"
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels: a face, its relevance, how its values fall into ten groups, and the three windows, the fullest marked"}}
scaled_back = kept.images[0, 0].numpy()
scaled_back = 255 * (scaled_back - scaled_back.min()) / np.ptp(scaled_back)
_ = drawings.ranking(scaled_back.astype(np.uint8), maps[composite][0])

# %% [markdown]
# These four steps are figure 5 of the paper, for the first of the faces. The next figure has its ten bins under each composite.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Histograms of scaled relevance of one face under four composites, each with one bin far above the others"}}
figure, axes = plt.subplots(2, 2, figsize=(figures.WIDTH, 4.2), sharex=True, sharey=True)
for axis, (rule, found) in zip(axes.flat, maps.items(), strict=True):
    counted = ranks.histogram(ranks.scaled(found))[0]
    axis.bar(np.arange(10) / 10 + 0.05, 100 * counted / counted.sum(), 0.09, color=figures.SOURCE_COLOURS["build"])
    axis.set_title(f"{rule}: {ranks.RANKS[ranks.rank_as_tabulated(counted[None])[0]]}", fontsize=11)
for axis in axes[1]:
    axis.set_xlabel("relevance, scaled")
for axis in axes[:, 0]:
    axis.set_ylabel("values (%)")

# %% [markdown]
# Drag the three ends of the windows, one at a time, and watch the rank. It flips when an end passes the full bin, and for nothing else that the face does.
# The composite moves the bin itself.

# %% tags=["remove-input"]
rank_rule.edges(
    {rule: found[:8] for rule, found in maps.items()},
    [row["face"] for row in rows],
    scaled_back.astype(np.uint8),
)

# %% [markdown]
# ## What we see

# %% tags=["remove-input"]
most = {
    rule: np.bincount(ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(found))), minlength=3).argmax()
    for rule, found in maps.items()
}
groups = {name: [rule for rule in most if ranks.RANKS[most[rule]] == name] for name in ranks.RANKS}
report.prose(
    "The same network, the same faces: "
    + "; ".join(f"by {', '.join(rules)} most faces are *{name}*" for name, rules in groups.items() if rules)
    + ". Counting positive values only, which is what the text describes, nearly all are *minimal* by each of them."
)

# %% [markdown]
# The rank depends on the composite. Nothing on this page suggests that it depends on the intensity. That is tested where the intensity is known, as
# [scores of three ranks](rank_scores) and as [correlations](intensity).
