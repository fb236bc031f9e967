"""The life of the built server: starting, being refused, reloading, draining, being killed."""

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.eventually import eventually  # noqa: E402
from lib.fake_service import RUNS, FakeService, error_code  # noqa: E402
from lib.service import ZEROS, push_payload  # noqa: E402

GATED = "started; log one; touch up; wait go; log two; result Succeeded"


class Life(unittest.TestCase):
    def service(self, *arguments, **more):
        return self.enterContext(FakeService(*arguments, **more))

    def refused_start(self, service, *options):
        """The one line that a start which must not work writes."""
        done = subprocess.run(service.command(*options), env=service.environment, capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("slipway-server: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]

    def test_a_second_server_is_told_the_pid_of_the_first(self):
        service = self.service()
        line = self.refused_start(service, "--listen", "none")
        self.assertIn("config_locked", line)
        self.assertIn(f"pid {service.process.pid}", line)
        self.assertEqual(service.request("GET", "/readyz").status, 200)

    def test_a_port_that_is_taken(self):
        service = FakeService()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.assertIn("config_listen", self.refused_start(service, "--listen", f"127.0.0.1:{taken.getsockname()[1]}"))

    def test_sigterm_lets_runs_go_on_and_the_next_server_finds_them(self):
        service = self.service()
        run = service.submit(GATED)
        service.wait_file("up")
        self.assertEqual(service.stop(), 0)
        service.start()
        self.assertEqual(service.show(run)["status"], "Running")
        service.touch("go")
        self.assertEqual(service.wait_status(run, "Succeeded")["attempt"], 1)
        self.assertEqual(service.request("GET", f"{RUNS}/{run}/log").body, b"one\ntwo\n")

    def test_kill_9_disturbs_no_run(self):
        service = self.service()
        run = service.submit(GATED)
        service.wait_file("up")
        service.kill()
        service.start()
        service.touch("go")
        self.assertEqual(service.wait_status(run, "Succeeded")["attempt"], 1)

    def test_what_ended_while_no_server_ran_is_recorded(self):
        service = self.service()
        run = service.submit("started; touch up; wait go; result Failed build_failed; touch over")
        service.wait_file("up")
        service.kill()
        service.touch("go")
        service.wait_file("over")
        service.start()
        self.assertEqual(service.wait_status(run, "Failed")["errorCode"], "build_failed")

    def test_queued_runs_survive(self):
        service = self.service("max_running: 1\n")
        first = service.submit(GATED)
        second = service.submit("started; result Succeeded")
        service.wait_file("up")
        service.kill()
        service.start()
        self.assertEqual(service.show(second)["status"], "Queued")
        service.touch("go")
        service.wait_status(first, "Succeeded")
        service.wait_status(second, "Succeeded")

    def test_a_follower_does_not_keep_the_server(self):
        service = self.service()
        run = service.submit(GATED)
        service.wait_file("up")
        connection, answer = service.open(f"{RUNS}/{run}/log?follow=1")
        self.assertEqual(answer.read(4), b"one\n")
        began = time.monotonic()
        self.assertEqual(service.stop(), 0)
        self.assertLess(time.monotonic() - began, 5)
        connection.close()
        service.start()
        service.touch("go")
        service.wait_status(run, "Succeeded")

    def test_a_request_under_way_is_answered_before_the_end(self):
        service = self.service()
        connection = self.begin_upload(service)
        service.process.send_signal(signal.SIGTERM)
        service.eventually(lambda: "service.draining" in service.log.read_text(), what="the drain")
        connection.send(b"x" * 1000)
        self.assertEqual(connection.getresponse().status, 201)
        connection.close()
        self.assertEqual(service.process.wait(20), 0)

    def begin_upload(self, service):
        """A connection that has sent half of an upload."""
        url = service.json("POST", "/v1/registries/main/listBuildSourceUploadUrl")["uploadUrl"]
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        connection.putrequest("PUT", "/" + url.split("/", 3)[3])
        connection.putheader("Content-Length", "2000")
        connection.endheaders(b"x" * 1000)
        service.eventually(lambda: list((service.data / "sources").glob("*.part")), what="the upload's beginning")
        return connection

    def test_a_second_sigterm_ends_at_once(self):
        service = self.service()
        connection = self.begin_upload(service)
        service.process.send_signal(signal.SIGTERM)
        service.eventually(lambda: "service.draining" in service.log.read_text(), what="the drain")
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        self.assertEqual(service.process.wait(20), 0)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(list((service.data / "sources").iterdir()), [])
        connection.close()

    def test_readyz_and_submissions_heed_the_disk(self):
        service = FakeService("retention: { min_free_bytes: 1000000G }\n")
        self.addCleanup(service.__exit__)
        service.start(wait=False)
        service.eventually(lambda: service.socket.exists() and self.answers(service), what="the socket")
        ready = service.json("GET", "/readyz", status=503)
        self.assertIn("min_free_bytes", ready["reasons"][0])
        answer = service.request("POST", "/v1/registries/main/scheduleRun", service.build())
        self.assertEqual((answer.status, error_code(answer)), (503, "disk_full"))
        self.assertTrue(answer.headers["Retry-After"])

    def answers(self, service):
        try:
            return service.request("GET", "/healthz").status == 200
        except OSError:
            return False


class FullDisk(unittest.TestCase):
    def setUp(self):
        folder = Path(tempfile.mkdtemp(prefix="slipway-full-"))
        self.addCleanup(folder.rmdir)
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(self.unmount)
        self.service = self.enterContext(FakeService(folder=folder))

    def unmount(self):
        """As soon as the last runner, the spare one, has left."""
        def unmounted():
            return subprocess.run(["umount", str(self.folder)], capture_output=True).returncode == 0
        self.service.eventually(unmounted, what="nobody to be on the file system")

    def upload(self, size):
        url = self.service.json("POST", "/v1/registries/main/listBuildSourceUploadUrl")["uploadUrl"]
        return self.service.request("PUT", "/" + url.split("/", 3)[3], b"x" * size)

    def test_an_upload_that_does_not_fit_leaves_room_for_others(self):
        answer = self.upload(30 << 20)
        self.assertEqual((answer.status, error_code(answer)), (503, "disk_full"), answer.body)
        self.assertEqual(list((self.service.data / "sources").iterdir()), [])
        self.assertEqual(self.upload(1 << 20).status, 201)
        self.service.wait_status(self.service.submit(), "Succeeded")

    def test_submissions_are_refused_and_the_service_recovers(self):
        ballast = self.service.folder / "ballast"
        with open(ballast, "wb", buffering=0) as out, contextlib.suppress(OSError):
            while out.write(bytes(4096)):
                pass
        answer = self.service.request("POST", "/v1/registries/main/scheduleRun", self.service.build())
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIn(error_code(answer), ("disk_full", "storage"))
        self.assertEqual(self.service.request("GET", RUNS).status, 200)
        ballast.unlink()
        self.service.eventually(lambda: self.service.request("POST", "/v1/registries/main/scheduleRun",
                                                             self.service.build()).status == 200, 30)


class Reload(unittest.TestCase):
    def setUp(self):
        self.service = self.enterContext(FakeService())
        self.good = self.service.config_file.read_text()

    def reload(self, text, event):
        seen = self.service.log.read_text().count(event)
        self.service.write_config(text)
        self.service.process.send_signal(signal.SIGHUP)
        self.service.eventually(lambda: self.service.log.read_text().count(event) > seen, what=event)

    def deliver(self, webhook):
        return self.service.deliver(push_payload("https://git.example.org/x.git", "refs/heads/main", ZEROS, "3" * 40),
                                    webhook=webhook)

    def test_an_invalid_file_changes_nothing_and_is_logged_once(self):
        self.reload(self.good.replace("name: github", "name: renamed") + "nonsense: 1\n", "config.reload_failed")
        self.assertEqual(self.service.log.read_text().count("config.reload_failed"), 1)
        self.assertIn("config_unknown_key", self.service.log.read_text())
        self.assertEqual(self.service.metric("slipway_config_reload_failed_total"), 1)
        self.assertEqual(self.deliver("renamed").status, 404)
        self.assertEqual(self.deliver("github").status, 200)

    def test_a_valid_file_counts_as_a_whole(self):
        self.reload(self.good.replace("name: github", "name: renamed"), "config.reloaded")
        self.assertEqual(self.deliver("renamed").status, 200)
        self.assertEqual(self.deliver("github").status, 404)

    def test_what_only_counts_at_the_start_cannot_change(self):
        self.reload(self.good.replace("name: main", "name: other"), "config.reload_failed")
        self.assertIn("config_restart", self.service.log.read_text())
        self.assertEqual([r["name"] for r in self.service.json("GET", "/v1/registries")["value"]], ["main"])

    def test_a_thousand_reloads_disturb_no_delivery_and_leak_nothing(self):
        def descriptors():
            return len(list(Path(f"/proc/{self.service.process.pid}/fd").iterdir()))
        self.reload(self.good, "config.reloaded")
        # A spare runner, which comes a little after the start, has descriptors of its own.
        eventually(lambda: list(self.service.data.glob("spare-*.err")), "a spare runner")
        self.service.json("GET", "/v1/registries")  # an answer: the turn that started it is over
        before = descriptors()
        for i in range(1000):
            if i % 2:
                self.service.write_config(self.good + ("nonsense: 1\n" if i % 4 == 1 else ""))
            self.service.process.send_signal(signal.SIGHUP)
            payload = push_payload("https://git.example.org/x.git", "refs/heads/main", ZEROS, f"{i:040x}")
            self.assertEqual(self.service.deliver(payload).status, 200)
        self.reload(self.good, "config.reloaded")
        self.assertLessEqual(descriptors(), before)


if __name__ == "__main__":
    unittest.main()
