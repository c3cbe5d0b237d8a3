"""How benchmarks stand before other work of the machine."""

import os


def raise_group():
    """A scheduler group of its own, in front of others where that is permitted: otherwise each neighbour's session counts as much as this one."""
    os.setsid()
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:
            group.write("-10")
    except OSError:
        pass
