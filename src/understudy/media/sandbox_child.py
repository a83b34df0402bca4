"""The sandboxed process, `python -m understudy.media.sandbox_child`: it reads strangers' files one after another.

It loads all it will need, puts up the walls, and from then on knows only the socket it was started with: each request
brings the descriptor of the one file it may read. See `sandbox_operation` for the messages.
"""

import argparse
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping

from understudy.core.media import Unreadable
from understudy.media.sandbox_operation import (
    LINE_BYTES_MAX,
    Answer,
    Broken,
    Done,
    Operation,
    Prepare,
    Ready,
    Refused,
    decode_asked,
    encode,
)
from understudy.media.sandbox_walls import end_with, raise_walls

TRACE_CHARACTERS_MAX = 4000
MEGABYTE = 1 << 20


def load_operation(reference: str) -> Operation:
    """Return the operation ``"module:attribute"``, with all it needs loaded.

    Raises: ImportError, AttributeError, or what its preparation raises.
    """
    module, _, attribute = reference.partition(":")
    prepare: Prepare = getattr(importlib.import_module(module), attribute)
    return prepare()


def answer_of(operations: Mapping[str, Operation], line: bytes, descriptor: int) -> Answer | None:
    """Do what the line asks for with the file, and say how it ended; None: memory ran out. The descriptor is closed."""
    with os.fdopen(descriptor, "rb") as file:
        try:
            asked = decode_asked(line)
            return Done(operations[asked.op](file, asked.modality))
        except Unreadable as error:
            return Refused(error.reason)
        except MemoryError:
            return None
        except Exception:  # boundary: an operation may raise anything; the server writes it to its log
            return Broken(traceback.format_exc()[-TRACE_CHARACTERS_MAX:])


def serve(channel: socket.socket, operations: Mapping[str, Operation], memory_bytes: int) -> None:
    """Answer one request after another until the server closes the socket."""
    out_of_memory = Refused(f"reading the file takes more than {memory_bytes // MEGABYTE} MB of memory", is_spent=True)
    while True:
        line, descriptors, _, _ = socket.recv_fds(channel, LINE_BYTES_MAX, 1)
        if not line or not descriptors:
            return
        answer = answer_of(operations, line, descriptors[0])
        channel.sendall(encode(answer or out_of_memory) + b"\n")


def main(arguments: list[str]) -> None:
    """Load, wall in, serve."""
    parser = argparse.ArgumentParser(prog="sandbox_child", description="Read files of strangers behind walls.")
    parser.add_argument("--channel-fd", type=int, required=True)
    parser.add_argument("--parent-pid", type=int, required=True)
    parser.add_argument("--op", action="append", required=True, metavar="NAME=MODULE:ATTRIBUTE")
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--cpu-s", type=int, required=True)
    parser.add_argument("--niceness", type=int, default=0)
    chosen = parser.parse_args(arguments)
    end_with(chosen.parent_pid)
    os.nice(chosen.niceness)
    # A closed terminal or Ctrl-C is for the server to see; it ends this process when it has read its files.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The lowest number there is, so that no unused ones lie below the limit that the walls set.
    channel = socket.socket(fileno=os.dup(chosen.channel_fd))
    os.close(chosen.channel_fd)
    named = (each.partition("=") for each in chosen.op)
    operations = {name: load_operation(reference) for name, _, reference in named}
    # Libraries print what a hostile file makes them print; what goes wrong up to here is in the server's log.
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    walls = raise_walls(memory_bytes=chosen.memory_bytes, cpu_s=chosen.cpu_s)
    channel.sendall(encode(Ready(walls)) + b"\n")
    serve(channel, operations, chosen.memory_bytes)


if __name__ == "__main__":
    main(sys.argv[1:])
