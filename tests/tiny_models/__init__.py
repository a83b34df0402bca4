"""Tiny models with random weights, saved as the hub has the real ones: what the production loaders are tested with."""
