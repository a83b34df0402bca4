#!/bin/sh
# Make .venv if there is none and install the pins of the file $1 into it, then this package in place.
# uv does it in a few seconds; where uv cannot (no build for this machine, an index only pip is set up for), pip does.
set -eu
python=${PYTHON:-python3}
pins=$1
bin=.venv/bin

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Understudy needs Python 3.11 or newer; \"$python\" is $("$python" --version 2>&1 || echo missing)." >&2
    echo "Name another one with: make PYTHON=python3.12 ..." >&2
    exit 2
fi
if [ ! -x "$bin/python" ]; then
    echo "Making .venv ..."
    if ! "$python" -m venv .venv; then
        echo "\"$python\" has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2
        rm -rf .venv
        exit 2
    fi
fi

echo "Installing $pins ..."
export PIP_DISABLE_PIP_VERSION_CHECK=1
with_uv() {
    [ -x "$bin/uv" ] || "$bin/python" -m pip install -q --require-hashes -r requirements/uv.txt || return 1
    "$bin/uv" pip install -q --python "$bin/python" --require-hashes -r "$pins" || return 1
    "$bin/uv" pip install -q --python "$bin/python" --no-deps --no-build-isolation --offline -e .
}
with_pip() {
    "$bin/python" -m pip install -q --require-hashes -r "$pins"
    "$bin/python" -m pip install -q --no-deps --no-build-isolation --no-index -e .
}
with_uv || { echo "uv could not; installing with pip ..." >&2; with_pip; }
