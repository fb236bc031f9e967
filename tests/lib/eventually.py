"""Waiting for what the kernel tells nobody: ask again and again, until a deadline."""

import select
import time


def eventually(condition, what, seconds=30):
    """The first true answer of `condition`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        select.select([], [], [], 0.02)
    return answer
