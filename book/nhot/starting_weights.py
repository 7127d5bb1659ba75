# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Starting weights
#
# A network has to start somewhere. From random weights it must learn edges and eyes before it can learn smiles. Paper 002 {cite}`duan2022` therefore compares
# four starts of {term}`VGG16` (figures 21 and 27): {term}`ImageNet`'s weights add about two points, pre-training on another set of faces next to nothing.
#
# **You will see** why two of these starts are missing here, what a start on other faces is worth when training faces are few, what the runs recorded on {term}`FER+` say, and how
# to start from weights of your own.

# %% tags=["parameters"]
count = 340  # synthetic faces; half of them test, most of the others train
epochs = 3
seeds = [0, 1, 2]

# %%
import tempfile
from pathlib import Path

import numpy as np

from ferbook import datasets, models
from ferbook.claims import ablation_variants, report
from ferbook.core.errors import ConfigError, DataError
from ferbook.datasets.cards import CARDS
from ferbook.learning import configs, sweeps, trained, training
from ferbook.measures import figures, intervals
from ferbook.papers.nhot import settings

figures.use_style()
audit = report.ClaimReport("002")
recorded = sweeps.load("002", "start")
imagenet = sweeps.load("002", "imagenet")
ordinary = sweeps.load("002", "imagenet-ordinary")
recognition = sweeps.load("002", "faces")

# %% [markdown]
# ## The four starts of the paper
#
# | model | ImageNet (pictures of things) | then AffectNet (faces) | here |
# |---|---|---|---|
# | 1, "None" | no | no | for the small network, below |
# | 2, "IN" | yes | no | for another network, below |
# | 3, "AN" | no | yes | not at hand |
# | 4, "IN-AN" | yes | yes | not at hand |
#
# **ImageNet's weights** were not trained for by the report either: it took those that Keras hands out. torchvision hands out its own; this book fetches them when they
# are asked for by name, and a build asks for nothing from the network. Those of EfficientNet-Lite0, a network for phones, come with a
# package of the ordinary Python index, under the Apache licence 2.0; the terms of ImageNet's pictures are another matter. **AffectNet** is given out on a signed agreement only
# (see [data sets](../faces/data_sets)).

# %% tags=["remove-input"]
fitting = [name for name in models.available() if models.describe(name).imagenet]
special = [name for name in ("ran", "dan", "mten") if name in fitting]
labelled = sum(CARDS["affectnet"].counts.values())
report.prose(
    f"""Two details of the report deserve a second look. It says that its advanced networks could not start from ImageNet, because such
    weights are handed out for classical networks only.
    Of the {len(models.available())} networks of this book ImageNet's weights fit {len(fitting)}, among them the trunks of
    {", ".join(special[:-1]).upper()} and {special[-1].upper()}: a trunk is a classical network.
    And it blames the small effect of AffectNet on having used "less than 30 %" of it, about 300,000 faces. Of the million, people gave one
    of our eight expressions to
    {labelled:,}. If the report used those, more faces would not have brought more labels of that kind; which ones it used, it does not say."""
)

# %% [markdown]
# **The book's own variant** is a start on synthetic faces. Nobody has to sign for them, there can be any number, and their labels are no votes but the mixtures that they were
# painted from.
#
# ## Where training starts
#
# ### Recorded on FER+
#
# The small network on the ordinary test set, from random weights and from weights that it learned on synthetic faces first. Runs of one seed share
# recipe, faces and their order. The second kind has seen more pictures in all, as in the paper. All seeds share one pre-training, so no interval says how
# another would have gone.

# %% tags=["remove-input"]
described = sweeps.chosen(sweeps.runs(sweeps.description("002")), "start")
first = next(config.start for config in described.values() if config.start is not None)
report.prose(
    f"""**FER+:** {settings.so_far("start", recorded)}. Pre-training: {first.data.options["count"]:,} synthetic faces, {first.epochs}
    epochs, with true mixtures as labels. {settings.mixed_formats("start", recorded)}"""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Accuracy of recorded FER+ runs from random weights and from weights learned on synthetic faces, with intervals over seeds"}}
_ = settings.figure("start", {"recorded": recorded})

# %% tags=["hide-input"] mystnb={"image": {"alt": "Test accuracy over epochs of recorded FER+ runs from random and from pre-trained weights"}}
_ = settings.learning_figure("start", recorded)

# %% tags=["remove-input"]
report.table(
    settings.rows("start", {"recorded": recorded}, ("accuracy", "kl"), base="random"),
    caption="Figure 27 with the book's own variant: mean over seeds, from three on with a 95 % interval; differences paired by seed",
)

# %% [markdown]
# ### ImageNet's weights, recorded on FER+
#
# EfficientNet-Lite0 on {term}`FER+`'s official parts, faces enlarged to 96 pixels, from random weights and from ImageNet's; ten epochs, one recipe. The paper's question was about VGG16, for which ImageNet's weights are not at hand: what is found
# here decides none of its claims.

# %% tags=["remove-input"]
report.prose(
    f"""**FER+:** {settings.so_far("imagenet", imagenet)}. {settings.finding("imagenet", imagenet, "imagenet", "random")} (accuracy in
    points, mean and 95 % interval over seeds). {settings.mixed_formats("imagenet", imagenet)}"""
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Accuracy of recorded FER+ runs of EfficientNet-Lite0 from random weights and from ImageNet's, with intervals over seeds"}}
_ = settings.figure("imagenet", {"recorded": imagenet})

# %% tags=["remove-input"]
report.table(
    settings.rows("imagenet", {"recorded": imagenet}, ("accuracy", "kl"), base="random"),
    caption="Figure 27's second start for EfficientNet-Lite0, official test part: mean over seeds, from three on with a 95 % interval; differences paired by seed",
)

# %% [markdown]
# The paper does not use the official parts: it divides {term}`FER+`'s faces in its own way, into training faces, an ordinary and a complex test set. The same two starts, tested on
# the ordinary one, for fewer epochs:

# %% tags=["remove-input"]
shorter = next(iter(sweeps.chosen(sweeps.runs(sweeps.description("002")), "imagenet-ordinary").values())).epochs
report.prose(
    f"""**FER+, {shorter} epochs:** {settings.so_far("imagenet-ordinary", ordinary)}. {settings.finding("imagenet-ordinary", ordinary, "imagenet", "random")} (accuracy in points,
    mean and 95 % interval over seeds). {settings.mixed_formats("imagenet-ordinary", ordinary)}
    {"Test faces and length are others than above, so the two differences are not to be compared with each other." if imagenet and ordinary else ""}"""
)

# %% tags=["remove-input"]
report.table(
    settings.rows("imagenet-ordinary", {"recorded": ordinary}, ("accuracy", "kl"), base="random"),
    caption="The same on the paper's ordinary test set: mean over seeds, from three on with a 95 % interval; differences paired by seed",
)

# %% [markdown]
# ### Face recognition's weights, recorded on FER+
#
# A start that the paper does not ask about. With {term}`dlib`'s detector, which the report used, a Python package brings dlib's network for **face recognition**
# {cite}`king2017`, a ResNet of 29 convolutions. It was trained to tell some 7,500 persons apart on about three million pictures from the web. Such weights know faces from the
# first step, but they have learned to overlook what we ask for: a person stays the same whatever the face does. Some of those pictures may be among FER+'s, too; their labels
# were persons, not emotions. The package has the weights under CC0. It does not speak for the terms of the pictures, of FaceScrub, VGG Face and the web: take
# them for research alone, as the [landmarks](augmentation) of the same package.
#
# Faces are enlarged to 136 pixels and shown for seven epochs. Random weights with the same recipe are the other half of each pair.

# %% tags=["remove-input"]
report.prose(
    f"""**FER+:** {settings.so_far("faces", recognition)}; {settings.finding("faces", recognition, "faces", "random")} (accuracy in points, mean and 95 % interval over seeds).
    {settings.mixed_formats("faces", recognition)}"""
)

# %% tags=["remove-input"]
report.table(
    settings.rows("faces", {"recorded": recognition}, ("accuracy", "kl"), base="random"),
    caption="A start from face recognition: mean over seeds, from three on with a 95 % interval; differences paired by seed",
)

# %% [markdown]
# ### In this build: real faces first, synthetic ones next
#
# Seconds are too short to learn anything worth starting from. So the quick run turns the question around. The book gives away one network that was
# trained on {term}`FER+` (`data/weights/`); here it goes on with a handful of *synthetic* faces, beside the same network from random weights. Both see the
# same faces in the same order.

# %%
own = trained.config_of("compact-ferplus")
recipe = {
    "data": {"options": {"count": count, "seed": 7}},
    "split": {"kind": "folds", "folds": 2},
    "model": own.model.model_dump(),
    "augmentation": [{"name": "flip"}],
    "optimiser": {"lr": 0.002, "weight_decay": 0.02},
    "schedule": {"name": "one_cycle"},
    "batch": 16,
    "epochs": epochs,
    "test_curve": True,
}
starts = {"random": None, "FER+": str(trained.place("compact-ferplus"))}
with tempfile.TemporaryDirectory() as store:
    built = {
        f"{start}-seed{seed}": training.train(
            configs.parse(sweeps.merged(recipe, {"model": {"weights": file}, "seed": seed})), Path(store)
        )
        for seed in seeds
        for start, file in starts.items()
    }

# %% tags=["hide-input"] mystnb={"image": {"alt": "Test accuracy on synthetic faces over epochs, from random weights and from weights learned on FER+"}}
_ = settings.learning_figure("start", built)

# %% tags=["remove-input"]
report.table(
    [
        line
        for line in settings.rows("start", {"build": built}, ("accuracy", "kl", "answers"), base="random")
        if line["setting"] in starts
    ],
    caption="Synthetic, this build: mean and 95 % interval over seeds; differences paired by seed",
)

# %% tags=["remove-input"]
sizes = next(iter(built.values())).metrics["faces"]
fresh = datasets.load("synthetic", **recipe["data"]["options"])
truth = fresh.distribution.argmax(axis=1)
first_answers = trained.logits(trained.released("compact-ferplus"), fresh.images, mirror=own.mirror).argmax(1).numpy()
before = intervals.wilson(int((first_answers == truth).sum()), len(truth))
gain = settings.difference(built, "FER+", "random")
alone = settings.estimate(built, "random", "answers")
report.prose(
    f"""With {sizes["train"]} faces to train on and {sizes["test"]} to test on, the start changes accuracy by {ablation_variants.told(gain, sign=True)}
    (points; {ablation_variants.direction(gain) or "undecided"}).
    From random weights the network has only begun: it answers with {alone.mean:.1f} of eight emotions, mean over the seeds. Before it saw
    any synthetic face, the network from FER+ named the largest part of the
    mixture for {before.estimate:.0%} of them ({before.low:.0%} to {before.high:.0%}); naming the most frequent emotion every time would be right for
    {(truth == np.bincount(truth).argmax()).mean():.0%}."""
)

# %% [markdown]
# Few faces and few steps are where a start helps most. FER+ has many faces, so less is to be expected there. And synthetic evidence decides no claim
# of the report: it can only show whether a start does here what it is meant to do.

# %% tags=["remove-input"]
audit.rows("002-imagenet", "002-affectnet", "002-start-*", caption="Where training starts from")

# %% [markdown]
# ## Loading weights of your own
#
# Weights are read from **safetensors** files: names, shapes and numbers, and nothing that could run as a program. A file has to fit exactly, or
# nothing is loaded. Write one, and read it back:

# %%
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "mine.safetensors"
narrow = models.build("compact", width=0.5, seed=1)
_ = models.save_weights(narrow, path, {"note": "compact, width 0.5"})

# %%
again = models.build("compact", width=0.5, weights=path)
same = all((a == b).all() for a, b in zip(narrow.parameters(), again.parameters(), strict=True))
f"{path.stat().st_size:,} bytes, {models.parameter_count(again):,} parameters, the same: {same}"

# %% [markdown]
# A file for another network says what differs:

# %%
try:
    models.build("compact", width=1.0, weights=path)
except DataError as error:
    print(str(error).replace(folder.name, "FOLDER"))

# %% [markdown]
# So does a file of another kind, which is not even opened, because reading a pickled file can run code:

# %%
try:
    models.build("compact", weights="theirs.pt")
except ConfigError as error:
    print(error)

# %% [markdown]
# Often only a part fits: the same network with a head for other classes. `skip` leaves tensors alone by the beginnings of their names, in the network
# and in the file.

# %%
seven = models.build("compact", width=0.5, num_classes=7)
models.load_weights(seven, path, skip=["head."])
f"{seven.head[1].out_features} outputs on a trunk from the file"

# %% [markdown]
# In a run, the same is one field of its config. `model.weights` names a file, `imagenet` where torchvision or a package has weights that fit, or `faces` for the network `face_resnet`.
# `start` names a whole run instead, which is trained first if it is not there yet:

# %%
from_file = configs.parse({"model": {"name": "compact", "options": {"width": 0.5}, "weights": str(path)}})
from_run = configs.parse({"start": {"labels": {"source": "truth"}, "epochs": 4}, "data": {"name": "ferplus"}})
folder.cleanup()
f"from a file: {Path(from_file.model.weights).name}; from a run on {from_run.start.data.name} faces: {from_run.start.hash}"

# %% [markdown]
# ```sh
# ferbook train CONFIG.json    # with "weights": "mine.safetensors" under "model"
# ```
#
# ## Summary

# %% tags=["remove-input"]
report.table(
    [
        {"network": network, "data": data, "accuracy (points)": settings.finding(group, runs, start, "random")}
        for network, data, group, runs, start in (
            ("small network", "FER+, recorded", "start", recorded, "synthetic"),
            ("EfficientNet-Lite0", "FER+, official test part, recorded", "imagenet", imagenet, "imagenet"),
            ("EfficientNet-Lite0", "FER+, ordinary test set, recorded", "imagenet-ordinary", ordinary, "imagenet"),
            ("dlib's ResNet", "FER+, official test part, recorded", "faces", recognition, "faces"),
            ("small network", "synthetic, this build", "start", built, "FER+"),
        )
    ],
    caption="What starting weights add: recorded runs on FER+, and this build's on synthetic faces",
)

# %% [markdown]
# * **Scope.** Figures 21 and 27 and sections 3.6.4 and 4.3.4, with a small network, EfficientNet-Lite0 and {term}`dlib`'s
#   ResNet in place of VGG16, and synthetic faces and face recognition in place of AffectNet.
# * **What was easy.** The four starts are clearly named, though not which faces of {term}`AffectNet` were used.
# * **What was difficult.** Figure 27 prints no numbers; ImageNet's weights for VGG16 and AffectNet are not at hand.
# * **What cannot be said.** Whether VGG16 gains two points from ImageNet. It has far more weights to find than the small network.
# * **What to take away.** Say which weights a network started from, and what else was seen on the way: a start is training, too.
