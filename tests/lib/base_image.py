"""What images in tests are made of: there is no Docker Hub here."""

from pathlib import Path


def busybox():
    """A static program that is a whole userland (Debian's busybox-static)."""
    return Path("/bin/busybox").read_bytes()
