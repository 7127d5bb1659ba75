"""Facts against hand counts on a set small enough to count by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ferbook.claims import dataset_summary
from ferbook.core.errors import DataError
from ferbook.datasets import ferplus
from ferbook.faces.faceset import FaceSet


def hand_made():
    """Forty faces: 30 of one emotion, 8 of four, 1 noisy, 1 without an emotion; two pictures repeat."""
    votes = np.zeros((40, 10), dtype=np.uint8)
    votes[:30, 1] = 10
    votes[30:38, :4] = (4, 3, 2, 1)
    votes[38] = (0, 0, 0, 6, 0, 0, 0, 0, 2, 2)
    votes[39, 9] = 10
    images = np.arange(40, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), dtype=np.uint8)
    images[39] = images[0]
    images[31] = images[0]
    split = np.array(["train"] * 30 + ["valid"] * 5 + ["test"] * 5)
    return FaceSet("hand", images, np.array([f"f{i:02d}" for i in range(40)]), split=split, votes=votes)


def test_hand_counts():
    found = dataset_summary.label_facts(hand_made())
    assert found["faces"] == 40
    assert found["faces_by_part"] == [30, 5, 5]
    assert found["not_ten_votes"] == 0
    assert found["unanimous"] == 30
    assert found["no_emotion_vote"] == 1
    assert (found["kept_sum"], found["kept_either"]) == (38, 39)
    assert found["by_complexity_sum"] == [30, 0, 0, 8, 0, 0, 0, 0]
    assert found["by_complexity_either"] == [31, 0, 0, 8, 0, 0, 0, 0]
    assert found["changed_from_n"] == [8, 8, 8, 0, 0, 0, 0]
    assert found["class_share"] == pytest.approx([8 * 0.4 / 38, 32.4 / 38, 1.6 / 38, 0.8 / 38, 0, 0, 0, 0])
    assert found["tie_rate"] == 0
    assert found["complex_faces"] == 8
    assert (found["complex_test"], found["complex_train_complex"]) == (4, 4)
    assert (found["duplicate_pictures"], found["surplus_copies"]) == (1, 2)
    # Face 39 tests and face 31 validates; both show the picture of face 0, which trains.
    assert (found["official_test_leaked"], found["official_valid_leaked"]) == (1, 1)
    # Of the three copies, 39 is cleaned away; the crowds of 0 (happiness) and 31 (neutral first) disagree.
    assert (found["twin_pairs"], found["twin_same_winner"], found["twin_same_votes"]) == (1, 0.0, 0.0)


def test_annotators_are_counted_against_their_crowd_and_another():
    found = dataset_summary.label_facts(hand_made())
    assert len(found["agreement_by_taggers"]) == len(found["agreement_with_second_crowd"]) == 10
    assert found["agreement_by_taggers"][-1] == 1
    # Two copies of one picture: ten votes on happiness, and (4, 3, 2, 1) with neutral first.
    assert found["agreement_with_second_crowd"] == [0.0] * 10
    assert found["rare_of_votes"] == 0


def test_the_vote_table_is_counted_by_rows():
    votes = np.zeros((6, 10), dtype=np.uint8)
    votes[:, 0] = 10
    votes[3:5] = 0
    votes[3:5, 9] = 10
    votes[5, 0] = 9
    names = np.array(["a", "b", "a", "", "", "c"])
    parts = np.array(["train", "train", "train", "train", "valid", "test"])
    found = dataset_summary.table_facts(ferplus.VoteTable(names, parts, votes, {"checksum": "c0ffee"}))
    assert (found["rows"], found["rows_by_part"]) == (6, [4, 1, 1])
    assert (found["ten_votes"], found["fewest_votes"]) == (5, 9)
    assert (found["unnamed"], found["unnamed_no_face"]) == (2, 2)
    assert (found["named"], found["stand_twice"]) == (3, 1)


def test_facts_are_plain_json():
    found = dataset_summary.label_facts(hand_made())
    assert json.loads(json.dumps(found)) == found


def test_a_set_without_duplicates_has_no_agreement():
    faces = hand_made().subset(np.r_[0:31, 32:38])
    assert dataset_summary.label_facts(faces)["twin_same_winner"] is None


def test_records_survive_a_round_trip_and_name_what_is_wrong(home):
    with pytest.raises(DataError, match=r"labels\.json: no such record"):
        dataset_summary.recorded()
    faces = replace(hand_made(), provenance={"checksum": "c0ffee"})
    path = dataset_summary.record(faces)
    assert dataset_summary.recorded().values == dataset_summary.label_facts(faces)
    assert dataset_summary.recorded().provenance["checksum"] == "c0ffee"
    assert [entry.name for entry in path.parent.iterdir()] == ["labels.json"]
    path.write_text('{"values": ')
    with pytest.raises(DataError, match="not a record"):
        dataset_summary.recorded()
