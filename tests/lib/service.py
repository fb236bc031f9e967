"""The built service with everything real: its own data folder, a socket, a TCP port.

    with Service(registry="127.0.0.1:5000") as service:
        service.slipway("task", "create", "-n", "web", "-c", url, "-t", "web:{{.Run.ID}}")
        answer = service.deliver(push_payload(url, ref, before, after))
        run = service.wait_run(answer.json["runs"][0])

The programs come from the folder in $SLIPWAY_BUILD (ctest sets it).
"""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections import namedtuple
from pathlib import Path

from lib.payloads import FORGES, SECRET, ZEROS, sign
from lib.payloads import github_push as push_payload  # noqa: F401

BUILD = Path(os.environ.get("SLIPWAY_BUILD", Path(__file__).resolve().parents[2] / "build-debug"))
TERMINAL = ("Succeeded", "Failed", "Canceled", "Error", "Timeout")

Answer = namedtuple("Answer", "status headers body")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("slipway", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Service:
    def __init__(self, registry=None, config="", folder=None, environment=None, cancel_at_exit=True):
        self.folder = Path(folder or tempfile.mkdtemp(prefix="slipway-test-"))
        self._own_folder = folder is None
        self.data = self.folder / "data"
        self.socket = self.data / "slipway.sock"
        self.config_file = self.folder / "slipway.yaml"
        self.log = self.folder / "server.log"
        self.environment = {**os.environ, "SLIPWAY_SOCKET": str(self.socket), **(environment or {})}
        self.environment.pop("SLIPWAY_SERVER", None)
        self.port = None
        self.process = None
        self.cancel_at_exit = cancel_at_exit
        secret = self.folder / "webhook.secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        registries = (f"registries:\n  - {{ name: main, login_server: '{registry}', insecure: true }}\n"
                      if registry else "")
        webhooks = "".join(f"  - {{ name: {name}, provider: {name}, secrets: ['file:{secret}']{forge.options} }}\n"
                           for name, forge in FORGES.items())
        self.write_config(
            f"data_dir: {self.data}\n{registries}webhooks:\n{webhooks}"
            "git:\n  allow_private_addresses: [127.0.0.0/8]\n  allow_schemes: [https, http]\n"
            f"retention: {{ min_free_bytes: 0 }}\n{config}")

    def write_config(self, text):
        self.config_file.write_text(text)
        self.config_file.chmod(0o600)

    # Life.

    def start(self, wait=True, program=("slipway", "serve")):
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            [str(BUILD / program[0]), *program[1:], "-c", str(self.config_file), "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, env=self.environment, start_new_session=True)
        log.close()
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=20):
        """Until the socket answers and the log has told the TCP port."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended with {self.process.returncode}:\n{self.log.read_text()}")
            try:
                ready = self.request("GET", "/readyz")
            except (FileNotFoundError, ConnectionRefusedError):
                select.select([], [], [], 0.02)  # its socket is not there yet
                continue
            if ready.status == 200:
                self.port = self._listening_port()
                return
        raise AssertionError(f"not ready after {seconds} s:\n{self.log.read_text()}")

    def _listening_port(self):
        for line in reversed(self.log.read_text().splitlines()):
            if " service.listening " in line and "address=127.0.0.1:" in line:
                return int(line.rpartition("address=127.0.0.1:")[2].split()[0])
        raise AssertionError(f"no service.listening line:\n{self.log.read_text()}")

    def stop(self, signum=signal.SIGTERM, seconds=30):
        """The exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signum)
        return self.process.wait(seconds)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            if self.cancel_at_exit:
                self._cancel_everything()
            self.stop()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _cancel_everything(self):
        """No runner may outlive the test."""
        for run in self.runs():
            if run["status"] not in TERMINAL:
                self.slipway("task", "cancel-run", "--run-id", run["runId"], "--wait", check=False)

    # Talking to it.

    def request(self, method, path, body=None, headers=None, tcp=False):
        connection = (http.client.HTTPConnection("127.0.0.1", self.port, timeout=60) if tcp
                      else UnixConnection(self.socket))
        try:
            if isinstance(body, (dict, list)):
                body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def json(self, method, path, body=None, status=200, **more):
        answer = self.request(method, path, body, **more)
        assert answer.status == status, f"{method} {path}: {answer.status} {answer.body[:500]}"
        return json.loads(answer.body) if answer.body else None

    def deliver(self, payload, event="push", delivery=None, secret=SECRET, webhook="github", headers=None, tcp=True):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.request("POST", f"/webhooks/{webhook}", body, {
            "Content-Type": "application/json", "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()), "X-Hub-Signature-256": sign(body, secret),
            **(headers or {})}, tcp=tcp)

    def deliver_push(self, forge, url, ref, before, after, delivery=None, secret=SECRET, **more):
        """As this forge sends it, to the webhook of its name."""
        body = json.dumps(FORGES[forge].push(url, ref, before, after, **more)).encode()
        return self.request("POST", f"/webhooks/{forge}", body,
                            FORGES[forge].headers(body, delivery or str(uuid.uuid4()), secret), tcp=True)

    def slipway(self, *arguments, check=True, cwd=None, stdin=None, timeout=120):
        """The command line against this service."""
        done = subprocess.run([str(BUILD / "slipway"), *map(str, arguments)], cwd=cwd, env=self.environment,
                              stdin=stdin or subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"slipway {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}\n"
                                 f"{self.log.read_text()[-3000:]}")
        return done

    def runs(self, *options):
        return json.loads(self.slipway("task", "list-runs", "--top", "1000", "-o", "json", *options).stdout)

    def run(self, run_id):
        return json.loads(self.slipway("task", "show-run", "--run-id", run_id, "-o", "json").stdout)

    def wait_run(self, run_id, seconds=120):
        """Follow the log to the run's end; the run."""
        self.slipway("task", "logs", "--run-id", run_id, timeout=seconds)
        run = self.run(run_id)
        assert run["status"] in TERMINAL, run
        return run

    def run_log(self, run_id):
        return self.request("GET", f"/v1/registries/main/runs/{run_id}/log").body
