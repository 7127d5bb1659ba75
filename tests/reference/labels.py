# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Worked examples of the label functions
# The three faces of figure 16 of paper 002 and one with four emotions.

# %%
import numpy as np

from ferbook.faces import labels, splits
from ferbook.measures import metrics

votes = np.array(
    [
        [0, 0, 0, 6, 0, 0, 0, 0, 2, 2],
        [6, 0, 0, 2, 0, 0, 0, 0, 2, 0],
        [4, 0, 0, 4, 2, 0, 0, 0, 0, 0],
        [1, 4, 0, 2, 0, 3, 0, 0, 0, 0],
    ]
)

# %% tags=["check"]
keep, distribution = labels.clean_votes(votes)
print(keep)
print(distribution.round(3))

# %% tags=["check"]
print(labels.clean_votes(votes, rule="either").keep)
print(labels.complexity(distribution))
print(labels.has_tie(distribution))

# %% tags=["check"]
for n in (8, 3, 2, 1):
    print(n, labels.n_hot(distribution, n, np.random.default_rng(0))[-1].round(3))

# %% tags=["check"]
print(metrics.tie_aware_accuracy(np.array([0, 3, 5]), distribution).__round__(3))
print(metrics.is_accurate(np.array([0, 3, 5]), distribution))

# %% tags=["check"]
many = np.tile(distribution, (20, 1))
split = splits.complex_split(many, 0.1, rng=np.random.default_rng(0))
print(len(split.train), len(split.test), set(labels.complexity(many)[split.test].tolist()))
