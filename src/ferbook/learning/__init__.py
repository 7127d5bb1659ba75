"""From a config to a trained network: tasks, losses, training, recorded runs and sweeps."""
