"""A model of a few kilobytes as files: what a repository of weights has in it, without any sense in its numbers."""

import json
import struct

FIRST, SECOND = (f"transformer/diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2))
INDEX = "transformer/diffusion_pytorch_model.safetensors.index.json"

RECIPES = """
[models.tiny]
like = "wan-2-2-5b"
name = "Tiny"
repositories = [{ name = "acme/tiny", size_bytes = 8000 }]

[models.bound]
like = "ltx-2-5"
name = "Bound"
repositories = [{ name = "acme/tiny", size_bytes = 8000 }]

[models.elsewhere]
like = "minimax-h3"
name = "Elsewhere"
repositories = [{ name = "acme/tiny", size_bytes = 8000 }]

[recipes.tiny]
like = "wan-2-2-5b"
model = "tiny"
folder = "tiny"

[recipes.bound]
like = "wan-2-2-5b"
model = "bound"
folder = "bound"

[recipes.elsewhere]
like = "wan-2-2-5b"
model = "elsewhere"
folder = "elsewhere"
"""
"""Recipes of an operator's own: one under an open licence, one under a licence, one that excludes countries."""


def weights_of(tensors: dict[str, int]) -> bytes:
    """Return a file of safetensors. tensors: name -> how many numbers of 32 bits."""
    rows, at = {}, 0
    for name, count in tensors.items():
        rows[name] = {"dtype": "F32", "shape": [count], "data_offsets": [at, at + 4 * count]}
        at += 4 * count
    header = json.dumps(rows).encode()
    return struct.pack("<Q", len(header)) + header + bytes(at)


def model_files() -> dict[str, bytes]:
    """Return a repository in the layout of diffusers, its weights in two parts."""
    components = {"_class_name": "TinyPipeline", "transformer": ["diffusers", "Tiny"], "scheduler": ["diffusers", "S"]}
    places = {"a": FIRST.removeprefix("transformer/"), "b": SECOND.removeprefix("transformer/")}
    return {
        "README.md": b"# Tiny",
        "model_index.json": json.dumps(components).encode(),
        "scheduler/scheduler_config.json": b"{}",
        "transformer/config.json": b"{}",
        INDEX: json.dumps({"metadata": {}, "weight_map": places}).encode(),
        FIRST: weights_of({"a": 700}),
        SECOND: weights_of({"b": 900}),
    }
