"""Who computes where, while something is measured."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def apart(server: int) -> Iterator[None]:
    """Give the process `server` one core and us the others, as when other frameworks were measured: neither delays the
    other. For a process that has just begun: threads that it has already stay where they are.

    Where there is one core, or no such system call, everybody takes what they get.
    """
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) < 2:
        yield
        return
    os.sched_setaffinity(server, {max(cores)})
    os.sched_setaffinity(0, cores - {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
