"""Training category with V, A, D: pairs that share a seed, costs without effect, folds, starts, proxies, recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from ferbook.core.errors import ConfigError
from ferbook.datasets.synthetic import PRIOR
from ferbook.faces.emotions import EMOTIONS, VAD_AXES, VAD_POINTS
from ferbook.faces.faceset import FaceSet
from ferbook.learning.consistency import vad_loss
from ferbook.papers.vad import ablation, annotated, engine, experiments
from ferbook.papers.vad.engine import Setting, Start
from ferbook.papers.vad.experiments import Faces
from ferbook.synthesis import sample

QUICK = Setting(model="mlp", epochs=2, batch=32)


@pytest.fixture(scope="module")
def known():
    return experiments.measured(160, 0, "train")


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(8), 24)
    return Faces(rng.integers(0, 256, (24, 16, 16), dtype=np.uint8), shares, rng.uniform(-1, 1, (24, 3)))


def trained(setting, faces, start=None):
    return engine.train(setting, faces.images, faces.distribution, faces.vad, start)


@pytest.mark.parametrize("cost", ["table", "equations"])
def test_printed_costs_change_the_loss_and_no_weight(known, cost):
    without, with_cost = (trained(replace(QUICK, consistency=c, weight=5.0), known) for c in ("none", cost))
    assert with_cost.losses[-1] > without.losses[-1] + 0.5
    assert engine.differing(with_cost, without) == 0


def test_the_soft_cost_and_another_seed_change_weights(known):
    without = trained(QUICK, known)
    assert engine.differing(trained(replace(QUICK, consistency="soft"), known), without) > 0
    assert engine.differing(trained(replace(QUICK, seed=1), known), without) > 0
    assert engine.differing(trained(QUICK, known), without) == 0


def test_the_same_holds_for_pictures(pictures):
    """Also with augmentation, batch normalisation and dropout."""
    setting = Setting(width=0.34, epochs=1, batch=12)
    without, printed = (trained(replace(setting, consistency=cost), pictures) for cost in ("none", "table"))
    assert engine.differing(without, printed) == 0
    told = without.predict(pictures.images)
    assert told.probabilities.shape == (24, 8) and told.vad.shape == (24, 3)
    assert told.probabilities.sum(axis=1) == pytest.approx(1)
    mirrored = without.predict(pictures.images[:, :, ::-1])
    assert mirrored.vad == pytest.approx(told.vad, abs=1e-5)
    assert without.features(pictures.images).shape[0] == 24


def test_the_loss_is_that_of_the_paper(known):
    task = engine.VadTask(replace(QUICK, axes=("dominance", "valence")), *vars(known).values())
    output = task.outputs(task.images)
    found = task.loss(output, task.distribution, task.vad)
    columns = known.vad[:, [2, 0]]
    entropy = -(known.distribution * functional.log_softmax(output.logits, 1).detach().numpy()).sum(axis=1).mean()
    squares = ((output.vad.detach().numpy() - columns) ** 2).mean(axis=0).sum()
    assert found.item() == pytest.approx(entropy + squares, rel=1e-5)
    soft = engine.VadTask(replace(QUICK, consistency="soft", weight=3.0), *vars(known).values())
    output = soft.outputs(soft.images)
    twin = vad_loss(output.logits, output.vad, soft.distribution, soft.vad, consistency="soft", weight=3.0)
    assert soft.loss(output, soft.distribution, soft.vad).item() == pytest.approx(twin.total.item())


def test_training_learns_and_the_slip_does_not(known):
    longer = replace(QUICK, epochs=15)
    r2 = {}
    for slip in (False, True):
        told = trained(replace(longer, slip=slip), known).predict(known.images).vad
        r2[slip] = ablation.scores(told, known.vad)["valence"]["r2"]
    assert r2[False] > 0.5
    assert r2[True] < 0.2


def test_four_networks_and_orthogonality_can_be_trained(pictures):
    setting = Setting(model="vad_shared", epochs=1, batch=12, axes=("arousal",), orthogonality=0.1)
    few = pictures.subset(np.arange(12))
    told = trained(setting, few).predict(few.images)
    assert told.vad.shape == (12, 1)
    assert np.isfinite(told.vad).all()


def test_a_start_is_where_training_begins(pictures):
    setting = Setting(width=0.34, epochs=1, batch=12)
    start = Start.of(trained(setting, pictures))
    alone = engine.VadTask(replace(setting, axes=("arousal",), seed=3), *vars(pictures).values())
    before = {name: value.clone() for name, value in alone.network.state_dict().items()}
    start.put_into(alone)
    after = alone.network.state_dict()
    assert torch.equal(after["head.1.weight"][:8], start.state["head.1.weight"][:8])
    assert torch.equal(after["head.1.weight"][8], start.state["head.1.weight"][9])
    assert torch.equal(after["stem.0.weight"], start.state["stem.0.weight"])
    assert not torch.equal(before["stem.0.weight"], after["stem.0.weight"])
    assert start.mark == Start.of(trained(setting, pictures)).mark
    wide = engine.VadTask(replace(setting, width=0.5), *vars(pictures).values())
    with pytest.raises(ConfigError, match="start"):
        start.put_into(wide)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"consistency": "magic"}, "consistency"),
        ({"axes": ("valence", "valence")}, "axes"),
        ({"axes": ()}, "axes"),
        ({"epochs": 0}, "epochs"),
        ({"consistency": "soft", "classify": False}, "classify"),
    ],
)
def test_settings_that_cannot_work_are_named(changes, field):
    with pytest.raises(ConfigError, match=field):
        Setting(**changes)


def test_missing_values_are_refused(known):
    vad = known.vad.copy()
    vad[0, 1] = np.nan
    with pytest.raises(ValueError, match="complete"):
        engine.train(QUICK, known.images, known.distribution, vad)
    # A missing arousal does not matter to a network that learns valence.
    engine.train(replace(QUICK, axes=("valence",)), known.images, known.distribution, vad)


def test_measured_faces_repeat_and_have_no_person_twice():
    one, again = (experiments.measured(50, 1, "train") for _ in range(2))
    assert (one.images == again.images).all()
    # Without noise they are the draw's own action units, of people who are in one split only.
    drawn = {split: sample(50, seed=1, split=split, prior=PRIOR) for split in ("train", "test")}
    assert set(drawn["train"].identity.tolist()).isdisjoint(drawn["test"].identity.tolist())
    for split, people in drawn.items():
        assert np.array_equal(experiments.measured(50, 1, split, noise=0).images, people.action_units)


def test_cross_validation_never_predicts_what_it_saw(known, monkeypatch):
    fold = annotated.folds(known.category, 4)
    seen = []

    class Recorder:
        def __init__(self, images):
            self.known = {row.tobytes() for row in images}

        def predict(self, images):
            seen.append(sum(row.tobytes() in self.known for row in images))
            return engine.Predicted(np.full((len(images), 8), 1 / 8), np.zeros((len(images), 3)))

    monkeypatch.setattr(experiments, "train", lambda setting, images, *rest: Recorder(images))
    experiments.cross_validate(known, QUICK, fold)
    assert seen == [0, 0, 0, 0]


def test_proxies_are_the_crowds_mean_point_and_leave_out_copies():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 8, 8), dtype=np.uint8)
    votes = np.zeros((6, 10), int)
    votes[:, 1] = 10
    votes[1] = [5, 0, 0, 5, 0, 0, 0, 0, 0, 0]
    split = np.array(["train"] * 5 + ["test"])
    faces = FaceSet("ferplus", images, np.arange(6).astype(str), votes=votes, split=split)
    found = experiments.proxy(faces)
    assert len(found) == 5
    assert found.vad[0] == pytest.approx(VAD_POINTS["happiness"])
    assert found.vad[1] == pytest.approx(np.mean([VAD_POINTS["neutral"], VAD_POINTS["sadness"]], axis=0))
    assert len(experiments.proxy(faces, without=images[[2, 5]])) == 4


def test_calibration_and_read_out_are_linear_and_held_out():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(60, 3))
    fold = np.arange(60) % 5
    assert experiments.calibrate(3 * truth + 1, truth, fold) == pytest.approx(truth)
    features = truth @ rng.normal(size=(3, 6))
    assert np.corrcoef(experiments.read_out(features, truth, fold).ravel(), truth.ravel())[0, 1] > 0.95
    noise = experiments.read_out(rng.normal(size=(60, 6)), truth, fold)
    assert ((noise - truth) ** 2).mean() > 0.8 * truth.var()


def test_category_baselines_by_hand():
    category = np.array(["a", "a", "b", "b"])
    vad = np.array([[0.0], [1.0], [4.0], [6.0]]) * np.ones(3)
    found = experiments.category_baselines(category, np.array(["b", "a", "b", "b"]), vad, np.array([0, 1, 0, 1]))
    assert found["constant"][:, 0].tolist() == [3.5, 2.0, 3.5, 2.0]
    assert found[experiments.TRUE_CATEGORY][:, 0].tolist() == [1.0, 0.0, 6.0, 4.0]
    assert found[experiments.PREDICTED_CATEGORY][:, 0].tolist() == [6.0, 0.0, 6.0, 4.0]


# --- the ablation ---


def test_pairs_differ_by_the_cost_alone(known):
    test = experiments.measured(80, 0, "test")
    runs = ablation.holdout(QUICK, ["none", "table", "soft, lambda 10"], [0, 1], known, test)
    changes = ablation.paired(runs)
    assert all(change["estimate"] == change["low"] == change["high"] == 0 for change in changes["table"].values())
    assert all(change["estimate"] != 0 for change in changes["soft, lambda 10"].values())
    by_hand = np.mean([a["valence"]["mse"] - b["valence"]["mse"] for a, b in zip(runs["soft, lambda 10"], runs["none"], strict=True)])  # fmt: skip # noqa: E501
    assert changes["soft, lambda 10"]["valence"]["estimate"] == pytest.approx(by_hand)
    assert set(ablation.paired(runs, "accuracy")["table"]) == {"category"}


def test_the_published_scale():
    error = np.random.default_rng(0).normal(size=64)
    mse = float((error**2).mean())
    assert ablation.on_published_scale(mse) == pytest.approx(annotated.published_average((2 * error) ** 2))


def test_a_small_recording_goes_on_where_it_was(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)

    def made(count):
        shares = np.eye(8)[np.arange(count) % 4]
        return Faces(rng.integers(0, 256, (count, 48, 48), dtype=np.uint8), shares, rng.uniform(-1, 1, (count, 3)))

    faces, guessed = made(20), made(24)
    monkeypatch.setattr(ablation, "ARMS", {k: ablation.ARMS[k] for k in ("none", "table", "soft, lambda 1")})
    monkeypatch.setattr(ablation, "MODELS", {"valence": ("valence",), "all": VAD_AXES})
    plan = ablation.Plan(2, 0.34, 16, 16, 1, 1, 1)
    store = ablation.Store(tmp_path)
    found = ablation.run_all(faces, guessed, plan, "made", store)
    assert set(found["runs"]) == {"proxy", "proxy, calibrated", "scratch", "tuned, valence", "tuned, all"}
    assert found["claims"]["table"]["valence"]["says"] == "no change at all"
    assert np.sum(found["confusion"]) <= len(faces)
    assert set(found["best"]["read-out"]["valence"]["lower_than"]) == set(found["baselines"])

    def forbidden(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(ablation, "train", forbidden)
    monkeypatch.setattr(ablation, "cross_validate", forbidden)
    assert ablation.run_all(faces, guessed, plan, "made", ablation.Store(tmp_path)) == found


@pytest.mark.parametrize(
    ("change", "better", "word"),
    [
        ((0, 0, 0), -1, "no change at all"),
        ((-0.1, -0.2, 0.1), -1, "no clear change"),
        ((-0.1, -0.2, -0.05), -1, "better"),
        ((-0.1, -0.2, -0.05), 1, "worse"),
        ((0.1, 0.05, 0.2), 1, "better"),
    ],
)
def test_words_follow_the_interval(change, better, word):
    assert ablation._word(dict(zip(("estimate", "low", "high"), change, strict=True)), better) == word


def test_categories_are_named():
    told = engine.Predicted(np.eye(8)[[3, 0]], np.zeros((2, 3)))
    assert told.category.tolist() == [EMOTIONS[3], EMOTIONS[0]]
