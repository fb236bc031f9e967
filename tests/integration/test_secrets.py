"""Secrets stay secret: canaries in a whole run, looked for wherever anybody but their user could read them."""

import base64
import json
import os
import secrets
import sys
import threading
import unittest
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.gated_build import GatedBuild, processes, read  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.registry import Registry  # noqa: E402
from lib.service import SECRET, ZEROS, Service, push_payload  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

RUNS = "/v1/registries/main/runs"
DETAILS = "/v1/registries/main/tasks/app/listDetails"


def forms(secret):
    """A secret as it stands in argv, in a header, in JSON, in a URL."""
    accounts = {base64.b64encode(f"{user}:{secret}".encode()) for user in ("bob", "slipway")}
    return accounts | {secret.encode(), base64.b64encode(secret.encode()), urllib.parse.quote(secret, safe="").encode(),
            json.dumps(secret)[1:-1].encode()}


class Watch(threading.Thread):
    """Reads argv and environment of every process, over and over, until it is told to stop."""

    def __init__(self, needles):
        super().__init__(daemon=True)
        self.needles, self.found, self.rounds = needles, set(), 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            for pid in processes():
                if pid != os.getpid():
                    self.look(pid)
            self.rounds += 1

    def look(self, pid):
        argv = read(f"/proc/{pid}/cmdline")
        for place, data in (("argv", argv), ("environment", read(f"/proc/{pid}/environ"))):
            for name, needles in self.needles.items():
                if any(needle in data for needle in needles):
                    self.found.add((name, place, argv.split(b"\0")[0].rpartition(b"/")[2].decode(errors="replace")))

    def stop(self):
        self.stopping.set()
        self.join()
        return self.found


@unittest.skipUnless(os.geteuid() == 0, "reading the environments of the container's processes takes root")
class Canaries(unittest.TestCase):
    def setUp(self):
        names = ("password", "token", "argument", "hook", "echoed")
        self.secret = {name: f"{name}-{secrets.token_hex(32)}" for name in names}
        self.folder = self.enterContext(TemporaryFolder())
        self.git = self.enterContext(GitServer(self.folder))
        self.registry = self.enterContext(Registry(user="bob", password=self.secret["password"]))
        self.service = self.enterContext(Service(config=(
            f"registries:\n  - {{ name: main, login_server: '{self.registry.address}', insecure: true, username: bob, "
            f"password: '{self.file('password')}' }}\n")))
        self.service.stop()
        text = self.service.config_file.read_text()
        self.service.write_config(text.replace("webhooks:\n", (
            f"webhooks:\n  - {{ name: canary, provider: github, secrets: ['{self.file('hook')}'] }}\n")))
        self.service.start()

    def file(self, name):
        path = self.folder / f"{name}.secret"
        path.write_text(self.secret[name] + "\n")
        path.chmod(0o600)
        return f"file:{path}"

    def needles(self):
        return {name: forms(secret) for name, secret in self.secret.items()}

    def repository(self):
        """A build that prints one of its secret arguments, as a careless one does."""
        repository = GitRepository(self.folder / "app.git")
        self.git.require("app.git", "slipway", self.secret["token"])
        return GatedBuild(repository, more=(
            'ARG ARGUMENT\nARG ECHOED\nENV PATH=/bin\n'
            'RUN ["/bin/busybox", "sh", "-c", "echo the argument is $ECHOED; /bin/busybox env >&2"]\n'))

    def create_task(self, url):
        """As az and the API do it: in the body, not in the argv of a client."""
        self.service.json("PUT", "/v1/registries/main/tasks/app", {"location": "", "properties": {
            "platform": {"os": "linux"}, "status": "Enabled",
            "step": {"type": "Docker", "contextPath": f"{url}#main", "dockerFilePath": "Dockerfile",
                     "contextAccessToken": self.secret["token"], "imageNames": ["app:latest"], "isPushEnabled": True,
                     "arguments": [{"name": "ARGUMENT", "value": self.secret["argument"], "isSecret": True},
                                   {"name": "ECHOED", "value": self.secret["echoed"], "isSecret": True}]},
            "trigger": {"sourceTriggers": [{
                "name": "main", "status": "Enabled", "sourceTriggerEvents": ["commit"],
                "sourceRepository": {"sourceControlType": "Github", "repositoryUrl": url, "branch": "main"}}]}}})

    def answers(self, run_id):
        """Every page of the API that tells of it. listDetails alone may, and to administrators only: `az acr` needs it."""
        paths = ["/v1/registries", "/v1/registries/main/tasks", "/v1/registries/main/tasks/app", RUNS, f"{RUNS}/{run_id}",
                 f"{RUNS}/{run_id}/log", "/v1/deliveries", "/metrics", "/readyz"]
        for path in paths:
            yield path, self.service.request("GET", path).body
        for arguments in (("config", "print", "-c", self.service.config_file), ("check-health",)):
            done = self.service.slipway(*arguments, check=False)
            yield " ".join(map(str, arguments)), (done.stdout + done.stderr).encode()

    def stored(self):
        """Every file of the data folder, and the service's log."""
        yield str(self.service.log), self.service.log.read_bytes()
        for path in self.service.data.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield str(path), read(path)

    def leaks(self, places):
        return {(name, place) for place, data in places for name, needles in self.needles().items()
                if any(needle in data for needle in needles) and not self.is_the_engine_s(name, place)}

    def is_the_engine_s(self, name, place):
        """What a build is given as an argument, the engine writes into the history of its image."""
        return name in ("argument", "echoed") and any(place.startswith(str(folder)) for folder in (
            self.service.data / "engine" / "storage", *self.service.data.glob("runs/*/work/engine-tmp")))

    def test_a_whole_run(self):
        build, url = self.repository(), self.git.url("app.git")
        self.create_task(url)
        watch = Watch(self.needles())
        watch.start()
        self.addCleanup(watch.stop)
        answer = self.service.deliver(push_payload(url, "refs/heads/main", ZEROS, build.commit), webhook="canary",
                                      secret=self.secret["hook"])
        self.assertEqual(answer.status, 202, answer.body)
        refused = self.service.deliver(push_payload(url, "refs/heads/main", ZEROS, "1" * 40), webhook="canary", secret=SECRET)
        self.assertEqual(refused.status, 401)
        run_id = json.loads(answer.body)["runs"][0]
        build.wait(run_id, self.service)
        rounds = watch.rounds
        in_the_middle = self.leaks(self.stored())
        build.open()
        run = self.service.wait_run(run_id)
        found = watch.stop()

        self.assertEqual(run["status"], "Succeeded", run)
        self.assertGreater(watch.rounds, rounds)
        self.assertIn(b"the argument is ***", self.service.run_log(run_id))
        self.assertEqual(in_the_middle, set())
        self.assertEqual(self.leaks(self.answers(run_id)), set())
        self.assertEqual(self.leaks(self.stored()), set())
        self.assertIn(self.service.request("POST", DETAILS, {}, tcp=True).status, (401, 403))
        # The engine, what it starts, and the build itself have the arguments in their environment: nobody else has.
        elsewhere = {leak for leak in found if not (
            leak[0] in ("argument", "echoed") and leak[1] == "environment" and not leak[2].startswith("slipway"))}
        self.assertEqual(elsewhere, set())


if __name__ == "__main__":
    unittest.main()
