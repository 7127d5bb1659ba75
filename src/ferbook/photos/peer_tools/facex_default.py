"""The package ``facex``: its classifier on the face, without its detector."""

from pathlib import Path

import facex
import numpy as np
from exchange import answer
from facex.core import EmotionClassifier

TOOL = EmotionClassifier(str(Path(facex.__file__).parent / "assets" / "model_optimized.tflite"))


def predict(face: np.ndarray) -> dict[str, float]:
    """``facex`` gives its classifier grey faces too."""
    return TOOL.detect_emotion(face)


answer(predict)
