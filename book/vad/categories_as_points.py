# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Categories as points
#
# Both papers start from one idea: the seven emotion categories *are* points in the space of valence, arousal and dominance. Their
# table 1 says in which corner each point lies.
#
# **You will see** that table beside two measurements: ratings of emotion *words*, and the authors' own annotations of *faces*, from the same pictures as {term}`FER+`. And a question
# that decides what a network can add: how much of a face's V, A, D is already known once its category is known? At the end, other people judge the
# same faces: does dominance help to foretell their answers?

# %% tags=["parameters"]
count = 1200  # synthetic faces
seed = 0

# %%
from ferbook.claims import printed, report
from ferbook.core import records
from ferbook.datasets.synthetic import PRIOR
from ferbook.faces.emotions import EMOTIONS, VAD_AXES, VAD_POINTS
from ferbook.measures import figures, intervals
from ferbook.papers.vad import annotated, descriptions
from ferbook.synthesis import sample

figures.use_style()
audit, fourth = report.ClaimReport("003"), report.ClaimReport("004")
real = records.read(annotated.RECORD)["values"]

# %% tags=["remove-input"]
report.table(printed.table("003-table1"), caption="Table 1 of papers 003 and 004: signs that each category asks for")

# %% [markdown]
# ## Published points
#
# Russell and Mehrabian {cite}`russell1977` had people rate emotion words on the three axes. Their points are where most later work places the
# categories, and where this book's synthetic faces get their true V, A, D. (Contempt is missing there; its point is that of the NRC lexicon
# {cite}`mohammad2018`. Neutral at the origin is a convention.)

# %% tags=["remove-input"]
report.table(
    [
        {"category": name, **{axis: f"{v:+.2f}" for axis, v in zip(VAD_AXES, VAD_POINTS[name], strict=True)}}
        for name in EMOTIONS
    ],
    caption="Published points of emotion words, from -1 to 1",
)

# %% tags=["remove-input"]
audit.rows("003-point-*", caption="Signs of table 1 against the published points")

# %% [markdown]
# Fear is the exception. Table 1 makes it calm; nearly everybody else makes it one of the most aroused emotions.
#
# ## The annotated faces

# %% tags=["remove-input"]
report.prose(
    f"""The authors have published annotations of {real["faces"] + real["unnamed"]:,} faces of FER2013's public test part; {real["faces"]:,} of
    them have a picture in FER+. These are the numbers below. Table 1 asks for a sign on each axis; a category agrees if more than half of its
    faces have it and disagrees if fewer do, as far as the 95 % interval of that share leaves no doubt; where both signs are allowed, it agrees if both
    occur in at least 5 % of the faces."""
)

# %% tags=["remove-input"]
audit.rows("003-annotated-*", caption="Signs of table 1 against the annotated faces (FER2013, recorded)")

# %% [markdown]
# The annotators give surprise more control than table 1 does. Fear, which table 1 makes calm, is aroused on about half of its faces, and it
# stays open on which half more; the few faces of disgust leave its arousal open, too. Here is each category's mean face with its spread.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two scatter plots of category means with spreads: valence against arousal and valence against dominance, with published points as crosses"}}
categories = list(real["by_category"])
_ = figures.points(
    {
        name: ([r["mean"][a] for a in VAD_AXES], [r["sd"][a] for a in VAD_AXES])
        for name, r in real["by_category"].items()
    },
    {name: VAD_POINTS[name] for name in categories},
)

# %% [markdown]
# Crosses are the published points of the words. The spread inside a category is as wide as the distance between categories: a category is
# a cloud, not a point.
#
# ## How often faces obey

# %% tags=["remove-input"]
report.table(
    [
        {
            "category": name,
            "faces": r["faces"],
            "obey table 1": f"{r['obey']['table']:.0%}",
            "obey equations 5, 9, 13": f"{r['obey']['equations']:.0%}",
        }
        for name, r in real["by_category"].items()
    ]
    + [
        {
            "category": "all",
            "faces": real["faces"],
            "obey table 1": f"{real['obey']['table']['all']:.0%}",
            "obey equations 5, 9, 13": f"{real['obey']['equations']['all']:.0%}",
        }
    ],
    caption="Share of annotated faces whose V, A and D all have the signs asked for (FER2013, recorded)",
)

# %% tags=["remove-input"]
report.prose(
    f"""A network that predicted every annotation and every category *perfectly* would still break table 1 for
    {1 - real["obey"]["table"]["all"]:.0%} of the faces, and pay for it. The equations, which ask for less, are broken by
    {1 - real["obey"]["equations"]["all"]:.0%}."""
)

# %% [markdown]
# The [next page](consistency) compares table and equations.
#
# ## What the category explains
#
# Give every face the mean of its category, taken over other faces (five folds). How much of the variance is gone? This predictor needs the
# *true* category, so no network can use it; it marks what "categories are points" amounts to.

# %% tags=["remove-input"]
drawn = sample(count, seed=seed, prior=PRIOR)
build = annotated.facts(drawn.mixture, drawn.vad)
shown = {"FER2013, recorded": real, "this build, synthetic": build}
report.table(
    [
        {
            "faces": label,
            "predictor": name,
            **{
                f"R² of {axis}": f"{value:z.2f}"
                for axis, value in zip(VAD_AXES, found[key]["model"]["r2"], strict=True)
            },
        }
        for label, found in shown.items()
        for name, key in (("constant", "constant"), ("mean of the true category", "category_mean"))
    ],
    caption="Variance explained by the category alone (0: none, 1: all)",
)

# %% [markdown]
# Valence is mostly category; arousal and dominance are mostly something else. That something is what a regressor would have to find in the
# face, and what consistency with the category cannot give it.

# %% [markdown]
# ## What others see
#
# Both papers call V, A and D more complete than V and A, and than categories. The annotators of {term}`FER+`, up to ten a picture, have judged the same
# faces without these annotations. So their answers are a test: the more a description of a face tells, the better it foretells them. A logistic regression
# learns from four fifths of the faces how answers follow from the description, and forecasts those to the others. A **bit** is what one learns from a fair coin.
#
# Whoever annotated V, A and D could see the picture's category. If it went into dominance, dominance would foretell other people's answers without
# a look at the face. *Another's D* shows how far: each face gets the dominance of another face of its category.

# %% tags=["remove-input"]
others = records.read(descriptions.RECORD)["values"]

report.table(
    [
        {"what is known of a face": name, "bits told of an answer": intervals.told(found)}
        for name, found in others["bits"].items()
    ],
    caption=f"Of the {others['unknown']:.2f} bits that are open where nothing is known of a face, how many a description tells ({others['faces']:,} faces of FER2013, recorded; 95 % intervals over faces)",
)

# %% tags=["remove-input"]
told = {one["beside"]: one["bits"] for one in others["more"]}
beyond = told["V, A and another's D"]
report.prose(
    f"""Dominance adds {intervals.told(told["V and A"], ".3f")} bits to valence and arousal. Beyond another's dominance of the same category it adds
    {intervals.told(beyond, ".3f")}: {"the face's own dominance tells more" if beyond[1] > 0 else "nothing that can be told from chance. What dominance tells of other people's answers may all be in the category"}.
    The category alone tells {-told["the category"][0]:.2f} bits more than V, A and D. That decides nothing against them, as the answers are
    categories: whether V, A and D tell more of other things was not asked."""
)

# %% tags=["remove-input"]
audit.box("003-comprehensive")

# %% tags=["remove-input"]
fourth.box("004-comprehensive")
