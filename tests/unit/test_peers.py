"""The comparison with other tools: labels by name, measures over eight and seven emotions, what is recorded."""

import numpy as np
import pytest

from ferbook.core.errors import DataError, FerbookError
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import sweeps, trained
from ferbook.photos import peers


def test_labels_are_mapped_by_name_and_scores_sum_to_one(tmp_path):
    found = {
        "labels": ["Angry", "happy", "sad", "fearful", "disgusted", "surprised", "neutral"],
        "scores": [[0, 2, 0, 0, 0, 0, 2], [1, 0, 0, 0, 0, 0, 0]],
        "seconds": [0.1, 0.2],
    }
    scores, seconds = peers.answers(found, tmp_path)
    assert scores.shape == (2, 8) and scores.sum(axis=1) == pytest.approx([1, 1])
    assert scores[0, EMOTIONS.index("happiness")] == scores[0, EMOTIONS.index("neutral")] == 0.5
    assert scores[1, EMOTIONS.index("anger")] == 1 and not scores[:, EMOTIONS.index("contempt")].any()
    assert seconds.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("labels", "scores"),
    [(["happy", "bored"], [[1, 0]]), (["happy", "joy"], [[1, 0]]), (["happy", "sad"], [[0, 0]]), (["sad"], [["nan"]])],
)
def test_an_answer_that_cannot_be_is_refused(tmp_path, labels, scores):
    with pytest.raises(DataError, match="the tool"):
        peers.answers({"labels": labels, "scores": scores, "seconds": [0]}, tmp_path)


def test_seven_emotions_leave_contempt_out_on_both_sides():
    contempt, happy = EMOTIONS.index("contempt"), EMOTIONS.index("happiness")
    crowd, scores = np.zeros((3, 8)), np.zeros((3, 8))
    crowd[0, contempt] = 1
    crowd[1, [contempt, happy]] = 0.5  # a tie: happiness leads, too
    crowd[2, happy] = 1
    scores[0, happy] = 1
    scores[1, [contempt, happy]] = 0.6, 0.4  # contempt counts over eight, and may not be said over seven
    scores[2, 0] = 1
    found = peers.measure(scores, crowd)
    assert found["eight"]["faces"] == 3 and found["eight"]["accuracy"] == pytest.approx(1 / 3)
    assert found["seven"]["faces"] == 2 and found["seven"]["accuracy"] == pytest.approx(1 / 2)


def test_macro_f1_is_the_mean_over_emotions_that_occur():
    confusion = np.array([[3, 1, 0], [1, 2, 0], [0, 0, 0]])
    assert peers.macro_f1(confusion) == pytest.approx((6 / 8 + 4 / 6) / 2)


def test_a_failing_tool_is_one_clear_error(tmp_path):
    with pytest.raises(FerbookError, match="failed in"):
        peers._run(["false"], tmp_path)
    with pytest.raises(FerbookError, match="is not installed"):
        peers._run(["no-such-program"], tmp_path)


def test_the_records_are_of_the_official_test_part():
    found = peers.recorded()
    assert peers.OWN in found and len(found) > 2
    released = sweeps.read(sweeps.record_path(*trained.RELEASED[peers.OWN].split("/", 1)))
    for name, entry in found.items():
        eight, seven = entry["values"]["eight"], entry["values"]["seven"]
        assert eight["faces"] == released.metrics["faces"]["test"] > seven["faces"]
        assert entry["provenance"]["checksum"] == released.provenance["checksum"]
        assert eight["low"] < eight["accuracy"] < eight["high"]
        assert entry["values"]["bytes"] > 0 and entry["values"]["images_per_s"] > 0
        if name != peers.OWN:
            assert entry["provenance"]["version"] == peers.PEERS[name].version
            assert eight["recall"][EMOTIONS.index(peers.MISSING)] == 0
    own = found[peers.OWN]["values"]["eight"]["accuracy"]
    assert own == pytest.approx(released.metrics["test_accuracy"], abs=2 / 3535)
