# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The verdicts as they stand
# A change in any of them should be a decision, not an accident.

# %%
from ferbook.claims import dataset_summary, verdicts

known = dataset_summary.recorded()

# %% tags=["check"]
for result in verdicts.judge(verdicts.load_claims("002").claims, known):
    print(f"{result.claim.id:26} {result.verdict:14} {result.outcome.evidence}")
