"""Temperature, the note that a crowd would disagree, and the read-out of V, A, D; the files that are shipped."""

import json
import shutil

import numpy as np
import pytest

from ferbook import datasets
from ferbook.core.errors import DataError
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.learning import calibration, trained
from ferbook.measures import metrics, regression
from ferbook.papers.vad import readout
from tests.conftest import REAL_DATA, needs, needs_ferplus

NAME = "compact-ferplus"


def test_the_temperature_that_was_applied_is_found():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 8))
    probabilities = calibration.softmax(logits, 0.5)
    drawn = (probabilities.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    assert calibration.fit_temperature(logits, np.eye(8)[drawn]) == pytest.approx(0.5, rel=0.06)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    with pytest.raises(ValueError, match="as many"):
        calibration.fit_temperature(logits[:0], logits[:0])


def test_tied_leaders_count_together():
    logits = np.log([[0.3, 0.3, 0.4]])
    assert calibration.lead_loss(logits, np.array([[0.5, 0.5, 0.0]])) == pytest.approx(-np.log(0.6))


def test_expected_complexity_is_the_mean_number_of_named_emotions():
    shares = np.array([[0.6, 0.3, 0.1, 0], [1.0, 0, 0, 0], [0.25] * 4])
    drawn = np.random.default_rng(0).multinomial(10, shares, size=(20_000, 3))
    np.testing.assert_allclose(calibration.expected_complexity(shares), (drawn > 0).sum(2).mean(0), atol=0.02)


def test_the_threshold_parts_what_can_be_parted():
    above = calibration.fit_disagreement(np.array([1.5, 2.0, 3.5, 4.0]), np.array([False, False, True, True]))
    assert 2.0 < above <= 3.5
    rates = calibration.note_rates(np.array([True, True, False, False]), np.array([True, False, True, False]))
    assert (rates["right"], rates["precision"], rates["sensitivity"], rates["missed"]) == (0.5, 0.5, 0.5, 0.5)


def test_the_shipped_temperature_meets_its_bar_and_its_card_says_what_it_holds():
    values = calibration.read(NAME)
    assert "validation" in values["fitted_on"] and "test" in values["measured_on"]
    assert values["ece_after"] <= 0.03 < values["ece_before"]
    test = values["parts"]["test"]
    assert (values["ece_before"], values["ece_after"]) == (test["ece_before"], test["ece_after"])
    assert test["kl_after"] > test["kl_before"], "scaled probabilities are no longer the crowd's shares"
    assert calibration.place(NAME).with_suffix(".md").read_text("utf-8") == calibration.card(values)
    assert calibration.of(NAME).temperature == values["temperature"]


def test_the_shipped_readout_is_what_its_card_says():
    """The card was written from the numbers that were fitted, so a file that lost their order would differ."""
    values, weight, bias = readout.read(NAME)
    assert readout.place(NAME).with_suffix(".md").read_text("utf-8") == readout.card(values, weight, bias)
    vad = readout.of(NAME)(np.eye(8))
    happy, sad, angry = (vad[EMOTIONS.index(name)] for name in ("happiness", "sadness", "anger"))
    assert happy[0] > 0.4 > -0.4 > sad[0] and angry[0] < -0.4 and happy[2] > sad[2]
    own, constant = values["scores"]["this regressor"], values["scores"]["constant"]
    assert all(own[axis]["rmse"] < constant[axis]["rmse"] for axis in VAD_AXES)


@needs_ferplus
def test_the_shipped_temperature_is_that_of_the_real_faces(real_ferplus):
    logits, distribution = calibration.part_logits(NAME, real_ferplus)
    values = calibration.read(NAME)
    assert calibration.fit_temperature(logits["valid"], distribution["valid"]) == pytest.approx(
        values["temperature"], rel=0.01
    )
    scaled = calibration.softmax(logits["test"], values["temperature"])
    assert metrics.crowd_measures(scaled, distribution["test"])["calibration_error"] <= 0.03


@needs("vad_fer2013", "ferplus")
def test_the_shipped_readout_fits_the_annotated_faces(private_cache):
    faces = datasets.load("vad_fer2013", REAL_DATA, images="ferplus")
    shares = calibration.softmax(trained.logits(trained.released(NAME), faces.images, mirror=True).numpy())
    r2 = regression.evaluate(readout.of(NAME)(shares), np.asarray(faces.vad)).model.r2
    assert r2[0] > 0.45 and min(r2) > 0.2


def test_a_fit_is_that_of_ridge_regression_with_the_inputs_as_they_are():
    rng = np.random.default_rng(0)
    inputs = rng.random((300, 8))
    truth = inputs @ rng.normal(size=(8, 3)) + 0.3
    weight, bias = readout.fit(inputs, truth)
    np.testing.assert_allclose(inputs @ weight.T + bias, truth, atol=0.05)


@pytest.fixture
def shipped(tmp_path):
    for path in trained.place(NAME).parent.glob(f"{NAME}*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_files_that_do_not_belong_together_are_refused(shipped):
    path = calibration.place(NAME, shipped)
    values = json.loads(path.read_text())
    for broken, problem in (
        (json.dumps(values | {"weights": "0" * 16}), "other weights"),
        (json.dumps(values | {"temperature": -1.0}), "cannot be"),
        ("{}", "no temperature"),
        ("{", "no temperature"),
    ):
        path.write_text(broken)
        with pytest.raises(DataError, match=problem):
            calibration.of(NAME, shipped)
    path.unlink()
    with pytest.raises(DataError, match="ferbook record calibration"):
        calibration.of(NAME, shipped)
    place = readout.place(NAME, shipped)
    place.write_bytes(place.read_bytes()[:100])
    with pytest.raises(DataError, match="no regressor"):
        readout.of(NAME, shipped)
    place.unlink()
    with pytest.raises(DataError, match="ferbook record vad-readout"):
        readout.of(NAME, shipped)
