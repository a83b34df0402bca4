"""Prompts as Wan's transformers read them: embedded by UMT5, and kept, as the negative one never changes."""

from collections import OrderedDict
from pathlib import Path

import torch
from diffusers import WanPipeline
from transformers import AutoTokenizer, UMT5EncoderModel

from understudy.engines.diffusion.loading import load_component
from understudy.engines.diffusion.recipe import Plan, Recipe

KEPT = 32
"""Prompts that are kept embedded: 4 MB each at 512 tokens of 4096 numbers in 16 bits."""


class Words:
    """The text encoder of Wan's models."""

    def __init__(self, recipe: Recipe, folder: Path, plan: Plan, *, device: str) -> None:
        """Load it from a folder in diffusers' layout.

        Raises: OSError or ValueError for files that are not right.
        """
        self.encoder = load_component(
            UMT5EncoderModel,
            folder,
            "text_encoder",
            dtype=recipe.dtype,
            quantisation=plan.quantisation,
            device=device,
        )
        self._tokenizer = AutoTokenizer.from_pretrained(str(folder / "tokenizer"), local_files_only=True)
        self._tokens = int(recipe.settings["prompt_tokens"])
        self._pipeline = WanPipeline(tokenizer=self._tokenizer, text_encoder=self.encoder, vae=None, scheduler=None)
        self._kept: OrderedDict[str, torch.Tensor] = OrderedDict()

    def embed(self, prompt: str) -> torch.Tensor:
        """Return a prompt's embedding on the host: shape (1, tokens, width), zeros after its end."""
        found = self._kept.pop(prompt, None)
        if found is None:
            found, _ = self._pipeline.encode_prompt(
                prompt, do_classifier_free_guidance=False, max_sequence_length=self._tokens
            )
            found = found.to("cpu")
        self._kept[prompt] = found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    def cut(self, prompt: str) -> tuple[str, ...]:
        """Return what to tell the caller of a prompt that is longer than the model reads."""
        count = len(self._tokenizer(prompt).input_ids)
        if count <= self._tokens:
            return ()
        return (f"The prompt has {count} tokens, and the model reads {self._tokens}: its end had no effect.",)
