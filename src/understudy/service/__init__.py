"""The use cases, over the ports: submit, query, dispatch, reap. No adapter is named here."""
