"""Executors: where engines run. Each runs jobs in processes that can be killed without harming the server."""
