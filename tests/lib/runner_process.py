"""slipway-runner with a data folder of its own, played by us as the server would.

    with Runners(registry) as runners:
        run = runners.run({"Dockerfile": "FROM scratch\\n…"}, images=["app:1"])
        run.status, run.word, run.message, run.images, run.log
    under_way = runners.start(tree, …)        # .wait_log(b"text"), .cancel(), .finish()
"""

import gzip
import io
import json
import os
import select
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import uuid
from pathlib import Path

from lib.run_spec import as_input, run_spec
from lib.service import BUILD

RUNNER = BUILD / "slipway-runner"


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


class Run:
    def __init__(self, data, spec, environment=None):
        self.id = spec["runId"]
        self.folder = data / "runs" / self.id
        self.folder.mkdir(parents=True)
        (self.folder / "log").touch()
        (self.folder / "grant").write_text(f"{spec['attempt']}\n")
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([str(RUNNER)], stdin=subprocess.PIPE, stdout=self._errors, stderr=self._errors,
                                        env={**os.environ, **(environment or {})})
        self.process.stdin.write(as_input(spec))
        self.process.stdin.close()

    def read_log(self):
        self.log = (self.folder / "log").read_bytes()
        return self.log

    def wait_log(self, text, seconds=60):
        """Until the log holds the text on a line of its own."""
        deadline = time.monotonic() + seconds
        while text not in self.read_log().splitlines():
            assert self.process.poll() is None, f"the run ended before:\n{self.log.decode(errors='replace')}"
            assert time.monotonic() < deadline, f"no {text} in:\n{self.log.decode(errors='replace')}"
            select.select([], [], [], 0.01)

    def cancel(self):
        self.process.send_signal(signal.SIGTERM)

    def finish(self, seconds=120):
        self.process.wait(seconds)
        self._errors.seek(0)
        self.errors = self._errors.read().decode(errors="replace")
        self._errors.close()
        self.read_log()
        self.report = [json.loads(line) for line in (self.folder / "report").read_text().splitlines()]
        result = self.report[-1]
        assert result["type"] == "result", f"no result:\n{self.errors}\n{self.report}"
        self.status, self.word, self.message = result["status"], result.get("errorCode"), result.get("message", "")
        self.images = {f"{i['repository']}:{i['tag']}": i["digest"] for i in self.report if i["type"] == "image"}
        self.steps = {s["name"]: s["status"] for s in self.report if s["type"] == "step"}
        return self

    def explain(self):
        return f"{self.status} {self.word}: {self.message}\n{self.log.decode(errors='replace')}\n{self.errors}"


class Runners:
    def __init__(self, *registries, **defaults):
        """`registries` are of lib.registry; `defaults` are members of every specification."""
        self.registries, self.defaults = registries, defaults
        self._count = 0
        self._token = uuid.uuid4().hex[:8]
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
        run_id = f"ca{self._token}{self._count}"  # other tests on this machine have runs with small numbers
        (self.data / "sources" / name).write_bytes(pack(tree))
        settings = {"runId": run_id, "timeoutMs": 300_000, "graceMs": 10_000,
                    "registries": list(self._configured()), **self.defaults, **more}
        settings["engine"] = {"network": "auto", **settings.get("engine", {})}
        return run_spec(self.data, f"source/{name}", images, push=bool(images), **settings)

    def start(self, tree, images=(), environment=None, **more):
        run = Run(self.data, self.spec(tree, images, **more), environment)
        self._runs.append(run)
        return run

    def run(self, tree, images=(), **more):
        return self.start(tree, images, **more).finish()

    def verb(self, name, **more):
        """slipway-runner probe|sweep; what it printed."""
        done = subprocess.run([str(RUNNER), name], input=as_input(self.spec({}, **more)), capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def probe(self, **more):
        lines = map(json.loads, self.verb("probe", **more).splitlines())
        return {line["name"]: line for line in lines}
