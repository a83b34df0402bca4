"""Where tasks, the ledger, keys and stored bytes live: the adapters of `core.ports.TaskStore` and `BlobStore`."""
