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
# simpler ones that need no explanation method: the logit, the probability, and the distance from a neutral face in feature space.
#
# Beside trained networks stand **untrained** ones and ones trained on **shuffled labels** {cite}`adebayo2018`. What correlates with intensity
# there, too, is a property of the picture, such as its contrast, and not something that was learned about emotion.

# %% tags=["parameters"]
train_faces = 2400  # faces the small network learns from in this build
test_faces = 1500
epochs = 8
seed = 0

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from ferbook import figures, intervals, report
from ferbook.relevance import intensity

audit = report.ClaimReport("001")
test = intensity.part("synthetic", "test", test_faces, seed)
build = {
    kind: [
        intensity.compare(
            intensity.ready(kind, count=train_faces, epochs=epochs, seed=seed),
            test,
            composites=("z_plus", "epsilon"),
            only_right=kind == "trained",
        )
    ]
    for kind in intensity.KINDS
}
recorded = intensity.recorded()
voted = intensity.recorded(intensity.RECORD_VOTED)

# %% tags=["remove-input"]
figures.use_style()


def mean(runs, measure, key="spearman"):
    values = [run["correlations"][measure][key] for run in runs if run["correlations"][measure][key] is not None]
    return np.mean(values) if values else None


def cell(runs, measure):
    found = [run["correlations"][measure] for run in runs]
    if any(one["spearman"] is None for one in found):
        return "all alike"
    if len(found) == 1:
        one = found[0]
        return f"{one['spearman']:+.2f} ({one['spearman_low']:+.2f} to {one['spearman_high']:+.2f})"
    seeds = intervals.over_seeds([one["spearman"] for one in found])
    return f"{seeds.estimate:+.2f} ({seeds.low:+.2f} to {seeds.high:+.2f})"


def sheet(values, caption):
    measures = next(iter(values.values()))[0]["correlations"]
    return report.table(
        [
            {
                "measure": measure,
                **{kind: cell(runs, measure) for kind, runs in values.items()},
                "Kendall, trained": report.NOTHING
                if mean(values["trained"], measure, "kendall") is None
                else f"{mean(values['trained'], measure, 'kendall'):+.2f}",
            }
            for measure in measures
        ],
        caption=caption,
    )


# %% [markdown]
# ## This build
#
# A network with four convolutions, trained for seconds. The table has Spearman's rank correlation with true intensity; 95 % intervals in
# brackets. As in the paper, only faces whose emotion was named correctly count for the trained network; the other two are asked about every face,
# since they are hardly ever right.

# %% tags=["remove-input"]
one = build["trained"][0]
display(sheet(build, f"Spearman correlation with known intensity, this build (trained: {one['faces']} faces)"))
report.prose(
    f"""The trained network names {one["accuracy"]:.0%} of the test faces correctly. By z+ it ranks {one["ranks"]["z_plus"][0]} faces minimal, {one["ranks"]["z_plus"][1]}
    average and {one["ranks"]["z_plus"][2]} strong; by the epsilon rule {one["ranks"]["epsilon"][0]}, {one["ranks"]["epsilon"][1]} and {one["ranks"]["epsilon"][2]}."""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars: correlation of each measure with known intensity for trained, untrained and shuffled networks, this build"}}
shown = recorded["runs"] if recorded else build
measures = list(shown["trained"][0]["correlations"])
figure, axis = plt.subplots(figsize=(figures.WIDTH, 4.2))
for offset, (kind, colour) in enumerate(zip(intensity.KINDS, ("#0072b2", "#999999", "#e69f00"), strict=True)):
    heights = [mean(shown[kind], measure) or 0.0 for measure in measures]
    axis.barh(np.arange(len(measures)) + 0.27 * (1 - offset), heights, 0.25, color=colour, label=kind)
axis.set_yticks(range(len(measures)), measures)
axis.axvline(0, color="black", linewidth=0.8)
axis.invert_yaxis()
axis.set_xlabel("Spearman correlation with known intensity")
_ = axis.legend()

# %% [markdown]
# ## Recorded runs
#
# The same with more faces, longer training and three networks of each kind, recorded once.

# %% tags=["remove-input"]
if recorded:
    least = min(run["faces"] for run in recorded["runs"]["trained"])
    display(
        sheet(
            recorded["runs"],
            f"Spearman correlation with known intensity: mean and 95 % interval over three networks, at least {least:,} faces each",
        )
    )
else:
    display(report.prose("They have not been recorded in this checkout: `ferbook record relevance` makes them."))

# %% [markdown]
# ## Votes of FERplus
#
# On photographs nobody knows the intensity. FER+ offers the share of votes that the winning emotion got, which is a measure of how clear an
# expression is rather than of how strong. Three networks trained on FER+, tested on correctly named faces:

# %% tags=["remove-input"]
if voted:
    least = min(run["faces"] for run in voted["runs"]["trained"])
    display(
        sheet(
            voted["runs"], f"FER+: Spearman correlation with the winner's share of votes, at least {least:,} faces each"
        )
    )
else:
    display(
        report.prose(
            "They have not been recorded in this checkout: `ferbook record relevance --root FOLDER` makes them."
        )
    )

# %% tags=["remove-input"]
audit.box("001-measures-intensity")

# %% [markdown]
# ## What we see

# %% tags=["remove-input"]
core = mean(shown["trained"], "core (z_plus)")
rank = mean(shown["trained"], "rank (z_plus)")
logit, total = mean(shown["trained"], "logit"), mean(shown["trained"], "relevance (z_plus)")
report.table(
    [
        {"quantity": "the paper's rank", "correlation": "all alike" if rank is None else f"{rank:+.2f}"},
        {"quantity": "the number it is cut from", "correlation": f"{core:+.2f}"},
        {"quantity": "total positive relevance", "correlation": f"{total:+.2f}"},
        {"quantity": "the logit", "correlation": f"{logit:+.2f}"},
    ],
    caption="Trained networks, z+ composite, " + ("recorded" if recorded else "this build"),
)

# %% [markdown]
# * **Total positive relevance and the logit** say nearly the same, and they must: relevance is conserved, so what the pixels hold in total *is*
#   the logit, up to what speaks against. If one wants a rough order of intensity from a classifier, its score gives it without LRP.
# * The **distribution** of relevance over bins, on which the paper's rank rests, has that information scaled away: dividing by the range of
#   the picture removes how much relevance there is.
# * **Untrained** networks show what of this comes with the picture itself.
#
# Synthetic faces cannot decide what holds for photographs. They show that the mechanism does not work where it should be easiest: one
# emotion per face, nothing covered, known truth.
