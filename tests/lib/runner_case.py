"""Runs of slipway-runner with the real engine, a real registry and a real git server."""

import json
import tempfile
import unittest
from pathlib import Path

from lib.base_image import busybox
from lib.git_repository import GitRepository
from lib.git_server import GitServer
from lib.registry import Registry
from lib.run_spec import run_spec
from lib.runner import Runner, leftovers

BASE = "FROM scratch\nCOPY busybox /bin/busybox\n"
# Escapes its session, ignores every signal that can be ignored, and says when it is there.
STUBBORN = ("trap '' TERM HUP INT; busybox setsid busybox sh -c \"trap '' TERM HUP INT; "
            "busybox sleep {mark}\" & echo stubborn; while :; do busybox sleep {mark}; done")


def run_line(script):
    return "RUN " + json.dumps(["/bin/busybox", "sh", "-c", script.replace(
        "busybox ", "/bin/busybox ")]) + "\n"


class RunnerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.data = cls.folder / "data"  # one store for all: the probe of the engine is done once
        cls.data.mkdir()
        cls.server = cls.enterClassContext(GitServer(cls.folder))
        cls.registry = cls.enterClassContext(Registry())
        cls.repo = GitRepository(cls.folder / "app.git")
        cls.busybox = cls.repo.blob(busybox())
        cls.runs = 0

    def commit(self, dockerfile, files=None):
        files = {"Dockerfile": dockerfile, **(files or {})}
        tree = self.repo.tree(files)
        entries = self.repo.git("ls-tree", tree) + f"\n100755 blob {self.busybox}\tbusybox\n"
        tree = self.repo.git("mktree", stdin=entries.lstrip("\n").encode())
        tip = self.repo.tip("main")
        return self.repo.commit_tree(tree, parents=[tip] if tip else [])

    def spec(self, **more):
        type(self).runs += 1
        more = {"runId": f"ca{self.runs}", "images": ["app:{{.Run.ID}}"], "push": True,
                "registries": [{"name": "main", "loginServer": self.registry.address,
                                "insecure": True}], **more}
        return run_spec(self.data, more.pop("context", self.server.url("app.git")), **more)

    def runner(self, **more):
        run = Runner(self.spec(**more))
        self.addCleanup(run.stop)
        return run

    def assert_end(self, run, status, word=None):
        self.assertIsNotNone(run.result, run.log + run.errors)
        self.assertEqual((run.result["status"], run.result.get("errorCode")), (status, word),
                         f"{run.result}\n{run.log}")
        self.assertEqual(run.report[-1]["type"], "result")
        self.assert_clean(run)

    def assert_clean(self, run):
        self.assertEqual(leftovers(self.data, run.spec["runId"]), {})
