"""A push to a real git server whose hook posts what each forge would, up to the image it becomes."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.forge import Hosted  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.payloads import FORGES, ZEROS  # noqa: E402
from lib.registry import Registry  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

DOCKERFILE = "FROM scratch\nCOPY message /\n"


class Forges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(TemporaryFolder())
        (cls.folder / "git").mkdir()
        cls.registry = cls.enterClassContext(Registry())
        cls.git = cls.enterClassContext(GitServer(cls.folder / "git"))
        cls.service = cls.enterClassContext(Service(registry=cls.registry.address))

    def host(self, forge, name):
        """A repository on the forge, which a task of its name builds, and one where its commits are made."""
        hosted = Hosted(self.folder / "git" / f"{name}.git", self.git.url(f"{name}.git"), forge, self.service.port)
        self.service.slipway("task", "create", "-n", name, "-c", f"{hosted.url}#main", "-t", f"{name}:{{{{.Run.ID}}}}")
        return hosted, GitRepository(self.folder / f"{name}.git")

    def runs(self, name):
        return [run["runId"] for run in self.service.runs("-n", name)]

    def test_a_push_becomes_an_image(self):
        for forge in FORGES:
            with self.subTest(forge):
                name = f"{forge}-push"
                hosted, source = self.host(forge, name)
                commit = source.commit({"Dockerfile": DOCKERFILE, "message": f"{name}\n"})
                hosted.push(source, "main")
                posted, = hosted.deliveries()
                self.assertEqual(posted.status, 202, posted.answer)
                self.assertEqual(posted.answer["verdicts"][0]["reason"], "push to main by ada (new branch)")
                run = self.service.wait_run(posted.answer["runs"][0])
                self.assertEqual((run["status"], run["commit"]), ("Succeeded", commit), run.get("runErrorMessage"))
                self.assertEqual(self.registry.read_file(f"{name}:{run['runId']}", "message"), f"{name}\n".encode())

    def test_a_redelivery_starts_nothing(self):
        for forge in FORGES:
            with self.subTest(forge):
                name = f"{forge}-again"
                hosted, source = self.host(forge, name)
                source.commit({"Dockerfile": DOCKERFILE, "message": "once\n"})
                hosted.push(source, "main")
                first, = hosted.deliveries()
                again = self.service.request("POST", f"/webhooks/{forge}", first.body, first.headers, tcp=True)
                self.assertEqual((first.status, again.status), (202, 200))
                self.assertEqual(json.loads(again.body)["runs"], first.answer["runs"])
                self.assertEqual(self.runs(name), first.answer["runs"])
                self.service.wait_run(first.answer["runs"][0])

    def test_what_builds_nothing_says_why(self):
        for forge in FORGES:
            with self.subTest(forge):
                name = f"{forge}-quiet"
                hosted, source = self.host(forge, name)
                first = source.commit({"Dockerfile": DOCKERFILE}, message="Begin\n\n[skip ci]\n")
                source.tag("v1", source.commit({"Dockerfile": DOCKERFILE}, "topic", [first], "Go on"))
                hosted.push(source, "main")
                hosted.push(source, "topic", "v1")
                hosted.push(source, ":topic")
                reasons = [(d.ref, d.status, d.answer["verdicts"][0]["reason"]) for d in hosted.deliveries()]
                self.assertEqual(self.runs(name), [])
                self.assertEqual(reasons, [
                    ("refs/heads/main", 200, 'the newest commit says to skip: "Begin"'),
                    ("refs/heads/topic", 200, "the task follows refs/heads/main, not refs/heads/topic"),
                    ("refs/tags/v1", 200, "the task follows refs/heads/main, not refs/tags/v1"),
                    ("refs/heads/topic", 200, "refs/heads/topic was deleted: there is nothing to build")])

    def test_another_secret_is_refused_and_kept_nowhere(self):
        for forge in FORGES:
            with self.subTest(forge):
                answer = self.service.deliver_push(forge, "https://git.example.org/acme/app.git", "refs/heads/main", ZEROS,
                                                   "1" * 40, delivery=f"{forge}-guess", secret="a guess")
                self.assertEqual(answer.status, 401, answer.body)
                self.assertEqual(json.loads(answer.body)["error"]["code"], "signature_mismatch")
        listed = json.loads(self.service.slipway("delivery", "list", "-o", "json").stdout)
        self.assertEqual([d["deliveryId"] for d in listed if d["deliveryId"].endswith("-guess")], [])


if __name__ == "__main__":
    unittest.main()
