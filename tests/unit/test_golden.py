"""Golden numbers of the synthetic default: a change in any of them is a change of every page, and should be meant.

To renew them after such a change: ``python -m tests.unit.test_golden``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from ferbook.claims.dataset_summary import label_facts
from ferbook.datasets import load

GOLDEN = Path(__file__).parents[1] / "golden" / "synthetic.json"
#: Shares may differ by a few faces of 600 between processors, grey values by a rounding.
TOLERANCE = {"facts": 0.01, "pixels": 0.5}


def numbers() -> dict[str, dict[str, object]]:
    faces = load("synthetic", count=600, seed=11)
    facts = label_facts(faces)
    shares = ("share_simple_sum", "class_share", "tie_rate", "share_rare", "complex_train_complex_share")
    return {
        "facts": {key: facts[key] for key in shares} | {"vad": np.asarray(faces.vad).mean(axis=0).tolist()},
        "pixels": {
            "mean": float(faces.images.mean()),
            "spread": float(faces.images.std()),
            "by_face": faces.images[:8].mean(axis=(1, 2)).tolist(),
        },
    }


def test_numbers_are_the_golden_ones():
    found, golden = numbers(), json.loads(GOLDEN.read_text())
    for group, tolerance in TOLERANCE.items():
        assert found[group].keys() == golden[group].keys()
        for key, value in golden[group].items():
            assert found[group][key] == pytest.approx(value, abs=tolerance), key


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(numbers(), indent=1) + "\n")
