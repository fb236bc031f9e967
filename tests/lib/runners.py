"""Runs of slipway-runner in a data folder of their own, for tests that are about what they build.

    with Runners(registry) as runners:
        run = runners.run({"Dockerfile": "FROM scratch\\n…"}, images=["app:1"])
        run.status, run.word, run.message, run.digests, run.log
    under_way = runners.start(tree, …)        # .wait_line("text"), .cancel(), .finish()
"""

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from lib.run_spec import as_input, run_spec
from lib.runner import PROGRAM, Runner, leftovers, processes_with, wait_until


class Executable(bytes):
    """File content with the mode bit set."""


def pack(tree):
    """{"path": "text" | bytes | Executable} as a tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, content in tree.items():
            data = content.encode() if isinstance(content, str) else bytes(content)
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), 0o755 if isinstance(content, Executable) else 0o644
            member.mtime = 1_700_000_000
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(out.getvalue(), 1)


class Run(Runner):
    """Granted its push beforehand. `disguise` is a command that executes its arguments elsewhere."""

    def __init__(self, spec, disguise=()):
        super().__init__(spec)
        self.disguise = [*disguise]
        self.folder.mkdir(parents=True)
        self.grant()

    def start(self, environment=None):
        self.errors_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*self.disguise, PROGRAM], stdin=subprocess.PIPE, stdout=self.errors_file,
                                        stderr=self.errors_file, env={**os.environ, **(environment or {})})
        self.process.stdin.write(as_input(self.spec))
        self.process.stdin.close()
        return self

    def wait_line(self, text):
        """Until the log holds the text on a line of its own."""
        wait_until(lambda: text in self.log.splitlines() or self.process.poll() is not None, text, 60)
        assert self.process.poll() is None, f"the run ended before:\n{self.log}"

    def finish(self, seconds=120):
        self.process.wait(seconds)
        with self.errors_file as file:
            file.seek(0)
            self.errors = file.read().decode(errors="replace")
        result = self.result or {}
        self.status, self.word, self.message = result.get("status"), result.get("errorCode"), result.get("message", "")
        self.digests = {f"{i['repository']}:{i['tag']}": i["digest"] for i in self.images}
        self.last_log, self.raw_report = self.log, (self.folder / "report").read_text()
        return self

    def explain(self):
        return f"{self.status} {self.word}: {self.message}\n{self.last_log}\n{self.errors}"


class Runners:
    def __init__(self, *registries, **defaults):
        """`registries` are of lib.registry; `defaults` are members of every specification."""
        self.registries, self.defaults = registries, defaults
        self._count = 0
        self._runs = []

    def __enter__(self):
        self.data = Path(tempfile.mkdtemp(prefix="slipway-test-"))
        (self.data / "sources").mkdir()
        return self

    def __exit__(self, *_):
        for run in self._runs:
            if run.process.poll() is None:
                run.cancel()
                run.process.wait(60)
        shutil.rmtree(self.data, ignore_errors=True)

    def _configured(self):
        for number, registry in enumerate(self.registries):
            login = {"username": registry.user, "password": registry.password} if registry.user else {}
            yield {"name": f"r{number}" if number else "main", "loginServer": registry.address, "insecure": True, **login}

    def spec(self, tree, images=(), **more):
        self._count += 1
        name = f"{self._count}.tar.gz"
        (self.data / "sources" / name).write_bytes(pack(tree))
        settings = {"runId": f"ca{self._count}", "timeoutMs": 300_000, "graceMs": 10_000,
                    "registries": list(self._configured()), **self.defaults, **more}
        settings["engine"] = {"network": "auto", **settings.get("engine", {})}
        return run_spec(self.data, f"source/{name}", images, push=bool(images), **settings)

    def start(self, tree, images=(), disguise=(), **more):
        run = Run(self.spec(tree, images, **more), disguise).start()
        self._runs.append(run)
        return run

    def run(self, tree, images=(), **more):
        return self.start(tree, images, **more).finish()

    def verb(self, name, disguise=(), **more):
        """slipway-runner probe|sweep; what it printed."""
        done = subprocess.run([*disguise, PROGRAM, name], input=as_input(self.spec({}, **more)), capture_output=True,
                              timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def probe(self, **more):
        """The lines of check-health by name."""
        lines = map(json.loads, self.verb("probe", **more).splitlines())
        return {line["name"]: line for line in lines}

    def left_by(self, run):
        """What the run left behind, by kind; empty when all is well."""
        found = leftovers(self.data, run.spec["runId"])
        if alive := processes_with(str(self.data / "runs" / run.spec["runId"])):
            found["processes"] = alive
        containers = self.data / "engine/storage/overlay-containers"
        if more := [p.name for p in containers.glob("*") if p.is_dir()]:
            found["all containers"] = more
        known = {"storage", "cache", "probe.json", "probe.lock"}
        if more := [p.name for p in (self.data / "engine").iterdir() if p.name not in known]:
            found["engine folder"] = more
        return found
