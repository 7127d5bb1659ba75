# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # FER+ in numbers
#
# Paper 002 {cite}`duan2022` trains and tests on {term}`FER+` {cite}`barsoum2016`: the grey 48-pixel faces of {term}`FER2013`
# {cite}`goodfellow2013`, each judged by ten annotators. Before any network runs, every number that the paper states about
# this data can be counted. This chapter counts them.
#
# **You will see** how votes become labels, how many faces each cleaning rule drops, what the two test sets take from
# training, and two things that the paper does not report: pictures that appear more than once, and how far two crowds agree
# about the same picture.
#
# Beside each printed number stand two others. *FER+, recorded* was counted on the real data set and is stored with
# its checksum. *This build* was counted a moment ago on the faces that this page was built with: synthetic ones, unless
# the build was given the real data. Synthetic faces never decide a claim about FER+.

# %% tags=["parameters"]
dataset = "synthetic"  # or "ferplus", found through FERBOOK_DATA
count = 6000  # synthetic faces to draw
seed = 0  # of the synthetic faces and of the examples below

# %%
import numpy as np

from ferbook.claims import dataset_summary, report
from ferbook.core import records
from ferbook.datasets import load
from ferbook.faces import labels
from ferbook.faces.emotions import EMOTIONS, VOTE_COLUMNS
from ferbook.measures import figures
from ferbook.papers.nhot import minor_votes, single_label

options = {"count": count, "seed": seed} if dataset == "synthetic" else {}
faces = load(dataset, **options)
build = dataset_summary.measure(faces)
audit = report.ClaimReport("002", build)

# %% tags=["remove-input"]
figures.use_style()
rng = np.random.default_rng(seed)
# What stands side by side on this page, and FER+'s own numbers among them.
shown = report.sources(build)
colours = list(figures.SOURCE_COLOURS.values())[-len(shown) :]
real = next(iter(shown.values())).values

# %% [markdown]
# ## The votes
#
# Each annotator gives one of ten answers: eight emotions, *unknown*, or *not a face*. The picture below shows faces of this
# build with their three most frequent answers.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Twelve faces, each titled with its most frequent answers and their vote counts"}}
chosen = np.sort(rng.choice(len(faces), 12, replace=False))


def top_answers(row):
    order = np.argsort(-row.astype(int), kind="stable")[:3]
    return "\n".join(f"{VOTE_COLUMNS[k]} {row[k]}" for k in order if row[k]) + "\n" * (3 - min(3, (row > 0).sum()))


_ = figures.gallery(faces.images[chosen], [top_answers(faces.votes[i]) for i in chosen])

# %% tags=["remove-input"]
rows = records.read(dataset_summary.TABLE_RECORD)["values"]
report.prose(
    f"""**How many faces?** The vote table of FER+ has {rows["rows"]:,} rows, one for each picture of FER2013. {rows["unnamed"]} rows have no name; for
    {"all" if rows["unnamed_no_face"] == rows["unnamed"] else rows["unnamed_no_face"]} of these all ten votes say that the picture shows no face. {rows["stand_twice"]} names stand twice. {rows["named"]:,} named pictures are
    left, and these are what programs read and what every count below is about."""
)

# %% tags=["remove-input"]
audit.box(
    "002-size",
    "002-side",
    "002-ten-votes",
    "002-same-as-fer2013",
    "002-fer2013-size",
    "002-seven-answers",
    "002-unanimous",
)

# %% [markdown]
# ## Cleaning
#
# A face with more than three votes on *unknown* or *not a face* is dropped; the two columns are then removed and the rest is
# divided by its sum. "Unknown or not a face" has two readings. Counted **together**, two votes on each are too many; counted
# **each alone**, they are not. Figure 16 of the paper drops exactly such a face, so the first reading is the one its authors
# used. The library calls them `sum` and `either`.

# %%
examples = np.array(
    [  # the three rows of figure 16
        [0, 0, 0, 6, 0, 0, 0, 0, 2, 2],
        [6, 0, 0, 2, 0, 0, 0, 0, 2, 0],
        [4, 0, 0, 4, 2, 0, 0, 0, 0, 0],
    ]
)
for rule in ("sum", "either"):
    keep, distribution = labels.clean_votes(examples, rule=rule)
    print(f"{rule:7} keeps {keep.tolist()}")

# %% tags=["remove-input"]
report.comparison(
    ["all faces", "kept, counted together", "kept, each alone", "no vote on any emotion"],
    {
        label: [f.values[k] for k in ("faces", "kept_sum", "kept_either", "no_emotion_vote")]
        for label, f in shown.items()
    },
    ",d",
    "Cleaning",
)

# %% tags=["remove-input"]
report.prose(
    f"""On FER+ the two readings differ by {real["kept_either"] - real["kept_sum"]} faces out of {real["faces"]:,}: which one
    is meant matters for exactness, not for any result. All that follows uses the first."""
)

# %% [markdown]
# What kind of picture goes? Six of this build, with their votes on unknown and on not-a-face, as in figure 15.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Up to six faces that cleaning drops, each titled with its votes on unknown and on not a face"}}
noise = faces.votes[:, len(EMOTIONS) :]
gone = np.flatnonzero((noise > 3).any(axis=1))
gone = np.sort(rng.choice(gone, min(6, len(gone)), replace=False))
_ = figures.gallery(faces.images[gone], [f"unknown {noise[i, 0]}\nno face {noise[i, 1]}" for i in gone])

# %% tags=["remove-input"]
audit.box("002-clean-a", "002-clean-b", "002-normalise-b", "002-normalise-c")

# %% [markdown]
# ## Complexity
#
# The **complexity level** of a face is the number of emotions that received a vote. Figure 17 of the paper draws how many faces
# each level has. Here they are as shares, since the two sets differ in size. First, as in figure 13, faces of this build on which all ten votes fall on one
# answer, and below them those with the most different answers.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six faces with all votes on one answer, and six with votes on the most answers, with the number of answers"}}
answers = (faces.votes > 0).sum(axis=1)
clear = np.sort(rng.choice(np.flatnonzero(answers == 1), 6, replace=False))
mixed = np.argsort(-answers, kind="stable")[:6]
_ = figures.gallery(
    faces.images[np.r_[clear, mixed]],
    [VOTE_COLUMNS[faces.votes[i].argmax()] for i in clear] + [f"{answers[i]} answers" for i in mixed],
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar chart: share of cleaned faces at each complexity level from one to eight"}}
_ = figures.bars(
    [str(level) for level in range(1, 9)],
    {label: 100 * np.array(f.values["by_complexity_sum"]) / f.values["kept_sum"] for label, f in shown.items()},
    colours,
    xlabel="complexity level (emotions with at least one vote)",
    ylabel="share of cleaned faces (%)",
)

# %% tags=["remove-input"]
report.comparison(
    [f"level {level}" for level in range(1, 9)],
    {label: f.values["by_complexity_sum"] for label, f in shown.items()},
    ",d",
    "Faces per complexity level (figure 17)",
)

# %% tags=["remove-input"]
audit.box("002-simple-share", "002-simple-share-third")

# %% [markdown]
# ## Classes
#
# Figure 33 adds all cleaned distributions and normalises the sum: the share that each emotion has of all opinion.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bar chart: share of the total emotion mass held by each of the eight emotions"}}
_ = figures.bars(
    EMOTIONS,
    {label: 100 * np.array(f.values["class_share"]) for label, f in shown.items()},
    colours,
    xlabel="emotion",
    ylabel="share of the emotion mass (%)",
)

# %% tags=["remove-input"]
audit.box("002-neutral-happiness", "002-rare", "002-rare-votes")

# %% [markdown]
# ## Label reduction
#
# **N-hot** labels keep the N largest shares of a face, break ties at random, set the rest to zero and normalise again. N = 1 is
# the common single label; N = 8 changes nothing. One face with at least four emotions, reduced:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three small bar charts of one face's emotion shares: with all labels, with three, and with one"}}
cleaned = labels.clean_votes(faces.votes)
rich = np.flatnonzero(labels.complexity(cleaned.distribution) >= 4)[:1]
steps = {n: labels.n_hot(cleaned.distribution[rich], n, rng)[0] for n in (8, 3, 1)}
_ = figures.distributions(list(steps.values()), [f"N = {n}" for n in steps])

# %% [markdown]
# How many faces does each step change? Only those with more than N labels.

# %% tags=["remove-input"]
report.comparison(
    [f"from N = {n} to N = {n + 1}" for n in range(1, 8)],
    {label: [c / f.values["kept_sum"] for c in f.values["changed_from_n"]] for label, f in shown.items()},
    ".2%",
    "Share of faces whose labels change",
)

# %% tags=["remove-input"]
report.prose(
    f"""On FER+ no cleaned face has more than {real["max_complexity"]} emotions, so the training sets for N = 7 and N = 8 are
    **the same data**, and N = 6 differs from them in {real["changed_from_n"][5]} faces. The paper puts the small ups and downs of its
    curves beyond N = 3 down to the randomness of training (section 4.4); between N = 7 and N = 8 that is certain."""
)

# %% tags=["remove-input"]
audit.box("002-simple-share-again", "002-3hot-mostly-8hot", "002-fig18")

# %% [markdown]
# ## Two test sets
#
# The **ordinary** test set is drawn from all cleaned faces. The **complex** test set has the same size, but is drawn only from
# faces of complexity above three. Everything else trains.

# %% tags=["remove-input"]
keys = {
    "complex faces in all": "complex_faces",
    "ordinary test set": "ordinary_test",
    "… complex faces left to train on": "ordinary_train_complex",
    "complex test set": "complex_test",
    "… complex faces left to train on ": "complex_train_complex",
}
report.comparison(
    list(keys), {label: [f.values[k] for k in keys.values()] for label, f in shown.items()}, ",d", "Test sets"
)

# %% tags=["remove-input"]
report.prose(
    f"""The complex test set spends {real["complex_spent"]:.0%} of all complex faces. A network that is tested on it has trained on
    a set in which {real["complex_train_complex_share"]:.1%} of the faces are complex, against
    {real["ordinary_train_complex_share"]:.1%} in the ordinary case. Its lower accuracy therefore has two causes that the paper's
    figure 29 cannot separate: the test faces are harder, **and** their kind is nearly missing from training."""
)

# %% [markdown]
# [Complex faces](../nhot/complex_faces) separates the two.

# %% tags=["remove-input"]
audit.box("002-complex-pool")

# %% [markdown]
# ## Ties
#
# A prediction counts as right when it matches *any* emotion that shares the largest value (section 3.4). That helps wherever
# two emotions tie. The paper does not say how often they do.

# %% tags=["remove-input"]
report.comparison(
    ["all cleaned faces", "complex faces"],
    {label: [f.values["tie_rate"], f.values["tie_rate_complex"]] for label, f in shown.items()},
    ".1%",
    "Share of faces with a tie for the largest value",
)

# %% [markdown]
# ## Duplicates
#
# Two pictures are called duplicates here when all their pixels are equal. If one trains and the other tests, the test is partly
# a test of memory: this is **leakage**. The paper does not mention duplicates.

# %% tags=["remove-input"]
keys = {
    "pictures that appear more than once": "duplicate_pictures",
    "surplus copies": "surplus_copies",
    "faces of the official test part": "official_test",
    "… with a copy in the training part": "official_test_leaked",
    "faces of the validation part with a copy in the training part": "official_valid_leaked",
    "faces of the ordinary test set": "ordinary_test",
    "… with a copy in its training set": "ordinary_test_leaked",
}
report.comparison(
    list(keys), {label: [f.values[k] for k in keys.values()] for label, f in shown.items()}, ",d", "Duplicates"
)

# %% tags=["remove-input"]
report.prose(
    f"""On FER+, {real["official_test_leaked"] / real["official_test"]:.1%} of the official test faces have an identical picture in
    the training part. Duplicates also tell how reliable ten votes are, because each copy was judged by its own crowd. There are
    {real["twin_pairs"]:,} repeated pictures that survive cleaning. If one crowd's answer is scored against the other crowd as a network's would
    be (section 3.4), it is right for **{real["twin_single_label"]:.1%}** of them. Repeated pictures need not be typical ones; but a network that
    scores in this region on FER+ agrees with the crowd about as well as a second crowd does."""
)

# %% [markdown]
# ## Taggers
#
# Are ten annotators enough? Figure 12 of the paper, taken from the authors of FER+, draws how often the first few of them name the emotion that the whole
# crowd names. That curve ends at 100 % by construction: ten of ten agree with themselves. Pictures that appear twice allow a harder question: how often do
# the first few of one crowd name what **another** crowd names?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Share of faces on which the first k annotators name the main emotion of their own crowd, and of a second crowd, over k"}}
curves = {}
for label, f in shown.items():
    curves[f"{label}: the same crowd"] = [100 * share for share in f.values["agreement_by_taggers"]]
    if f.values["agreement_with_second_crowd"] is not None:
        curves[f"{label}: another crowd"] = [100 * share for share in f.values["agreement_with_second_crowd"]]
palette = [figures.SOURCE_COLOURS[name] for name in ("recorded", "paper", "build")][: len(curves)]
_ = figures.lines(range(1, 11), curves, palette, xlabel="annotators asked", ylabel="they name the main answer (%)")

# %% tags=["remove-input"]
own, other = ([100 * share for share in real[f"agreement_{which}"]] for which in ("by_taggers", "with_second_crowd"))
report.prose(
    f"""On FER+ one annotator names the main answer of the ten in {own[0]:.0f} % of the faces, seven in {own[6]:.0f} %. Another crowd's main answer is named
    by one in {other[0]:.0f} %, by seven in {other[6]:.0f} % and by all ten in {other[9]:.0f} %: after about seven votes more annotators of the same kind
    hardly help, and what is left is disagreement between crowds. All ten answers count here, before any cleaning."""
)

# %% [markdown]
# FER2013 gave each picture a single label. Figure 11 of the paper shows where it differs from the majority of FER+. On faces of this build, a single annotator
# drawn at random stands for it:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four faces titled with a single annotator's answer and below it with the answer of the majority"}}
first = np.array([rng.choice(len(VOTE_COLUMNS), p=row / row.sum()) for row in faces.votes[:600]])
most = faces.votes[:600].argmax(axis=1)
differing = np.sort(rng.choice(np.flatnonzero(first != most), 4, replace=False))
titles = [f"one: {VOTE_COLUMNS[first[i]]}\nten: {VOTE_COLUMNS[most[i]]}" for i in differing]
_ = figures.gallery(faces.images[differing], titles, columns=4, cell=1.6)

# %% [markdown]
# Which label is the better one? The majority agrees with its own voters by construction, so we let each annotator of FER+ step aside: does he or she name what
# most of the other nine say, or FER2013's label? The labels of FER2013 are known here for the faces that papers 003 and 004 annotated.

# %% tags=["remove-input"]
alone = records.read(single_label.RECORD)["values"]
asked = {
    "what most of the others say": "majority",
    "what one of the others says": "annotator",
    "FER2013's label": "label",
}
report.comparison(
    list(asked),
    {
        name: [alone[which][key] for key in asked.values()]
        for name, which in {"all ten answers": "all", "the seven emotions of FER2013": "shared"}.items()
    },
    ".1%",
    "Share of annotators who name it",
)

# %% tags=["remove-input"]
majority, one = (100 * alone["shared"]["gain"][name][0] for name in ("majority", "annotator"))
report.prose(
    f"""The majority is met more often, by {majority:.0f} points among the emotions that both label sets have ({alone["shared"]["faces"]:,} faces). But any one of
    the other annotators is met more often than FER2013's label too, by {one:.0f} points. So most of the difference is between two crowds and their tasks; that ten
    were asked instead of one adds {majority - one:.0f}."""
)

# %% tags=["remove-input"]
audit.box("002-taggers-flat", "002-majority-better")

# %% [markdown]
# ## Minor votes
#
# Are single votes slips of attention, or do they say something about the face? Two tests. First, a good label foretells what a further annotator will answer. We
# hold out each vote in turn and forecast it by a mean of two things: the others' shares, and what annotators answer on average to faces with the same main
# emotion whose others are as divided. How much each counts is fitted on other faces. The error is the squared distance to the answer (the Brier score). Were
# single votes mere slips, nothing would be lost by leaving them out.

# %% tags=["remove-input"]
minor = records.read(minor_votes.RECORD)["values"]
without = {name: found for name, found in minor["outlying"].items() if isinstance(found, dict)}
report.table(
    [
        {"votes left out": "none", "error": f"{minor['outlying']['error']:.4f}", "difference": report.NOTHING},
        *(
            {
                "votes left out": name,
                "error": f"{found['error']:.4f}",
                "difference": "{:+.4f} ({:+.4f} to {:+.4f})".format(*found["difference"]),
            }
            for name, found in without.items()
        ),
    ],
    caption=f"Error of the forecast of a further answer, {minor['outlying']['faces']:,} faces of FER+, 95 % intervals over faces",
)

# %% [markdown]
# Second, pictures that were judged by two crowds. Where a few of the first crowd named an emotion that is not the main one, does anybody of the second? Beside it
# stands how often second crowds name it on other faces with the same main emotion, if they name as many different emotions in all. This is what votes would give
# that have nothing to do with the face.

# %% tags=["remove-input"]
report.table(
    [
        {
            "votes of the first crowd": {"4": "4 or more"}.get(count, count),
            "answers": f"{found['answers']:,}",
            "named again": f"{found['again']:.1%}",
            "on other faces": f"{found['elsewhere']:.1%}",
            "difference (points)": "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * end for end in found["gain"])),
        }
        for count, found in minor["minor"].items()
        if isinstance(found, dict)
    ],
    caption=f"Minor answers that a second crowd repeats, {minor['minor']['pictures']:,} pictures of FER+",
)

# %% tags=["remove-input"]
one, lone = minor["minor"]["1"], without["a single vote against all others"]["difference"]
report.prose(
    f"""Even a vote that stands alone against all others {"tells a little" if lone[1] > 0 else "is not seen to tell anything"}: without it the error is {"larger" if lone[0] > 0 else "smaller"}, by {abs(lone[0]):.4f}. Of single
    votes {one["again"]:.0%} are given again by a second crowd, where faces alike give {one["elsewhere"]:.0%}; of emotions with three votes, {minor["minor"]["3"]["again"]:.0%}. Some single votes may be slips, but leaving
    all of them out loses more than it cleans."""
)

# %% tags=["remove-input"]
audit.box("002-minor-votes", "002-votes-kept")

# %% [markdown]
# ## All claims decided here

# %% tags=["remove-input"]
audit.table("book/faces/ferplus_in_numbers", "Claims of this paper that its data alone can decide")

# %% [markdown]
# ## Summary
#
# * **Scope.** Everything that paper 002 states about its data, counted on the data set itself.
# * **What holds.** Sizes and shares hold; FER2013's size, ten votes for every face and the share of simple faces roughly. FER+ has votes for every picture of FER2013; a few of them
#   reach no program, for want of a name of their own.
# * **Beyond the paper.** The majority of FER+ is a better label than FER2013's, though mostly because the two crowds differ. Single votes are not noise
#   alone: a second crowd repeats them more often than chance would.
# * **What was easy.** The label table is public, and the definitions in sections 3.2 to 3.4 of the paper are precise enough to
#   implement from the text.
# * **What was difficult.** The cleaning rule can be read in two ways, and we had the paper's text but not the bars of its figures 17 and 33
#   to compare with.
# * **What to take away.** Check for duplicate pictures before splitting, and report the tie rate with a tie-aware metric.
