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
printf 'uv\n' | pin requirements/uv.txt -
