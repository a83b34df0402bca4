#!/bin/sh
# Put what the diffusion engine needs into .venv, for tests on small models: a torch, if there is none, and the pins.
# The packages are installed without what they depend on, because that would bring torch's CUDA build.
set -eu
bin=.venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK=1
if ! "$bin/python" -c 'import torch' 2>/dev/null; then
    echo "Installing requirements/torch.txt ..."
    "$bin/python" -m pip install -q -r requirements/torch.txt
fi
echo "Installing requirements/diffusion.txt ..."
"$bin/uv" pip install -q --python "$bin/python" --no-deps --require-hashes -r requirements/diffusion.txt ||
    "$bin/python" -m pip install -q --no-deps --require-hashes -r requirements/diffusion.txt
