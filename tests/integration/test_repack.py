"""slipway-runner tidy: many packs of a mirror become few, and nothing that is wanted is lost."""

import fcntl
import os
import random
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.context_case import DOCKERFILE, ENVIRONMENT, ContextTest  # noqa: E402
from lib.eventually import eventually  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402
from lib.tidy import RUNNER, catch, finish_tidy, key_of, kill_when, locked, order, start_tidy, tidy  # noqa: E402

DAY = 86400
KIB, MIB = 1 << 10, 1 << 20
GIT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, env=GIT, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout.decode().rstrip("\n")


class Packs:
    """A mirror in self.data/git that was filled by something else."""

    def the_mirror(self):
        found = [p for p in (self.data / "git").iterdir() if p.is_dir() and "." not in p.name]
        self.assertEqual(len(found), 1)
        return found[0]

    def packs(self, mirror):
        return sorted(p.name for p in (mirror / "objects/pack").iterdir() if p.suffix == ".pack")

    def indexes(self, mirror):
        return sorted(p.name for p in (mirror / "objects/pack").iterdir() if p.suffix == ".idx")

    def tips(self, mirror):
        return git(mirror, "for-each-ref", "--format=%(objectname)", "refs/slipway").split()

    def objects(self, mirror):
        return set(git(mirror, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split())

    def assert_whole(self, mirror):
        """Everything that refs reach can be read and has its id, as git sees it."""
        git(mirror, "fsck", "--full", "--strict")
        for tip in self.tips(mirror):
            git(mirror, "archive", "--format=tar", "--output=/dev/null", tip)


def change(files, count, seed):
    """Some of the files with a line more."""
    picks = random.Random(seed)
    for path in picks.sample(sorted(set(files) - {"Dockerfile"}), count):
        files[path] += f"{seed} {picks.random()}\n"


def many_files(count=20):
    words = random.Random(1)
    return {"Dockerfile": DOCKERFILE,
            **{f"d{i % 7}/f{i}": "".join(f"{words.random()}\n" for _ in range(40)) for i in range(count)}}


class Fetched(Packs, ContextTest):
    """Mirrors as runs make them."""

    @classmethod
    def setUpClass(cls):
        """Thirty commits of ten branches, fetched one after the other into a folder that is copied."""
        first = cls()
        ContextTest.setUp(first)
        cls.addClassCleanup(first.doCleanups)
        cls.first, cls.files = first, {}
        files = many_files()
        for i in range(30):
            change(files, 3, i)
            commit = first.repo.commit(files, branch=f"b{i % 10}", message=str(i))
            assert first.fetch(f"#b{i % 10}").commit == commit
            cls.files[commit] = dict(files)

    def setUp(self):
        self.folder = self.enterContext(TemporaryFolder())
        self.server, self.repo, self.count = self.first.server, self.first.repo, 0
        self.data = self.folder / "data"
        shutil.copytree(self.first.data, self.data)
        self.mirror = self.the_mirror()

    def commit_more(self, branch):
        """On top of the last one; the files."""
        last, files = list(self.files.items())[-1]
        files = dict(files)
        change(files, 2, branch)
        self.repo.commit(files, branch=branch, parents=[last])
        return files

    def test_many_fetches_become_few_packs_and_the_next_one_brings_only_what_is_new(self):
        tips = self.tips(self.mirror)
        self.assertGreater(len(self.packs(self.mirror)), 24)

        answer = tidy(self.data)

        self.assertNotIn("problem", answer)
        self.assertEqual(answer["repacked"], 1)
        self.assertLessEqual(len(self.packs(self.mirror)), 2)
        self.assertEqual(self.tips(self.mirror), tips)
        self.assert_whole(self.mirror)
        for commit in list(self.files)[-3:]:
            self.assertEqual(self.fetch(f"#{commit}").files(), self.files[commit])

        before = set(self.packs(self.mirror))
        files = self.commit_more("later")
        self.assertEqual(self.fetch("#later").files(), files)
        (fresh,) = set(self.packs(self.mirror)) - before
        with open((self.mirror / "objects/pack" / fresh).with_suffix(".idx"), "rb") as index:
            objects = subprocess.run(["git", "show-index"], stdin=index, stdout=subprocess.PIPE, check=True, env=GIT)
        self.assertLess(len(objects.stdout.splitlines()), 20, "all of it came again")
        self.assertEqual(tidy(self.data)["repacked"], 0)

    def test_a_fetch_after_the_removal_brings_all_again(self):
        self.assertEqual(tidy(self.data, git_bytes=KIB)["mirrors"], 0)
        self.assertFalse(self.mirror.exists())
        self.assertEqual(self.fetch("#b9").files(), list(self.files.values())[-1])
        self.assert_whole(self.mirror)

    def test_a_mirror_in_use_is_not_repacked(self):
        before = self.packs(self.mirror)
        fd = locked(f"{self.mirror}.lock", fcntl.LOCK_SH)
        self.assertEqual(tidy(self.data)["repacked"], 0)
        self.assertEqual(self.packs(self.mirror), before)
        os.close(fd)
        self.assertEqual(tidy(self.data)["repacked"], 1)

    def test_a_fetch_while_the_new_pack_is_written(self):
        files = self.commit_more("meanwhile")
        process = start_tidy(self.data)
        got = self.fetch("#meanwhile")
        self.assertEqual(got.files(), files)
        finish_tidy(process)
        self.assertIn(got.commit, self.tips(self.mirror))
        self.assert_whole(self.mirror)
        self.assertEqual(self.fetch("#meanwhile").files(), files)

    def test_a_damaged_mirror_is_told_of_and_left_as_it_is(self):
        before = self.packs(self.mirror)
        for pack in (self.mirror / "objects/pack").glob("*.pack"):
            os.chmod(pack, 0o600)
            with open(pack, "r+b") as file:
                file.seek(40)
                file.write(b"\xff" * 30)
        answer = tidy(self.data)
        self.assertEqual(answer["repacked"], 0)
        self.assertIn(self.mirror.name[:12], answer["problem"])
        self.assertEqual(self.packs(self.mirror), before)


class Copied(Packs, unittest.TestCase):
    """Mirrors made by git, whole and shallow, that can be copied and killed over and over."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(TemporaryFolder())
        cls.repo = GitRepository(cls.folder / "app.git")
        cls.repo.configure("uploadpack.allowAnySHA1InWant", "true")
        files, cls.commits = many_files(), []
        for i in range(30):
            change(files, 4, i)
            cls.commits.append(cls.repo.commit(files, message=str(i)))
        cls.shallow = cls.make("shallow", "--depth", "1")
        cls.whole = cls.make("whole")

    @classmethod
    def make(cls, name, *depth):
        path = cls.folder / name
        git(cls.folder, "clone", "--quiet", "--bare", *depth, f"file://{cls.repo.path}", str(path))
        git(path, "update-ref", "-d", "refs/heads/main")
        shutil.rmtree(path)
        git(cls.folder, "init", "--quiet", "--bare", str(path))
        for i, commit in enumerate(cls.commits):
            git(path, "-c", "fetch.unpackLimit=1", "-c", "transfer.unpackLimit=1", "fetch", "--quiet", *depth,
                f"file://{cls.repo.path}", f"{commit}:refs/slipway/{i:02}")
        return path

    def setUp(self):
        self.data = self.enterContext(TemporaryFolder())
        self.mirror = self.data / "git" / key_of("app")

    def copy(self, of):
        shutil.rmtree(self.data / "git", ignore_errors=True)
        shutil.copytree(of, self.mirror)

    def test_a_shallow_one_keeps_its_commits_and_where_they_are_cut_off(self):
        self.copy(self.shallow)
        before = self.tips(self.mirror)
        self.assertGreater(len(self.packs(self.mirror)), 24)
        self.assertEqual(tidy(self.data)["repacked"], 1)
        self.assertLessEqual(len(self.packs(self.mirror)), 2)
        self.assertEqual(self.tips(self.mirror), before)
        shallow = [sorted((m / "shallow").read_text().split()) for m in (self.mirror, self.shallow)]
        self.assertEqual(*shallow)
        self.assert_whole(self.mirror)

    def test_a_shallow_one_forgets_where_lost_commits_were_cut_off(self):
        self.copy(self.shallow)
        for i in range(20):
            git(self.mirror, "update-ref", "-d", f"refs/slipway/{i:02}")
        self.assertEqual(tidy(self.data)["repacked"], 1)
        left = set((self.mirror / "shallow").read_text().split())
        self.assertTrue(left.isdisjoint(set(self.commits) - self.objects(self.mirror)))
        self.assertLess(len(left), 30)
        self.assert_whole(self.mirror)
        git(self.mirror, "fetch", "--quiet", "--depth", "1", f"file://{self.repo.path}", f"{self.commits[3]}:refs/slipway/03")
        self.assert_whole(self.mirror)

    def test_a_whole_one_keeps_its_history(self):
        self.copy(self.whole)
        self.assertEqual(tidy(self.data)["repacked"], 1)
        self.assertLessEqual(len(self.packs(self.mirror)), 2)
        self.assertFalse((self.mirror / "shallow").exists())
        self.assertEqual(git(self.mirror, "rev-list", "--count", self.commits[-1]), "30")
        self.assert_whole(self.mirror)

    def test_history_that_is_dropped_is_noted_as_cut_off(self):
        """One that held whole histories and became shallow later, as an older version's does."""
        self.copy(self.whole)
        for i in range(29):
            git(self.mirror, "update-ref", "-d", f"refs/slipway/{i:02}")
        later = self.commits[-1]
        for i in range(2):
            later = self.repo.commit({"Dockerfile": DOCKERFILE, "new": f"{i}"}, branch="later", parents=[later])
        git(self.mirror, "fetch", "--quiet", "--depth", "1", f"file://{self.repo.path}", f"{later}:refs/slipway/99")
        self.assertEqual((self.mirror / "shallow").read_text().split(), [later])
        self.assertEqual(tidy(self.data)["repacked"], 1)
        self.assertEqual(set((self.mirror / "shallow").read_text().split()), {self.commits[-1], later})
        self.assertTrue(self.objects(self.mirror).isdisjoint(self.commits[1:29]))
        self.assert_whole(self.mirror)

    def test_many_large_packs_become_one(self):
        """Where none of them is worth being left as it is."""
        git(self.folder, "init", "--quiet", "--bare", str(self.mirror))
        for i in range(5):
            other = GitRepository(self.data / f"{i}.git")
            commit = other.commit({"Dockerfile": DOCKERFILE, "large": random.Random(i).randbytes(6 * MIB)})
            git(self.mirror, "-c", "fetch.unpackLimit=1", "fetch", "--quiet", f"file://{other.path}", f"{commit}:refs/slipway/{i}")
        git(self.mirror, "update-ref", "-d", "refs/slipway/0")
        answer = tidy(self.data)
        self.assertEqual((answer["repacked"], len(self.packs(self.mirror))), (1, 1))
        self.assertLess(answer["bytes"], 26 * MIB)
        self.assert_whole(self.mirror)

    def test_refs_that_nobody_used_for_long_go_and_their_objects_with_them(self):
        self.copy(self.shallow)
        refs = self.mirror / "refs/slipway"
        for i in range(30):  # these and twenty others are the fifty newest
            git(self.mirror, "update-ref", f"refs/slipway/young{i}", self.commits[-1])
        for age, i in enumerate(reversed(range(30))):
            then = time.time() - (31 + age) * DAY
            os.utime(refs / f"{i:02}", (then, then))
        self.assertEqual(tidy(self.data)["repacked"], 1)
        self.assertEqual(set(self.tips(self.mirror)), set(self.commits[10:]))
        self.assertTrue(self.objects(self.mirror).isdisjoint(self.commits[1:10]))  # the first is in the pack that stays
        self.assert_whole(self.mirror)

    # Killed.

    def assert_recovers(self, before):
        self.assertEqual(self.tips(self.mirror), before)
        self.assert_whole(self.mirror)
        tidy(self.data)
        self.assertEqual([p.name for p in (self.data / "git").iterdir() if ".fresh-" in p.name], [])
        self.assertLessEqual(len(self.packs(self.mirror)), 24)
        self.assertEqual(self.packs(self.mirror), [n.replace(".idx", ".pack") for n in self.indexes(self.mirror)])
        self.assertEqual(self.tips(self.mirror), before)
        self.assert_whole(self.mirror)

    def test_killed_as_soon_as_something_is_seen(self):
        fresh = f"{self.mirror}.fresh-"
        old = {p.name for p in (self.shallow / "objects/pack").iterdir()}
        names = lambda: set(os.listdir(self.mirror / "objects/pack"))  # noqa: E731
        moments = {
            "it has begun": lambda: True,
            "there is a folder for the new pack": lambda: any(
                str(p).startswith(fresh) for p in (self.data / "git").iterdir()),
            "the new pack is there": lambda: any(n.endswith(".pack") for n in names() - old),
            "the new index is there": lambda: any(n.endswith(".idx") for n in names() - old),
            "an old pack is gone": lambda: old - names(),
        }
        killed = 0
        for what, seen in moments.items():
            with self.subTest(what):
                self.copy(self.shallow)
                before = self.tips(self.mirror)
                killed += kill_when(start_tidy(self.data), seen)
                self.assert_recovers(before)
        self.assertGreaterEqual(killed, 3)

    def fresh(self):
        return next((p for p in (self.data / "git").iterdir() if ".fresh-" in p.name), None)

    def test_a_run_that_comes_meanwhile_is_waited_for(self):
        self.copy(self.shallow)
        process = start_tidy(self.data)
        catch(self.fresh)
        fd = locked(f"{self.mirror}.lock", fcntl.LOCK_SH)
        eventually(lambda: list(self.fresh().glob("*.idx")), "the new pack to be written")
        self.assertGreater(len(self.packs(self.mirror)), 24)
        self.assertIsNone(process.poll())
        os.close(fd)
        self.assertEqual(finish_tidy(process)["repacked"], 1)
        self.assert_whole(self.mirror)

    def test_it_ends_with_the_server_that_started_it(self):
        self.copy(self.shallow)
        (self.data / "order").write_bytes(order(self.data))
        with open(self.data / "order", "rb") as file:
            server = subprocess.Popen([sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])",
                                       str(RUNNER), "tidy"], stdin=file, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        name = catch(self.fresh).name
        fd = locked(f"{self.mirror}.lock", fcntl.LOCK_SH)  # so that it does not end by itself
        self.addCleanup(os.close, fd)
        proc = Path("/proc") / name.rpartition("-")[2]
        self.assertTrue(proc.exists())
        server.kill()
        server.wait()
        eventually(lambda: not proc.exists() or ") Z " in (proc / "stat").read_text(), "its end", seconds=10)

    def test_every_state_between_two_steps_can_be_read(self):
        self.copy(self.shallow)
        tidy(self.data)
        after = self.folder / "after"
        shutil.rmtree(after, ignore_errors=True)
        shutil.copytree(self.mirror, after)
        packs = "objects/pack"
        old, new = ({p.name for p in (side / packs).iterdir()} for side in (self.shallow, after))
        steps = [("add", n) for n in sorted(new - old, reverse=True)]  # .pack before .idx
        steps += [("remove", n) for n in sorted(old - new)]
        self.copy(self.shallow)
        before = self.tips(self.mirror)
        for what, name in steps:
            if what == "add":
                shutil.copy(after / packs / name, self.mirror / packs / name)
            else:
                os.unlink(self.mirror / packs / name)
            git(self.mirror, "rev-list", "--objects", "--all")
        self.assert_recovers(before)


if __name__ == "__main__":
    unittest.main()
