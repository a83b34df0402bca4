"""Loads components from a folder of weights: nothing from the network, no pickles, and in 8 bits where a plan asks."""

import json
from pathlib import Path
from typing import Any

import torch

import understudy.engines.diffusion.torchvision_ops  # noqa: F401 - before anything that imports torchvision

# isort: split
import diffusers
import transformers
from safetensors import SafetensorError, safe_open

from understudy.engines.diffusion.recipe import Quantisation

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

FP8_CAPABILITY_MIN = (8, 9)
"""Ada and newer have matrix units for 8-bit floating point. Source: NVIDIA, CUDA C++ programming guide, table of
features per compute capability."""

# The log of the render process is for events, not for bars.
diffusers.utils.logging.disable_progress_bar()
transformers.utils.logging.disable_progress_bar()


def load_component(  # tidy: what a component is takes this many words
    cls: Any,
    folder: Path,
    subfolder: str,
    *,
    dtype: str,
    quantisation: Quantisation = Quantisation.NONE,
    device: str = "cpu",
) -> Any:
    """Load one component of diffusers or transformers into the host's memory, ready for inference.

    The weights are mapped from their files as far as their type is the wanted one, so that memory is taken only where
    they are changed. device: where weights are quantised; they come back to the host.

    Raises: OSError when files lack; ValueError when they are not what the class wants.
    """
    path = folder / subfolder
    _check_files(path)
    try:
        module, info = cls.from_pretrained(
            str(folder),
            subfolder=subfolder,
            dtype=dtype_of(dtype),
            local_files_only=True,
            use_safetensors=True,
            low_cpu_mem_usage=True,
            output_loading_info=True,
        )
    except RuntimeError as error:
        # Lack of memory is one as well.
        if "ignore_mismatched_sizes" not in str(error):
            raise
        raise ValueError(f"{path} has weights of other sizes than its config.json says.") from error
    lacking = sorted(info.get("missing_keys", ()))
    lacking += [name for name, tensor in module.named_parameters() if tensor.is_meta and name not in lacking]
    if lacking:
        raise ValueError(f"{path} has no weights for {len(lacking)} parts of {cls.__name__}, such as {lacking[0]}.")
    module.eval().requires_grad_(requires_grad=False)
    if quantisation is not Quantisation.NONE and not is_quantised(module):
        quantise(module, quantisation, device=device)
    return module


def dtype_of(name: str) -> torch.dtype:
    """Return torch's type for a recipe's word.

    Raises: ValueError.
    """
    if name not in DTYPES:
        raise ValueError(f"A recipe's dtype is {name!r}; it can be {', '.join(DTYPES)}.")
    return DTYPES[name]


def quantise(module: Any, quantisation: Quantisation, *, device: str = "cpu", activations: bool = False) -> None:
    """Turn the weights of a component's repeated layers into 8 bits, in place, layer by layer.

    Whatever is not in a repeated layer stays: it is small, and is where models suffer most (patch and text
    projections, the embeddings of time, the output heads). Layers that are no multiple of 16 wide stay too. One path
    for both libraries: diffusers' and transformers' own loaders do the same with lists of names to be left out, which
    differ per model and are matched as parts of names. activations: multiply in 8 bits as well; FP8 always does on
    devices that can.

    Raises: ImportError without torchao.
    """
    # Here, as its import takes seconds and tells at length what this device cannot do.
    from torchao.quantization import quantize_

    at = torch.device(device)
    layers = _repeated_layers(module)
    config = _config(quantisation, at, activations=activations)
    for layer in layers:
        back = next(layer.parameters()).device
        quantize_(layer, config, filter_fn=_is_quantisable, device=at if at != back else None)
        layer.to(back)
    module.requires_grad_(requires_grad=False)


def is_quantised(module: torch.nn.Module) -> bool:
    """Tell whether any weight is kept in fewer bits, as in checkpoints that were saved so."""
    return any(is_in_8_bits(each) for each in module.parameters())


def is_in_8_bits(weight: torch.Tensor) -> bool:
    """Tell whether a weight is one of torchao's, which has its numbers in parts of it."""
    return hasattr(weight, "tensor_data_names")


def size_bytes(module: torch.nn.Module) -> int:
    """Return how much memory the weights take, quantised ones as they are kept."""
    total = 0
    for each in (*module.parameters(), *module.buffers()):
        parts = [getattr(each, name) for name in getattr(each, "tensor_data_names", ())] or [each]
        total += sum(part.numel() * part.element_size() for part in parts)
    return total


def _check_files(path: Path) -> None:
    """Tell in one sentence what lacks, where the libraries answer with a page about the hub."""
    if not (path / "config.json").is_file():
        raise OSError(f"{path} has no config.json: the model is not there, or was not downloaded in full.")
    weights = sorted(path.glob("*.safetensors"))
    if not weights:
        pickled = any(path.glob("*.bin")) or any(path.glob("*.pt"))
        because = "only pickled ones, which can run code and are not read" if pickled else "none"
        raise OSError(f"{path} has no weights as safetensors: {because}.")
    for index in path.glob("*.safetensors.index.json"):
        try:
            named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError) as error:
            raise ValueError(f"{index} is not an index of weights.") from error
        lacking = sorted(named - {each.name for each in weights})
        if lacking:
            raise OSError(f"{path} lacks {len(lacking)} of {len(named)} files of weights, such as {lacking[0]}.")
    for file in weights:
        try:
            # Reads what the file says of itself, and that it is as long as it says.
            with safe_open(file, framework="pt"):
                pass
        except SafetensorError as error:
            raise ValueError(f"{file} is broken or cut short ({error}): download it again.") from error


def _repeated_layers(module: Any) -> list[torch.nn.Module]:
    """Return the layers of the longest stacks: lists of equal modules, those of a transformer or an encoder."""
    stacks = [each for each in module.modules() if isinstance(each, torch.nn.ModuleList) and len(each) > 0]
    stacks = [each for each in stacks if len({type(layer) for layer in each}) == 1]
    sizes = {id(stack): sum(each.numel() for each in stack.parameters()) for stack in stacks}
    most = max(sizes.values(), default=0)
    # A second stack counts where it is of the same kind of size: VACE has one for its control beside the usual one.
    # Text encoders' pictures have one as well, which is small, and stays as it is.
    large = [stack for stack in stacks if sizes[id(stack)] * STACK_SHARE >= most]
    inner = {id(below) for stack in large for below in stack.modules() if below is not stack}
    return [layer for stack in large if id(stack) not in inner for layer in stack]


STACK_SHARE = 8
"""A stack is large when it has an eighth of the largest one's weights: VACE's control has a fifth (8 of 40 layers)."""

WIDTH_MULTIPLE = 16
"""Matrix units for 8 bits want both sides to be multiples of 16. Source: torch, aten/src/ATen/native/cuda/Blas.cpp."""


def _is_quantisable(module: torch.nn.Module, _name: str) -> bool:
    if not isinstance(module, torch.nn.Linear) or not module.weight.is_floating_point():
        return False
    return not (module.in_features % WIDTH_MULTIPLE or module.out_features % WIDTH_MULTIPLE)


def _config(quantisation: Quantisation, device: torch.device, *, activations: bool) -> Any:
    from torchao.quantization import (
        Float8DynamicActivationFloat8WeightConfig,
        Float8WeightOnlyConfig,
        Int8DynamicActivationInt8WeightConfig,
        Int8WeightOnlyConfig,
        PerRow,
    )

    if quantisation is Quantisation.FP8:
        if has_fp8(device):
            return Float8DynamicActivationFloat8WeightConfig(granularity=PerRow())
        return Float8WeightOnlyConfig()
    return Int8DynamicActivationInt8WeightConfig() if activations else Int8WeightOnlyConfig()


def has_fp8(device: torch.device | str) -> bool:
    """Tell whether the device multiplies 8-bit floating point numbers itself."""
    at = torch.device(device)
    return at.type == "cuda" and bool(torch.cuda.get_device_capability(at) >= FP8_CAPABILITY_MIN)
