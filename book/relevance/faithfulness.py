# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Is relevance faithful?
#
# A map may fail to measure intensity and still point at what the network uses. Two tests. **Pixel flipping** {cite}`samek2017`: replace the pixels with the
# most relevance first and watch the score fall; a faithful map makes it fall faster than a random order. **Regions**: on synthetic faces it is known
# where brows, eyes, nose and mouth are, and which of them the expression moved.

# %% tags=["parameters"]
train_faces = 2400  # faces the small network learns from
epochs = 8
count = 400  # faces to test
seed = 0

# %%
import numpy as np
import torch
from IPython.display import display

from ferbook.claims import report
from ferbook.faces.emotions import EMOTIONS
from ferbook.measures import figures, intervals
from ferbook.relevance import faithfulness, intensity, lrp, networks
from ferbook.synthesis import ACTION_UNITS, render, sample

network = intensity.ready(count=train_faces, epochs=epochs, seed=seed)
faces = sample(count, seed=seed, split="test", blends=0.0, occlusion="none")
images = networks.standardised(render(faces, size=48))
labels = torch.from_numpy(faces.label)
right = (lrp.scores(network, images).argmax(1) == labels) & (labels > 0)
kept = np.flatnonzero(right.numpy())
images, labels, faces = images[kept], labels[kept], faces[kept]

# %% tags=["remove-input"]
figures.use_style()
box = {"low": float(images.min()), "high": float(images.max())}

# %% [markdown]
# ## Pixel flipping

# %%
generator = torch.Generator().manual_seed(seed)
maps = {rule: lrp.relevance(network, images, labels, rule, batch=64, **box) for rule in lrp.COMPOSITES}
maps["gradient x input"] = lrp.gradient_times_input(network, images, labels, batch=64)
maps["contrast"] = images.abs()  # knows the picture, but neither network nor emotion
maps["random"] = torch.rand(images.shape, generator=generator)
curves = {
    name: faithfulness.deletion_curve(network, images, labels, found, steps=10, share=0.5)
    for name, found in maps.items()
}

# %% tags=["hide-input"] mystnb={"image": {"alt": "Curves: mean logit as ever more pixels are replaced, one curve for each way to order the pixels"}}
figure = figures.lines(
    np.linspace(0, 50, 11),
    {name: curve.mean(axis=0) for name, curve in curves.items()},
    ["#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#d55e00", "#e69f00", "#999999"],
    xlabel="pixels replaced by the mean (%)",
    ylabel="logit of the emotion",
    height=4.6,
)
_ = figure.axes[0].legend(loc="upper center", bbox_to_anchor=(0.45, -0.16), ncols=3, fontsize=10)

# %% tags=["remove-input"]
areas = {name: faithfulness.area_over_curve(curve) for name, curve in curves.items()}
rows = []
for name, area in areas.items():
    found = intervals.bootstrap(np.mean, area, seed=seed, resamples=500)
    more = intervals.paired_bootstrap(area, areas["random"], seed=seed, resamples=500)
    rows.append(
        {
            "order": name,
            "area over the curve": f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f})",
            "more than random": report.NOTHING
            if name == "random"
            else f"{more.estimate:+.2f} ({more.low:+.2f} to {more.high:+.2f})",
        }
    )
report.table(rows, caption=f"Mean fall of the logit over ten steps, {len(kept)} faces, 95 % intervals over faces")

# %% [markdown]
# ## Regions of the face
#
# Five known {term}`landmarks <landmark>` give each face its regions. The table has the share of positive relevance in each, divided by the region's share of the
# picture: 1 is what a map that knows nothing would give.

# %%
masks = faithfulness.region_masks(faces.landmarks(48), 48)
area = masks.mean(axis=(2, 3))
density = {rule: faithfulness.region_shares(maps[rule], masks) / area for rule in ("z_plus", "gamma_box")}

# %% tags=["remove-input"]
for rule, found in density.items():
    rows = [
        {
            "emotion": EMOTIONS[emotion],
            "faces": int((faces.label == emotion).sum()),
            **{name: f"{found[faces.label == emotion, k].mean():.2f}" for k, name in enumerate(faithfulness.REGIONS)},
        }
        for emotion in range(1, len(EMOTIONS))
        if (faces.label == emotion).sum() >= 5
    ]
    display(report.table(rows, caption=f"Density of positive relevance by region, {rule} composite (1: even)"))

# %% tags=["remove-input"]
rest = faithfulness.REGIONS.index("rest")
beside = [f"{faithfulness.region_shares(maps[rule], masks)[:, rest].mean():.0%} by `{rule}`" for rule in density]
report.prose(
    f"""Outside of brows, eyes, nose and mouth lie {area[:, rest].mean():.0%} of the picture and, of the positive relevance, {" and ".join(beside)}. A share below the
    picture's means that the features get more than an even map would give them."""
)

# %% [markdown]
# By {term}`action unit`: faces in which a unit is active, against faces in which it is not. Does the region that the unit moves get more relevance?

# %% tags=["remove-input"]
places = {
    "AU1": "brows",
    "AU4": "brows",
    "AU5": "eyes",
    "AU9": "nose",
    "AU12": "mouth",
    "AU15": "mouth",
    "AU20": "mouth",
    "AU26": "mouth",
}


def more_when_active(values, active):
    return values[active].mean() - values[~active].mean()


rows, moved = [], {}
for unit, region in places.items():
    strength = faces.action_units[:, ACTION_UNITS.index(unit)]
    clear = (strength > 0.3) | (strength < 0.1)
    found, active = density["z_plus"][clear, faithfulness.REGIONS.index(region)], strength[clear] > 0.3
    if min(active.sum(), (~active).sum()) >= 10:
        moved[unit] = more = intervals.bootstrap(more_when_active, found, active, seed=seed, resamples=500)
        rows.append(
            {
                "action unit": unit,
                "region": region,
                "faces with it": int(active.sum()),
                "with it": f"{found[active].mean():.2f}",
                "without": f"{found[~active].mean():.2f}",
                "difference": f"{more.estimate:+.2f} ({more.low:+.2f} to {more.high:+.2f})",
            }
        )
report.table(
    rows, caption="Density of relevance (z+) in the region that an action unit moves, 95 % intervals over faces"
)

# %% tags=["remove-input"]
for_sure = [unit for unit, more in moved.items() if more.low > 0]
less = [unit for unit, more in moved.items() if more.high < 0]
fewer = f", and less where {', '.join(less)} is" if less else ""
shared = (
    "A unit that several emotions share tells little about which of them is shown, which may be why others get no more."
)
report.prose(
    f"""The region gets clearly more where {", ".join(for_sure) or "none of them"} is active{fewer}.
    {shared if len(for_sure) < len(moved) else ""}"""
)

# %% [markdown]
# ## What we see

# %% tags=["remove-input"]
better = [
    name
    for name, area in areas.items()
    if name != "random" and intervals.paired_bootstrap(area, areas["random"], seed=seed, resamples=500).low > 0
]
best = max(areas, key=lambda name: areas[name].mean())
as_good = [
    name
    for name, area in areas.items()
    if name != best and intervals.paired_bootstrap(areas[best], area, seed=seed, resamples=500).low <= 0
]
rivals = (
    f"{', '.join(as_good)} do not differ from it beyond chance"
    if as_good
    else "with each of the others it is smaller for sure"
)
report.prose(
    f"""The logit falls faster than at random in these orders: {", ".join(better) or "none"}. Its mean fall is largest with **{best}**; on the same faces,
    {rivals}. One network was tested, so this compares rules with each other and says nothing of other networks."""
)

# %% [markdown]
# That a map shows *where* the evidence is does not make its histogram a measure of *how strong* an expression is: these are different questions,
# and the paper answers the second with a tool for the first.
