"""slipway-runner by itself, with a specification on its standard input, and the server's part of
the contract played by the test.

    run = Runner(run_spec(data, url, images=["app:1"], push=True)).start()
    run.wait_report("push-wanted"); run.grant()
    run.wait()
    run.result          # {"status": "Succeeded", …}, or None when there is no result line
"""

import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from lib.run_spec import as_input

BUILD = Path(os.environ.get("SLIPWAY_BUILD", Path(__file__).resolve().parents[2] / "build-debug"))
PROGRAM = BUILD / "slipway-runner"


def wait_until(condition, what, seconds=30):
    """Look again and again, until it is so; for what has no event to wait for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"in vain for {seconds} s: {what}")


class Runner:
    def __init__(self, spec, verb=None):
        self.spec, self.verb = spec, verb
        self.folder = Path(spec["dataDir"]) / "runs" / spec["runId"]
        self.process = None

    def start(self, environment=None):
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [PROGRAM, *([self.verb] if self.verb else [])], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})})
        self.process.stdin.write(as_input(self.spec))
        self.process.stdin.close()
        return self

    def wait(self, seconds=60):
        """Its exit code."""
        code = self.process.wait(seconds)
        self.seconds = time.monotonic() - self.began
        self.output = self.process.stdout.read().decode()
        self.errors = self.process.stderr.read().decode(errors="replace")
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def stop(self):
        """For a test that failed: nothing of it goes on."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.wait()

    def run(self):
        """From start to end, granting what it wants to push."""
        self.start()
        wait_until(lambda: self.process.poll() is not None or self.has_line("push-wanted"),
                   "an end or a wish to push", 120)
        if self.has_line("push-wanted"):
            self.grant()
        return self.wait()

    def cancel(self):
        self.process.send_signal(signal.SIGTERM)

    def grant(self):
        temporary = self.folder / "grant.tmp"
        temporary.write_text(f"{self.spec['attempt']}\n")
        temporary.rename(self.folder / "grant")

    @property
    def report(self):
        try:
            lines = (self.folder / "report").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def has_line(self, kind, **members):
        return any(line["type"] == kind and members.items() <= line.items()
                   for line in self.report)

    def wait_report(self, kind, **members):
        wait_until(lambda: self.process.poll() is not None or self.has_line(kind, **members),
                   f"{kind} {members}")
        if not self.has_line(kind, **members):
            raise AssertionError(f"no {kind} {members} in {self.report}\n{self.log}\n{self.wait()}"
                                 f"\n{self.errors}")

    def wait_log(self, text):
        wait_until(lambda: text in self.log, text)

    @property
    def result(self):
        found = [line for line in self.report if line["type"] == "result"]
        return found[0] if found else None

    @property
    def images(self):
        return [line for line in self.report if line["type"] == "image"]

    @property
    def steps(self):
        """{name: last status}"""
        return {line["name"]: line["status"] for line in self.report if line["type"] == "step"}

    @property
    def log(self):
        try:
            return (self.folder / "log").read_text(errors="replace")
        except FileNotFoundError:
            return ""


def descendants(pid):
    """Process ids below this one."""
    found = []
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(c) for t in tasks for c in (t / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return found
    for child in children:
        found += [child, *descendants(child)]
    return found


def processes_with(text):
    """Process ids whose command line holds this text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def control_groups(data, run_id):
    """Those of a run of this data folder, in every hierarchy. Others come and go meanwhile."""
    name = f"{run_id}-{hashlib.sha256(str(data).encode()).hexdigest()[:8]}"  # cgroup_name()
    found = []
    for base in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()]:
        try:
            found += [f"{base}/slipway/{group}" for group in os.listdir(base / "slipway")
                      if group == name]
        except (FileNotFoundError, NotADirectoryError):
            pass
    return found


def leftovers(data, run_id):
    """What a run must not leave behind, by kind; empty when all is well."""
    data = Path(data)
    containers = [path.parent.parent.name
                  for path in data.glob("engine/storage/*-containers/*/userdata/buildah.json")
                  if f"/{run_id}-" in path.read_text(errors="replace")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines()
              if str(data) in line]
    groups = control_groups(data, run_id)
    folders = [str(path) for path in [data / "runs" / run_id / "work"] if path.exists()]
    found = {"containers": containers, "mounts": mounts, "cgroups": groups, "folders": folders}
    return {kind: what for kind, what in found.items() if what}
