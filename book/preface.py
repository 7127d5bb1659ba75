# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reading Faces, Re-run
#
# Five papers say that a network can read emotions from a face: as several labels at once, as an intensity, as a distribution
# over eight emotions, as a point with valence, arousal and dominance, even as a hint about a student's marks. This book checks every number and statement of
# theirs that can be checked, runs their methods again, and says of each whether it holds.

# %% tags=["remove-cell"]
from ferbook.book import findings, scoreboard
from ferbook.claims import report
from ferbook.measures import figures
from ferbook.papers.vad import findings as vad_findings

figures.use_style()
results = scoreboard.judged()

# %% tags=["remove-input"]
scoreboard.by_paper(results)

# %% [markdown]
# All of them, with filters, are on [the scoreboard](verdicts/scoreboard); [How to read a verdict](verdicts/how_to_read) explains the words.
#
# ## Three findings

# %% tags=["remove-input"]
slope = vad_findings.slope()
report.prose(
    f"""**1. A loss without a gradient teaches nothing.** Papers 003 and 004 add a cost to their loss when a network contradicts itself. As printed, its
    gradient is zero: in {slope.tally("printed")[0]} of {slope.comparisons("printed")} comparisons, training with it gave the same errors as training without."""
)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Changes of squared error with intervals: exactly zero for the printed costs on each axis, not zero for a smooth cost"}}
_ = vad_findings.draw_slope(slope)

# %% tags=["remove-input"]
following = findings.following()
rank, logit = following.best_rank(), following.known["trained"]["logit"]
report.prose(
    f"""**2. A rank from an explanation need not measure what it is named after.** Paper 001 ranks how strong an emotion is by how the explanation of a network's
    answer is spread over the picture. Where the true intensity is known, the best such rank correlates with it by {rank.estimate:+.2f}; the score that the
    network gives anyway, by {logit.estimate:+.2f}."""
)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Correlation with known intensity, with intervals: ranks from relevance near zero, logit and probability of trained networks well above"}}
_ = findings.draw_following(following)

# %% tags=["remove-input"]
matrices = findings.matrices(results)
every = sum(number for _, number in matrices.values())
missing = every - sum(some for some, _ in matrices.values())
report.prose(
    f"""**3. Some printed scores exclude each other.** For {missing} of {every} emotions in the tables of paper 001, no confusion matrix of the three ranks has the
    printed precision and recall, whatever the rounding."""
)

# %% tags=["remove-input"] mystnb={"image": {"alt": "Stacked bars per data set: emotions whose printed precision and recall belong to some confusion matrix, and those for which none exists"}}
_ = findings.draw_matrices(matrices)

# %% [markdown]
# [Ten findings](verdicts/ten_findings) has seven more, each with what to do about it. Not all of them are failures.
#
# ## Two commands
#
# ```sh
# make book   # runs every page and renders the book; no data set and no GPU are needed
# make test   # all tests, on the rendered book too
# ```
#
# Nearly every page is a notebook. Without any data set, they run on **synthetic faces**, whose
# emotions are known exactly because this book painted them. With the data set {term}`FER+` on disk, the pages that count its faces or
# show them run on it. Networks trained on it take longer than a build; they were trained once, and their results are recorded.
#
# To take along: all verdicts [as a PDF](_static/verdicts/reading-faces-verdicts.pdf) and
# [as BibTeX](_static/verdicts/reading-faces-verdicts.bib).
#
# ## How a verdict comes about
#
# Each number or statement of a paper is a *claim*. A small program computes a value for it, and the comparison with the printed value gives one of six verdicts:
#
# holds
# : The value found rounds to the printed one, or lies within what the claim's wording allows.
#
# holds roughly
# : It misses the printed value by a little: up to a tenth where the paper says "about".
#
# fails
# : It misses it by more.
#
# contradicts itself
# : Two places of the same paper exclude each other.
#
# not checkable here
# : The data or the details that a check would need are not available; or the interval includes both outcomes
#   (*undecided*), or too few runs are recorded. The box says which.
#
# not checkable here (stand-in)
# : A smaller network or a shorter training stood in for the paper's own. What it did is shown, and decides nothing.
#
# A verdict also names its **evidence**. *Arithmetic* needs only the printed text. *Published source* is what somebody else has published. *Same data* is
# the paper's own data set, *other data* a different one. *Synthetic* faces can show that a mechanism works when everything is known; they never make a
# claim about real faces hold.
#
# ## What a column means
#
# | column | what it is |
# |---|---|
# | the paper | the printed value |
# | FER+, recorded | counted or trained by this book on the real data, stored with checksum, seed and date |
# | this build | computed when this page was built |
#
# ## Chapters
#
# * Faces: [the synthetic face](faces/synthetic_face), [FER+ in numbers](faces/ferplus_in_numbers), [finding and aligning
#   faces](faces/finding_faces), [data sets and their readers](faces/data_sets).
# * [How the runs are made](run): one training, from its description to its record.
# * Paper 000, [several emotions at once](cbam/the_paper): a network with attention, six test images, and whether attention helps.
# * Paper 001, [intensity from relevance](relevance/the_paper): explanations of answers, ranks made from them, and what they measure.
# * Paper 002, [labels without one-hot](nhot/paper): what divided opinions add to training.
# * Papers 003 and 004, [valence, arousal, dominance](vad/the_paper): a consistency loss, and what it changes;
#   [grades](outcomes/grades) of a class of students.
# * Try it: [your own photograph](try/try_a_face), [in the browser](try/in_the_browser), [use and misuse](try/use_and_misuse),
#   [other tools](try/peers).
# * Verdicts: [the scoreboard](verdicts/scoreboard) and what belongs to it. Words are explained in the [glossary](glossary).
