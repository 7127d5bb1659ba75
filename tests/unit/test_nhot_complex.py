"""Why accuracy is lower on complex faces: against loops over single faces; what does not fit is refused."""

import numpy as np
import pandas as pd
import pytest

from ferbook.core import paths
from ferbook.core.errors import ConfigError
from ferbook.learning import configs
from ferbook.learning.runs import RunResult
from ferbook.measures import metrics
from ferbook.papers.nhot import complex_faces

RNG = np.random.default_rng(3)
ORDER = {"ordinary": RNG.permutation(60)[:40], "complex": RNG.permutation(60)[:40]}
ON_BOTH = {kind: np.isin(ids, np.intersect1d(*ORDER.values())) for kind, ids in ORDER.items()}


def run(kind, n, seed, share, data="ferplus"):
    right = np.random.default_rng([len(kind), n, seed]).random(40) < share
    config = configs.parse({"data": {"name": data}, "split": {"kind": kind}, "labels": {"n_hot": n}, "seed": seed})
    figures = {"test_correct": metrics.to_bits(right), "faces": {"test": 40}}
    return RunResult(config.model_dump(mode="json"), [], figures, {}), right


def test_causes_are_counted_face_by_face_and_add_up():
    made = {(kind, seed): run(kind, 3, seed, 0.8 - 0.3 * (kind == "complex")) for kind in ORDER for seed in (0, 1, 2)}
    (fall,) = complex_faces.falls({f"{k}-{s}": result for (k, s), (result, _) in made.items()}, ON_BOTH)
    assert fall.n == 3 and fall.whole.keys == ("seed0", "seed1", "seed2")
    for place, seed in enumerate((0, 1, 2)):
        answers = {kind: dict(zip(ORDER[kind], made[kind, seed][1], strict=True)) for kind in ORDER}
        both = [face for face in answers["ordinary"] if face in answers["complex"]]
        share = {kind: 100 * sum(answers[kind].values()) / 40 for kind in ORDER}
        shared = {kind: 100 * sum(answers[kind][face] for face in both) / len(both) for kind in ORDER}
        assert fall.causes["harder"].values[place] == pytest.approx(share["ordinary"] - shared["ordinary"])
        assert fall.causes["scarcer"].values[place] == pytest.approx(shared["ordinary"] - shared["complex"])
        assert fall.whole.values[place] == pytest.approx(sum(c.values[place] for c in fall.causes.values()))
    assert fall.over_faces.low <= fall.causes["scarcer"].mean <= fall.over_faces.high
    assert fall.over_faces.estimate == pytest.approx(fall.causes["scarcer"].mean)


def test_only_seeds_with_both_test_sets_count():
    runs = {"a": run("ordinary", 1, 0, 0.7)[0], "b": run("complex", 1, 1, 0.5)[0], "c": run("complex", 3, 0, 0.5)[0]}
    assert complex_faces.falls(runs, ON_BOTH) == []
    runs["d"] = run("complex", 1, 0, 0.5)[0]
    (fall,) = complex_faces.falls(runs, ON_BOTH)
    assert (fall.n, fall.whole.keys, fall.whole.interval) == (1, ("seed0",), None)


def test_the_frozen_lists_share_faces_in_their_own_order():
    on_both = complex_faces.shared()
    ids = {
        kind: pd.read_csv(paths.project_root() / "data" / "splits" / f"ferplus-{kind}.csv", dtype=str)["id"]
        for kind in on_both
    }
    picked = {kind: list(ids[kind][on_both[kind]]) for kind in on_both}
    assert picked["ordinary"] == picked["complex"] and picked["ordinary"]
    assert set(picked["ordinary"]) == set(ids["ordinary"]) & set(ids["complex"])


def test_runs_on_other_faces_are_refused():
    other = {kind: run(kind, 1, 0, 0.5, data="synthetic")[0] for kind in ORDER}
    with pytest.raises(ConfigError, match="frozen ordinary list"):
        complex_faces.falls(other, ON_BOTH)
    real = {kind: run(kind, 1, 0, 0.5)[0] for kind in ORDER}
    with pytest.raises(ConfigError, match="frozen ordinary list"):
        complex_faces.falls(real)


def test_words_and_tables_with_and_without_runs():
    assert "recorded yet" in complex_faces.in_words([])
    (empty,) = complex_faces.rows([])
    pair = {kind: run(kind, 1, 0, 0.9 - 0.4 * (kind == "complex"))[0] for kind in ORDER}
    found = complex_faces.falls(pair, ON_BOTH)
    (line,) = complex_faces.rows(found)
    assert empty.keys() == line.keys()
    assert f"**{found[0].causes['harder'].mean:.1f}**" in complex_faces.in_words(found)
