# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Use and misuse
#
# [Try a face](try_a_face) puts a word on anybody's face in a tenth of a second. This page says what that word is, how often it is right and for which
# faces, and where it must not be used.
#
# ## Not mind reading
#
# The network predicts **what ten people would call a picture of a face**. It was never told what anybody felt: {term}`FER+` does not know. People who look at a
# photograph do not know either. A review of the evidence {cite}`barrett2019` finds that people smile when happy, and scowl when angry, more often than chance
# would have it. But they also express the same emotion in many ways, and make the same movements in different emotions. So even a network that agreed with every crowd would
# not read feelings.
#
# ## Posed faces, a crowd's labels, and whose faces
#
# * The pictures come from web searches of 2013 for words such as "happy" {cite}`goodfellow2013`. Many are stock photographs and actors: expressions *made to be recognised*. Faces at a
#   desk or in a classroom look different, and how the network does there was not measured.
# * The labels are ten votes by crowd workers {cite}`barsoum2016`. They saw a grey picture of 48 pixels: no voice, no scene, no before and after.
# * Nobody in the pictures was asked. Age, sex and origin are not known, so this book **cannot say whom the network serves worse**. It has to be
#   assumed that it serves some people worse.
# * It holds eight words. A face that shows pain, boredom or concentration gets one of the eight.

# %%
import numpy as np

from ferbook.claims import report
from ferbook.core import records
from ferbook.learning import calibration
from ferbook.measures import figures
from ferbook.photos import shipped

figures.use_style()
stored = records.read(shipped.RECORD)
known, origin = stored["values"], stored["provenance"]
fitted = calibration.read(known["model"])

# %% [markdown]
# ## How often it is right
#
# All numbers are recorded on FER+'s official test part, for the network that `ferbook predict` uses. Right means: the answer is the emotion that most of
# the voters named, or one of them where several tie.

# %% tags=["remove-input"]
report.table(
    [
        {
            "emotion": one["emotion"],
            "test faces": f"{one['faces']:,}",
            "recognised": f"{one['share']:.0%}",
            "95 % interval": f"{one['low']:.0%} to {one['high']:.0%}",
            "right where it says so": f"{one['rightly'] / one['named']:.0%} of {one['named']:,}",
        }
        for one in known["by_emotion"]
    ],
    caption=f"By emotion ({known['model']}, {origin['date']}; all faces: {known['accuracy']:.1%})",
)

# %% [markdown]
# One overall accuracy hides this. The rare emotions are recognised in few of their faces, and there are so few of them to test on that the intervals are wide.
#
# The **votes** matter as much as the emotion. Where all voters agree, the network is nearly always right. Where the leading emotion has no majority, it is wrong on
# every third face, and "wrong" is then itself a matter of opinion.

# %% tags=["remove-input"]
report.table(
    [
        {
            "the leading emotion has": one["agreement"],
            "test faces": f"{one['faces']:,}",
            "right": f"{one['share']:.0%}",
            "95 % interval": f"{one['low']:.0%} to {one['high']:.0%}",
            "mean confidence": f"{one['confidence']:.0%}",
        }
        for one in known["by_agreement"]
    ],
    caption="By agreement of the crowd",
)

# %% [markdown]
# The last column shows that the network does not know all of this: it is a little too sure where the crowd is divided, and not sure enough where it agrees.
# Over all faces, confidence and accuracy do match after {term}`temperature` scaling:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Accuracy against confidence in bins, before temperature scaling far above the diagonal and after it close to the diagonal"}}
groups = {"before scaling": known["reliability_before"], "after scaling": known["reliability"]}
centres = [5 + 10 * k for k in range(10)]


def at(bins):
    of_bin = {min(int(10 * one["confidence"]), 9): 100 * one["accuracy"] for one in bins if one["faces"] >= 20}
    return [of_bin.get(k, np.nan) for k in range(10)]


_ = figures.lines(
    centres,
    {**{name: at(bins) for name, bins in groups.items()}, "perfect": centres},
    ("#e69f00", "#0072b2", "#999999"),
    xlabel="confidence (%, groups of 20 faces or more)",
    ylabel="accuracy (%)",
)

# %% tags=["remove-input"]
path = known["through_the_detector"]
report.table(
    [
        {"faces": "found, as FER+ crops them", "number": f"{path['found']:,}", "right": f"{path['as_cropped']:.1%}"},
        {
            "faces": "the same, aligned by the detector's landmarks",
            "number": f"{path['found']:,}",
            "right": f"{path['aligned']:.1%}",
        },
        {
            "faces": "not found, as FER+ crops them",
            "number": f"{path['faces'] - path['found']:,}",
            "right": f"{path['lost']:.1%}",
        },
    ],
    caption=f"Through the detector, as your photographs go; there the calibration error is {path['ece']:.3f} (without the detector {fitted['ece_after']:.3f})",
)

# %% [markdown]
# Faces that the detector loses (turned, covered, cut off) are also those that the network knows least about.
#
# ## Ask first
#
# A face is personal data, and what is inferred from it says something about a person. Before you run this on a picture of somebody:
#
# * ask, say what will be computed and kept, and take no for an answer;
# * keep the numbers with their uncertainty, or not at all; `probability_*` and the errors of valence, arousal and dominance are there to be shown;
# * do not decide anything about a person by it: a job, a grade, a loan, a place in a queue, care;
# * compare groups only where the groups' pictures were made alike. Light, pose and camera move the answers too.
#
# ## Where the law restricts it
#
# In the European Union the AI Act, Regulation (EU) 2024/1689 {cite}`aiact2024`, says among other things:
#
# * **Article 5(1)(f)** prohibits placing on the market, putting into service for this purpose, or using AI systems that infer the emotions of people *in the workplace and in
#   educational institutions*, except for medical or safety reasons. Under Article 113 this has applied since 2 February 2025.
# * **Article 3(39)** defines an emotion recognition system as one that identifies or infers emotions or intentions from *biometric data*.
# * **Annex III, point 1(c)** counts emotion recognition that is not prohibited among the high-risk uses.
# * **Article 50(3)** obliges those who deploy such a system to inform the people exposed to it.
# * **Recital 44** gives the reasons: the scientific basis is in doubt, expression differs between cultures, situations and even within one person, and
#   in work and education power is unequal.
#
# Paper 004 uses valence, arousal and dominance, labelled from students' facial images, to predict [their grades](../outcomes/grades). Whatever its merit, a use of that kind in a school of the European Union falls into the area that
# Article 5(1)(f) names. Other countries have other rules. This is a summary and no legal advice; the text of the law decides.
