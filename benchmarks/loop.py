"""The yardstick of the benchmarks: CPU seconds of a fixed loop, in the same run as what is measured beside it."""

from __future__ import annotations

import resource
import time


def fixed_loop() -> float:
    """CPU seconds of a loop that never changes: about a second on the machine this was written on. One of it is 1 U."""
    began, total = time.process_time(), 0
    for n in range(20_000_000):
        total += n & 7
    return time.process_time() - began if total else 0.0


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)
