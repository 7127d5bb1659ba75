"""From a config to a trained network: tasks, losses, training, recorded runs and sweeps."""

import os

from ferbook.core import temporary

# Before Lightning is imported, which has torch choose the place.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(temporary.compiled()))
