"""Killing each part of the service while a real build runs: server, runner, and both of its processes."""

import json
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.eventually import eventually  # noqa: E402
from lib.gated_build import GatedBuild, children, is_alive, remains  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.registry import Registry  # noqa: E402
from lib.service import BUILD, Service, UnixConnection  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

RUNS = "/v1/registries/main/runs"


class Follower:
    """A client of the live log that remembers how far it came."""

    def __init__(self, service, run_id):
        self.service, self.path, self.bytes = service, f"{RUNS}/{run_id}/log?follow=1", b""

    def read(self, until=None):
        """Up to that line, or to the end of the connection, however it ends."""
        connection = UnixConnection(self.service.socket)
        connection.request("GET", self.path, headers={"Range": f"bytes={len(self.bytes)}-"} if self.bytes else {})
        answer = connection.getresponse()
        try:
            while piece := answer.read1(1000):
                self.bytes += piece
                if until and until in self.bytes:
                    return connection
        except OSError:
            pass
        finally:
            if not until:
                connection.close()
        return None


@unittest.skipUnless(os.geteuid() == 0, "the gate of the build is opened by way of /proc/<pid>/root: that takes root")
class Restart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(TemporaryFolder())
        cls.registry = cls.enterClassContext(Registry())
        cls.git = cls.enterClassContext(GitServer(cls.folder))
        cls.service = cls.enterClassContext(Service(registry=cls.registry.address, config="max_running: 1\n"))

    def setUp(self):
        self.name = self.id().rpartition(".")[2].removeprefix("test_").replace("_", "-")
        self.build = GatedBuild(GitRepository(self.folder / f"{self.name}.git"))
        self.addCleanup(self.end_everything)

    def end_everything(self):
        """What a failed test leaves must not disturb the next one."""
        if self.service.process.poll() is not None:
            self.service.start()
        self.service._cancel_everything()

    def submit(self, *options):
        return self.service.slipway("build", "-t", f"{self.name}:latest", "--no-wait", "-q", *options,
                                    f"{self.git.url(f'{self.name}.git')}#main").stdout.strip()

    def started(self):
        """A run that waits at its gate: (id, outer process, inner process)."""
        run_id = self.submit()
        return run_id, *self.build.wait(run_id, self.service)

    def kill_server(self):
        """The server alone: what it had started must see to itself."""
        self.service.stop(signal.SIGKILL)

    def stored_log(self, run_id):
        return (self.service.data / "runs" / run_id / "log").read_bytes()

    def report(self, run_id):
        text = (self.service.data / "runs" / run_id / "report").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def reported(self, run_id, kind):
        return eventually(lambda: [line for line in self.report(run_id) if line["type"] == kind], f"'{kind}' of {run_id}", 60)

    def assert_built(self, run_id, attempt=1):
        run = self.service.wait_run(run_id)
        self.assertEqual((run["status"], run["attempt"]), ("Succeeded", attempt), run)
        self.assertEqual(run["outputImages"][0]["digest"], self.registry.digest(self.name, "latest"))
        self.assert_nothing_left(run_id)
        return run

    def assert_nothing_left(self, run_id):
        """The sweep may still be at it when the end is told."""
        left = []

        def is_clean():
            left[:] = remains(self.service, run_id, self.build)
            return not left
        try:
            eventually(is_clean, "nothing to be left", 20)
        except AssertionError:
            self.fail("\n".join(left))

    # The server.

    def test_kill_9_of_the_server(self):
        run_id, outer, inner = self.started()
        spares = [pid for pid in children(self.service.process.pid) if pid != outer]
        follower = Follower(self.service, run_id)
        connection = follower.read(until=b"before-the-gate\n")
        self.kill_server()
        connection.close()
        eventually(lambda: not any(map(is_alive, spares)), "spare runners to go")
        self.assertTrue(is_alive(outer) and is_alive(inner))

        self.service.start()
        self.assertEqual(self.service.run(run_id)["status"], "Running")
        self.build.open()
        follower.read()

        self.assert_built(run_id)
        self.assertEqual(follower.bytes.count(b"-the-gate\n"), 2, follower.bytes)
        self.assertEqual(follower.bytes, self.stored_log(run_id))
        self.assertEqual(self.service.run_log(run_id), self.stored_log(run_id))

    def test_the_command_line_stays_with_its_run(self):
        run_id, _, _ = self.started()
        with subprocess.Popen([str(BUILD / "slipway"), "task", "logs", "--run-id", run_id], stdout=subprocess.PIPE,
                              env=self.service.environment) as client:
            seen = b"".join(iter(client.stdout.readline, b"before-the-gate\n")) + b"before-the-gate\n"
            self.kill_server()
            self.service.start()
            self.build.open()
            seen += client.stdout.read()
        self.assertEqual(client.returncode, 0)
        self.assert_built(run_id)
        self.assertEqual(seen, self.stored_log(run_id))

    def test_a_push_waits_for_a_server(self):
        run_id, outer, _ = self.started()
        self.kill_server()
        self.build.open()
        self.reported(run_id, "push-wanted")
        self.assertTrue(is_alive(outer))
        self.assertFalse((self.service.data / "runs" / run_id / "grant").exists())
        self.assertIsNone(self.registry.digest(self.name, "latest"))
        self.service.start()
        self.assert_built(run_id)

    def test_a_run_that_ends_without_a_server(self):
        run_id = self.submit("--no-push")
        outer, _ = self.build.wait(run_id, self.service)
        self.kill_server()
        self.build.open()
        self.reported(run_id, "result")
        eventually(lambda: not is_alive(outer), "the runner to end")
        self.service.start()
        run = self.service.wait_run(run_id)
        self.assertEqual((run["status"], run["attempt"]), ("Succeeded", 1), run)
        self.assert_nothing_left(run_id)

    def test_sigterm_drains(self):
        run_id, outer, _ = self.started()
        self.assertEqual(self.service.stop(signal.SIGTERM), 0)
        self.assertTrue(is_alive(outer))
        self.service.start()
        self.assertEqual(self.service.run(run_id)["status"], "Running")
        self.build.open()
        self.assert_built(run_id)

    def test_a_queued_run_survives(self):
        first, _, _ = self.started()
        second = self.submit()
        self.kill_server()
        self.service.start()
        self.assertEqual(self.service.run(second)["status"], "Queued")
        self.build.open()
        self.assert_built(first)
        # The same RUN again: from the cache, or at the gate once more.
        eventually(lambda: self.build.open() or self.service.run(second)["status"] == "Succeeded", second, 60)
        self.assert_built(second)

    def test_a_cancel_takes_a_server(self):
        run_id, outer, _ = self.started()
        self.kill_server()
        refused = self.service.slipway("task", "cancel-run", "--run-id", run_id, check=False)
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertTrue(is_alive(outer))
        self.service.start()
        self.service.slipway("task", "cancel-run", "--run-id", run_id, "--wait")
        self.assertEqual(self.service.run(run_id)["status"], "Canceled")
        self.assertIsNone(self.registry.digest(self.name, "latest"))
        self.assert_nothing_left(run_id)

    def test_a_cancel_that_was_accepted_outlives_the_server(self):
        run_id, _, _ = self.started()
        self.service.slipway("task", "cancel-run", "--run-id", run_id)
        self.kill_server()
        self.service.start()
        self.assertEqual(self.service.wait_run(run_id)["status"], "Canceled")
        self.assert_nothing_left(run_id)

    def test_a_second_server_is_told_the_pid_of_the_first(self):
        done = subprocess.run([str(BUILD / "slipway"), "serve", "-c", str(self.service.config_file), "--listen", "none"],
                              env=self.service.environment, capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("config_locked", done.stderr)
        self.assertRegex(done.stderr, rf"\b{self.service.process.pid}\b")

    # The runner.

    def assert_tried_again(self, victim):
        """SIGKILL one process of the runner: attempt 2 builds."""
        run_id, *pids = self.started()
        self.assertTrue(remains(self.service, run_id, self.build), "what is looked for afterwards is there before")
        os.kill(pids[victim], signal.SIGKILL)
        eventually(lambda: not any(map(is_alive, pids)), "the runner to be gone")
        eventually(lambda: self.service.run(run_id)["attempt"] == 2, "attempt 2", 60)
        self.build.wait(run_id, self.service)
        self.assertEqual(len(self.build.waiting()), 1, "the first attempt's RUN is gone")
        self.build.open()
        run = self.assert_built(run_id, attempt=2)
        self.assertEqual([step["status"] for step in run["steps"]], ["Succeeded"] * 3)

    def test_kill_9_of_the_outer_process(self):
        self.assert_tried_again(0)

    def test_kill_9_of_the_inner_process(self):
        self.assert_tried_again(1)

    def test_a_run_that_loses_two_runners(self):
        run_id, outer, _ = self.started()
        os.kill(outer, signal.SIGKILL)
        eventually(lambda: self.service.run(run_id)["attempt"] == 2, "attempt 2", 60)
        eventually(lambda: self.stored_log(run_id).count(b"before-the-gate\n") == 2, "the second RUN", 60)
        outer, _ = self.build.wait(run_id, self.service)
        os.kill(outer, signal.SIGKILL)
        run = self.service.wait_run(run_id)
        self.assertEqual((run["status"], run["errorCode"], run["attempt"]), ("Error", "runner_lost", 2))
        self.assertTrue(run["runErrorMessage"])
        self.assert_nothing_left(run_id)

    def test_a_power_cut(self):
        """Server and runner at once: the next server finds a run without an owner."""
        run_id, outer, _ = self.started()
        self.kill_server()
        os.kill(outer, signal.SIGKILL)
        eventually(lambda: not self.build.waiting(), "RUN to be gone")
        self.service.start()
        self.build.wait(run_id, self.service)
        self.build.open()
        self.assert_built(run_id, attempt=2)


if __name__ == "__main__":
    unittest.main()
