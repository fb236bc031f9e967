#!/usr/bin/python3
"""How long a git context takes, side by side with what a user would run instead.

    tests/bench/contexts.py [--shapes small,mid,big] [--cases warm,first,…] [--rounds 5]

A repository (make_repository.py) is served by nginx and git http-backend on this machine; the server's work is
in every figure. Each round takes each way once, in changing order, and waits before each until the machine is
calm. Prints a line for each round, then for each way the median, the extremes and the ratio: our time to that.

    warm       one commit was added; mirror and checkout are kept
    first      nothing is kept; with the memory of both sides
    folder     nothing is kept; only Documentation/ is the context
    folder-warm  one commit was added there
    same       the same commit once more
    parallel   one commit was added, four runs at once

Our side is source_fetch() of the runner in a program of its own (fetch_context): its whole life, and "inside"
without the start of the program, which the service does ahead.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLIPWAY_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests"))
from bench.make_repository import Repository, SHAPES  # noqa: E402
from lib.git_nginx import GitNginx  # noqa: E402
from lib.run_spec import as_input, run_spec  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

FOLDER = "Documentation"
AT_ONCE = 4
LIMITS = {"gitBytes": 2 << 30, "gitObjects": 2_000_000, "gitObjectBytes": 64 << 20, "gitEntries": 200_000,
          "gitStallMs": 60_000, "gitTimeoutMs": 600_000}
GIT_ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


# ---- the machine ----

def idle_share(seconds=0.25):
    def read():
        numbers = [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return numbers[3] + numbers[4], sum(numbers)
    idle, total = read()
    time.sleep(seconds)
    idle_then, total_then = read()
    return (idle_then - idle) / max(1, total_then - total)


def wait_for_calm(seconds=120):
    """A figure taken while others use the cores says little. False: it did not become calm."""
    until = time.monotonic() + seconds
    while idle_share() < 0.93:
        if time.monotonic() > until:
            return False
    return True


class MemoryWatch(threading.Thread):
    """The peak of resident memory of each process below one, by looking again and again."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks, self.stop = pid, {}, threading.Event()
        self.start()

    def run(self):
        while not self.stop.wait(0.002):
            self._look(self.pid)

    def _look(self, pid):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                for child in children.read_text().split():
                    self._look(int(child))
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmHWM"):
                # By name too: what a process was before it became another program is not meant.
                self.peaks[pid, name] = max(self.peaks.get((pid, name), 0), int(line.split()[1]) / 1024)

    def finish(self):
        self.stop.set()
        self.join()
        peaks = [mb for (_, name), mb in self.peaks.items() if name != "python3"]
        return {"largest_mb": round(max(peaks), 1), "sum_mb": round(sum(peaks), 1)}


def run(command, stdin=None, memory=None, **options):
    """Run to the end; (seconds, standard output). Peaks are put into `memory`, a dict."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                               stdout=subprocess.PIPE, env=GIT_ENVIRONMENT, **options)
    watch = MemoryWatch(process.pid) if memory is not None else None
    output, _ = process.communicate(stdin)
    seconds = time.monotonic() - start
    if watch:
        memory.update(watch.finish())
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {output[-500:]!r}")
    return seconds, output


# ---- the two sides ----

class Ours:
    """The runner's part that brings a context, with a data folder of its own."""

    def __init__(self, folder, url, program, context=""):
        self.data, self.runs, self.program = folder / "data", folder / "runs", program
        self.context = f"{url}#main{':' + context if context else ''}"
        self.count = 0
        self.runs.mkdir(parents=True)

    def forget(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def take(self, memory=None):
        self.count += 1
        place = self.runs / str(self.count)
        place.mkdir()
        spec = run_spec(self.data, self.context, timeoutMs=600_000, limits=LIMITS)
        # A namespace of its own, as a run has: what is mounted goes with it.
        try:
            seconds, output = run(["unshare", "--mount", "--propagation", "private", str(self.program), str(place)],
                                  as_input(spec), memory)
        finally:
            shutil.rmtree(place)
        return {"whole": seconds, "inside": json.loads(output).get("fetch_ms", seconds * 1000) / 1000}


class KeptClone:
    """A shallow clone that is kept: fetch and reset."""

    def __init__(self, folder, url):
        self.path = folder
        run(["git", "clone", "--quiet", "--depth", "1", "--branch", "main", url, str(folder)])

    def take(self):
        seconds, _ = run(["sh", "-c", "git fetch --quiet --depth 1 origin main && git reset --quiet --hard FETCH_HEAD"],
                         cwd=self.path)
        return {"whole": seconds}

    def tar(self, target):
        """The floor: the tree's tar, written to the same disk by GNU tar from files in the page cache."""
        seconds, _ = run(["tar", "--exclude=./.git", "-cf", str(target), "."], cwd=self.path)
        target.unlink()
        return {"whole": seconds}


class BareFetch:
    """A bare repository and git archive: a folder without the rest of the tree."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def take(self):
        start = time.monotonic()
        bare, out = self.folder / "bare", self.folder / "out"
        if not bare.exists():
            run(["git", "init", "--quiet", "--bare", str(bare)])
        run(["git", "fetch", "--quiet", "--depth", "1", self.url, "main"], cwd=bare)
        out.mkdir()
        run(["sh", "-c", f"git archive FETCH_HEAD:{FOLDER} | tar x -C {out}"], cwd=bare)
        seconds = time.monotonic() - start
        shutil.rmtree(out)
        return {"whole": seconds}


class Buildah:
    """buildah's own git context: fetched whole at each build. "git" is its part in git processes."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.store = ["--root", str(folder / "store"), "--runroot", str(folder / "runroot")]
        (folder / "bin").mkdir(parents=True)
        (folder / "tmp").mkdir()
        wrapper = folder / "bin" / "git"
        wrapper.write_text(f'#!/bin/bash\nstart=$EPOCHREALTIME\n/usr/bin/git "$@"\nstatus=$?\n'
                           f'echo $start $EPOCHREALTIME >>{folder}/times\nexit $status\n')
        wrapper.chmod(0o755)

    def take(self):
        (self.folder / "times").write_text("")
        environment = {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "TMPDIR": str(self.folder / "tmp")}
        start = time.monotonic()
        subprocess.run(["unshare", "--mount", "--propagation", "private", "buildah", *self.store, "bud",
                        "--isolation", "chroot", "-t", "bench", f"{self.url}#main"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        seconds = time.monotonic() - start
        lines = (self.folder / "times").read_text().split("\n")
        spent = sum(float(end) - float(begin) for begin, end in (line.split() for line in lines if line))
        subprocess.run(["buildah", *self.store, "rmi", "--all", "--force"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return {"whole": seconds, "git": spent}


# ---- cases: name → ways, the first of which is ours ----

class Bench:
    def __init__(self, shape, folder, options):
        self.shape, self.folder, self.options = shape, folder, options
        self.repository = Repository.copy_of(shape, folder / "git", options.cache)
        self.number = 0

    def change(self, prefix=""):
        self.number += 1
        self.repository.change(self.number, prefix)

    def ours(self, name, context=""):
        return Ours(self.folder / name, self.url, self.options.program, context)

    def rounds(self, ways, before=lambda: None):
        """{way: [times]}, interleaved, each time beginning with another way."""
        times = {way: [] for way in ways}
        names = list(ways)
        for i in range(self.options.rounds):
            before()
            for way in names[i % len(names):] + names[:i % len(names)]:
                if not self.options.restless and not wait_for_calm():
                    print("(the machine did not become calm)")
                times[way].append(ways[way]())
            print("   ", ", ".join(f"{way} {times[way][-1]['whole'] * 1000:.0f}" for way in names), "ms", flush=True)
        return times

    def warm(self):
        ours, clone = self.ours("warm"), KeptClone(self.folder / "clone", self.url)
        ours.take()
        ways = {"ours": ours.take, "fetch + reset": clone.take, "tar": lambda: clone.tar(self.folder / "floor.tar")}
        if "buildah" in self.options.against:
            ways["buildah bud URL"] = Buildah(self.folder / "buildah", self.url).take
        return self.rounds(ways, self.change)

    def first(self):
        ours = self.ours("first")

        def clone(memory=None):
            seconds, _ = run(["git", "clone", "--quiet", "--depth", "1", "--branch", "main", self.url,
                              str(self.folder / "fresh")], memory=memory)
            shutil.rmtree(self.folder / "fresh")
            return {"whole": seconds}

        def take(memory=None):
            ours.forget()
            return ours.take(memory)
        times = self.rounds({"ours": take, "git clone --depth 1": clone})
        for name, way in (("ours", take), ("git clone --depth 1", clone)):
            memory = {}
            way(memory)
            print(f"    memory of {name}: {memory}")
        return times

    def folder_case(self, keep):
        ours, bare = self.ours(f"folder-{keep}", FOLDER), BareFetch(self.folder / f"bare-{keep}", self.url)
        (self.folder / f"bare-{keep}").mkdir()

        def forget():
            for side in (ours, bare):
                side.forget()
            (self.folder / f"bare-{keep}").mkdir()
        if keep:
            ours.take(), bare.take()
        return self.rounds({"ours": ours.take, "git fetch + git archive": bare.take},
                           (lambda: self.change(FOLDER)) if keep else forget)

    def same(self):
        ours, clone = self.ours("same"), KeptClone(self.folder / "clone-same", self.url)
        ours.take()
        return self.rounds({"ours": ours.take, "fetch + reset": clone.take})

    def parallel(self):
        ours = self.ours("parallel")
        clones = [KeptClone(self.folder / f"clone-{i}", self.url) for i in range(AT_ONCE)]
        ours.take()

        def together(things):
            start = time.monotonic()
            threads = [threading.Thread(target=thing) for thing in things]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return {"whole": time.monotonic() - start}
        # As many checkouts as runs: that many were at work before.
        together([ours.take] * AT_ONCE)
        return self.rounds({"ours": lambda: together([ours.take] * AT_ONCE),
                            f"{AT_ONCE} clones, fetch + reset": lambda: together([c.take for c in clones])}, self.change)

    def measure(self, case):
        methods = {"folder": lambda: self.folder_case(False), "folder-warm": lambda: self.folder_case(True)}
        return methods.get(case, getattr(self, case, None))()


def milliseconds(values):
    values = [1000 * v for v in values]
    return f"{statistics.median(values):.0f} ms [{min(values):.0f}-{max(values):.0f}]"


def report(shape, case, times):
    ours = statistics.median(row["whole"] for row in times["ours"])
    for way, rows in times.items():
        text = f"{shape:5} {case:11} {way:28} {milliseconds(r['whole'] for r in rows):24}"
        for part in sorted(rows[0].keys() - {"whole"}):
            text += f" {part} {milliseconds(r[part] for r in rows)}"
        if way != "ours":
            text += f" ratio {ours / statistics.median(row['whole'] for row in rows):.2f}"
        print(text, flush=True)


CASES = ["warm", "first", "folder", "folder-warm", "same", "parallel"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default=",".join(SHAPES), type=lambda s: s.split(","))
    parser.add_argument("--cases", default=",".join(CASES), type=lambda s: s.split(","))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", help="folder that keeps the repositories")
    parser.add_argument("--program", default=BUILD / "tests" / "fetch_context", help="another build of fetch_context")
    parser.add_argument("--against", default="buildah", help="'' leaves buildah out, which takes long")
    parser.add_argument("--restless", action="store_true", help="do not wait for a calm machine")
    options = parser.parse_args()
    for shape in options.shapes:
        with TemporaryFolder("slipway-bench-") as folder:
            bench = Bench(shape, folder, options)
            with GitNginx(folder / "git") as server:
                bench.url = server.url(f"{shape}.git")
                for case in options.cases:
                    print(f"{shape} {case}", flush=True)
                    report(shape, case, bench.measure(case))


if __name__ == "__main__":
    main()
