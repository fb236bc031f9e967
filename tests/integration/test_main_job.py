"""The main job, with nothing faked but GitHub's cloud: a pushed commit becomes an image in a registry."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.base_image import busybox  # noqa: E402
from lib.git_repository import Executable, GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.registry import Registry  # noqa: E402
from lib.service import BUILD, ZEROS, Service, push_payload  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

DOCKERFILE = 'FROM scratch\nCOPY busybox /bin/\nCOPY message /\nCMD ["/bin/busybox", "cat", "/message"]\n'


def tree(message, **more):
    return {"Dockerfile": DOCKERFILE, "busybox": Executable(busybox()), "message": message, **more}


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(TemporaryFolder())
        (cls.folder / "git").mkdir()
        cls.registry = cls.enterClassContext(Registry())
        cls.git = cls.enterClassContext(GitServer(cls.folder / "git"))
        cls.service = cls.enterClassContext(Service(registry=cls.registry.address))

    def repository(self, name):
        return GitRepository(self.folder / "git" / name), self.git.url(name)

    def create_task(self, name, url, *options):
        self.service.slipway("task", "create", "-n", name, "-c", f"{url}#main", "-t", f"{name}:{{{{.Run.ID}}}}",
                             "-t", f"{name}:latest", *options)

    def deliver(self, url, ref, before, after, status=202, **more):
        answer = self.service.deliver(push_payload(url, ref, before, after), **more)
        self.assertEqual(answer.status, status, answer.body)
        return json.loads(answer.body)

    def read_image(self, name, path):
        return self.registry.read_file(name, path)

    def test_a_pushed_commit_becomes_an_image(self):
        repository, url = self.repository("app.git")
        commit = repository.commit(tree("first\n"))
        self.create_task("app", url)
        answer = self.deliver(url, "refs/heads/main", ZEROS, commit)
        self.assertEqual([(v["task"], v["matched"]) for v in answer["verdicts"]], [("app", True)])

        run = self.service.wait_run(answer["runs"][0])

        self.assertEqual(run["status"], "Succeeded", run.get("runErrorMessage"))
        self.assertEqual(run["commit"], commit)
        self.assertEqual(run["runType"], "AutoBuild")
        self.assertEqual(run["sourceTrigger"]["commitId"], commit)
        self.assertEqual([step["name"] for step in run["steps"]], ["fetch", "build", "push"])
        self.assertLessEqual({"queued", "fetch", "build", "push"}, set(run["timings"]))
        tags = {image["tag"]: image["digest"] for image in run["outputImages"]}
        self.assertEqual(set(tags), {run["runId"], "latest"})
        self.assertEqual(self.registry.digest("app", "latest"), tags["latest"])
        self.assertEqual(self.read_image("app:latest", "message"), b"first\n")

    def test_the_event_s_commit_is_built_although_the_branch_has_moved_on(self):
        repository, url = self.repository("moved.git")
        first = repository.commit(tree("the pushed one\n"))
        repository.commit(tree("a later one\n"), parents=[first])
        self.create_task("moved", url)
        run = self.service.wait_run(self.deliver(url, "refs/heads/main", ZEROS, first)["runs"][0])
        self.assertEqual((run["status"], run["commit"]), ("Succeeded", first))
        self.assertEqual(self.read_image(f"moved:{run['runId']}", "message"), b"the pushed one\n")

    def test_a_redelivery_names_the_run_of_the_first(self):
        repository, url = self.repository("again.git")
        commit = repository.commit(tree("once\n"))
        self.create_task("again", url)
        payload = push_payload(url, "refs/heads/main", ZEROS, commit)
        first = self.service.deliver(payload, delivery="d-1")
        again = self.service.deliver(payload, delivery="d-1")
        copied = self.service.deliver(payload, delivery="d-2")
        self.assertEqual((first.status, again.status, copied.status), (202, 200, 200))
        runs = [json.loads(a.body)["runs"] for a in (first, again, copied)]
        self.assertEqual(runs[0], runs[1])
        self.assertEqual(runs[0], runs[2])
        self.assertEqual(len(self.service.runs("-n", "again")), 1)
        self.service.wait_run(runs[0][0])

    def test_what_matched_nothing_is_listed_with_its_reason(self):
        repository, url = self.repository("quiet.git")
        commit = repository.commit(tree("quiet\n"))
        self.create_task("quiet", url)
        answer = self.deliver(url, "refs/heads/other", ZEROS, commit, status=200, delivery="quiet-1")
        self.assertIn("refs/heads/main", answer["verdicts"][0]["reason"])
        listed = json.loads(self.service.slipway("delivery", "list", "-o", "json").stdout)
        mine = [d for d in listed if d["deliveryId"] == "quiet-1"]
        self.assertEqual((len(mine), mine[0]["runs"]), (1, []))

    def test_a_broken_dockerfile_is_the_user_s_move(self):
        repository, url = self.repository("broken.git")
        commit = repository.commit({"Dockerfile": "FROM scratch\nCOPY nothing /\n"})
        self.create_task("broken", url)
        run = self.service.wait_run(self.deliver(url, "refs/heads/main", ZEROS, commit)["runs"][0])
        self.assertEqual(run["status"], "Failed", run)
        self.assertTrue(run["errorCode"])
        self.assertTrue(run["runErrorMessage"])

    def test_a_local_folder_is_built_by_its_ignore_rules(self):
        folder = Path(self.folder, "local")
        folder.mkdir()
        (folder / ".git").mkdir()
        (folder / ".git" / "config").write_text("secret of the repository")
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /all/\n")
        (folder / "kept").write_text("kept\n")
        (folder / "dropped").write_text("dropped\n")
        (folder / ".dockerignore").write_text("dropped\n")
        done = self.service.slipway("build", "-t", "local:{{.Run.ID}}", ".", cwd=folder)
        image = done.stdout.strip().splitlines()[-1]
        self.assertRegex(image, r"^127\.0\.0\.1:\d+/local:ca[0-9a-z]+@sha256:[0-9a-f]{64}$")
        tag = image.partition("/")[2].partition("@")[0]
        names = self.registry.file_names(tag)
        self.assertIn("all/kept", names)
        self.assertNotIn("all/dropped", names)
        self.assertFalse([name for name in names if ".git/" in name])

    def test_a_git_context_is_built_from_its_folder(self):
        repository, url = self.repository("folder.git")
        repository.commit({"service/Dockerfile": "FROM scratch\nCOPY here /\n", "service/here": "x\n", "top": "y\n"})
        done = self.service.slipway("build", "-t", "folder:{{.Run.ID}}", "-o", "json", f"{url}#main:service")
        run = json.loads(done.stdout)
        self.assertEqual(run["status"], "Succeeded")
        self.assertEqual(self.registry.file_names(f"folder:{run['runId']}"), ["here"])

    def test_a_cancel_of_a_running_build_leaves_nothing(self):
        repository, url = self.repository("long.git")
        repository.commit({
            "Dockerfile": 'FROM scratch\nCOPY busybox /bin/\nRUN ["/bin/busybox", "sh", "-c", '
                          '"trap : TERM; echo sleeping-now; /bin/busybox setsid /bin/busybox sleep 987 & '
                          '/bin/busybox sleep 987"]\n',
            "busybox": Executable(busybox())})
        run_id = self.service.slipway("build", "--no-push", "--no-wait", "-q", f"{url}#main").stdout.strip()
        with subprocess.Popen([str(BUILD / "slipway"), "task", "logs", "--run-id", run_id], stdout=subprocess.PIPE,
                              env=self.service.environment) as follower:
            for line in follower.stdout:
                if line == b"sleeping-now\n":
                    break
            canceled = self.service.slipway("task", "cancel-run", "--run-id", run_id, "--wait", "-o", "json")
            follower.stdout.read()
        self.assertEqual(json.loads(canceled.stdout)[0]["outcome"], "Accepted")
        self.assertEqual(self.service.run(run_id)["status"], "Canceled")
        self.assertEqual(subprocess.run(["pgrep", "-f", "sleep 987"], stdout=subprocess.PIPE).stdout, b"")
        self.assertFalse((self.service.data / "runs" / run_id / "work").exists())


if __name__ == "__main__":
    unittest.main()
