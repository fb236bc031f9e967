"""A data folder whose disk is full: nothing is promised that is not kept, and the service recovers by itself."""

import json
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.eventually import eventually  # noqa: E402
from lib.fake_service import RUNS, FakeService  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.service import ZEROS, Service, push_payload  # noqa: E402
from lib.small_disk import SmallDisk  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

URL = "https://git.example.org/acme/app.git"


class DiskFull(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(TemporaryFolder())
        self.disk = SmallDisk(self.folder, "24m")
        self.service = self.enterContext(FakeService("max_running: 1\n", folder=self.folder))
        self.addCleanup(self.disk.free)
        self.accepted = {}
        self.count = 0

    def deliver(self):
        """One more delivery of a few kilobytes; its status."""
        self.count += 1
        payload = push_payload(URL, "refs/heads/main", ZEROS, f"{self.count:040x}", compare=os.urandom(2000).hex())
        answer = self.service.deliver(payload, delivery=f"d-{self.count}")
        self.assertIn(answer.status, (200, 202, 503), answer.body)
        if answer.status == 503:
            self.assertTrue(answer.headers["Retry-After"])
            self.assertEqual(json.loads(answer.body)["error"]["code"], "disk_full")
        else:
            self.accepted[f"d-{self.count}"] = payload
        return answer.status

    def fill(self):
        """Until a delivery is refused: what the database has kept of its log takes some first."""
        self.disk.fill()
        eventually(lambda: self.deliver() == 503, "a delivery to be refused")

    def stored(self):
        found, page = set(), "/v1/deliveries?$top=1000"
        while page:
            answer = self.service.json("GET", page)
            found |= {delivery.get("deliveryId") or delivery["properties"]["deliveryId"] for delivery in answer["value"]}
            page = answer.get("nextLink")
        return found

    def assert_all_kept(self):
        self.assertLessEqual(set(self.accepted), self.stored())
        for delivery, payload in list(self.accepted.items())[-3:]:
            self.assertEqual(self.service.deliver(payload, delivery=delivery).status, 200)

    def test_what_was_answered_is_kept_and_it_recovers_by_itself(self):
        self.assertEqual(self.deliver(), 200)
        for _ in range(3):
            self.fill()
            self.assertEqual(self.service.request("GET", "/healthz").status, 200)
            self.assertEqual(self.service.request("GET", RUNS).status, 200)
            self.disk.free()
            eventually(lambda: self.deliver() == 200, "deliveries to be accepted again")
        self.assert_all_kept()

    def test_kill_9_on_a_full_disk(self):
        self.deliver()
        self.fill()
        self.service.kill()
        self.disk.free()
        self.service.start()
        self.assert_all_kept()

    def test_runs_are_listed_and_a_cancel_is_kept_or_refused(self):
        running = self.service.submit("started; touch up; wait go; result Succeeded")
        queued = self.service.submit("started; result Succeeded")
        self.service.wait_file("up")
        self.fill()
        self.assertEqual({run["name"] for run in self.service.list()}, {running, queued})
        answer = self.service.request("POST", f"{RUNS}/{queued}/cancel")
        self.assertIn(answer.status, (202, 503), answer.body)
        self.assertEqual(self.service.show(queued)["status"], "Canceled" if answer.status == 202 else "Queued")
        self.disk.free()
        for run in (queued, running):
            eventually(lambda: self.service.request("POST", f"{RUNS}/{run}/cancel").status != 503, "a cancel to be accepted")
            self.service.wait_status(run, "Canceled")

    def test_an_end_is_recorded_when_there_is_room_again(self):
        run = self.service.submit("started; touch up; wait go; result Succeeded; touch over")
        self.service.wait_file("up")
        self.fill()
        self.disk.free()
        self.service.touch("go")
        self.disk.fill()
        self.disk.free()
        self.assertEqual(self.service.wait_status(run, "Succeeded")["attempt"], 1)


class LargeSource(unittest.TestCase):
    def test_a_source_that_fills_the_disk(self):
        """It is the operator's move, nothing is left of it, and the next run works."""
        folder = self.enterContext(TemporaryFolder())
        git = self.enterContext(GitServer(self.enterContext(TemporaryFolder())))
        SmallDisk(folder, "48m")
        repository = GitRepository(git.root / "app.git")
        files = {"Dockerfile": "FROM scratch\nCOPY small /\n", "small": "small\n"}
        repository.commit({**files, "large": os.urandom(32 << 20)})
        service = self.enterContext(Service(folder=folder))
        build = ("build", "--no-push", "-o", "json", f"{git.url('app.git')}#main")
        run = json.loads(service.slipway(*build, check=False).stdout)
        self.assertEqual((run["status"], run["errorCode"]), ("Error", "disk_full"), run)
        self.assertFalse((service.data / "runs" / run["runId"] / "work").exists())
        repository.commit(files)
        self.assertEqual(json.loads(service.slipway(*build).stdout)["status"], "Succeeded")


if __name__ == "__main__":
    unittest.main()
