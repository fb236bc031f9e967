"""slipway-server alone, with a runner that acts one (fake_runner.py): no engine, no registry, no git.

    with FakeService() as service:
        run = service.submit("started; log hello; result Succeeded")
        service.wait_status(run, "Succeeded")
"""

import json
import select
import signal
import subprocess
import time
from pathlib import Path

from lib.service import BUILD, TERMINAL, Service, UnixConnection

RUNNER = Path(__file__).with_name("fake_runner.py")
RUNS = "/v1/registries/main/runs"


def pause(seconds=0.01):
    select.select([], [], [], seconds)


class FakeService(Service):
    def __init__(self, config="", folder=None, environment=None, registry="registry.test:5000"):
        super().__init__(registry, config, folder, {"SLIPWAY_RUNNER": str(RUNNER), **(environment or {})})
        if "retention:" in config:
            self.write_config(self.config_file.read_text().replace("retention: { min_free_bytes: 0 }\n", ""))

    def command(self, *options):
        return [str(BUILD / "slipway-server"), "-c", str(self.config_file), *options]

    def start(self, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command("--listen", "127.0.0.1:0", "--verbose"), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.environment, start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def kill(self):
        self.stop(signal.SIGKILL)

    def _cancel_everything(self):
        self.json("POST", RUNS + "/cancel", {"filter": ""})
        self.eventually(lambda: not any(r["properties"]["status"] in ("Started", "Running") for r in self.list()))

    # Runs.

    def build(self, script=None, **more):
        arguments = [{"name": "SCRIPT", "value": script}] if script else []
        return {"type": "DockerBuildRequest", "isPushEnabled": False, "dockerFilePath": "Dockerfile",
                "platform": {"os": "linux"}, "arguments": arguments,
                "sourceLocation": "https://git.example.org/acme/app.git#main", **more}

    def submit(self, script=None, **more):
        """The id of a new run whose runner does what the script says."""
        return self.json("POST", "/v1/registries/main/scheduleRun", self.build(script, **more))["name"]

    def show(self, run):
        return self.json("GET", f"{RUNS}/{run}")["properties"]

    def list(self, query=""):
        return self.json("GET", RUNS + query)["value"]

    def wait_status(self, run, status, seconds=20):
        def reached():
            now = self.show(run)["status"]
            assert now == status or now not in TERMINAL, f"{run} is {now}, not {status}"
            return now == status
        self.eventually(reached, seconds, f"{run} to become {status}")
        return self.show(run)

    def eventually(self, condition, seconds=20, what="it"):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                log = self.log.read_text()[-3000:] if self.log.exists() else ""
                raise AssertionError(f"waited {seconds} s for {what}:\n{log}")
            pause()

    # Gates of the scripts: files of the data folder.

    def touch(self, name):
        (self.data / name).touch()

    def wait_file(self, name):
        self.eventually((self.data / name).exists, what=name)

    # Streams.

    def open(self, path, headers=None):
        """An answer that is still being written: (connection, response)."""
        connection = UnixConnection(self.socket, timeout=20)
        connection.request("GET", path, headers=headers or {})
        return connection, connection.getresponse()

    def metric(self, name):
        for line in self.request("GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        raise AssertionError(f"no metric {name}")


def error_code(answer):
    return json.loads(answer.body)["error"]["code"]
