# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The checks
#
# A claim names a check and hands it arguments: a table, a row, a record. The check computes a value from the printed text, from data, or from
# recorded runs; then the value is compared with the printed one. Here is every check with its code. It has no knowledge of the
# verdict: the comparison is the same for all claims ([How to read a verdict](how_to_read)).
#
# Tables that a check names lie in `data/claims/tables` as they are printed, records in `data/recorded`. `ferbook claims show` with the id
# of a claim repeats one check in a terminal.

# %% tags=["remove-input"]
from ferbook.book import scoreboard

scoreboard.check_list(scoreboard.judged())
