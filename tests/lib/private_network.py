"""A network of the test's own: no way out, any address, any name, the usual ports.

    private_network.enter()                       # first thing in main: starts the program anew
    private_network.add_address("140.82.121.4")   # is on this machine from now on
    with Names({"git.example.org": [["140.82.121.4"], ["127.0.0.1"]]}) as names:
        …                                         # first answer, second answer and all later ones
        names.asked["git.example.org"]            # how often
    private_network.trust(certificate)            # instead of the system's authorities
"""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

MARK = "SLIPWAY_TEST_PRIVATE_NETWORK"
AUTHORITIES, RESOLVER = "/etc/ssl/certs/ca-certificates.crt", "/etc/resolv.conf"
A = 1  # the type of an IPv4 address; there are no others here


def enter():
    """Go on in network and mount namespaces of our own, as root there."""
    if os.environ.get(MARK):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    command = ["unshare", "--net", "--mount"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    os.environ[MARK] = "1"
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def add_address(address):
    subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)


def cover(path, content):
    """Another content for a file of the system, for this program and those that it starts."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        os.chmod(file.name, 0o644)
        subprocess.run(["mount", "--bind", file.name, path], check=True)


def uncover(path):
    subprocess.run(["umount", path], check=True)


def trust(*certificates):
    cover(AUTHORITIES, b"".join(Path(path).read_bytes() for path in certificates))


class Names:
    """A name server on 127.0.0.1 that the system asks."""

    def __init__(self, answers):
        self.answers, self.asked = dict(answers), Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        cover(RESOLVER, b"nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.sendto(b"", self._socket.getsockname())  # the end
        self._thread.join()
        self._socket.close()
        uncover(RESOLVER)

    def _serve(self):
        while True:
            question, sender = self._socket.recvfrom(4096)
            if not question:
                return
            self._socket.sendto(self._answer(question), sender)

    def _answer(self, question):
        labels, at = [], 12
        while length := question[at]:
            labels.append(question[at + 1:at + 1 + length].decode())
            at += 1 + length
        name, (kind,) = ".".join(labels).lower(), struct.unpack_from(">H", question, at + 1)
        known, addresses = name in self.answers, []
        if known and kind == A:
            steps = self.answers[name]
            addresses = steps[min(self.asked[name], len(steps) - 1)]
            self.asked[name] += 1
        head = question[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(addresses), 0, 0)
        # c00c: the name of the question; no time to live.
        rows = [b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 0, 4) + socket.inet_aton(address)
                for address in addresses]
        return head + question[12:at + 5] + b"".join(rows)
