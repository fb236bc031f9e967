"""A disk of a few megabytes that is seen by this process and what it starts, and goes with it.

    disk = SmallDisk(folder, size="24m")       # raises SkipTest where mounting is not permitted
    disk.fill()                                # not one byte is left
    disk.free()
"""

import ctypes
import os
import unittest
from pathlib import Path

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

libc = ctypes.CDLL(None, use_errno=True)


def must(result, what):
    if result != 0:
        raise unittest.SkipTest(f"{what}: {os.strerror(ctypes.get_errno())}")


class SmallDisk:
    def __init__(self, folder, size):
        self.filler = Path(folder) / "filler"
        must(libc.unshare(CLONE_NEWNS), "no mount namespace of its own")
        must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "no private mounts")
        must(libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size},mode=755".encode()), "no tmpfs")

    def fill(self):
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    def free(self):
        self.filler.unlink(missing_ok=True)
