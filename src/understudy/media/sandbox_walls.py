"""Walls around a process that reads strangers' files: limits, no files, no network, few system calls.

Each wall stands where the kernel has it and is quietly absent elsewhere; which ones stand is told. They only ever get
higher: nothing here can be undone by the process. Sources: the manual pages landlock(7), seccomp(2), setrlimit(2),
prctl(2); the system calls' numbers are those of the kernel's own tables, which never change.
"""

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

LANDLOCK_CREATE_RULESET = 444
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_VERSION = 1
LANDLOCK_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
"""From which version on so many kinds of access to files can be denied, one bit each."""
LANDLOCK_NETWORK_FROM = 4
LANDLOCK_SCOPES_FROM = 6

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_FILTER_FLAG_TSYNC = 1
KILL_PROCESS = 0x80000000
FAIL = 0x00050000
ALLOW = 0x7FFF0000
EPERM, ENOSYS = 1, 38
CLONE_THREAD = 0x00010000
AT_EMPTY_PATH = 0x1000
X32 = 0x40000000

SPARE_DESCRIPTORS = 1
"""Room for the file that is measured; while it is open there is none for another file or a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One kind of processor as seccomp sees it. column: of `CALLS`."""

    audit_arch: int
    seccomp_call: int
    column: int


MACHINES = {
    "x86_64": Machine(audit_arch=0xC000003E, seccomp_call=317, column=0),
    "aarch64": Machine(audit_arch=0xC00000B7, seccomp_call=277, column=1),
}

CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "dup": (32, 23),
    "fcntl": (72, 25),
    "poll": (7, None),
    "ppoll": (271, 73),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "set_tid_address": (218, 96),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "membarrier": (324, 283),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getrusage": (98, 165),
    "time": (201, None),
    "gettimeofday": (96, 169),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
"""What decoding needs: the numbers on x86_64 and aarch64. Everything else fails with EPERM, opening files among it."""

NEWFSTATAT = (262, 79)
CLONE = (56, 220)
CLONE3 = (435, 435)


def raise_walls(*, memory_bytes: int, cpu_s: int) -> tuple[str, ...]:
    """Put up all walls there are around this process and return their names. No file can be opened afterwards.

    memory_bytes: private memory. cpu_s: processor time from now to the process's end.
    """
    limited = tuple(_limit(memory_bytes, cpu_s))
    if not sys.platform.startswith("linux"):
        return limited
    library = system_library()
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return limited
    library.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    return (*limited, *shut_files(library), *shut_calls(library))


def system_library() -> ctypes.CDLL:
    """Return the C library."""
    return ctypes.CDLL(None, use_errno=True)


def end_with(parent_pid: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; end at once if it has ended already."""
    if sys.platform.startswith("linux"):
        system_library().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def possible_walls() -> tuple[str, ...]:
    """Return the names of the walls that this machine has beside limits; for the log of a server that starts."""
    if not sys.platform.startswith("linux"):
        return ()
    library = system_library()
    machine = MACHINES.get(platform.machine())
    found = ["Landlock"] if _landlock_version(library) > 0 else []
    if machine is not None:
        action = ctypes.c_uint32(KILL_PROCESS)
        if not library.syscall(machine.seccomp_call, SECCOMP_GET_ACTION_AVAIL, 0, ctypes.byref(action)):
            found.append("seccomp")
    return tuple(found)


def _limit(memory_bytes: int, cpu_s: int) -> Iterator[str]:
    # Not RLIMIT_AS: libraries reserve far more addresses than they use. Not RLIMIT_NPROC: it counts all processes of
    # the user, and does not bind root.
    highest = max((int(name) for name in _descriptors()), default=2)
    for name, limit, most in (
        ("memory", resource.RLIMIT_DATA, memory_bytes),
        ("processor time", resource.RLIMIT_CPU, cpu_s),
        ("no writing", resource.RLIMIT_FSIZE, 0),
        ("no core", resource.RLIMIT_CORE, 0),
        ("few descriptors", resource.RLIMIT_NOFILE, highest + 1 + SPARE_DESCRIPTORS),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))
            yield name


def _descriptors() -> list[str]:
    """Return the open descriptors; the list itself needs one, which is closed again and so left out."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            return [name for name in os.listdir(folder) if _is_open(int(name))]  # noqa: PTH208
    return []


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _landlock_version(library: ctypes.CDLL) -> int:
    return int(library.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION))


def shut_files(library: ctypes.CDLL) -> Iterator[str]:
    """Landlock: deny all access to files, and where the kernel can, to ports, abstract sockets, other processes."""
    version = _landlock_version(library)
    if version < 1:
        return
    files = (1 << max(bits for since, bits in LANDLOCK_FILES.items() if since <= version)) - 1
    network = 0b11 if version >= LANDLOCK_NETWORK_FROM else 0
    scopes = 0b11 if version >= LANDLOCK_SCOPES_FROM else 0
    known = 1 + (version >= LANDLOCK_NETWORK_FROM) + (version >= LANDLOCK_SCOPES_FROM)
    attributes = struct.pack("=QQQ", files, network, scopes)[: 8 * known]
    rules = library.syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return
    try:
        if not library.syscall(LANDLOCK_RESTRICT_SELF, rules, 0):
            yield "Landlock"
    finally:
        os.close(rules)


def shut_calls(library: ctypes.CDLL) -> Iterator[str]:
    """Seccomp: let through the system calls of the table, for all threads."""
    machine = MACHINES.get(platform.machine())
    if machine is None or sys.maxsize < 1 << 32:
        return
    program = _program(machine)
    code = ctypes.create_string_buffer(program, len(program))
    filtered = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    if not library.syscall(machine.seccomp_call, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filtered):
        yield "seccomp"


LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
CALL_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16


def _program(machine: Machine) -> bytes:
    """Return the filter: instructions of (code, jump if true, jump if false, constant), 8 bytes each."""

    def when_argument(number: int, argument: int, flag: int) -> list[tuple[int, int, int, int]]:
        return [
            (EQUAL, 0, 4, number),
            (LOAD, 0, 0, ARGUMENTS_AT + 8 * argument),
            (ANY_BIT, 0, 1, flag),
            (RETURN, 0, 0, ALLOW),
            (RETURN, 0, 0, FAIL | EPERM),
        ]

    steps = [
        (LOAD, 0, 0, ARCH_AT),
        (EQUAL, 1, 0, machine.audit_arch),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, CALL_AT),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL_PROCESS),
    ]
    for numbers in CALLS.values():
        number = numbers[machine.column]
        if number is not None:
            steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    # Threads may be started, processes not. clone3 hides its flags in memory, and the C library does without it.
    steps += [(EQUAL, 0, 1, CLONE3[machine.column]), (RETURN, 0, 0, FAIL | ENOSYS)]
    steps += when_argument(CLONE[machine.column], 0, CLONE_THREAD)
    # How the C library asks about an open file.
    steps += when_argument(NEWFSTATAT[machine.column], 3, AT_EMPTY_PATH)
    steps.append((RETURN, 0, 0, FAIL | EPERM))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
