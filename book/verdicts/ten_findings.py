# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The ten findings that matter
#
# Out of all verdicts of this book, these ten should change what one does in the next experiment. Each has one figure and three sentences: what is
# printed, what was found, and what to do about it. Where the verdicts behind it are decided is linked below.
# Words such as {term}`F1`, {term}`FER+`, logit and relevance are explained in the [glossary](../glossary).
#
# None of this is special to the five papers. Most findings were possible only because their authors printed counts, published code and logs, or
# named their own limits; papers that print less would have passed.

# %%
from ferbook.book import findings, scoreboard
from ferbook.claims import ablation_variants, report
from ferbook.learning import sweeps
from ferbook.measures import figures
from ferbook.papers.nhot import best_network, curves
from ferbook.papers.vad import findings as vad_findings

figures.use_style()
results = scoreboard.judged()

# %% [markdown]
# ## A loss without a gradient teaches nothing

# %% tags=["hide-input"] mystnb={"image": {"alt": "Changes of squared error with intervals: exactly zero for the printed costs on each axis, not zero for a smooth cost"}}
slope = vad_findings.slope()
_ = vad_findings.draw_slope(slope)

# %% tags=["remove-input"]
zero = slope.tally("printed")[0]
_, better, worse = slope.tally("smooth")
report.prose(
    f"""Papers 003 and 004 add a cost for each axis on which a network's category and its V, A, D (valence, arousal, dominance) contradict each other, and report
    smaller errors with that cost. As printed it is a step, whose gradient is 0: with {slope.pairs} pairs of runs per definition, **{zero} of {slope.comparisons("printed")}** comparisons
    show no change at all, while smooth versions of the same idea made the error clearly larger in {worse} of {slope.comparisons("smooth")} comparisons and
    clearly smaller in {better}. **Before training with a new loss term, take its gradient on one batch, and stop if it is zero or missing.**"""
)

# %% [markdown]
# Decided in [Consistency](../vad/consistency), [Four leads in the published code](../vad/leads) and [The ablation, made again](../vad/ablation).
#
# ## A constant belongs beside every regression loss

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars per axis: average loss of a constant predictor beside those printed in papers 004 and 003"}}
constant = vad_findings.constant()
_ = vad_findings.draw_constant(constant)

# %% tags=["remove-input"]
report.prose(
    f"""Paper 004 prints average losses of {constant.fourth["arousal"]} for arousal and {constant.fourth["dominance"]} for dominance, and takes differences in
    their last decimals for the effect of consistency. On the scale of the published code, a predictor that gives all {constant.faces:,} published annotated faces the same
    answer scores **{constant.mean["arousal"]:.4f}** and **{constant.mean["dominance"]:.4f}**, and in the authors' logs of the joint training the losses move by at most
    {constant.drift:.2%} once the first epochs are over. **Print the constant predictor, or R², beside every regression loss.**"""
)

# %% [markdown]
# Decided in [Four leads in the published code](../vad/leads).
#
# ## Count who breaks a rule before it becomes a loss

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars per category: share of annotated faces whose V, A, D have all the signs that table 1 and the equations ask for"}}
annotated = vad_findings.obedience()
_ = vad_findings.draw_obedience(annotated)

# %% tags=["remove-input"]
obey = {name: found["obey"]["table"] for name, found in annotated["by_category"].items()}
first, second = sorted(obey, key=obey.get)[:2]
report.prose(
    f"""Papers 003 and 004 take categories for points, and their table 1 asks every face of a category for the signs of its point. Of the {annotated["faces"]:,}
    faces that the authors annotated, **{1 - annotated["obey"]["table"]["all"]:.0%}** do not have them, among them {1 - obey[first]:.0%} of those that show {first} and
    {1 - obey[second]:.0%} of those that show {second}; a network that predicted every annotation perfectly would pay the cost for them all. **Before a rule
    becomes a loss, count how many labels break it.**"""
)

# %% [markdown]
# Decided in [Categories as points](../vad/categories_as_points).
#
# ## A rank from an explanation need not measure what it is named after

# %% tags=["hide-input"] mystnb={"image": {"alt": "Correlation with known intensity, with intervals: ranks from relevance near zero, logit and probability of trained networks well above"}}
following = findings.following()
_ = findings.draw_following(following)

# %% tags=["remove-input"]
rank, logit = following.best_rank(), following.known["trained"]["logit"]
vgg = findings.on_photographs()
report.prose(
    f"""Paper 001 ranks how strong an emotion is shown by the way relevance is distributed over a picture, and compares the ranks with annotators. On synthetic
    faces, whose intensity is known, the best version of that rank correlates with it by **{rank.estimate:+.2f}** ({rank.low:+.2f} to {rank.high:+.2f}), while the
    logit of the same {following.networks} networks reaches **{logit.estimate:+.2f}** ({logit.low:+.2f} to {logit.high:+.2f}) without any explanation; on photographs, a
    VGG trained on FER+ gives {vgg.alike["z_plus"]:.0%} of the {vgg.faces:,} faces that it names correctly the same rank by the z+ rule, while its
    logit follows the annotators' agreement ({vgg.logit.estimate:+.2f}, {vgg.logit.low:+.2f} to {vgg.logit.high:+.2f}). **Test a new
    measure where the truth is known, beside an untrained network, and beside the simplest number that the network gives anyway.**"""
)

# %% [markdown]
# Decided in [Does it measure intensity?](../relevance/intensity); synthetic faces show that a mechanism does not work where it should be easiest, not what
# holds for photographs. There, {term}`FER+`'s votes say the same.
#
# ## Scores that no confusion matrix has

# %% tags=["hide-input"] mystnb={"image": {"alt": "Stacked bars per data set: emotions whose printed precision and recall belong to some confusion matrix, and those for which none exists"}}
matrices = findings.matrices(results)
_ = findings.draw_matrices(matrices)

# %% tags=["remove-input"]
every = sum(number for _, number in matrices.values())
missing = every - sum(some for some, _ in matrices.values())
report.prose(
    f"""Paper 001 prints precision and recall of three ranks for each emotion on {len(matrices)} data sets, which is more than most papers give. For
    **{missing} of {every}** emotions no confusion matrix of the three ranks, which is what sections III.A and IV.G describe, has the printed values, with all
    rounding allowed for. **Publish the matrix, and let a program compute every score, average and number in the text from it.**"""
)

# %% [markdown]
# Decided in [Annotators and agreement](../relevance/agreement), which also says what else could have given such scores.
#
# ## The same picture trains and tests

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars: share of the faces of three parts of FER+ that have an identical picture in the training part"}}
labels = findings.labels()
official = best_network.ending(best_network.runs("official", "long"))
_ = findings.draw_copies(labels)

# %% tags=["remove-input"]
report.prose(
    f"""{labels["duplicate_pictures"]:,} pictures stand in FER+ more than once, which paper 002 does not mention. **{labels["official_test_leaked"] / labels["official_test"]:.1%}** of
    the official test faces have an identical picture in the training part; and as each copy was judged by ten annotators of its own, copies
    also show that a second crowd, scored against the first as paper 002 scores a network, is right for **{labels["twin_single_label"]:.1%}** of them{official}. **Keep
    copies on one side of a split, and read an accuracy in that region as agreement with one crowd rather than as distance from the truth.**"""
)

# %% [markdown]
# Counted in [FER+ in numbers](../faces/ferplus_in_numbers). Repeated pictures need not be typical ones.
#
# ## The way of counting adds an optimistic bias

# %% tags=["hide-input"] mystnb={"image": {"alt": "Points of accuracy added by counting ties as right, by choosing the epoch on test faces and by copies in training, beside the gain from more labels"}}
recorded = sweeps.load("002", "nhot")
gain = curves.gain(recorded, "ordinary")
habits = findings.habits(recorded)
_ = findings.draw_habits(habits, gain)

# %% tags=["remove-input"]
added = "; ".join(f"{findings.HABITS[name]}: {found.estimate:+.2f}" for name, found in habits.items())
report.prose(
    f"""Paper 002 chooses the epoch on the test faces and counts each of several tied emotions as right, and says both. On the ordinary test set the
    recorded runs of this book's small network owe to such habits, in points on average: {added or "no run is recorded yet"}; ties
    are there for {labels["tie_rate"]:.1%} of all faces and {labels["tie_rate_complex"]:.1%} of the complex ones. **Report the strict accuracy and
    the rate of ties beside a tie-aware one, and choose the epoch on validation faces.**"""
)

# %% [markdown]
# The lines of the habits span all recorded runs; that of the labels is its 95 % interval. Decided in [N-hot training](../nhot/nhot_training).
#
# ## A gain needs seeds before it has a size

# %% tags=["hide-input"] mystnb={"image": {"alt": "Test accuracy over N, the most emotions in a training label, for the recorded runs on FER+, with intervals"}}
_ = curves.figure({"recorded": recorded})

# %% tags=["remove-input"]
least, most = (findings.printed_of(f"002-twice-gain-{end}") for end in ("least", "most"))
report.prose(
    f"""Paper 002 finds that labels with up to three emotions gain between {least} and {most} points over single ones, from one run per setting, which its
    author names as a limit. The small network of this book gains **{ablation_variants.told(gain, sign=True)}** on the ordinary test set
    ({curves.recorded_so_far(recorded)}; {ablation_variants.SEEDS} seeds are wanted before that counts as a finding). **Train each setting with
    several seeds, and judge a network that learned distributions by distributions, too.**"""
)

# %% [markdown]
# Decided in [N-hot training](../nhot/nhot_training).
#
# ## A hundred per cent of three faces

# %% tags=["hide-input"] mystnb={"image": {"alt": "Share of each emotion's test faces that were found, with intervals that reach from less than a half to all"}}
few = findings.few()
_ = findings.draw_few(few)

# %% tags=["remove-input"]
found = few.recall[few.perfect[0]]
share, faces = findings.printed_of("000-test-share"), findings.printed_of("000-images")
announced = (
    f", while section 2.3 announces {share} % of about {int(faces):,} faces for testing" if share and faces else ""
)
report.prose(
    f"""Paper 000 reports an F1 of 100 % for {len(few.perfect)} of {len(few.f1)} emotions. Its table 1 gives the counts behind them, which few papers do: each emotion was
    judged on **{few.images} images**{announced}, and finding {found.count} faces out of {found.count} is compatible with any rate above **{found.low:.0%}**. **Print the
    number of test faces beside every percentage, and where there are few, the interval.**"""
)

# %% [markdown]
# Decided in [the paper's own evidence](../cbam/the_paper).
#
# ## Few people, one split, and who rated

# %% tags=["hide-input"] mystnb={"image": {"alt": "Histogram over a hundred random splits: how much V, A, D lower the squared error of predicted marks, with zero marked"}}
students = findings.students()
_ = findings.draw_students(students)

# %% tags=["remove-input"]
alone = students["leave_one_out"]["ada_rf_exp"]
splits = students["repeated"]["ada_rf_exp"]["differences"]
tested = students["single"]["plain features"]["learning data"]["students"]
report.prose(
    f"""Paper 004 concludes that V, A and D help to predict the marks of {students["table"]["students"]} students, and on its published table that **holds**: each
    student left out once, the squared error falls by {alone["difference"]["estimate"]:.1f} ({alone["difference"]["low"]:.1f} to {alone["difference"]["high"]:.1f}), though
    single splits with {tested} test students, as the paper made one, say anything from {min(splits):+.0f} to {max(splits):+.0f}. What the result rests on is how V, A and D
    were rated, since three values of unknown origin add that much to a term of marks (R² {alone["r2"]["learning data"]:.2f} without them,
    {alone["r2"]["learning data + V, A, D"]:.2f} with them), and the paper does not say who rated them, or when. **With few people, leave each out once, give the interval, and write down who rated what and when.**"""
)

# %% [markdown]
# Decided in [Emotions and grades](../outcomes/grades).
#
# ## All ten in one line each
#
# * Take the {term}`gradient` of a new loss before training with it.
# * Print the constant predictor.
# * Count how many labels break a rule.
# * Test a measure where the truth is known, beside an untrained network.
# * Publish the {term}`confusion matrix`.
# * Look for copies before splitting.
# * Report the strict metric beside the lenient one; never choose on test.
# * Several seeds, and intervals.
# * Counts beside percentages.
# * Say who rated what, and when.
#
# Each verdict behind these pages is in [the scoreboard](scoreboard).
