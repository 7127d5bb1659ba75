# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Data to take away
#
# Every claim with its verdict, every transcribed table and every recorded result, as plain tables with a data dictionary:
# [reading-faces-data.zip](../_static/data/reading-faces-data.zip). From a checkout, `ferbook export FOLDER` writes the same files.
#
# * **CSV** in UTF-8, one line of names, and an empty cell where nothing is known or the column does not apply.
# * **`datapackage.json`** says of each column what it means, in which unit, and which type its cells have. It is a
#   [Data Package](https://datapackage.org); R, Python, and spreadsheets with a plug-in read it.
# * **`claims.jsonld`** has the claims once more as linked data, each a `ClaimReview` of [schema.org](https://schema.org/ClaimReview).
#
# **Licence:** [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). The papers and their tables belong to their authors. No photograph and
# nobody else's data set is in the files; the drawn test sets are file names.

# %% tags=["remove-cell"]
from IPython.display import HTML

from ferbook.book.export import package
from ferbook.claims import folded, report

tables = package.tables()

# %% tags=["remove-input"]
report.prose(
    f"""There are {len(tables)} tables with {sum(len(table.fields) for table in tables)} columns and {sum(len(table.rows) for table in tables):,} rows."""
)

# %% tags=["remove-input"]
report.table(
    [
        {"table": table.path, "rows": f"{len(table.rows):,}", "what": table.description}
        for table in tables
        if "/" not in table.path
    ],
    caption="Claims and results",
)

# %% tags=["remove-input"]
printed = [table for table in tables if "/" in table.path]
title = f"{len(printed)} tables that the papers print, and drawn test sets"
rows = [{"table": table.path, "rows": f"{len(table.rows):,}", "what": table.title} for table in printed]
HTML(folded.fold(title, report.table(rows, caption=title).data, "fold-tables"))

# %% [markdown]
# ## The columns of the claims

# %% tags=["remove-input"]
claims = next(table for table in tables if table.path == "claims.csv")
report.table(
    [{"column": field.name, "type": field.type, "what it holds": field.description} for field in claims.fields],
    caption="claims.csv",
)

# %% [markdown]
# In the JSON-LD file, what schema.org has a word for has that word: the claim is the `itemReviewed`, its paper the `appearance`, the verdict the
# `alternateName` of the `reviewRating`. The rest has words of this book, which begin with `ferbook:` and are named as the columns; the file
# says what each means.
#
# ## How to read them
#
# From the unpacked folder, with pandas, the claims that fail and rest on the paper's own data:
#
# ```python
# import pandas as pd
#
# claims = pd.read_csv("claims.csv", dtype=str)
# claims[(claims.verdict == "fails") & (claims.evidence == "same data")][["id", "says", "printed", "found", "unit"]]
# ```
#
# Recorded trainings are compared in pairs of one seed; `run-answers.csv` has the answers for that, one bit per test face:
#
# ```python
# import numpy as np
#
# runs = pd.read_csv("run-answers.csv", dtype={"paper": str})
# bits = [np.unpackbits(np.frombuffer(bytes.fromhex(row.correct), np.uint8))[: row.faces] for row in runs.itertuples()]
# ```
