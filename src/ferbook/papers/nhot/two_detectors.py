"""What a page tells of the record of two detectors (``ferbook.vision.agreement``): dlib, the paper's, and MTCNN, ours.

Nothing here imports torch.
"""

from collections.abc import Mapping
from typing import Any

from ferbook.claims.report import NOTHING

#: What readers call the detectors, the paper's first.
NAMES = {"dlib": "dlib", "mtcnn": "MTCNN"}
_LANDMARKS = {
    "left_eye": "left eye (in the picture)",
    "right_eye": "right eye",
    "nose": "tip of the nose",
    "left_mouth": "left corner of the mouth",
    "right_mouth": "right corner of the mouth",
}


def found_rows(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Who finds how many faces: all of them, and those of each leading emotion."""
    lines = []
    for name, counts in {"all": values["counts"], **values["by_emotion"]}.items():
        if not counts["faces"]:
            continue
        share = {key: counts[key] / counts["faces"] for key in ("both", "none", *NAMES)}
        lines.append(
            {
                "faces": name,
                "number": f"{counts['faces']:,}",
                **{f"{name} finds": f"{share['both'] + share[by]:.1%}" for by, name in NAMES.items()},
                "both": f"{share['both']:.1%}",
                **{f"{name} alone": f"{share[by]:.1%}" for by, name in NAMES.items()},
                "neither": f"{share['none']:.1%}",
            }
        )
    return lines


def pose_rows(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """By the pose that a detector says: whether the other one finds the face, and how far their landmarks differ."""
    lines = []
    for by in NAMES:
        for group, entry in values["by_pose"][by].items():
            lines.append(
                {
                    "faces": f"{group}, says {NAMES[by]}",
                    "number": f"{entry['faces']:,}",
                    "the other finds": f"{entry['other_found'] / entry['faces']:.1%}" if entry["faces"] else NOTHING,
                    **_apart(entry["agreement"]),
                }
            )
    return lines


def landmark_rows(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """How far the detectors' landmarks lie apart on the faces that both found: each landmark, and their mean."""
    agreement = values["agreement"]
    return [
        *({"landmark": name, **_apart(agreement["by_landmark"][key])} for key, name in _LANDMARKS.items()),
        {"landmark": "mean of the five", **_apart(agreement)},
    ]


def _apart(spread: Mapping[str, Any] | None) -> dict[str, str]:
    return {
        title: NOTHING if spread is None else f"{spread[key]:.1%}"
        for title, key in (("apart, median", "median"), ("90th percentile", "ninetieth"))
    }


def changed_rows(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Upright, frontal faces that were tilted or covered: the share that each detector finds again."""
    return [
        {"upright, frontal faces, then": change, **{f"{name} finds": f"{share[by]:.1%}" for by, name in NAMES.items()}}
        for change, share in values["again"]["changed"].items()
    ]
