"""A build whose RUN says that it is there, and then waits at a gate; and what is left of a run.

    build = GatedBuild(repository)                  # commits a Dockerfile
    run_id = …                                      # start a run of it
    build.wait(run_id, service)                     # until RUN waits; remembers its processes
    build.open()                                    # RUN goes on, and the build with it
    remains(service, run_id, build)                 # [] when nothing of the run is left

The gate is a file in the container, which the host reaches as /proc/<pid>/root: it takes root.
"""

import os
import secrets
from pathlib import Path

from lib.base_image import busybox
from lib.eventually import eventually
from lib.git_repository import Executable

SCRIPT = "echo before-the-gate; trap : TERM; while [ ! -e /gate ]; do /bin/busybox sleep 0.05; done; echo behind-the-gate"


def read(path):
    """The bytes of a file of /proc, none when its process has gone."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def is_alive(pid):
    stat = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return bool(stat) and stat[0] != b"Z"


def children(pid):
    return [int(child) for child in read(f"/proc/{pid}/task/{pid}/children").split()]


def cgroup_folders(pid):
    """The folders of the run's control group, in every hierarchy, of a process that is in it."""
    found = set()
    for line in read(f"/proc/{pid}/cgroup").decode().splitlines():
        _, controllers, path = line.split(":", 2)
        run, slash, _ = path.partition("/slipway/")[2].partition("/")
        if slash:
            hierarchy = controllers.removeprefix("name=") or "unified"
            above = path.partition("/slipway/")[0]
            found.update(Path(f"/sys/fs/cgroup{mount}{above}/slipway/{run}")
                         for mount in ([f"/{hierarchy}"] if controllers else ["", "/unified"]))
    return found


class GatedBuild:
    def __init__(self, repository, name="gated", more=""):
        self.token = f"gate-{secrets.token_hex(8)}"
        self.runners, self.cgroups = set(), set()
        self.commit = repository.commit({
            "Dockerfile": f'FROM scratch\nCOPY busybox /bin/\n{more}'
                          f'RUN ["/bin/busybox", "sh", "-c", "{SCRIPT}", "{self.token}"]\n',
            "busybox": Executable(busybox())})

    def waiting(self):
        """Pids of the shell in the container."""
        return [pid for pid in processes()
                if read(f"/proc/{pid}/cmdline").startswith(b"/bin/busybox\0sh\0-c\0")
                and self.token.encode() in read(f"/proc/{pid}/cmdline")]

    def wait(self, run_id, service, seconds=60):
        """The outer and the inner process of its runner, once RUN has printed its first line."""
        lock, log = (service.data / "runs" / run_id / name for name in ("lock", "log"))

        def is_there():
            assert b'"result"' not in read(lock.with_name("report")), f"{run_id} has ended:\n{read(log).decode()}"
            return self.waiting()
        eventually(is_there, f"RUN of {run_id}", seconds)
        eventually(lambda: read(log).count(b"before-the-gate\n") > read(log).count(b"behind-the-gate\n"), "its first line")
        outer = int(read(lock).split()[0])
        inner = children(outer)[0]
        self.runners |= {outer, inner}
        for pid in self.waiting():
            self.cgroups |= cgroup_folders(pid)
        return outer, inner

    def open(self):
        for pid in self.waiting():
            Path(f"/proc/{pid}/root/gate").touch()


def remains(service, run_id, build):
    """What is left of a run that has ended, in words."""
    data = str(service.data).encode()
    work = service.data / "runs" / run_id / "work"
    left = [f"process {pid}: {read(f'/proc/{pid}/cmdline')[:200]}" for pid in processes() if is_alive(pid) and (
            pid in build.runners or build.token.encode() in read(f"/proc/{pid}/cmdline")
            or str(work).encode() in read(f"/proc/{pid}/cmdline") + read(f"/proc/{pid}/environ"))]
    left += [f"mount of {pid}: {line.decode()}" for pid in {1, os.getpid(), service.process.pid}
             for line in read(f"/proc/{pid}/mountinfo").splitlines() if data in line]
    left += [f"control group {folder}" for folder in sorted(build.cgroups) if folder.exists()]
    left += [str(container) for container in sorted((service.data / "engine").rglob("*-containers/" + "?" * 64))]
    left += [str(folder) for folder in (service.data / "engine").glob("sweep-*")]
    return left + ([str(work)] if work.exists() else [])
