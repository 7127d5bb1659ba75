"""Learning with the orthogonality loss: what is regularised, what is measured, what is recorded."""

import numpy as np
import pytest
import torch

from ferbook import models
from ferbook.claims.claim import Verdict
from ferbook.core import records
from ferbook.learning import orthogonality
from ferbook.models.vad import regularised_layers
from ferbook.papers.vad import experiments, independence
from ferbook.papers.vad.experiments import Faces
from tests.unit.claiming import judged


def test_the_compact_network_is_regularised_as_a_resnet_is():
    """The first convolution of each of three blocks, and the 1 x 1 ones of the two shortcuts that change channels."""
    layers = regularised_layers(models.build("compact", 11, seed=0, width=0.34))
    assert [layer.kernel_size for layer in layers] == [(3, 3), (3, 3), (1, 1), (3, 3), (1, 1)]
    assert [layer.in_channels for layer in layers][:1] == [layers[0].out_channels]


def test_features_that_repeat_each_other_overlap():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(4000, 1))
    assert independence.overlap(np.hstack([one, -2 * one + 1])) == pytest.approx(1)
    assert independence.overlap(rng.normal(size=(4000, 5))) < 0.05
    # A feature that never moves says nothing; alone it is counted as a repetition.
    assert independence.overlap(np.hstack([rng.normal(size=(4000, 2)), np.ones((4000, 1))])) < 0.1
    assert independence.overlap(np.ones((10, 3))) == 1.0


def test_training_with_the_loss_makes_filters_more_orthogonal():
    rng = np.random.default_rng(0)
    vad = rng.uniform(-1, 1, (48, 3))
    faces = Faces(rng.integers(0, 256, (48, 16, 16), dtype=np.uint8), np.eye(8)[rng.integers(0, 7, 48)], vad)
    found = {}
    recipe = {"model": {"options": {"width": 0.34}}, "epochs": 6, "batch": 16, "seed": 1, "mirror": True}
    recipe["augmentation"] = [{"name": "flip"}, {"name": "crop", "size": 16, "pad": 2}]
    for variant, weight in independence.VARIANTS.items():
        task = experiments.train(experiments.described(recipe, vad={"orthogonality": weight}), faces)
        told = experiments.predict(task, faces.images)
        found[variant] = independence.one_run(told, task.network.eval(), faces, np.arange(48) % 3)
    losses = [found[variant]["filters"][independence.FORM] for variant in independence.VARIANTS]
    assert losses[0] > losses[1] > losses[2]
    assert set(found["none"]) == {"valence", "arousal", "dominance", "category", "filters"}
    told = independence.summary({variant: [run, run] for variant, run in found.items()})
    change = told["differences"][independence.FORM]["weight 0.5"]["filters"]
    assert change["estimate"] == pytest.approx(losses[2] - losses[0])


def test_the_loss_of_a_network_is_the_penalty_of_its_layers():
    network = models.build("compact", 11, seed=0, width=0.34)
    with torch.no_grad():
        expected = orthogonality.penalty(regularised_layers(network)).item()
    assert independence.loss_of(network) == pytest.approx(expected)


def test_the_recorded_pairs_decide_nothing_about_a_resnet():
    stored = records.read(independence.RECORD)
    assert set(stored["values"]["runs"]) == set(independence.VARIANTS)
    assert all(len(runs) == stored["provenance"]["plan"]["seeds"] >= 3 for runs in stored["values"]["runs"].values())
    measures = [["accuracy", "category"]]
    about = {"networks": ["vad_shared", "vad_separate"], "epochs": 120}
    found = judged(
        "recorded orthogonality", "better", claim_kind="trained", about=about, arm="weight 0.5", measures=measures
    )
    assert found.verdict is Verdict.STAND_IN
    # Twin: the mean of the differences, run by run.
    pairs = zip(stored["values"]["runs"]["weight 0.5"], stored["values"]["runs"]["none"], strict=True)
    mean = np.mean([one["category"]["accuracy"] - none["category"]["accuracy"] for one, none in pairs])
    assert f"accuracy of category: {mean:+.4f}" in found.outcome.detail
