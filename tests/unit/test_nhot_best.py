"""The best single runs: chosen on validation, told with their interval, and the one whose weights are given away."""

from types import SimpleNamespace

import pytest

from ferbook.claims.report import NOTHING
from ferbook.learning import sweeps, trained
from ferbook.papers.nhot import best_network


def run(valid, test, faces=1000, spent=None, unseen=None):
    metrics = {
        "valid_accuracy": valid,
        "test_accuracy": test,
        "test": {"accuracy_first": test - 0.01},
        "faces": {"test": faces},
        "parameters": 1000,
    }
    if unseen is not None:
        metrics["test_accuracy_unseen"] = unseen
    provenance = {} if spent is None else {"cpu_seconds": spent}
    return SimpleNamespace(config={"epochs": 3}, metrics=metrics, provenance=provenance)


def test_the_best_is_chosen_on_validation_faces():
    found = {"lucky": run(0.80, 0.86), "sound": run(0.82, 0.84)}
    assert best_network.best(found) is found["sound"]
    assert "missed, by 1.00 points" in best_network.in_words(found) and "84.00 %" in best_network.in_words(found)
    assert "84.0%" in best_network.ending(found)


@pytest.mark.parametrize(("test", "said"), [(0.85, "is reached"), (0.9, "is reached"), (0.849, "is missed, by 0.10")])
def test_the_goal_is_reached_or_missed(test, said):
    assert said in best_network.in_words({"a": run(0.8, test)})


def test_without_runs_the_goal_is_still_said():
    assert best_network.best({}) is None and best_network.ending({}) == "" and best_network.rows({}) == []
    assert f"{best_network.GOAL:g} %" in best_network.in_words({})


def test_rows_show_what_a_run_keeps():
    bare, full = best_network.rows({"a": run(0.8, 0.5), "b": run(0.8, 0.5, spent=90, unseen=0.25)})
    assert bare["CPU minutes"] == bare["without copies of training faces (%)"] == NOTHING
    assert full["CPU minutes"] == "2" and full["without copies of training faces (%)"] == "25.00"
    assert full["first of tied emotions only (%)"] == "49.00"


def test_the_interval_is_of_a_share_of_faces():
    few, many = (best_network.reached(run(0.8, 0.5, faces=n)) for n in (100, 10_000))
    assert few.low == pytest.approx(40.4, abs=0.1) and few.high == pytest.approx(59.6, abs=0.1)
    assert few.low < many.low < 50 == many.estimate < many.high < few.high


def test_the_weights_given_away_are_those_of_the_best_run():
    best = best_network.best(best_network.runs("official", "long"))
    given = sweeps.read(sweeps.record_path(*trained.RELEASED["compact-ferplus"].split("/", 1)))
    assert given.config == best.config
