"""The crash campaign: servers, workers, databases and stores are broken under load, and a history tells what became.

`campaign` runs it, `check` judges the history and knows nothing of the product. See docs/guides/reliability.md.
"""
