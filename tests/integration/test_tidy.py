"""slipway-runner tidy: the budget of mirrors, kept checkouts and LFS files; and when the server has it done."""

import fcntl
import json
import os
import random
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.eventually import eventually  # noqa: E402
from lib.fake_service import FakeService  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402
from lib.tidy import key_of, kill_when, locked, start_tidy, tidy  # noqa: E402

DAY = 86400
KIB, MIB = 1 << 10, 1 << 20


class Budget(unittest.TestCase):
    def setUp(self):
        self.data = self.enterContext(TemporaryFolder())
        self.git = self.data / "git"
        self.git.mkdir()

    # What lies there: `days` since it was used.

    def file(self, path, size, days):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.randbytes(size))
        self.age(path, days)
        return path

    def age(self, path, days):
        then = time.time() - days * DAY
        os.utime(path, (then, then))

    def mirror(self, name, days, size=100 * KIB):
        path = self.git / key_of(name)
        self.file(path / "objects/pack/pack-1.pack", size, days)
        self.file(Path(f"{path}.lock"), 0, days)
        return path

    def checkout(self, mirror, slot, days, size=100 * KIB):
        path = Path(f"{mirror}.checkouts") / slot
        self.file(path / "files/deep/er/file", size, days)
        (path / "files/link").symlink_to("/etc/passwd")
        self.age(path, days)
        self.file(Path(f"{path}.lock"), 0, days)
        return path

    def lfs(self, mirror, name, days, size=100 * KIB):
        name = key_of(name)
        return self.file(Path(f"{mirror}.lfs") / name[:2] / name, size, days)

    def assert_clean(self):
        self.assertEqual([p.name for p in self.git.iterdir() if ".gone-" in p.name or ".fresh-" in p.name], [])

    def test_within_the_budget_nothing_goes(self):
        mirror = self.mirror("a", 400)
        answer = tidy(self.data)
        self.assertEqual((answer["mirrors"], answer["removed"], answer["busy"]), (1, 0, 0))
        self.assertGreaterEqual(answer["bytes"], 100 * KIB)
        self.assertTrue(mirror.exists())

    def test_the_longest_unused_go_first_down_to_nine_tenths(self):
        mirrors = [self.mirror(f"m{i}", days=i) for i in range(10)]
        answer = tidy(self.data, git_bytes=800 * KIB)
        left = [i for i in range(10) if mirrors[i].exists()]
        self.assertEqual(left, list(range(len(left))))
        self.assertLessEqual(answer["bytes"], 720 * KIB)
        self.assertGreater(answer["bytes"], 720 * KIB - 200 * KIB)
        self.assertEqual((answer["mirrors"], answer["removed"]), (len(left), 10 - len(left)))
        for i in range(len(left), 10):
            self.assertFalse(Path(f"{mirrors[i]}.lock").exists())
        self.assert_clean()

    def test_parts_go_before_mirrors_that_were_used_since(self):
        mirror = self.mirror("a", 1)
        fresh, stale = self.checkout(mirror, "x.0", 2), self.checkout(mirror, "x.1", 20)
        used, unused = self.lfs(mirror, "new", 3), self.lfs(mirror, "old", 30)
        other = self.mirror("b", 10)
        tidy(self.data, git_bytes=460 * KIB)
        self.assertEqual([p.exists() for p in (unused, stale, other, used, fresh, mirror)],
                         [False, False, False, True, True, True])
        self.assertFalse(Path(f"{stale}.lock").exists())
        self.assertTrue(Path(f"{fresh}.lock").exists())
        self.assert_clean()

    def test_a_mirror_goes_with_its_parts(self):
        mirror = self.mirror("a", 5)
        self.checkout(mirror, "x.0", 5)
        self.lfs(mirror, "f", 5)
        keep = self.mirror("b", 0)
        tidy(self.data, git_bytes=150 * KIB)
        self.assertEqual(sorted(p.name for p in self.git.iterdir() if not p.name.startswith(".")),
                         sorted([keep.name, keep.name + ".lock"]))

    def test_what_is_used_is_left_alone(self):
        read, fetched = self.mirror("read", 30), self.mirror("fetched", 20)
        built = self.mirror("built", 15)
        slot = self.checkout(built, "x.0", 15)
        idle = self.mirror("idle", 0)
        for path, how in ((read, fcntl.LOCK_SH), (fetched, fcntl.LOCK_EX), (slot, fcntl.LOCK_EX)):
            self.addCleanup(os.close, locked(f"{path}.lock", how))
        content = self.lfs(read, "f", 40)
        answer = tidy(self.data, git_bytes=MIB // 64)
        self.assertTrue(all(p.exists() for p in (read, fetched, built, slot, content)))
        self.assertFalse(idle.exists())
        self.assertEqual((answer["removed"], answer["busy"]), (1, 5))

    def test_a_run_that_waits_for_the_lock_sees_that_it_is_another_file(self):
        mirror = self.mirror("a", 1)
        waiting = os.open(f"{mirror}.lock", os.O_RDWR)
        self.addCleanup(os.close, waiting)
        tidy(self.data, git_bytes=KIB)
        fcntl.flock(waiting, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self.assertEqual(os.fstat(waiting).st_nlink, 0)

    def test_short_of_room_everything_that_is_not_used_goes(self):
        used = self.mirror("used", 9)
        mirrors = [self.mirror(f"m{i}", days=i) for i in range(4)]
        self.addCleanup(os.close, locked(f"{used}.lock", fcntl.LOCK_SH))
        answer = tidy(self.data, min_free_bytes=1 << 60)
        self.assertEqual((answer["mirrors"], answer["removed"], answer["busy"]), (1, 4, 1))
        self.assertFalse(any(m.exists() for m in mirrors))

    def test_what_a_killed_one_left_is_removed(self):
        key = key_of("a")
        for name in (f"{key}.gone-12-0", f"{key}.fresh-12"):
            self.file(self.git / name / "objects/x", KIB, 0)
            os.chmod(self.git / name / "objects", 0)
        tidy(self.data)
        self.assert_clean()

    def test_only_one_at_a_time(self):
        mirror = self.mirror("a", 5)
        self.addCleanup(os.close, locked(self.git / ".tidy.lock", fcntl.LOCK_EX))
        answer = tidy(self.data, git_bytes=KIB)
        self.assertIn("problem", answer)
        self.assertTrue(mirror.exists())

    def test_a_data_folder_without_mirrors(self):
        self.git.rmdir()
        self.assertEqual(tidy(self.data)["mirrors"], 0)

    def test_killed_at_any_moment_it_removes_all_or_nothing(self):
        for left in (20, 13, 5, 1, 0):
            mirror = self.mirror("a", 5)
            slots = [self.checkout(mirror, f"x.{i}", 5, size=KIB) for i in range(20)]
            process = start_tidy(self.data, git_bytes=KIB)
            kill_when(process, lambda: sum(s.exists() for s in slots) <= left)
            for slot in filter(Path.exists, slots):
                self.assertTrue((slot / "files/deep/er/file").exists())
            self.assertEqual(mirror.exists(), (mirror / "objects/pack/pack-1.pack").exists())
            tidy(self.data, git_bytes=KIB)
            self.assertEqual([p.name for p in self.git.iterdir()], [".tidy.lock"])


class Server(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(TemporaryFolder())

    def test_after_a_run_what_is_over_the_budget_goes(self):
        (self.folder / "git").mkdir()
        server = self.enterContext(GitServer(self.folder / "git"))
        repo = GitRepository(self.folder / "git/app.git")
        repo.commit({"README": random.randbytes(300 * KIB).hex()})
        service = Service(folder=self.folder, registry="registry.test:5000")
        service.write_config(service.config_file.read_text().replace(
            "retention: { min_free_bytes: 0 }", "retention: { git_bytes: 1M, min_free_bytes: 0 }"))
        with service:
            old = service.data / "git" / key_of("old")
            (old / "objects/pack").mkdir(parents=True)
            (old / "objects/pack/pack-1.pack").write_bytes(random.randbytes(MIB))
            lock = Path(f"{old}.lock")
            lock.touch()
            os.utime(lock, (0, 0))
            run = json.loads(service.request("POST", "/v1/registries/main/scheduleRun", {
                "type": "DockerBuildRequest", "isPushEnabled": False, "dockerFilePath": "Dockerfile",
                "platform": {"os": "linux"}, "sourceLocation": server.url("app.git") + "#main"}).body)["name"]
            self.assertEqual(service.wait_run(run)["status"], "Failed")
            line = self.wait_line(service, " tidy.done ")
            self.assertIn("mirrors=1 removed=1 repacked=0 bytes=", line)
            self.assertFalse(old.exists())
            self.assertEqual(len([p for p in (service.data / "git").iterdir() if p.is_dir()]), 1)

    def wait_line(self, service, text):
        return eventually(lambda: next((line for line in service.log.read_text().splitlines() if text in line), None),
                          f"{text} in the log")

    def test_short_of_room_it_is_asked_for_at_once_and_what_it_answers_is_measured(self):
        service = FakeService("retention: { git_bytes: 7M, min_free_bytes: 1048576G }\n", folder=self.folder)
        service.start(wait=False)
        self.addCleanup(service.stop, signal.SIGKILL)
        service.eventually(lambda: service.socket.exists(), what="the socket")
        service.eventually(lambda: service.request("GET", "/readyz").status == 503, what="the floor to be noticed")
        self.wait_line(service, " tidy.done ")
        asked = [json.loads(line) for line in (service.data / "tidied").read_text().splitlines()]
        self.assertEqual(asked, [{"dataDir": str(service.data), "gitBytes": 7 * MIB, "minFreeBytes": 1 << 50}])
        self.assertEqual((service.metric("slipway_git_mirrors"), service.metric("slipway_git_bytes")), (3, 12345))

    def test_once_after_many_runs(self):
        with FakeService(folder=self.folder) as service:
            for _ in range(3):
                service.wait_status(service.submit(), "Succeeded")
            self.wait_line(service, " tidy.done ")
            self.assertEqual(len((service.data / "tidied").read_text().splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
