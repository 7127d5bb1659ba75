# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does it measure intensity?
#
# Paper 001 {cite}`punuri2024` compares its ranks with annotators on pictures whose intensity nobody knows. On synthetic faces it is known. **You will
# see** how six quantities correlate with it: the paper's rank, the continuous number behind it, total positive relevance, and three
# simpler ones that need no explanation method: the {term}`logit`, the probability, and the distance from a neutral face in feature space.
# The photographs are judged by {term}`VGG16` and by three small networks.
#
# Beside trained networks stand **untrained** ones and ones trained on **shuffled labels** {cite}`adebayo2018`. What correlates with intensity
# there, too, is a property of the picture, such as its contrast, and not something that was learned about emotion.

# %% tags=["parameters"]
dataset = "synthetic"  # or "ferplus", found through FERBOOK_DATA, where votes stand in for intensity
train_faces = 2400  # faces the small network learns from in this build
test_faces = 1500
epochs = 8
seed = 0

# %%
import matplotlib.pyplot as plt
import pandas as pd
import seaborn

from ferbook.claims import report
from ferbook.core import records
from ferbook.measures import figures
from ferbook.relevance import intensity, photographs, pictures

audit = report.ClaimReport("001")
known = pictures.strength(dataset)
test = intensity.part(dataset, "test", test_faces, seed)
build = {
    kind: [
        intensity.compare(
            intensity.ready(kind, count=train_faces, epochs=epochs, seed=seed, dataset=dataset),
            test,
            composites=("z_plus", "epsilon"),
            only_right=kind == "trained",
        )
    ]
    for kind in intensity.KINDS
}

# %% tags=["remove-input"]
figures.use_style()
recorded, voted = records.values_of(intensity.RECORD), records.values_of(intensity.RECORD_VOTED)
vgg = records.values_of(photographs.RECORD)

# %% [markdown]
# ## This build
#
# A network with four convolutions, trained for seconds. The table has {term}`Spearman's rank correlation <Spearman correlation>` with what is known of intensity, and 95 %
# intervals over faces in brackets; the [composite](propagation) of relevance stands in brackets behind a measure's name. *Core* is the continuous number
# that the rank is cut from: the median of a face's scaled values. Nearly all pixels have almost no relevance, so that is nearly [the place of zero](ranks). As
# in the paper, only faces whose emotion was named correctly count for the trained network; the other two are asked about every face, since
# they are hardly ever right.

# %% tags=["remove-input"]
one = build["trained"][0]
report.table(
    intensity.sheet(build, "trained"),
    caption=f"Spearman correlation with {known}, this build (trained: {one['faces']} faces)",
)

# %% tags=["remove-input"]
plus, epsilon = one["ranks"]["z_plus"], one["ranks"]["epsilon"]
report.prose(
    f"""The trained network names {one["accuracy"]:.0%} of the test faces correctly. By z+ it ranks {plus[0]} faces minimal, {plus[1]} average and {plus[2]}
    strong; by the epsilon rule {epsilon[0]}, {epsilon[1]} and {epsilon[2]}."""
)

# %% [markdown]
# ## Recorded runs
#
# The same on synthetic faces with more of them, longer training and three networks of each kind, recorded once.

# %% tags=["remove-input"]
if recorded:
    least = min(run["faces"] for run in recorded["runs"]["trained"])
    caption = f"Spearman correlation with known intensity: mean and 95 % interval over three networks, at least {least:,} faces each"
    table = report.table(intensity.sheet(recorded["runs"], "trained"), caption=caption)
else:
    table = report.prose("They have not been recorded in this checkout: `ferbook record relevance` makes them.")
table

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars: correlation of each measure with known intensity for trained, untrained and shuffled networks"}}
shown = recorded["runs"] if recorded else build
measures = list(shown["trained"][0]["correlations"])
found = {(kind, measure): intensity.mean(shown[kind], measure) for kind in intensity.KINDS for measure in measures}
drawn = pd.DataFrame(
    [(kind, measure, 0.0 if one is None else one.estimate) for (kind, measure), one in found.items()],
    columns=["network", "measure", "correlation"],
)
figure, axis = plt.subplots(figsize=(figures.WIDTH, 4.2))
colours = ["#0072b2", "#999999", "#e69f00"]
seaborn.barplot(drawn, x="correlation", y="measure", hue="network", palette=colours, saturation=1, ax=axis)
axis.axvline(0, color="black", linewidth=0.8)
axis.set_ylabel("")
figures.sideways(axis)
axis.set_xlabel(f"Spearman correlation with {'known intensity, recorded' if recorded else known}")
_ = axis.legend(loc="lower right")

# %% [markdown]
# ## Votes of FERplus
#
# On photographs nobody knows the intensity. {term}`FER+` {cite}`barsoum2016` offers the share of votes that the winning emotion got, which is a measure of how
# clear an expression is rather than of how strong. Networks that were trained on FER+ (three small ones on some thousand faces, and
# the [VGG16 that saw all of them](classifier)) are asked about the cleaned test faces that they name correctly, the neutral ones left out.

# %% tags=["remove-input"]
columns = {"three small networks": voted and voted["runs"]["trained"], "VGG16": vgg and [vgg["trained"]]}
columns = {name: runs for name, runs in columns.items() if runs}
if columns:
    counts = " and ".join(f"{min(run['faces'] for run in runs):,}" for runs in columns.values())
    caption = f"FER+: Spearman correlation with the winner's share of votes; at least {counts} faces. Intervals over networks{', of VGG16 over faces' if vgg else ''}"
    table = report.table(intensity.sheet(columns, list(columns)[-1]), caption=caption)
else:
    table = report.prose(
        "They have not been recorded in this checkout: `ferbook record relevance --root FOLDER` and `relevance-vgg16` make them."
    )
table

# %% tags=["remove-input"]
if vgg:
    rows = [
        {
            "emotion": emotion,
            **{
                rule: ", ".join(f"{count:,}" for count in given[emotion])
                for rule, given in vgg["trained"]["ranks_by_emotion"].items()
            },
        }
        for emotion in vgg["trained"]["ranks_by_emotion"]["z_plus"]
    ]
    table = report.table(rows, caption="VGG16 on FER+: how many faces are ranked minimal, average, strong, by rule")
else:
    table = report.prose("Ranks of VGG16 by emotion have not been recorded in this checkout.")
table

# %% [markdown]
# The paper's claim is about its own network: {term}`VGG16` at 224 pixels with {term}`ImageNet`'s convolutions, and a head trained for 100 {term}`epochs <epoch>` or more. None of the
# networks here is that one, so what they do is shown and decides nothing.

# %% tags=["remove-input"]
audit.box("001-measures-intensity")

# %% [markdown]
# ## What we see

# %% tags=["remove-input"]
names = {
    "the paper's rank": "rank (z_plus)",
    "the number it is cut from": "core (z_plus)",
    "total positive relevance": "relevance (z_plus)",
    "the logit": "logit",
    "the probability": "probability",
}
sources = {f"{known}, this build" if shown is build else "known intensity": shown["trained"]} | {
    f"FER+ votes, {name}": runs for name, runs in columns.items()
}
short = {
    heading: {name: intensity.mean(runs, measure) for name, measure in names.items()}
    for heading, runs in sources.items()
}
report.table(
    [
        {
            "quantity": name,
            **{
                heading: "all alike" if found[name] is None else f"{found[name].estimate:+.2f}"
                for heading, found in short.items()
            },
        }
        for name in names
    ],
    caption="Trained networks, z+ composite: Spearman correlation",
)

# %% tags=["remove-input"]
against = {heading: found["the number it is cut from"] for heading, found in short.items()}
against = {heading: one for heading, one in against.items() if one is not None and one.high < 0}
report.prose(
    f"""Under z+ the number that the rank is cut from even runs **the wrong way**: the stronger or clearer the expression, the smaller it is ({", ".join(f"{heading} {one.estimate:+.2f}" for heading, one in against.items())})."""
    if against
    else "Under z+ the number that the rank is cut from follows intensity in neither direction for sure."
)

# %% [markdown]
# * **Total positive relevance and the logit** say nearly the same, and they must: relevance is conserved, so what the pixels hold in total *is*
#   the logit, up to what speaks against. If one wants a rough order of intensity from a classifier, its score gives it without {term}`LRP`.
# * The **distribution** of relevance over bins, on which the paper's rank rests, has that information scaled away: dividing by the range of
#   the picture removes how much relevance there is.
# * **Untrained** networks, in the bars above, show what of this comes with the picture itself: whatever they reach needs no learning.
#
# Synthetic faces cannot decide what holds for photographs, and votes are not intensity. Together they show two things. The mechanism does not work
# where it should be easiest: one emotion per face, nothing covered, known truth. And on photographs, too, a network's plain score
# orders faces better than the rank does.
