import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferbook.claims.dataset_summary import TEST_SHARE, paper_splits
from ferbook.core.errors import ConfigError, DataError
from ferbook.datasets import load
from ferbook.faces import splits
from ferbook.faces.labels import clean_votes, complexity
from tests.conftest import needs_ferplus


def mixed(count, complex_every):
    """`count` distributions, every `complex_every`-th of complexity 4, the others of complexity 1."""
    rows = np.tile(np.eye(8)[0], (count, 1))
    rows[::complex_every] = [0.25] * 4 + [0] * 4
    return rows


@settings(max_examples=30)
@given(st.integers(20, 300), st.floats(0.05, 0.5), st.integers(0, 9))
def test_ordinary_split_partitions(count, share, seed):
    split = splits.ordinary_split(mixed(count, 3), share, rng=np.random.default_rng(seed))
    assert len(split.test) == round(share * count)
    assert sorted([*split.train, *split.valid, *split.test]) == list(range(count))


@settings(max_examples=30)
@given(st.integers(40, 300), st.integers(0, 9))
def test_complex_split_tests_on_complex_faces_only(count, seed):
    distribution = mixed(count, 4)
    split = splits.complex_split(distribution, 0.1, rng=np.random.default_rng(seed))
    assert (complexity(distribution)[split.test] > 3).all()
    assert len(split.test) == round(0.1 * count)
    assert sorted([*split.train, *split.test]) == list(range(count))


def test_same_seed_same_split():
    draw = [splits.ordinary_split(mixed(100, 3), rng=np.random.default_rng(s)).test.tolist() for s in (1, 1, 2)]
    assert draw[0] == draw[1] != draw[2]


def test_too_few_complex_faces():
    with pytest.raises(ConfigError, match="5 faces of complexity above 3"):
        splits.complex_split(mixed(100, 20), 0.1, rng=np.random.default_rng(0))


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_must_be_a_share(share):
    with pytest.raises(ConfigError, match="test_share"):
        splits.ordinary_split(mixed(100, 3), share, rng=np.random.default_rng(0))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=25))
def test_duplicate_groups_match_pairwise_comparison(kinds):
    images = np.stack([np.full((3, 3), kind, dtype=np.uint8) for kind in kinds])
    groups = splits.duplicate_groups(images)
    for i in range(len(kinds)):
        for j in range(len(kinds)):
            assert (groups[i] == groups[j]) == np.array_equal(images[i], images[j])


def test_leaked_marks_test_faces_with_a_training_twin():
    groups = np.array([0, 1, 0, 3, 1, 5])
    assert splits.leaked(groups, np.array([0, 3]), np.array([1, 2, 4, 5])).tolist() == [False, True, False, False]


def test_frozen_ids_survive_a_round_trip(home, tiny):
    faces, folder = load("ferplus", tiny.write_archives()), home / "data" / "splits"
    splits.freeze(faces.ids[[5, 2]], folder / "mine.csv")
    split = splits.frozen_split(faces, "mine")
    assert split.test.tolist() == [2, 5]
    assert split.train.tolist() == [0, 1, 3, 4, 6, 7]
    splits.freeze(np.array(["fer0000001.png", "fer9999999.png"]), folder / "other.csv")
    (folder / "fourth.csv").write_text("name\nfer0000001.png\n")
    for name, words in (
        ("other", r"line 3: fer9999999\.png is not in the data set"),
        ("third", "no frozen split"),
        ("fourth", "is not a list of ids"),
    ):
        with pytest.raises(DataError, match=words):
            splits.frozen_split(faces, name)


@needs_ferplus
def test_frozen_test_sets_are_the_ones_their_seed_draws(real_ferplus):
    """The committed ids, drawn again from the real votes."""
    cleaned = clean_votes(real_ferplus.votes)
    kept = real_ferplus.subset(cleaned.keep)
    for name, drawn in paper_splits(cleaned.distribution).items():
        frozen = splits.frozen_split(kept, f"ferplus-{name}")
        assert frozen.test.tolist() == drawn.test.tolist()
        assert len(frozen.test) == round(TEST_SHARE * len(kept))
