"""A tokenizer without a trained vocabulary: every byte is a token. Enough for models whose weights are random."""

from collections.abc import Sequence
from typing import Any


def byte_vocabulary() -> dict[str, int]:
    """Return the 256 symbols that bytes are written as, numbered in a fixed order."""
    from tokenizers import pre_tokenizers

    return {symbol: number for number, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def byte_tokenizer(*, special: Sequence[str], padding_side: str = "right", **named: Any) -> Any:
    """Return a fast tokenizer of bytes with special tokens after them.

    named: which of them is what, such as ``pad_token="<pad>"``; see ``PreTrainedTokenizerFast``.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE(vocab=byte_vocabulary(), merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, padding_side=padding_side, **named)
    tokenizer.add_tokens([token for token in special if token not in tokenizer.get_vocab()], special_tokens=True)
    return tokenizer
