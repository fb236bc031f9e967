"""Kept checkouts: from commit to commit only what changed is written, and each run sees its own."""

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.context_case import DOCKERFILE, ContextTest  # noqa: E402
from lib.eventually import eventually  # noqa: E402
from lib.git_repository import COMMIT_TIME, Executable, Submodule, Symlink  # noqa: E402
from lib.runner_case import BASE, RunnerTest, run_line  # noqa: E402
from lib.small_disk import SmallDisk  # noqa: E402


def picture(folder):
    """{path: (mode, content)} of everything in a folder; paths are bytes."""
    seen = {}
    for parent, folders, names in os.walk(os.fsencode(folder)):
        for name in folders + names:
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            content = (os.readlink(path) if stat.S_ISLNK(mode) else
                       None if stat.S_ISDIR(mode) else Path(os.fsdecode(path)).read_bytes())
            seen[os.path.relpath(path, os.fsencode(folder))] = (mode, content)
    return seen


class CheckoutTest(ContextTest):
    def setUp(self):
        super().setUp()
        if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
            self.skipTest("mounting is not permitted here")

    def slots(self):
        return sorted(p for p in (self.data / "git").glob("*.checkouts/*") if p.is_dir())

    def commit(self, files, date=COMMIT_TIME):
        """As GitRepository.commit(), at a time of its own."""
        parent = self.repo.tip("main")
        text = (f"tree {self.repo.tree({'Dockerfile': DOCKERFILE, **files})}\n"
                + (f"parent {parent}\n" if parent else "")
                + f"author Ada <ada@example.org> {date} +0000\n"
                + f"committer Ada <ada@example.org> {date} +0000\n\nchange\n")
        oid = self.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())
        self.repo.move("main", oid)
        return oid

    def written_apart(self, fragment="", **more):
        """What the same commit is when nothing is kept."""
        data, mode = self.data, self.mode
        self.data, self.mode = self.folder / f"apart{self.count}", ""
        self.data.mkdir()
        try:
            return picture(self.fetch(fragment, **more).path())
        finally:
            self.data, self.mode = data, mode

    def assert_right(self, got, fragment=""):
        self.assertIsNone(got.word, got.answer)
        self.assertEqual(picture(got.path()), self.written_apart(fragment))

    def assert_changed(self, got, changed, removed):
        files = "1 file" if changed == 1 else f"{changed} files"
        self.assertIn(f"; {files} changed, {removed} removed since commit", got.log)

    def assert_whole(self, got):
        self.assertIn("Context: ", got.log)
        self.assertNotIn("since commit", got.log)


class Changes(CheckoutTest):
    def test_only_what_changed_is_written(self):
        self.commit({"a/same": "1", "a/edited": "1", "gone": "1"})
        self.assert_whole(self.fetch())
        [slot] = self.slots()
        same = (slot / "files/a/same").stat()
        self.commit({"a/same": "1", "a/edited": "2", "new": "1"})
        got = self.fetch()
        self.assert_changed(got, 2, 1)
        self.assert_right(got)
        self.assertEqual(self.slots(), [slot])
        self.assertEqual((slot / "files/a/same").stat().st_ino, same.st_ino)
        self.assert_changed(self.fetch(), 0, 0)

    def test_every_kind_of_change(self):
        link, program, module = Symlink("target"), Executable("x"), Submodule("1" * 40)
        folder = {"x": "in a folder", "deep": {"er": "y"}}
        rows = [
            {"a": "file", "b": folder, "c": link, "d": module, "e": program, "f": "same"},
            {"a": folder, "b": link, "c": module, "d": "file", "e": "x", "f": "same"},
            {"a": link, "b": module, "c": "file", "d": folder, "e": program, "f": "same"},
            {"a": module, "b": "file", "c": folder, "d": link, "e": Symlink("x"), "f": "same"},
            {"A": module, "B": "file", "C": folder, "d": Symlink("other"), "e": {}, "f": "same"},
            {"a": "file", "B": "file", "b": "other", "C": {"X": "1", "x": "2"}, "f": "same"},
            {"a.b": "1", "a": {"z": "2"}, "a-": "3", "f": "same"},
            {"a": "1", "a.b": {"z": "2"}, "a-": {"z": "3"}, "f": "same"},
            {},
        ]
        for row in rows + rows[::-2]:
            self.commit(row)
            with self.subTest(str(row)):
                self.assert_right(self.fetch())
        self.assertEqual(len(self.slots()), 1)

    def test_names_that_are_not_utf8(self):
        def commit(names):
            entries = [("100644", b"Dockerfile", self.repo.blob(DOCKERFILE))]
            entries += [("100644", name, self.repo.blob(text)) for name, text in names.items()]
            self.repo.commit_tree(self.repo.raw_tree(sorted(entries, key=lambda e: e[1])))

        for names in ({b"\xff": "1", b"\xfe\n": "2"}, {b"\xff": "3", b"\xfd\x1b": "2"}):
            commit(names)
            self.assert_right(self.fetch())

    def test_random_trees(self):
        draw = random.Random(7)
        kinds = ["one", "two", Executable("one"), Symlink("one"), {"x": "1"}, {"x": "2", "y": {"z": ""}}]
        for _ in range(12):
            tree = {draw.choice("abc") + draw.choice("/-").join(draw.choices("xy", k=2)): draw.choice(kinds)
                    for _ in range(draw.randint(0, 8))}
            if draw.random() < 0.3:
                tree[".dockerignore"] = draw.choice(["a*\n!ax\n", "**/x\n", "*\n!b*\n"])
            taken = {path.split("/")[0] for path in tree if "/" in path}
            self.commit({path: kind for path, kind in tree.items() if path not in taken})
            self.assert_right(self.fetch())

    def test_other_ignore_rules_write_all_of_it(self):
        files = {"a/1": "", "a/2": "", "b": ""}
        for rules in ("", "a\n", "a\n!a/2\n", "b\n", ""):
            self.commit({**files, ".dockerignore": rules})
            got = self.fetch()
            self.assert_right(got)
            self.assert_whole(got)
        self.assertEqual(len(self.slots()), 1)

    def test_ignored_files_that_come_and_go(self):
        self.commit({".dockerignore": "logs\n!logs/keep\n", "logs/x": "1"})
        self.fetch()
        for files in ({"logs/x": "2"}, {"logs/x": "2", "logs/keep": "k"}, {"logs/keep": "K"}, {"logs": "1"}, {}):
            self.commit({".dockerignore": "logs\n!logs/keep\n", **files})
            got = self.fetch()
            self.assertIn("since commit", got.log)
            self.assert_right(got)

    def test_folders_and_own_ignore_files_have_checkouts_of_their_own(self):
        files = {f"{name}/Dockerfile": DOCKERFILE for name in ("api", "web")}
        self.commit({**files, "api/a": "1", "web/b": "1", "api/Dockerfile.dockerignore": "none\n"})
        for folder in ("", "#:api", "#:web"):
            self.assert_right(self.fetch(folder), folder)
        own = self.fetch("", build={"dockerFilePath": "api/Dockerfile"})
        self.assertIsNone(own.word)
        self.assertEqual(len(self.slots()), 4)
        self.commit({**files, "api/a": "2", "web/b": "1", "api/Dockerfile.dockerignore": "none\n"})
        self.assert_changed(self.fetch("#:web"), 0, 0)
        got = self.fetch("#:api")
        self.assert_changed(got, 1, 0)
        self.assert_right(got, "#:api")
        self.assertEqual(len(self.slots()), 4)

    def test_times_are_those_of_the_commit_that_brought_a_file(self):
        self.commit({"a/same": "1", "a/b/edited": "1", "link": Symlink("x")}, date=1_600_000_000)
        self.fetch()
        self.commit({"a/same": "1", "a/b/edited": "2", "link": Symlink("y")}, date=1_650_000_000)
        got = self.fetch()
        for name, time in (("a/same", 1_600_000_000), ("a/b/edited", 1_650_000_000),
                           ("a/b", 1_650_000_000), ("a", 1_600_000_000), ("link", 1_650_000_000),
                           (".", 1_650_000_000)):
            self.assertEqual(got.path(name).lstat().st_mtime, time, name)

    def test_lower_ceilings_are_held_against_what_is_there(self):
        self.commit({"a/b/c": "12345"})
        self.fetch()
        for limits, word in (({"gitEntries": 3}, "git_too_many_files"), ({"gitDepth": 2}, "git_too_deep"),
                             ({"gitObjectBytes": 4}, "git_too_large")):
            self.assert_fails(self.fetch(limits=limits), word)
        self.assert_right(self.fetch())

    def test_data_folder_whose_name_means_something_to_mount(self):
        self.data = self.folder / "a,b:c\\d,lowerdir=e\\,"
        self.data.mkdir()
        for text in "12":
            self.commit({"a": text})
            got = self.fetch()
            self.assert_right(got)
        self.assert_changed(got, 1, 0)


class Without(CheckoutTest):
    """Where nothing may be mounted, all is written and nothing is kept."""

    mode = ""

    def test_all_is_written_for_each_run(self):
        for text in "12":
            self.commit({"a/b": text, "bin/run": Executable("x"), "l": Symlink("a")})
            got = self.fetch()
            self.assert_whole(got)
            self.assertEqual(got.files()["a/b"], text)
        self.assertEqual(self.slots(), [])
        self.assertEqual(got.path(), got.folder / "work/context")

    def overlay(self):
        """A folder on which no overlay can be made, as it is one itself."""
        layers = [self.folder / name for name in ("lower", "upper", "work", "overlay")]
        for layer in layers:
            layer.mkdir()
        options = "lowerdir={},upperdir={},workdir={}".format(*layers[:3])
        mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, layers[3]], capture_output=True)
        if mounted.returncode:
            self.skipTest(mounted.stderr)
        self.addCleanup(subprocess.run, ["umount", "-l", layers[3]], check=True)
        return layers[3]

    def fetch_in(self, folder):
        self.addCleanup(setattr, self, "folder", self.folder)
        self.folder, self.mode = folder, "mounts"
        return self.fetch()

    def test_data_folder_on_an_overlay(self):
        self.commit({"a": "1"})
        self.data = self.overlay()
        got = self.fetch_in(self.data)
        self.assert_whole(got)
        self.assertEqual(got.files()["a"], "1")
        self.assertEqual([p for slot in self.slots() for p in (slot / "files").iterdir()], [])

    def test_checkout_that_cannot_be_shown_any_more(self):
        self.mode = "mounts"
        self.commit({"a": "1"})
        self.fetch()
        self.commit({"a": "2"})
        got = self.fetch_in(self.overlay())
        self.assertEqual(got.files(), {"Dockerfile": DOCKERFILE, "a": "2"})


class Runs(CheckoutTest):
    def test_runs_at_once_never_see_each_other(self):
        self.commit({"a": "1", "old": ""})
        with self.held() as first:
            before = picture(first.path())
            self.commit({"a": "2", "new": ""})
            with self.held() as second:
                self.assertEqual(second.files(), {"Dockerfile": DOCKERFILE, "a": "2", "new": ""})
                self.commit({"a": "3"})
                third = self.fetch()
                self.assertEqual(third.files(), {"Dockerfile": DOCKERFILE, "a": "3"})
                self.assertEqual(len(self.slots()), 3)
                self.assertEqual(second.files()["a"], "2")
            self.assertEqual(picture(first.path()), before)
        last = self.fetch()
        self.assert_right(last)
        self.assert_changed(last, 1, 1)
        self.assertEqual(len(self.slots()), 3)

    def test_what_a_build_writes_into_its_context_stays_with_it(self):
        self.commit({"a": "1", "folder/b": "2", "gone/c": "3"})
        with self.held() as run:
            run.path("a").write_text("written by the build")
            run.path("folder/new").write_text("made by the build")
            run.path("folder").chmod(0o700)
            shutil.rmtree(run.path("gone"))
            run.path("gone").symlink_to("/etc")
            self.assertEqual(run.files()["gone"], "-> /etc")
            with self.held() as other:
                self.assertEqual(other.files()["a"], "1")
        got = self.fetch()
        self.assert_changed(got, 0, 0)
        self.assert_right(got)

    def test_nothing_of_the_view_stays_mounted_and_its_folder_can_be_removed(self):
        self.commit({"a": "1"})
        with self.held() as run:
            run.path("a").write_text("2")
        self.assertNotIn(str(self.folder), Path("/proc/self/mountinfo").read_text())
        shutil.rmtree(run.folder / "work")


class Accidents(CheckoutTest):
    def state(self):
        [slot] = self.slots()
        return slot / "state"

    def kill_while_writing(self):
        """True when the fetch was killed between the first file and the last."""
        folder, process = self.start(self.spec(self.url()))
        eventually(lambda: not self.state().exists() or process.poll() is not None, "a fetch to write")
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
        return not self.state().exists()

    def test_killed_while_it_writes(self):
        def commit(text):
            blob = self.repo.blob(text)
            entries = [("100644", "Dockerfile", self.repo.blob(DOCKERFILE))]
            self.repo.commit_tree(self.repo.raw_tree(
                entries + [("100644", f"f{i:04}", blob) for i in range(2000)]))

        commit("first")
        self.fetch()
        for attempt in range(20):
            commit(f"number {attempt}")
            if self.kill_while_writing():
                break
        else:
            self.fail("it was never killed in time")
        got = self.fetch()
        self.assert_whole(got)
        self.assert_right(got)
        self.assertTrue(self.state().exists())

    def test_full_disk(self):
        disk = SmallDisk(self.data, "24m")
        self.addCleanup(subprocess.run, ["umount", "-l", self.data], check=True)
        self.commit({"sub/Dockerfile": DOCKERFILE, "a": "1"})
        self.fetch()
        second = self.commit({"sub/Dockerfile": DOCKERFILE, "a": "2", "big": random.Random(1).randbytes(100_000)})
        self.fetch("#:sub")  # the objects are there now
        disk.fill()
        exact = {"commit": second, "ref": "refs/heads/main"}
        self.assert_fails(self.fetch(build=exact), "disk_full")
        disk.free()
        got = self.fetch(build=exact)
        self.assert_whole(got)
        self.assertEqual(picture(got.path()), self.written_apart_of(exact))

    def written_apart_of(self, build):
        data, self.data = self.data, self.folder / "elsewhere"
        self.data.mkdir()
        try:
            return picture(self.fetch(build=build).path())
        finally:
            self.data = data

    def test_mirror_that_was_reset(self):
        self.commit({"a": "1", "b": "1"})
        self.fetch()
        for mirror in (self.data / "git").glob("*/HEAD"):
            shutil.rmtree(mirror.parent)
        self.commit({"a": "2", "c": "1"})
        got = self.fetch()
        self.assert_whole(got)
        self.assert_right(got)

    def test_another_boot(self):
        self.commit({"a": "1"})
        self.fetch()
        state = json.loads(self.state().read_text())
        self.state().write_text(json.dumps({**state, "boot": "another"}))
        [slot] = self.slots()
        (slot / "files/a").write_bytes(b"")  # what a power cut leaves
        got = self.fetch()
        self.assert_whole(got)
        self.assert_right(got)

    def test_checkout_that_is_not_what_its_state_says(self):
        """It heals as far as it is noticed: what is to be changed is not there as it was."""
        def spoil(files):
            shutil.rmtree(files / "a")
            (files / "a").write_text("no folder")
            (files / "new").write_text("in the way")

        self.commit({"a/b": "1"})
        self.fetch()
        spoil(self.slots()[0] / "files")
        self.commit({"a/b": "2", "new": "1"})
        got = self.fetch()
        self.assert_whole(got)
        self.assert_right(got)

    def test_checkouts_that_were_removed(self):
        self.commit({"a": "1"})
        self.fetch()
        for folder in (self.data / "git").glob("*.checkouts"):
            shutil.rmtree(folder)
        self.assert_right(self.fetch())


class Builds(RunnerTest):
    """With the real engine, which reads the context through the overlay of its run."""

    def test_builds_read_a_view_and_write_only_into_that(self):
        write = "RUN --mount=type=bind,rw,target=/context " + run_line(
            "echo changed > /context/message; echo it says $(busybox cat /context/message)")[4:]
        dockerfile = BASE + "COPY . /all/\n" + write
        for text in ("first", "second"):
            self.commit(dockerfile, {"message": text, "other": "same"})
            run = self.runner()
            self.assertEqual(run.run(), 0, run.errors)
            self.assert_end(run, "Succeeded")
            self.assertIn("it says changed", run.log)
            image = f"app:{run.spec['runId']}"
            self.assertEqual(self.registry.read_file(image, "all/message"), text.encode())
            self.assertFalse((run.folder / "work").exists())
        self.assertIn("; 1 file changed, 0 removed since commit", run.log)
        [slot] = (self.data / "git").glob("*.checkouts/*-0")
        self.assertEqual((slot / "files/message").read_text(), "second")

    def test_a_context_that_is_the_same_but_for_one_file_hits_the_cache(self):
        dockerfile = BASE + "COPY kept /kept\n" + run_line("echo costly") + "COPY message /\n"
        self.commit(dockerfile, {"message": "1", "kept/file": "same"})
        first = self.runner()
        self.assertEqual(first.run(), 0)
        self.assertIn("\ncostly\n", first.log)
        self.commit(dockerfile, {"message": "2", "kept/file": "same"})
        second = self.runner()
        self.assertEqual(second.run(), 0)
        self.assertNotIn("\ncostly\n", second.log)


if __name__ == "__main__":
    unittest.main()
