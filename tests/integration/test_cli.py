"""The built command line: every verb, its exit codes and what it prints, with a runner that acts one."""

import json
import os
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.cli_test import SLIPWAY, URL, CliTest  # noqa: E402
from lib.service import ZEROS, push_payload  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

DIGEST = "sha256:" + "0" * 64


class Tasks(CliTest):
    def create(self, name, *words, code=0):
        return self.cli("task", "create", "-n", name, "-c", f"{URL}#main", "-t", "app:{{.Run.ID}}", *words, code=code)

    def test_create_show_list_delete(self):
        self.assertEqual(self.create("web", "-q").stdout, "web\n")
        task = self.read("task", "show", "-n", "web")
        self.assertEqual((task["name"], task["status"], "properties" in task), ("web", "Enabled", False))
        self.assertEqual(task["step"]["contextPath"], f"{URL}#main")
        trigger = task["trigger"]["sourceTriggers"][0]
        self.assertEqual((trigger["sourceRepository"]["branch"], trigger["sourceTriggerEvents"]), ("main", ["commit"]))
        self.assertIn("web", [t["name"] for t in self.read("task", "list")])
        self.assertIn("web", str.splitlines(self.cli("task", "list", "-q").stdout))
        self.assertEqual(self.cli("task", "show", "--name=web", "--jq", ".status").stdout, "Enabled\n")
        self.assertEqual(self.cli("task", "delete", "-n", "web").stdout, "")
        self.refused(5, "web", "task", "delete", "-n", "web")
        self.refused(5, "web", "task", "show", "-n", "web")

    def test_the_options_reach_the_task(self):
        self.create("options", "-f", "deploy/Dockerfile", "--arg", "A=1", "--secret-arg", "S=hush", "--target", "final",
                    "--platform", "linux/arm64/v8", "--timeout", "700", "--status", "Disabled", "--no-push",
                    "--commit-trigger-enabled", "false")
        task = self.read("task", "show", "-n", "options")
        step = task["step"]
        self.assertEqual((step["dockerFilePath"], step["target"], step["isPushEnabled"]), ("deploy/Dockerfile", "final", False))
        self.assertEqual([(a["name"], a["isSecret"]) for a in step["arguments"]], [("A", False), ("S", True)])
        self.assertEqual((task["timeout"], task["status"]), (700, "Disabled"))
        self.assertEqual(task["platform"], {"os": "linux", "architecture": "arm64", "variant": "v8"})
        self.assertNotIn("hush", json.dumps(task))

    def test_an_argument_without_a_value_takes_the_environment_s(self):
        self.service.environment["FROM_HERE"] = "found"
        self.create("environment", "--arg", "FROM_HERE", "--arg", "NOT_HERE")
        arguments = self.read("task", "show", "-n", "environment")["step"]["arguments"]
        self.assertEqual([(a["name"], a["value"]) for a in arguments], [("FROM_HERE", "found"), ("NOT_HERE", "")])

    def test_what_a_task_cannot_be_is_refused(self):
        self.refused(2, "-n NAME -c CONTEXT", "task", "create", "-n", "x", "-t", "x")
        self.refused(2, "-t IMAGE", "task", "create", "-n", "x", "-c", URL)
        self.refused(2, "'.' is none", "task", "create", "-n", "x", "-c", ".", "-t", "x")
        self.refused(2, "UTF-8", "task", "create", "-n", "x", "-c", os.fsdecode(b"\xff"), "-t", "x",
                     "--commit-trigger-enabled=false")
        self.refused(2, "UTF-8", "task", "create", "-n", "x", "-c", URL, "-t", os.fsdecode(b"\xff"))
        for words in (("--status", "On"), ("--timeout", "0"), ("-t", "UPPER"), ("--platform", "a/b/c/d")):
            self.create("x", *words, code=2)
        self.refused(2, "name", "task", "create", "-n", "a b", "-c", URL, "-t", "x")
        self.refused(5, "x", "task", "show", "-n", "x")

    def test_a_verb_that_wants_a_name_says_so(self):
        for verb in ("show", "delete"):
            self.refused(2, "-n TASK", "task", verb)


class Builds(CliTest):
    def test_the_log_goes_to_standard_output_and_ends_with_the_image(self):
        done = self.cli("build", "-t", "app:v1", URL, "--build-arg",
                        "SCRIPT=started; log hello; push-wanted; image app:v1; result Succeeded")
        self.assertEqual(done.stdout, f"hello\nregistry.test/app:v1@{DIGEST}\n")
        self.assertRegex(done.stderr, r"^Queued a build with ID: ca[0-9a-z]+\n$")

    def test_a_build_that_failed_is_1_and_says_why(self):
        for status in ("Failed", "Error", "Timeout"):
            done = self.build(f"started; log on the way; result {status} some_word", code=1)
            self.assertEqual(done.stdout, "on the way\n")
            self.assertIn(f": {status} (some_word)\nslipway: as the script says\n", done.stderr)

    def test_with_json_standard_output_is_the_run(self):
        done = self.build("started; log hello; result Succeeded", "-o", "json")
        run = json.loads(done.stdout)
        self.assertEqual((run["status"], run["runId"], "properties" in run), ("Succeeded", run["name"], False))
        self.assertIn("hello\n", done.stderr)
        run = json.loads(self.build("started; result Failed word", "-o", "jsonl", code=1).stdout)
        self.assertEqual((run["status"], run["errorCode"]), ("Failed", "word"))

    def test_quiet_and_jq_print_what_a_script_wants(self):
        self.assertRegex(self.build("started; log hello; result Succeeded", "-q").stdout, r"^ca[0-9a-z]+\n$")
        self.assertEqual(self.build("started; log hello; result Succeeded", "--jq", ".status").stdout, "Succeeded\n")

    def test_no_wait_prints_the_queued_run_at_once(self):
        run = json.loads(self.build("started; wait never", "--no-wait", "-o", "json").stdout)
        self.assertIn(run["status"], ("Queued", "Started", "Running"))
        self.cli("task", "cancel-run", "--run-id", run["runId"], "--wait")

    def test_no_logs_waits_in_silence(self):
        self.assertEqual(self.build("started; log hello; result Succeeded", "--no-logs").stdout, "")
        self.build("started; log hello; result Failed word", "--no-logs", code=1)

    def test_a_folder_is_sent_by_its_ignore_rules(self):
        with TemporaryFolder() as folder:
            for name, text in (("Dockerfile", "FROM scratch\n"), ("kept", "x" * 300_000), ("dropped", "x"),
                               (".dockerignore", "dropped\n"), ("under/deep", "y")):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
            (folder / ".git").mkdir()
            (folder / ".git" / "config").write_text("secret")
            before = set((self.service.data / "sources").glob("**/*.tar.gz"))
            done = self.cli("build", "--no-push", "--no-wait", "-o", "json", "--build-arg", "SCRIPT=started; wait listed; result Succeeded", str(folder))
            sent = set((self.service.data / "sources").glob("**/*.tar.gz")) - before
            self.assertEqual(len(sent), 1)
            with tarfile.open(sent.pop()) as archive:
                names = {m.name.removeprefix("./").rstrip("/") for m in archive.getmembers()}
                self.assertEqual(len(archive.extractfile("kept").read()), 300_000)
        self.assertLessEqual({"Dockerfile", "kept", "under/deep"}, names)
        self.assertFalse([n for n in names if n == "dropped" or n.startswith(".git/")])
        self.assertIn("entries", done.stderr)
        self.service.touch("listed")
        self.wait(json.loads(done.stdout)["runId"], "Succeeded")

    def test_what_cannot_be_built_is_refused_before_it_is_queued(self):
        before = len(self.service.list())
        with TemporaryFolder() as folder:
            (folder / "empty").mkdir()
            (folder / "bad").mkdir()
            (folder / "bad" / "Dockerfile").write_text("FROM scratch\n")
            (folder / "bad" / ".dockerignore").write_text("[a-\n")
            self.refused(2, "Dockerfile", "build", "--no-push", str(folder / "empty"))
            self.refused(2, ".dockerignore:1: ", "build", "--no-push", str(folder / "bad"))
            self.cli("build", "--no-push", str(folder / "missing"), code=2)
        self.refused(2, "context", "build", "--no-push", "/dev/null")
        self.refused(2, "timeout", "build", "--no-push", "--timeout", "0", URL)
        self.refused(2, "Usage: slipway build", "build", "--no-push")
        self.refused(2, "unexpected word 'two'", "build", "--no-push", "one", "two")
        self.assertEqual(len(self.service.list()), before)

    def test_a_log_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([SLIPWAY, "build", "--no-push", "--build-arg", "SCRIPT=started; log x; result Succeeded",
                                   URL], stdout=full, stderr=subprocess.PIPE, env=self.service.environment, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("cannot write the log: No space left", done.stderr)


class Deliveries(CliTest):
    def test_deliveries_are_listed_and_shown_with_their_verdicts(self):
        self.cli("task", "create", "-n", "web", "-c", f"{URL}#main", "--no-push")
        self.service.deliver(push_payload(URL, "refs/heads/other", ZEROS, "c" * 40), delivery="d-1")
        self.service.deliver(push_payload(URL, "refs/heads/main", ZEROS, "d" * 40), delivery="d-2")
        listed = self.read("delivery", "list")
        self.assertEqual([d["deliveryId"] for d in listed], ["d-2", "d-1"])
        self.assertEqual(listed[1]["runs"], [])
        self.assertLessEqual({"deliveryId", "webhook", "event", "receivedTime", "verdicts", "runs"}, set(listed[0]))
        self.assertEqual(self.cli("delivery", "list", "-q", "--top", "1").stdout, "d-2\n")
        self.assertEqual(self.read("delivery", "show", "d-1")["verdicts"][0]["matched"], False)
        self.assertRegex(self.cli("delivery", "list").stdout, "(?m)^d-2 +github +push +git.example.org/acme/app +refs/heads/main .* ca")
        self.assertIn("web              not matched ", self.cli("delivery", "show", "d-1").stdout)
        self.wait(listed[0]["runs"][0], "Succeeded")
        self.refused(5, "delivery", "delivery", "show", "nobody's/../d-1")
        self.refused(2, "Usage", "delivery", "show")
        self.refused(2, "number", "delivery", "list", "--top", "many")


class Doors(CliTest):
    def test_health_is_told_part_by_part(self):
        done = self.service.slipway("check-health", check=False)
        checks = self.read("check-health", code=done.returncode)
        self.assertEqual(done.returncode, 0 if all(c["ok"] for c in checks) else 1)
        for check in checks:
            self.assertRegex(done.stdout, rf"(?m)^{'ok ' if check['ok'] else 'FAILED '} *{check['name']} ")
        self.assertIn("engine", str.splitlines(self.cli("check-health", "-q", code=done.returncode).stdout))

    def test_the_registry_can_be_named(self):
        self.assertEqual(self.read("task", "list", "-r", "main"), [])
        self.refused(5, "other", "task", "list", "-r", "other")
        self.refused(5, "", "task", "list", "-r", "../registries")

    def test_tcp_without_a_token_is_not_permitted(self):
        server = f"http://127.0.0.1:{self.service.port}"
        self.refused(4, "token", "task", "list", "--server", server)
        self.refused(4, "token", "task", "list", "-r", "main", "--server", server + "/")

    def test_options_may_stand_before_the_verb(self):
        self.assertEqual(json.loads(self.cli("-o", "json", "-r", "main", "task", "list").stdout), [])

    def test_verbose_tells_each_request(self):
        self.assertRegex(self.cli("task", "list", "--verbose").stderr, r"GET http://slipway/v1/registries/main/tasks: 200\n")

    def test_a_result_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([SLIPWAY, "task", "list"], stdout=full, stderr=subprocess.PIPE,
                                  env=self.service.environment, text=True)
        self.assertEqual((done.returncode, "No space left" in done.stderr), (3, True))

    def test_a_wrong_jq_expression_is_2(self):
        self.refused(2, "--jq: ", "task", "list", "--jq", ".[")


class Alone(unittest.TestCase):
    """Without a service."""

    def setUp(self):
        self.folder = self.enterContext(TemporaryFolder())
        self.environment = {k: v for k, v in os.environ.items() if k not in ("SLIPWAY_SERVER", "SLIPWAY_CONFIG")}
        self.environment["SLIPWAY_SOCKET"] = str(self.folder / "slipway.sock")

    def slipway(self, *words, code):
        done = subprocess.run([SLIPWAY, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=self.environment, timeout=20)
        self.assertEqual(done.returncode, code, f"slipway {words}\n{done.stdout}\n{done.stderr}")
        return done

    def test_a_service_that_is_not_there_is_3_at_once(self):
        for words in (("task", "list"), ("-r", "main", "task", "logs", "--run-id", "ca1"), ("check-health",),
                      ("task", "list", "--server", "http://127.0.0.1:1"), ("delivery", "list"),
                      ("task", "cancel-run", "--run-id", "ca1"), ("build", "--no-push", URL)):
            done = self.slipway(*words, code=3)
            self.assertIn("cannot reach the service at", done.stderr)

    def test_a_server_that_is_no_url_is_2(self):
        self.assertIn("wants a URL", self.slipway("task", "list", "--server", "ci.example.org", code=2).stderr)

    def test_every_verb_explains_itself(self):
        verbs = [line[2:24].strip() for line in self.slipway("--help", code=0).stdout.splitlines() if line.startswith("  ")]
        self.assertGreaterEqual(len(verbs), 15)
        for verb in verbs:
            text = self.slipway(*verb.split(), "--help", code=0).stdout
            self.assertTrue(text.startswith(f"Usage: slipway {verb} "), text)
            self.assertEqual(self.slipway("help", *verb.split(), code=0).stdout, text)

    def test_half_a_verb_lists_the_others(self):
        self.assertIn("task list-runs", self.slipway("task", "--help", code=0).stdout)
        self.assertIn("task list-runs", self.slipway("task", code=2).stderr)
        self.assertIn("Verbs:", self.slipway(code=2).stderr)

    def test_typos_and_verbs_that_there_are_not(self):
        for words, meant in ((("biuld", "."), "build"), (("task", "list-run"), "task list-runs"), (("logs",), "task logs")):
            self.assertIn(f"did you mean '{meant}'?", self.slipway(*words, code=2).stderr)
        for words in (("token", "create"), ("purge",), ("task", "run", "-n", "x"), ("repository", "list"), ("",)):
            self.assertIn("unknown command", self.slipway(*words, code=2).stderr)
        self.assertIn("did you mean --run-status?", self.slipway("task", "list-runs", "--run-state", "x", code=2).stderr)

    def test_the_version(self):
        version = self.slipway("--version", code=0).stdout
        self.assertRegex(version, r"^slipway \d+\.\d+\.\d+\n$")
        self.assertEqual(self.slipway("task", "list", "--version", code=0).stdout, version)

    def test_a_configuration_is_checked_and_printed(self):
        good, bad = self.folder / "good.yaml", self.folder / "bad.yaml"
        good.write_text("max_running: 3\n")
        bad.write_text("max_running: 3\nlistne: none\n")
        self.assertIn("is good", self.slipway("config", "check", "-c", str(good), code=0).stdout)
        self.assertIn("max_running: 3", self.slipway("config", "print", "-c", str(good), code=0).stdout)
        said = self.slipway("config", "check", "-c", str(bad), code=2).stderr
        self.assertIn("2:1", said)
        self.assertIn("listen", said)
        self.slipway("config", "check", "-c", str(self.folder / "none.yaml"), code=2)


if __name__ == "__main__":
    unittest.main()
