"""Training category with V, A, D: pairs that share a seed, costs without effect, folds, starts, proxies, recording."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from torch.nn import functional

from ferbook import models
from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError
from ferbook.datasets.synthetic import PRIOR
from ferbook.faces import folds, splits
from ferbook.faces.emotions import EMOTIONS, VAD_POINTS, VOTE_COLUMNS
from ferbook.faces.faceset import FaceSet
from ferbook.learning import configs, parts, runs, sweeps, task_base, tasks, training
from ferbook.learning.consistency import vad_loss
from ferbook.papers.vad import ablation, annotated, experiments, independence
from ferbook.papers.vad.experiments import Faces
from ferbook.synthesis import sample

QUICK = experiments.described(epochs=2, batch=32)
#: Of pictures, 16 pixels wide.
SMALL = experiments.described(
    experiments.PICTURES,
    augmentation=[{"name": "flip"}, {"name": "crop", "size": 16, "pad": 2}],
    model={"options": {"width": 0.34}},
    epochs=1,
    batch=12,
)


def changed(config, **more):
    return configs.parse(sweeps.merged(config.model_dump(), more))


@pytest.fixture(scope="module")
def known():
    return experiments.measured(160, 0, "train")


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(8), 24)
    return Faces(rng.integers(0, 256, (24, 16, 16), dtype=np.uint8), shares, rng.uniform(-1, 1, (24, 3)))


def task_of(config, faces):
    """A task that has not been trained."""
    target = np.concatenate([faces.distribution, faces.vad[:, experiments.columns_of(config)]], axis=1)
    images, target = experiments._tensor(faces.images), torch.from_numpy(target.astype(np.float32))
    network = experiments.mlp(images.shape[1], target.shape[1], config.seed) if images.ndim == 2 else None
    return tasks.VadTask(config, {"train": (images, target)}, total_steps=1, network=network)


@pytest.mark.parametrize("cost", ["table", "equations"])
def test_printed_costs_change_the_loss_and_no_weight(known, cost):
    without, with_cost = (
        experiments.train(changed(QUICK, vad={"consistency": c, "weight": 5.0}), known) for c in ("none", cost)
    )
    assert with_cost.history[-1]["train_loss"] > without.history[-1]["train_loss"] + 0.5
    assert experiments.differing(with_cost, without) == 0


def test_the_soft_cost_and_another_seed_change_weights(known):
    without = experiments.train(QUICK, known)
    soft, other, again = (changed(QUICK, **part) for part in ({"vad": {"consistency": "soft"}}, {"seed": 1}, {}))
    assert experiments.differing(experiments.train(soft, known), without) > 0
    assert experiments.differing(experiments.train(other, known), without) > 0
    assert experiments.differing(experiments.train(again, known), without) == 0


def test_the_same_holds_for_pictures(pictures):
    """Also with augmentation, batch normalisation and dropout."""
    without, printed = (
        experiments.train(changed(SMALL, vad={"consistency": cost}), pictures) for cost in ("none", "table")
    )
    assert experiments.differing(without, printed) == 0
    told = experiments.predict(without, pictures.images)
    assert told.probabilities.shape == (24, 8) and told.vad.shape == (24, 3)
    assert told.probabilities.sum(axis=1) == pytest.approx(1)
    mirrored = experiments.predict(without, pictures.images[:, :, ::-1])
    assert mirrored.vad == pytest.approx(told.vad, abs=1e-5)


def test_both_sides_of_a_face_are_averaged_as_probabilities(pictures):
    task = task_of(SMALL, pictures)
    task.network.eval()
    images = task.faces["train"][0]
    with torch.inference_mode():
        sides = [task.network(task_base.scaled(side)) for side in (images, images.flip(3))]
    told = experiments.predict(task, pictures.images)
    expected = sum(side[:, :8].softmax(1) for side in sides) / 2
    assert told.probabilities == pytest.approx(expected.numpy(), abs=1e-6)
    assert told.vad == pytest.approx((sum(side[:, 8:] for side in sides) / 2).numpy(), abs=1e-6)


def test_the_loss_is_that_of_the_paper(known):
    task = task_of(changed(QUICK, vad={"axes": ["dominance", "valence"]}), known)
    images, target = task.faces["train"]
    output = task.network(images)
    found = task.loss(output, target, torch.Generator())
    columns = known.vad[:, [2, 0]]
    logits, values = output[:, :8].detach(), output[:, 8:].detach().numpy()
    entropy = -(known.distribution * functional.log_softmax(logits, 1).numpy()).sum(axis=1).mean()
    squares = ((values - columns) ** 2).mean(axis=0).sum()
    assert found.item() == pytest.approx(entropy + squares, rel=1e-5)
    soft = task_of(changed(QUICK, vad={"consistency": "soft", "weight": 3.0}), known)
    images, target = soft.faces["train"]
    output = soft.network(images)
    twin = vad_loss(output[:, :8], output[:, 8:], target[:, :8], target[:, 8:], consistency="soft", weight=3.0)
    assert soft.loss(output, target, torch.Generator()).item() == pytest.approx(twin.total.item())
    alone = task_of(changed(QUICK, vad={"classify": False}), known)
    assert alone.loss(output, target, torch.Generator()).item() == pytest.approx(twin.regression.item())


def test_training_learns_and_the_broadcast_bug_does_not(known):
    r2 = {}
    for bug in (False, True):
        config = changed(QUICK, epochs=15, vad={"broadcast_bug": bug})
        told = experiments.predict(experiments.train(config, known), known.images).vad
        r2[bug] = ablation.scores(told, known.vad)["valence"]["r2"]
    assert r2[False] > 0.5
    assert r2[True] < 0.2


def test_networks_with_two_heads_and_orthogonality_can_be_trained(pictures):
    asked = {"axes": ["arousal"], "orthogonality": 0.1}
    config = changed(SMALL, model={"name": "vad_shared"}, vad=asked)
    few = pictures.subset(np.arange(12))
    told = experiments.predict(experiments.train(config, few), few.images)
    assert told.vad.shape == (12, 1)
    assert np.isfinite(told.vad).all()


def test_a_start_is_where_training_begins(pictures, tmp_path):
    first = experiments.train(SMALL, pictures)
    path = models.save_weights(first.network, tmp_path / "first.safetensors")
    config = changed(SMALL, vad={"axes": ["arousal"]}, seed=3, start=SMALL.model_dump())
    alone, start = task_of(config, pictures), first.network.state_dict()
    before = {name: value.clone() for name, value in alone.network.state_dict().items()}
    alone.start_from(path)
    after = alone.network.state_dict()
    assert torch.equal(after["head.1.weight"][:8], start["head.1.weight"][:8])
    assert torch.equal(after["head.1.weight"][8], start["head.1.weight"][9])
    assert torch.equal(after["stem.0.weight"], start["stem.0.weight"])
    assert not torch.equal(before["stem.0.weight"], after["stem.0.weight"])
    wide = task_of(changed(config, model={"options": {"width": 0.5}}), pictures)
    with pytest.raises(DataError, match="it does not fit Compact"):
        wide.start_from(path)


def test_a_start_that_knows_categories_alone_leaves_the_values_as_drawn(pictures, tmp_path):
    first = {"model": SMALL.model.model_dump(), "seed": 5}
    path = models.save_weights(models.build("compact", 8, seed=5, width=0.34), tmp_path / "first.safetensors")
    task = task_of(changed(SMALL, start=first), pictures)
    drawn = task.network.state_dict()["head.1.weight"].clone()
    task.start_from(path)
    found = task.network.state_dict()["head.1.weight"]
    assert torch.equal(found[8:], drawn[8:]) and not torch.equal(found[:8], drawn[:8])


def test_processes_share_a_batch(pictures, monkeypatch):
    """The mean of two processes' losses is the loss of one, for an odd batch and a network without batch statistics."""
    task = task_of(changed(SMALL, augmentation=[], vad={"consistency": "soft"}), pictures)
    task.network.eval()
    found = {}
    for world in (1, 2):
        monkeypatch.setattr(tasks.Task, "trainer", SimpleNamespace(world_size=world, current_epoch=0))
        losses = []
        for rank in range(world):
            monkeypatch.setattr(tasks.Task, "global_rank", rank)
            losses.append(task.training_step(torch.arange(11)).item())
        found[world] = np.mean(losses)
    assert found[2] == pytest.approx(found[1], rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vad": {"consistency": "magic"}}, r"vad\.consistency"),
        ({"vad": {"axes": ["valence", "valence"]}}, "axes must be different"),
        ({"vad": {"axes": []}}, "axes must be different"),
        ({"vad": {"axes": ["tension"]}}, r"vad\.axes"),
        ({"epochs": 0}, "epochs"),
        ({"vad": {"consistency": "soft", "classify": False}}, "nothing to be consistent with"),
        ({"task": "distribution", "vad": {"axes": ["valence"]}}, "vad is the loss of the task vad"),
    ],
)
def test_settings_that_cannot_work_are_named(changes, field):
    with pytest.raises(ConfigError, match=field):
        changed(QUICK, **changes)


def test_missing_values_are_refused(known):
    vad = known.vad.copy()
    vad[0, 1] = np.nan
    faces = Faces(known.images, known.distribution, vad)
    with pytest.raises(ValueError, match="complete"):
        experiments.train(QUICK, faces)
    # A missing arousal does not matter to a network that learns valence.
    experiments.train(changed(QUICK, vad={"axes": ["valence"]}), faces)


def test_measured_faces_repeat_and_have_no_person_twice():
    one, again = (experiments.measured(50, 1, "train") for _ in range(2))
    assert (one.images == again.images).all()
    # Without noise they are the draw's own action units, of people who are in one split only.
    drawn = {split: sample(50, seed=1, split=split, prior=PRIOR) for split in ("train", "test")}
    assert set(drawn["train"].identity.tolist()).isdisjoint(drawn["test"].identity.tolist())
    for split, people in drawn.items():
        assert np.array_equal(experiments.measured(50, 1, split, noise=0).images, people.action_units)


# --- faces, labels and folds ---


def crowd(count, seed, name="ferplus"):
    """Faces of the training part with votes, and of the other two."""
    rng = np.random.default_rng(seed)
    votes = np.zeros((count, len(VOTE_COLUMNS)), int)
    votes[np.arange(count), np.arange(count) % 4] = 10
    split = np.array(["train"] * (count - 4) + ["valid"] * 2 + ["test"] * 2)
    images = rng.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    ids = np.char.add(f"{name}-", np.arange(count).astype(str))
    return FaceSet(name, images, ids, votes=votes, split=split, provenance={"checksum": name})


def marked(count, seed=1, twins=()):
    """Annotated faces of four categories; of each pair in `twins`, the second has the picture of the first."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    for one, other in twins:
        images[other] = images[one]
    shares, vad = np.eye(8)[np.arange(count) % 4], rng.integers(-2, 3, (count, 3)) / 2
    ids, split = np.char.add("m-", np.arange(count).astype(str)), np.full(count, "valid")
    known = {"checksum": "marked"}
    return FaceSet("vad_fer2013", images, ids, split=split, distribution=shares, vad=vad, provenance=known)


@pytest.fixture
def sets(monkeypatch):
    """What the names of data sets stand for in a test."""
    found = {}
    monkeypatch.setattr(parts, "load", lambda data: found[data.name])
    monkeypatch.setattr(training, "load", lambda data: found[data.name])
    return found


DESCRIBED = sweeps.runs(sweeps.description("003"))


def test_the_same_picture_is_never_in_two_folds(sets):
    """Twins of different categories, too; faces that were tested are tested once, and never trained on before."""
    twins = ((0, 21), (5, 30), (7, 11), (2, 38))
    sets["vad_fer2013"] = faces = marked(40, twins=twins)
    groups, tested = splits.duplicate_groups(faces.images), []
    for fold in range(5):
        _, found = training.load_parts(DESCRIBED[f"scratch/none-seed0-fold{fold}"])
        assert set(found) == {"train", "test"}
        rows = {part: np.flatnonzero(np.isin(faces.ids, own.ids)) for part, (own, _) in found.items()}
        assert not splits.leaked(groups, rows["train"], rows["test"]).any()
        assert len(rows["train"]) + len(rows["test"]) == len(faces)
        assert found["test"][1].shape == (len(rows["test"]), 11)
        tested += rows["test"].tolist()
    assert sorted(tested) == list(range(40))
    # Left alone, faces are parted as if they were strangers, and some pair is torn.
    apart = annotated.fold_of(Faces.of(faces).category)
    assert any(apart[one] != apart[other] for one, other in twins)
    together = annotated.fold_of(Faces.of(faces).category, folds.kept_together(faces))
    assert all(together[one] == together[other] for one, other in twins)


def test_guessed_values_are_the_crowds_mean_point_and_copies_do_not_train(sets):
    sets["ferplus"] = faces = crowd(12, 0)
    faces.votes[1] = [5, 0, 0, 5, 0, 0, 0, 0, 0, 0]
    test = marked(6)
    test.images[3] = faces.images[2]
    sets["vad_fer2013"] = test
    _, found = training.load_parts(DESCRIBED["proxy/none-seed0"])
    chosen, target = found["train"]
    assert chosen.ids.tolist() == [f"ferplus-{k}" for k in (0, 1, 3, 4, 5, 6, 7)]
    assert target[0, 8:] == pytest.approx(VAD_POINTS["neutral"])
    assert target[1, 8:] == pytest.approx(np.mean([VAD_POINTS["neutral"], VAD_POINTS["sadness"]], axis=0))
    assert (found["test"][0].ids == test.ids).all() and (found["test"][1][:, 8:] == test.vad).all()
    few = changed(DESCRIBED["proxy/none-seed0"], split={"at_most": 3})
    assert len(training.load_parts(few)[1]["train"][0]) == 3


def test_values_that_nobody_annotated_are_refused(sets):
    sets["vad_fer2013"] = faces = marked(20)
    faces.vad[4, 1] = np.nan
    with pytest.raises(ConfigError, match=r"labels\.vad: not all faces of vad_fer2013 have val"):
        training.load_parts(DESCRIBED["scratch/none-seed0-fold0"])
    training.load_parts(changed(DESCRIBED["scratch/none-seed0-fold0"], vad={"axes": ["valence"]}))


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


def small_sweep(folder):
    """The description of paper 003, with fewer runs of a smaller network."""
    content = yaml.safe_load(sweeps.description("003").read_text())
    for base in content["bases"].values():
        base["epochs"] = 1
    for part in (content["bases"]["proxy"], content["bases"]["tuned"]["start"]):
        part["model"]["options"]["width"] = 0.25
        part["epochs"] = 1
    content["bases"]["scratch"]["split"]["folds"] = 2
    content["groups"] = {  # without those of ResNet-18, which is large; they are not gathered
        name: group for name, group in content["groups"].items() if not name.startswith("resnet18")
    }
    variants = {"none": {}, "table": {"vad": {"consistency": "table"}}, "soft1": {"vad": {"consistency": "soft"}}}
    content["groups"]["tuned"]["vary"]["consistency"] = variants
    content["groups"]["single"]["vary"]["axis"] = {"valence": {"vad": {"axes": ["valence"]}}}
    content["groups"]["orthogonality"]["base"] = {"extend": "proxy", "split": {"at_most": 12}}
    for group in (*ablation.GROUPS, independence.GROUP):
        vary = content["groups"][group]["vary"]
        vary["seed"] = vary["seed"][:2] if isinstance(vary["seed"], list) else dict(list(vary["seed"].items())[:2])
        if "fold" in vary:
            vary["fold"] = dict(list(vary["fold"].items())[:2])
    path = folder / "data" / "sweeps" / "003.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return sweeps.runs(path)


def test_what_a_sweep_records_is_gathered(sets, tmp_path, monkeypatch):
    described = small_sweep(tmp_path)
    monkeypatch.setattr(paths, "project_root", lambda: tmp_path)
    sets["ferplus"], sets["vad_fer2013"] = crowd(28, 0), marked(20, twins=((0, 9),))
    store, faces = tmp_path / "store", sets["vad_fer2013"]
    for name, config in described.items():
        sweeps.record(sweeps.record_path("003", name), config, lambda config: training.train(config, store))
    found = ablation.gathered(faces, store)
    assert set(found["runs"]) == {"proxy", "proxy, calibrated", "scratch", "tuned, valence", "tuned, all"}
    assert found["claims"]["table"]["valence"]["says"] == "no change at all"
    assert found["seeds"] == 2 and np.sum(found["confusion"]) <= len(faces)
    assert set(found["best"]["read-out"]["valence"]["lower_than"]) == set(found["baselines"])
    # Twin: one score from the stored predictions of two runs.
    errors = []
    for fold in (0, 1):
        told = runs.run_of(described[f"scratch/none-seed1-fold{fold}"], store).predictions()
        truth = faces.vad[[faces.ids.tolist().index(one) for one in told["ids"]], 1]
        errors += ((told["vad"][:, 1].astype(float) - truth) ** 2).tolist()
    assert found["runs"]["scratch"]["none"][1]["arousal"]["mse"] == pytest.approx(np.mean(errors))
    # What was not chosen on any face says so, and what it began with is in the store.
    result = sweeps.read(sweeps.record_path("003", "tuned/none-seed0-fold0"))
    assert result.metrics["chosen_on"] == "last" and "valid_ccc" not in result.metrics
    assert set(result.metrics["faces"]) == {"train", "test"}
    assert runs.run_of(described["proxy/none-seed0"], store).result().provenance["test_checksum"] == "marked"
    # What the commands write, and pages and checks read.
    for module in (ablation, independence):
        monkeypatch.setattr(module, "published", lambda root: (faces, sets["ferplus"]))
    written = json.loads(ablation.record(store=store).read_text())
    assert written["values"]["runs"] == json.loads(json.dumps(found["runs"]))
    assert written["provenance"]["folds"] == ablation.FOLDS and written["provenance"]["plan"]["seeds"] == 2
    assert written["values"]["proxy_faces"] == 24
    pairs = json.loads(independence.record(store=store).read_text())
    assert {variant: len(runs) for variant, runs in pairs["values"]["runs"].items()} == dict.fromkeys(
        independence.VARIANTS, 2
    )
    assert pairs["values"]["learned_from"] == pairs["provenance"]["plan"]["faces"] == 12
    sets["ferplus"].provenance["checksum"] = "other"
    with pytest.raises(DataError, match="is of other data"):
        ablation.record(store=store)
    missing = sweeps.record_path("003", "single/valence-soft1-seed1-fold0")
    missing.unlink()
    with pytest.raises(DataError, match="this run is not recorded"):
        ablation.gathered(faces, store)


def test_an_interrupted_run_of_the_task_ends_as_an_unbroken_one(sets, tmp_path, monkeypatch):
    sets["vad_fer2013"] = marked(20)
    config = changed(
        DESCRIBED["scratch/soft1-seed0-fold0"], epochs=3, model={"options": {"width": 0.25}}, precision="32"
    )
    whole = training.train(config, tmp_path / "whole")
    honest = tasks.Task.training_step

    def stopped(self, chosen):
        if self.current_epoch == 2:
            raise task_base.TrainingError("stopped")
        return honest(self, chosen)

    with monkeypatch.context() as patch:
        patch.setattr(tasks.Task, "training_step", stopped)
        with pytest.raises(task_base.TrainingError, match="stopped"):
            training.train(config, tmp_path / "broken")
    again = training.train(config, tmp_path / "broken")
    assert json.dumps([again.history, again.metrics]) == json.dumps([whole.history, whole.metrics])
    one, other = (runs.run_of(config, tmp_path / name).predictions()["vad"] for name in ("whole", "broken"))
    assert (one == other).all() and one.shape == (4, 3)


def test_runs_begin_where_their_group_says():
    """The tuned runs of a seed begin with the proxy run of that seed, which the sweep records itself."""
    for name, config in DESCRIBED.items():
        if name.startswith(("tuned/", "single/")):
            assert config.start.hash == DESCRIBED[f"proxy/none-seed{config.seed}"].hash
            assert ablation._kind(name.partition("/")[0], config).startswith("tuned, ")
    assert {ablation._variant(config) for config in sweeps.chosen(DESCRIBED, "tuned").values()} == set(
        experiments.VARIANTS
    )
    plan = ablation.plan(DESCRIBED)
    assert plan["seeds"] == 5 and plan["tune_lr"] == 1e-3 and plan["scratch_epochs"] == 20


def test_categories_are_named():
    told = experiments.Predicted(np.eye(8)[[3, 0]], np.zeros((2, 3)))
    assert told.category.tolist() == [EMOTIONS[3], EMOTIONS[0]]
