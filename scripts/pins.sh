#!/bin/sh
# Renew the pins: every package with its version and hashes, for Python 3.11 and newer on every platform.
# The files name no index, so each machine takes the packages from where it is set up to take them.
set -eu
pin() {
    out=$1
    shift
    uv pip compile -q --universal --python-version 3.11 --upgrade --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o "$out" "$@"
    if grep -nE '://|^ *--(index|extra|find|trusted)' "$out"; then
        echo "$out names a place to download from" >&2
        exit 1
    fi
}
pin requirements/base.txt pyproject.toml
pin requirements/dev.txt pyproject.toml --group dev
pin requirements/full.txt pyproject.toml --group dev --group full
# torch comes first and apart, as a build for the machine at hand; what only its CUDA build needs goes with it.
pin requirements/diffusion.txt pyproject.toml --extra diffusion --constraint requirements/full.txt --constraint requirements/torch.txt
awk '/^[a-z0-9]/ { keep = !/^(torch|triton|cuda-[a-z]+|nvidia-(cu|nccl|nvjitlink|nvshmem|nvtx)[a-z0-9-]*)==/ } keep' \
    requirements/diffusion.txt >requirements/diffusion.tmp
mv requirements/diffusion.tmp requirements/diffusion.txt
printf 'uv\n' | pin requirements/uv.txt -
# The image of deploy/: KubeRay asks Ray's own health checks, which its extra `default` brings.
printf 'ray[default]\n' | pin deploy/requirements.txt pyproject.toml - --extra objects --extra postgres --extra ray \
    --constraint requirements/full.txt
printf 'hatchling\n' | pin deploy/build.txt - --constraint requirements/full.txt
