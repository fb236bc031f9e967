"""What a fetch brings, and what a mirror keeps: a commit without its history, whatever the server
speaks and however its branches move."""

import random
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.context_case import DOCKERFILE, ContextTest  # noqa: E402
from lib.git_server import ADVERTISEMENT, Version0  # noqa: E402

SEED = 20261124


class NoShallow(Version0):
    """A server that gives whole histories only."""

    def __call__(self, handler):
        if handler.command == "POST":
            return super().__call__(handler)
        del handler.headers["Git-Protocol"]
        status, headers, data = handler.backend_answer()
        assert headers["Content-Type"] == ADVERTISEMENT
        handler.answer(status, headers, data.replace(b" shallow ", b" shallov ", 1))


class History(ContextTest):
    behaviour = None
    is_shallow = True

    def setUp(self):
        super().setUp()
        if self.behaviour:
            self.server.misbehave("app.git", self.behaviour)

    def mirror(self):
        [found] = (p.parent for p in (self.data / "git").glob("*/HEAD"))
        return found

    def git(self, *arguments):
        return subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=self.mirror(),
                              check=True, capture_output=True, text=True).stdout.split()

    def assert_whole(self):
        """Real git finds every object that it must."""
        self.git("fsck", "--full", "--strict", "--no-dangling")

    def commits_here(self):
        objects = self.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
        return objects.count("commit")

    def test_first_fetch_brings_one_commit(self):
        for i in range(20):
            self.repo.commit({"Dockerfile": DOCKERFILE, "n": str(i)})
        self.assertEqual(self.fetch().files()["n"], "19")
        self.assertEqual(self.commits_here(), 1 if self.is_shallow else 20)
        self.assert_whole()

    def test_later_fetches_bring_what_changed(self):
        noise = {f"f{i}": random.Random(i).randbytes(20_000) for i in range(20)}
        for i in range(4):
            self.repo.commit({"Dockerfile": DOCKERFILE, **noise, "n": str(i)})
        self.fetch()
        for i in range(4, 8):
            self.repo.commit({"Dockerfile": DOCKERFILE, **noise, "n": str(i)})
            got = self.fetch()
            received = int(got.log.partition(" objects")[0].rpartition(" ")[2])
            # The commit, its folder, the file; without the line of history, that of each commit.
            self.assertLessEqual(received, 3, got.log)
        self.assert_whole()

    def test_branches_that_move_in_every_way(self):
        chance = random.Random(SEED)
        print("seed", SEED)
        trees, branches = [], ["main", "topic", "old/x"]
        for step in range(25):
            files = {"Dockerfile": DOCKERFILE, "n": str(chance.randrange(6)),
                     f"d{chance.randrange(3)}/f": "x" * chance.randrange(3000)}
            branch = chance.choice(branches)
            tips = [t for t in map(self.repo.tip, branches) if t]
            parents = chance.choice([None, [], tips[:2]])
            self.repo.commit(files, branch, parents, message=f"step {step}")
            if chance.random() < 0.2:
                self.repo.tag(f"t{step}", self.repo.tip(branch), annotated=True)
                trees.append((f"t{step}", files))
            if chance.random() < 0.3:
                self.repo.move(chance.choice(branches), chance.choice(tips or [self.repo.tip(branch)]))
            wanted = chance.choice([b for b in branches if self.repo.tip(b)])
            got = self.fetch("#" + wanted)
            self.assertEqual(got.commit, self.repo.tip(wanted))
            self.assertEqual(got.files()["n"], self.repo.git("show", f"{got.commit}:n"))
        for tag, files in trees:
            self.assertEqual(self.fetch("#" + tag).files(), files)
        self.assert_whole()

    def test_commit_of_the_past_that_nothing_points_at(self):
        first = self.repo.commit({"Dockerfile": DOCKERFILE, "n": "first"})
        for i in range(80):
            self.repo.commit({"Dockerfile": DOCKERFILE, "n": str(i)})
        self.fetch()
        got = self.fetch(build={"commit": first, "ref": "refs/heads/main"})
        self.assertEqual(got.files()["n"], "first")
        self.assertEqual(self.fetch("#main").files()["n"], "79")
        self.repo.commit({"Dockerfile": DOCKERFILE, "n": "last"})
        self.assertEqual(self.fetch("#main").files()["n"], "last")
        self.assert_whole()


class HistoryOfVersion0(History):
    behaviour = Version0()


class HistoryOfServersThatGiveAll(History):
    behaviour = NoShallow()
    is_shallow = False


class Change(ContextTest):
    def test_server_that_stops_to_know_shallow_histories(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "n": "1"})
        self.repo.commit({"Dockerfile": DOCKERFILE, "n": "2"})
        self.fetch()
        self.server.misbehave("app.git", NoShallow())
        self.repo.commit({"Dockerfile": DOCKERFILE, "n": "3"})
        self.assertEqual(self.fetch().files()["n"], "3")


if __name__ == "__main__":
    unittest.main()
