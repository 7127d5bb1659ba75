"""Iterative stratification against a literal twin, its promises on random labels, and runs that use it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ferbook import datasets
from ferbook.core.errors import ConfigError
from ferbook.faces import folds
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.labels import clean_votes
from ferbook.learning import configs, training
from tests.conftest import needs_ferplus


def stratified_twin(labels, count, rng):
    """Sechidis et al. (2011), algorithm 1, face by face, with the same draws for ties."""
    faces, kinds = labels.shape
    room = [faces / count] * count
    wanted = [[labels[:, k].sum() / count for k in range(kinds)] for _ in range(count)]
    fold = [-1] * faces

    def give(face, to):
        fold[face] = to
        room[to] -= 1
        for k in range(kinds):
            wanted[to][k] -= labels[face, k]

    def best(want):
        most = [i for i in range(count) if want[i] == max(want)]
        most = [i for i in most if room[i] == max(room[j] for j in most)]
        return most[0] if len(most) == 1 else int(rng.choice(most))

    while True:
        left = [sum(bool(labels[f, k]) for f in range(faces) if fold[f] < 0) for k in range(kinds)]
        if not any(left):
            break
        rare = [k for k in range(kinds) if left[k] == min(n for n in left if n)]
        label = rare[0] if len(rare) == 1 else int(rng.choice(rare))
        for face in rng.permutation([f for f in range(faces) if fold[f] < 0 and labels[f, label]]):
            give(face, best([row[label] for row in wanted]))
    for face in rng.permutation([f for f in range(faces) if fold[f] < 0]):
        give(int(face), best(list(room)))
    return fold


@settings(max_examples=40)
@given(
    hnp.arrays(np.bool_, st.tuples(st.integers(6, 40), st.integers(1, 5))),
    st.integers(2, 5),
    st.integers(0, 5),
)
def test_folds_are_the_twins(labels, count, seed):
    ours = folds.iterative_folds(labels, count, rng=np.random.default_rng(seed))
    assert ours.tolist() == stratified_twin(labels, count, np.random.default_rng(seed))


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(2, 6))
def test_groups_stay_together_and_every_fold_is_used(seed, count):
    rng = np.random.default_rng(seed)
    labels, groups = rng.random((60, 4)) < (0.5, 0.3, 0.2, 0.05), rng.integers(25, size=60)
    fold = folds.iterative_folds(labels, count, rng=rng, groups=groups)
    assert set(fold) == set(range(count))
    for group in np.unique(groups):
        assert len(set(fold[groups == group])) == 1


def test_stratified_folds_beat_random_ones_on_rare_labels():
    rng = np.random.default_rng(0)
    labels = rng.random((2000, 6)) < (0.5, 0.3, 0.1, 0.05, 0.02, 0.01)
    fold = folds.iterative_folds(labels, rng=rng)
    assert folds.imbalance(labels, fold).max() < 0.004
    assert folds.imbalance(labels, rng.permutation(fold)).max() > 0.01
    counted = [[labels[fold == k, label].mean() for label in range(6)] for k in range(5)]
    np.testing.assert_allclose(folds.shares(labels, fold), counted)


@pytest.mark.parametrize("count", [1, 7])
def test_folds_that_cannot_be_made(count):
    with pytest.raises(ConfigError, match="folds"):
        folds.iterative_folds(np.ones((6, 2), dtype=bool), count, rng=np.random.default_rng(0))


def test_wrong_shapes():
    with pytest.raises(ValueError, match="labels"):
        folds.iterative_folds(np.ones(6, dtype=bool), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="groups"):
        folds.iterative_folds(np.ones((6, 2)), 2, rng=np.random.default_rng(0), groups=np.arange(5))


def test_a_picture_of_two_people_joins_them():
    faces = datasets.load("synthetic", count=12)
    images = np.array(faces.images)
    images[3], subject = images[7], np.arange(12)
    subject[[1, 2]] = 1
    group = folds.kept_together(replace(faces, images=images, subject=subject))
    assert group[3] == group[7] and group[1] == group[2] and len(np.unique(group)) == 10
    assert len(np.unique(folds.kept_together(replace(faces, images=images, subject=None)))) == 11


def test_synthetic_folds_go_by_person():
    faces = datasets.load("synthetic", count=400)
    labels = np.asarray(faces.distribution) >= 0.2
    tests = []
    for fold in range(5):
        split = folds.fold_split(faces, labels, fold)
        people = [set(faces.subject[part].tolist()) for part in split]
        assert not (people[0] & people[2] or people[1] & people[2] or people[0] & people[1])
        assert sum(map(len, split)) == len(faces) and len(split.valid) == pytest.approx(32, abs=8)
        tests.append(split.test)
    assert sorted(np.concatenate(tests).tolist()) == list(range(len(faces)))
    with pytest.raises(ConfigError, match="fold"):
        folds.fold_split(faces, labels, 5)


@needs_ferplus
@pytest.mark.parametrize("votes", [2, 3])
def test_ferplus_folds_are_balanced_and_share_no_picture(real_ferplus, votes):
    cleaned = clean_votes(real_ferplus.votes)
    faces = real_ferplus.subset(cleaned.keep)
    labels = cleaned.distribution >= votes / 10 - 1e-6
    # A share of the emotions' votes from k tenths on is k votes or more, for every face that cleaning keeps.
    np.testing.assert_array_equal(labels, faces.votes[:, : len(EMOTIONS)] >= votes)
    fold = folds.iterative_folds(labels, rng=np.random.default_rng(0), groups=folds.kept_together(faces))
    assert folds.imbalance(labels, fold).max() < 0.02
    pictures = [{image.tobytes() for image in faces.images[fold == k]} for k in range(5)]
    assert sum(map(len, pictures)) == len(set.union(*pictures))


TINY = {
    "task": "multilabel",
    "data": {"options": {"count": 200}},
    "labels": {"source": "truth"},
    "model": {"name": "compact", "options": {"width": 0.25}},
    "loss": "binary_cross_entropy",
    "epochs": 1,
    "precision": "32",
}


def test_runs_on_folds_test_every_face_once(tmp_path):
    parts = [
        training.load_parts(configs.parse({**TINY, "split": {"kind": "folds", "fold": fold, "folds": 4}}))[1]
        for fold in range(4)
    ]
    tested = [part["test"][0].ids for part in parts]
    assert len(set(np.concatenate(tested).tolist())) == 200 == sum(map(len, tested))


def test_oversampling_shows_faces_again(tmp_path):
    plain = configs.parse(TINY)
    repeated = configs.parse({**TINY, "labels": {"source": "truth", "repeat": {"sadness": 3, "anger": 2}}})
    _, parts = training.load_parts(repeated)
    sad, angry = (parts["train"][1][:, EMOTIONS.index(name)] > 0 for name in ("sadness", "anger"))
    result = training.train(repeated, tmp_path)
    assert result.metrics["with_repeats"] == len(sad) + 2 * sad.sum() + (angry & ~sad).sum()
    assert "with_repeats" not in training.train(plain, tmp_path).metrics
    assert result.metrics["faces"] == training.train(plain, tmp_path).metrics["faces"]


@pytest.mark.parametrize("repeat", [{"joy": 2}, {"anger": 0}])
def test_oversampling_that_cannot_be(repeat):
    with pytest.raises(ConfigError, match="repeat"):
        configs.parse({"labels": {"repeat": repeat}})


def test_oversampling_and_copies_exclude_each_other():
    with pytest.raises(ConfigError, match="leave one out"):
        configs.parse({"labels": {"repeat": {"anger": 2}}, "copies": {"kind": "ordinary"}})
