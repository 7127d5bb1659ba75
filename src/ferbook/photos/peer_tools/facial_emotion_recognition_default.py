"""The package ``facial-emotion-recognition``: its network and its own steps before it, without its detector."""

from functools import partial

import numpy as np
import torch
from exchange import answer
from facial_emotion_recognition import EmotionRecognition

# Its weights were saved on a GPU and it does not say where they should go: without this it fails on any other machine.
torch.load = partial(torch.load, map_location="cpu", weights_only=True)
TOOL = EmotionRecognition(device="cpu")


@torch.inference_mode()
def predict(face: np.ndarray) -> dict[str, float]:
    """Its seven outputs lie between 0 and 1 and sum to nothing in particular: here they are divided by their sum."""
    scores = TOOL.network(TOOL.transform(face[:, :, None])[None])[0]
    return dict(zip(TOOL.emotions.values(), (scores / scores.sum()).tolist(), strict=True))


answer(predict)
