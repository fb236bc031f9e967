"""What goes wrong around the service, through the whole of it: registry, git server, Dockerfile, time."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import lib.git_server as hostile  # noqa: E402
from lib.door import Door  # noqa: E402
from lib.eventually import eventually  # noqa: E402
from lib.gated_build import GatedBuild, remains  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.registry import Registry  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

TREE = {"Dockerfile": "FROM scratch\nCOPY hello /\n", "hello": "hello\n"}


class Parts(unittest.TestCase):
    """Git server, registry behind a door, and a service that knows them."""

    ACCOUNT = {}
    LOGIN = ""
    CONFIG = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(TemporaryFolder())
        cls.git = cls.enterClassContext(GitServer(cls.folder))
        cls.registry = cls.enterClassContext(Registry(**cls.ACCOUNT))
        cls.door = cls.enterClassContext(Door(cls.registry.port))
        cls.service = cls.enterClassContext(Service(config=(
            f"registries:\n  - {{ name: main, login_server: '{cls.door.address}', insecure: true{cls.LOGIN} }}\n" + cls.CONFIG)))

    def setUp(self):
        self.name = self.id().rpartition(".")[2].removeprefix("test_").replace("_", "-")
        self.addCleanup(self.door.open)

    def repository(self, files=None, name=None):
        repository = GitRepository(self.folder / f"{name or self.name}.git")
        if files:
            repository.commit(files)
        return repository

    def submit(self, *options, name=None, push=True):
        image = ("-t", f"{self.name}:latest") if push else ("--no-push",)
        return self.service.slipway("build", *image, "--no-wait", "-q", *options,
                                    f"{self.git.url((name or self.name) + '.git')}#main").stdout.strip()

    def assert_ends(self, run_id, status, word, seconds=60):
        run = self.service.wait_run(run_id, seconds)
        self.assertEqual((run["status"], run.get("errorCode")), (status, word), run)
        if word:
            self.assertGreater(len(run["runErrorMessage"]), 20)
            self.assertIn(word, self.service.run_log(run_id).decode())
        self.assertFalse((self.service.data / "runs" / run_id / "work").exists())
        return run


class RegistryFaults(Parts):
    def test_a_registry_that_is_down(self):
        self.repository(TREE)
        self.door.shut()
        run = self.assert_ends(self.submit(), "Error", "registry_unreachable")
        self.assertIn(self.door.address, run["runErrorMessage"])
        self.assertGreater(self.door.refused, 1)
        self.assertEqual(run["outputImages"], [])

    def test_a_registry_that_comes_back(self):
        self.repository(TREE)
        for failures in (1, 2):
            with self.subTest(failures):
                self.door.shut(failures)
                run = self.assert_ends(self.submit(), "Succeeded", None)
                self.assertEqual(run["outputImages"][0]["digest"], self.registry.digest(self.name, "latest"))


class Login(Parts):
    ACCOUNT = {"user": "bob", "password": "right"}
    LOGIN = ", username: bob, password: wrong"

    def test_a_wrong_password(self):
        self.repository(TREE)
        run = self.assert_ends(self.submit(), "Error", "registry_auth")
        self.assertNotIn("wrong", run["runErrorMessage"])
        self.assertIsNone(self.registry.digest(self.name, "latest"))


class Sources(Parts):
    """Each fault ends its run within the limits, under the right status and word."""

    CONFIG = "limits: { git_stall_s: 1, git_timeout_s: 4 }\n"

    def test_git_servers(self):
        elsewhere = "http://localhost:1/x.git/info/refs?service=git-upload-pack"
        rows = {
            "silent": (hostile.Silent(), "Error", "git_timeout"),
            "trickle": (hostile.Trickle(0.05), "Error", "git_timeout"),
            "missing": (hostile.Status(404), "Failed", "git_not_found"),
            "login": (hostile.Status(401, {"WWW-Authenticate": 'Basic realm="git"'}), "Error", "git_auth"),
            "redirect": (hostile.Redirect(elsewhere), "Error", "redirect_denied"),
            "no-git": (hostile.SignInPage(), "Error", "git_auth"),
            "cut": (hostile.ResetAt(100), "Error", "git_network"),
        }
        for name, (behaviour, status, word) in rows.items():
            with self.subTest(name):
                self.repository({**TREE, "much": os.urandom(20_000)}, name=name)
                self.git.misbehave(f"{name}.git", behaviour)
                began = time.monotonic()
                self.assert_ends(self.submit(name=name, push=False), status, word)
                self.assertLess(time.monotonic() - began, 25)

    def test_what_the_user_wrote(self):
        rows = {
            "no-dockerfile": ({"hello": "x"}, "dockerfile_missing"),
            "bad-dockerfile": ({"Dockerfile": "FROM scratch\nNONSENSE here\n"}, "dockerfile_invalid"),
            "bad-ignore": ({**TREE, ".dockerignore": "a\n[b\n"}, "ignore_syntax"),
            "no-source": ({"Dockerfile": "FROM scratch\nCOPY nothing /\n"}, "build_failed"),
        }
        for name, (files, word) in rows.items():
            with self.subTest(name):
                self.repository(files, name=name)
                self.assert_ends(self.submit(name=name, push=False), "Failed", word)

    def test_a_branch_that_is_not_there(self):
        GitRepository(self.folder / f"{self.name}.git").commit(TREE, branch="other")
        self.assert_ends(self.submit(push=False), "Failed", "ref_not_found")


class Deadline(Parts):
    CONFIG = "run: { grace_s: 2 }\n"

    @unittest.skipUnless(os.geteuid() == 0, "looking into the container's processes takes root")
    def test_a_run_whose_time_is_up(self):
        build = GatedBuild(self.repository())
        run_id = self.submit("--timeout", "15", push=False)
        build.wait(run_id, self.service)
        run = self.service.wait_run(run_id)
        self.assertEqual((run["status"], run["errorCode"]), ("Timeout", "timeout"), run)
        left = []

        def is_clean():
            left[:] = remains(self.service, run_id, build)
            return not left
        eventually(is_clean, f"nothing to be left, but: {left}")


if __name__ == "__main__":
    unittest.main()
