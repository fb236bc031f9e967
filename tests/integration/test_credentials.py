"""Private repositories: what is shown to which server, where it comes from, and that nobody else sees it.

The git servers are real; what they were sent is on record.
"""

import base64
import json
import os
import secrets
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import git_server as hostile  # noqa: E402
from lib.base_image import busybox  # noqa: E402
from lib.context_case import DOCKERFILE, ContextTest  # noqa: E402
from lib.git_repository import Executable, GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.run_spec import credential  # noqa: E402
from lib.service import ZEROS, Service, push_payload  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

TASKS = "/v1/registries/main/tasks"


def basic(user, token):
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


class PrivateTest(ContextTest):
    def setUp(self):
        super().setUp()
        self.commit = self.repo.commit({"Dockerfile": DOCKERFILE})
        self.secret = f"token-{secrets.token_hex(16)}"

    def private(self, name="app.git", user="slipway", token=None):
        self.server.require(name, user, token or self.secret)

    def sent(self, server=None):
        return {request.authorization for request in (server or self.server).requests}

    def assert_fetched(self, got):
        self.assertIsNone(got.word, got.answer)
        self.assertEqual(got.commit, self.commit)
        self.assertNotIn(self.secret, got.log + json.dumps(got.answer))

    def assert_refused(self, got, *parts, word="git_auth"):
        self.assert_fails(got, word)
        self.assertNotIn(self.secret, got.log + got.message)
        for part in parts:
            self.assertIn(part, got.message)

    def scope(self, path=""):
        return self.server.url(path)


class Scopes(PrivateTest):
    """Which token is shown, and where."""

    def test_token_of_the_repository(self):
        self.private()
        self.assert_fetched(self.fetch(**credential(self.url(), self.secret)))
        self.assertEqual(self.sent(), {basic("slipway", self.secret)})

    def test_user_name_that_goes_with_it(self):
        self.private(user="bob")
        self.assert_fetched(self.fetch(**credential(self.url(), self.secret, username="bob")))

    def test_no_token_and_a_wrong_one_are_told_apart(self):
        self.private()
        self.assert_refused(self.fetch(), "401", "no token")
        self.assertEqual(self.sent(), {None})
        self.assert_refused(self.fetch(**credential(self.url(), "wrong-" + self.secret)), "401", "expired")

    def test_what_servers_say_instead_of_no(self):
        for behaviour, word, part in ((hostile.Status(403), "git_auth", "may not read"),
                                      (hostile.Status(404), "git_not_found", "permission"),
                                      (hostile.SignInPage(), "git_auth", "sign in")):
            url = self.alias(f"a{self.count}.git", behaviour)
            with self.subTest(part):
                self.assert_refused(self.fetch(url=url, **credential(url, self.secret)), part, word=word)
        self.assert_refused(self.fetch(url=self.server.url("none.git")), word="git_not_found")

    def test_longest_prefix_wins_by_whole_components(self):
        os.makedirs(self.folder / "acme" / "deep")
        os.makedirs(self.folder / "acme-evil")
        paths = {"app.git": "host", "acme/app.git": "acme", "acme/deep/app.git": "deep", "acme-evil/app.git": "host"}
        given = [{"url": self.scope(path), "username": user, "token": self.secret}
                 for path, user in (("", "host"), ("acme/", "acme"), ("acme/deep", "deep"), ("ACME-EVIL", "no"))]
        for path, user in paths.items():
            if path != "app.git":
                os.symlink(self.repo.path, self.folder / path)
            self.server.requests.clear()
            with self.subTest(path):
                self.assert_fetched(self.fetch(url=self.server.url(path), gitCredentials=given))
                self.assertEqual(self.sent(), {basic(user, self.secret)})

    def test_token_goes_to_no_other_path_port_or_host(self):
        other = self.enterContext(GitServer(self.folder))
        os.makedirs(self.folder / "acme")
        os.symlink(self.repo.path, self.folder / "acme" / "lib.git")
        scopes = [self.scope("acme/app.git"), self.scope("acme/li"), other.url(""), self.server.url("", host="localhost"),
                  self.scope("").replace("http:", "https:"), self.scope("acme/lib.git/info")]
        for scope in scopes:
            with self.subTest(scope):
                self.assert_fetched(self.fetch(url=self.server.url("acme/lib.git"), **credential(scope, self.secret)))
        self.assertEqual(self.sent(), {None})
        self.assertEqual(other.requests, [])

    def test_dots_lead_to_no_other_path(self):
        os.makedirs(self.folder / "acme")
        for path in ("acme/../app.git", "acme/%2e%2e/app.git"):
            with self.subTest(path):
                self.fetch(url=self.server.url(path), **credential(self.scope("acme"), self.secret))
        self.assertLessEqual(self.sent(), {None})

    def test_token_does_not_follow_a_redirect(self):
        other = self.enterContext(GitServer(self.folder))
        for target in (other.url("app.git/info/refs?service=git-upload-pack"),
                       self.server.url("app.git/info/refs?service=git-upload-pack")):
            url = self.alias(f"moved{self.count}.git", hostile.Redirect(target))
            self.assert_refused(self.fetch(url=url, **credential(url, self.secret)), word="redirect_denied")
        self.assertEqual(other.requests, [])
        self.assertNotIn("/app.git", {request.path.partition("/info")[0] for request in self.server.requests})

    def test_token_is_in_no_command_line_and_no_environment(self):
        asked, looked = threading.Event(), threading.Event()

        def pause(handler):
            asked.set()
            looked.wait(30)
            handler.backend()

        url = self.alias("slow.git", pause)
        began = time.monotonic()
        folder, process = self.start(self.spec(url, **credential(url, self.secret)))
        self.assertTrue(asked.wait(30))
        for name in ("cmdline", "environ"):
            self.assertNotIn(self.secret.encode(), Path(f"/proc/{process.pid}/{name}").read_bytes())
        looked.set()
        self.assert_fetched(self.finish(folder, process, began))
        self.assertEqual(self.sent(), {basic("slipway", self.secret)})

    def test_archive_with_a_password(self):
        seen = []

        def archive(handler):
            seen.append(handler.headers.get("Authorization"))
            handler.answer(404, {}, b"")

        self.server.misbehave("context.tar.gz", archive)
        url = self.server.url("context.tar.gz")
        self.assert_refused(self.fetch(url=url, **credential(url, self.secret, username="bob")), word="context_not_found")
        self.assertEqual(seen, [basic("bob", self.secret)])


class Command(PrivateTest):
    """git.credential_command."""

    def command(self, *lines):
        path = self.folder / "ask"
        path.write_text("\n".join(("#!/bin/sh", *lines, "")))
        path.chmod(0o700)
        return {"gitCredentialCommand": [str(path), str(self.folder), "get"]}

    def test_it_is_asked_as_git_asks(self):
        self.private(user="ada")
        asked = self.command('[ "$2" = get ] || exit 9', "cat > $1/asked", "echo username=ada",
                             f"echo password={self.secret}", f"echo it is {self.secret} >&2")
        got = self.fetch(**asked)
        self.assert_fetched(got)
        self.assertIn("it is ***", got.log)
        self.assertEqual((self.folder / "asked").read_text(),
                         f"protocol=http\nhost=127.0.0.1:{self.server.port}\npath=app.git\n\n")
        self.assertEqual(self.sent(), {basic("ada", self.secret)})

    def test_it_is_not_asked_for_what_is_configured(self):
        self.private()
        asked = self.command("touch $1/asked", "echo password=other")
        self.assert_fetched(self.fetch(**asked, **credential(self.scope(), self.secret)))
        self.assertFalse((self.folder / "asked").exists())

    def test_no_answer_is_no_credential(self):
        self.assert_fetched(self.fetch(**self.command("exit 0")))
        self.assertEqual(self.sent(), {None})
        self.private()
        self.assert_refused(self.fetch(**self.command("echo quit=1")), "no token")

    def test_failure_is_an_error_of_its_own(self):
        for line in ("exit 1", "echo nonsense", "kill -9 $$", "cat /dev/zero"):
            with self.subTest(line):
                got = self.fetch(**self.command(f"echo password={self.secret}", line))
                self.assert_refused(got, "the credential command", word="git_credential")
        self.assertEqual(self.server.requests, [])

    def test_a_line_break_in_the_url_asks_nothing(self):
        got = self.fetch(url=self.server.url("app%0ahost=evil.example.git"), **self.command("touch $1/asked"))
        self.assert_refused(got, word="url_invalid")
        self.assertFalse((self.folder / "asked").exists())


def forms(secret):
    return {secret.encode(), base64.b64encode(f"slipway:{secret}".encode()), base64.b64encode(f"bob:{secret}".encode())}


@unittest.skipUnless(os.geteuid() == 0, "builds take root")
class WholeService(unittest.TestCase):
    """From a configured token to an image."""

    def setUp(self):
        self.folder = self.enterContext(TemporaryFolder())
        self.git = self.enterContext(GitServer(self.folder))
        self.secret = f"token-{secrets.token_hex(16)}"
        os.makedirs(self.folder / "acme")
        self.repository = GitRepository(self.folder / "acme" / "app.git")
        self.commit = self.repository.commit({
            "Dockerfile": 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "true"]\n',
            "busybox": Executable(busybox())})
        self.git.require("acme", "bob", self.secret)

    def start(self, lines):
        service = Service(registry="127.0.0.1:5000")
        text = service.config_file.read_text()
        service.write_config(text.replace("git:\n", "git:\n" + lines))
        return self.enterContext(service)

    def token_file(self):
        path = self.folder / "token"
        path.write_text(self.secret + "\n")
        path.chmod(0o600)
        return path

    def assert_secret(self, service, run_id):
        places = {"log": service.run_log(run_id), "server": service.log.read_bytes(),
                  "run": service.request("GET", f"/v1/registries/main/runs/{run_id}").body}
        places |= {str(path): path.read_bytes() for path in service.data.rglob("*")
                   if path.is_file() and not path.is_symlink()}
        for place, data in places.items():
            self.assertFalse(any(form in data for form in forms(self.secret)), place)

    def build(self, service, context=None):
        done = service.slipway("build", "--no-push", "--no-logs", context or self.git.url("acme/app.git"), timeout=300)
        return done.stderr.partition("Queued a build with ID: ")[2].split()[0]

    def test_configured_prefix(self):
        service = self.start(f"  credentials:\n    - {{ url: '{self.git.url('acme/')}', username: bob, "
                             f"token: 'file:{self.token_file()}' }}\n")
        run_id = self.build(service)
        self.assertEqual(service.run(run_id)["status"], "Succeeded")
        self.assert_secret(service, run_id)

        service.slipway("task", "create", "-n", "app", "-c", self.git.url("acme/app.git#main"), "-t", "app:1", "--no-push",
                        "--commit-trigger-enabled", "true")
        answer = service.deliver(push_payload(self.git.url("acme/app.git"), "refs/heads/main", ZEROS, self.commit))
        self.assertEqual(answer.status, 202, answer.body)
        run = service.wait_run(json.loads(answer.body)["runs"][0])
        self.assertEqual(run["status"], "Succeeded", run)

    def test_command(self):
        asked = self.folder / "ask"
        asked.write_text(f"#!/bin/sh\necho username=bob\necho password=$(cat {self.token_file()})\n")
        asked.chmod(0o755)
        service = self.start(f"  credential_command: [ '{asked}', get ]\n")
        run_id = self.build(service)
        self.assertEqual(service.run(run_id)["status"], "Succeeded")
        self.assert_secret(service, run_id)

    def test_token_in_the_url_of_a_build(self):
        service = self.start("")
        url = self.git.url("acme/app.git")
        run_id = self.build(service, url.replace("//", f"//bob:{self.secret}@"))
        self.assertEqual(service.run(run_id)["status"], "Succeeded")
        self.assert_secret(service, run_id)


class Urls(unittest.TestCase):
    """Credentials in the URL of a task go to where secrets are kept, and are not told again."""

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(registry="127.0.0.1:5000"))

    # What is typed before "@", and what is kept: "%s" is the secret.
    FORMS = [("https://%s@github.com/acme/app.git#main:web", "https://github.com/acme/app.git#main:web", "%s"),
             ("https://bob:%s@github.com/acme/app.git", "https://github.com/acme/app.git", "bob:%s"),
             ("https://:%s@github.com/acme/app.git", "https://github.com/acme/app.git", "%s"),
             ("https://b%%6Fb:%s%%2F%%40@github.com/acme/app.git", "https://github.com/acme/app.git", "bob:%s/@"),
             ("https://%s%%3Ax@github.com/acme/app.git", "https://github.com/acme/app.git", ":%s:x"),
             ("https://org:%s@dev.azure.com/org/p/_git/r#main", "https://dev.azure.com/org/p/_git/r#main", "org:%s"),
             ("https://%s@dev.azure.com/org/p/_git/r", "https://dev.azure.com/org/p/_git/r", "%s"),
             ("https://%s@org.visualstudio.com/p/_git/r", "https://org.visualstudio.com/p/_git/r", "%s"),
             ("https://oauth2:%s@gitlab.com/acme/app.git", "https://gitlab.com/acme/app.git", "oauth2:%s"),
             ("https://bob:%s@bitbucket.org/acme/app.git", "https://bitbucket.org/acme/app.git", "bob:%s")]

    def put(self, name, url, trigger=None):
        return self.service.request("PUT", f"{TASKS}/{name}", {"location": "local", "properties": {
            "platform": {"os": "linux"}, "status": "Enabled",
            "step": {"type": "Docker", "contextPath": url, "dockerFilePath": "Dockerfile", "imageNames": ["app:1"]},
            "trigger": {"sourceTriggers": [{
                "name": "t", "status": "Enabled", "sourceTriggerEvents": ["commit"],
                "sourceRepository": {"sourceControlType": "Github", "repositoryUrl": trigger or url, "branch": "main"}}]}}})

    def told(self, name):
        for path in (TASKS, f"{TASKS}/{name}"):
            yield self.service.request("GET", path).body.decode()
        for options in (("list",), ("show", "-n", name), ("show", "-n", name, "-o", "json")):
            done = self.service.slipway("task", *options, check=False)
            yield done.stdout + done.stderr
        yield self.service.log.read_text()
        for path in self.service.data.glob("slipway.db*"):
            yield path.read_bytes().decode(errors="replace")

    def check(self, name, kept, secret, token):
        for text in self.told(name):
            self.assertNotIn(secret, text)
        task = self.service.json("POST", f"{TASKS}/{name}/listDetails")["properties"]
        self.assertEqual((task["step"]["contextPath"], task["step"]["contextAccessToken"]), (kept, token))
        followed = task["trigger"]["sourceTriggers"][0]["sourceRepository"]
        self.assertEqual((followed["repositoryUrl"], followed["sourceControlAuthProperties"]["token"]), (kept, token))

    def test_by_the_api(self):
        for i, (typed, kept, token) in enumerate(self.FORMS):
            secret = f"s{secrets.token_hex(12)}"
            with self.subTest(typed):
                answer = self.put(f"api{i}", typed % secret)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertNotIn(secret, answer.body.decode())
                self.check(f"api{i}", kept, secret, token % secret)

    def test_by_the_command_line(self):
        for i, (typed, kept, token) in enumerate(self.FORMS):
            secret = f"s{secrets.token_hex(12)}"
            with self.subTest(typed):
                done = self.service.slipway("task", "create", "-n", f"cli{i}", "-c", typed % secret, "-t", "app:1", "--no-push",
                                            "--commit-trigger-enabled", "true", "-o", "json")
                self.assertNotIn(secret, done.stdout + done.stderr)
                self.check(f"cli{i}", kept, secret, token % secret)

    def test_organisation_of_azure_is_no_secret(self):
        answer = self.put("azure", "https://my%20org@dev.azure.com/my%20org/p/_git/r")
        self.assertEqual(answer.status, 200, answer.body)
        step = self.service.json("POST", f"{TASKS}/azure/listDetails")["properties"]["step"]
        self.assertEqual(step["contextPath"], "https://dev.azure.com/my%20org/p/_git/r")
        self.assertNotIn("contextAccessToken", step)

    def test_refusals_do_not_repeat_it(self):
        good = "https://github.com/acme/app.git"
        for i, url in enumerate(("https://bob:%s@10.0.0.1/app.git", "https://bob:%s@github.com:99/app.git",
                                 "https://%s@github.com/acme/app", "ftp://bob:%s@github.com/app.git",
                                 "git+ssh://bob:%s@github.com/app.git", "ssh://bob:%s@github.com/app.git",
                                 "https://bob:%s%%zz@github.com/app.git", "https://bob:%s@github.com/a/../b.git",
                                 "oci://bob:%s@github.com/app", "https://bob:%s@github.com/app.git#%%zz")):
            secret = f"s{secrets.token_hex(12)}"
            with self.subTest(url):
                for context, trigger in ((url % secret, good), (good, url % secret)):
                    self.assertNotIn(secret, self.put(f"bad{i}", context, trigger).body.decode())
                build = self.service.slipway("build", "--no-push", "--no-wait", url % secret, check=False)
                task = self.service.slipway("task", "create", "-n", f"bad{i}", "-c", url % secret, "-t", "a:1", "--no-push",
                                            "--commit-trigger-enabled", "true", check=False)
                for text in (build.stdout, build.stderr, task.stdout, task.stderr, *self.told(f"bad{i}")):
                    self.assertNotIn(secret, text)

    def test_configuration_file_holds_none(self):
        for url in ("https://bob:s3cr3t@github.com/acme/", "https://s3cr3t@github.com/acme/"):
            file = self.service.folder / "bad.yaml"
            file.write_text(f"git:\n  credentials:\n    - {{ url: '{url}', token: x }}\n")
            file.chmod(0o600)
            done = self.service.slipway("config", "check", "-c", file, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("git.credentials[0].url", done.stdout + done.stderr)
            self.assertNotIn("s3cr3t", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
