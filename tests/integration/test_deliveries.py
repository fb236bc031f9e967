"""Deliveries explained, replayed and simulated, by the built command line and server."""

import json
import socket
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.cli_test import URL, CliTest  # noqa: E402
from lib.fake_service import error_code  # noqa: E402
from lib.service import SECRET, ZEROS, push_payload, sign  # noqa: E402

SCRIPT = "SCRIPT=started; result Succeeded"


def push(commit="a" * 40, ref="refs/heads/main", before=ZEROS):
    return push_payload(URL, ref, before, commit)


class DeliveryTest(CliTest):
    def setUp(self):
        self.task("web")

    def task(self, name, branch="main"):
        self.cli("task", "create", "-n", name, "-c", f"{URL}#{branch}", "--no-push", "--arg", SCRIPT)

    def database(self):
        return sqlite3.connect(f"file:{self.service.data}/slipway.db?mode=ro", uri=True)

    def rows(self, sql):
        connection = self.database()
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def contents(self):
        connection = self.database()
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    def deliver(self, payload, delivery, **more):
        answer = self.service.deliver(payload, delivery=delivery, **more)
        self.assertIn(answer.status, (200, 202), answer.body)
        return json.loads(answer.body)["runs"]

    def refused_by_api(self, status, code, path, body=None):
        answer = self.service.request("POST", path, body)
        self.assertEqual((answer.status, error_code(answer)), (status, code), answer.body)


class Replay(DeliveryTest):
    def test_a_delivery_starts_again_what_it_started(self):
        [first] = self.deliver(push("1" * 40), "r-1")
        self.wait(first, "Succeeded")
        answer = self.service.request("POST", "/v1/deliveries/r-1/replay")
        self.assertEqual(answer.status, 202)
        replay = json.loads(answer.body)
        [again] = replay["runs"]
        self.assertNotEqual(again, first)
        self.assertEqual((replay["replayOf"], replay["webhook"], replay["event"]), ("r-1", "github", "push"))
        self.assertEqual(replay["verdicts"][0]["runId"], again)
        self.assertIn("replay of r-1: push to main", replay["verdicts"][0]["reason"])
        run = self.wait(again, "Succeeded")
        self.assertEqual(run["sourceTrigger"]["commitId"], "1" * 40)
        self.assertEqual(run["sourceTrigger"]["id"], replay["deliveryId"])
        self.assertIn("replay of r-1", run["reason"])
        self.assertEqual(self.service.json("GET", f"/v1/deliveries/{replay['deliveryId']}"), replay)

    def test_it_can_be_said_again_and_again(self):
        runs = self.deliver(push("2" * 40), "r-2")
        for _ in range(3):
            runs += self.read("delivery", "replay", "r-2")["runs"]
        self.assertEqual(len(set(runs)), 4)
        replayed = self.read("delivery", "list", "--top", "1")[0]
        again = self.read("delivery", "replay", replayed["deliveryId"])
        self.assertEqual(again["replayOf"], replayed["deliveryId"])
        self.assertEqual(len(again["runs"]), 1)

    def test_a_redelivery_afterwards_starts_nothing(self):
        payload = push("3" * 40)
        [first] = self.deliver(payload, "r-3")
        [again] = self.read("delivery", "replay", "r-3")["runs"]
        answer = self.service.deliver(payload, delivery="r-3")
        self.assertEqual((answer.status, json.loads(answer.body)["runs"]), (200, [first]))
        other = dict(payload, compare="another body of the same event")
        answer = json.loads(self.service.deliver(other, delivery="r-3-b").body)
        self.assertEqual((answer["runs"], answer["verdicts"][0]["runId"]), ([], again))

    def test_the_tasks_are_those_of_now(self):
        self.task("moved", branch="elsewhere")
        self.deliver(push("4" * 40, "refs/heads/release"), "r-4")
        before = self.read("delivery", "show", "r-4")
        self.assertEqual({v["matched"] for v in before["verdicts"]}, {False})
        self.task("moved", branch="release")
        replay = self.read("delivery", "replay", "r-4")
        verdicts = {v["task"]: v for v in replay["verdicts"]}
        self.assertTrue(verdicts["moved"]["matched"])
        self.assertFalse(verdicts["web"]["matched"])
        self.assertEqual(replay["runs"], [verdicts["moved"]["runId"]])
        self.assertEqual(self.read("delivery", "show", "r-4"), before)
        self.cli("task", "delete", "-n", "moved")

    def test_what_starts_nothing_says_why(self):
        self.service.deliver({"zen": "Keep it logically awesome.", "hook_id": 5}, event="ping", delivery="r-ping")
        answer = self.service.request("POST", "/v1/deliveries/r-ping/replay")
        self.assertEqual(answer.status, 200)
        body = json.loads(answer.body)
        self.assertEqual((body["runs"], body["verdicts"][0]["reason"]),
                         ([], "replay of r-ping: ping: the webhook is connected"))

    def test_who_is_not_there_cannot_be_replayed(self):
        self.refused(5, "no delivery 'nobody'", "delivery", "replay", "nobody")
        self.refused(2, "Usage", "delivery", "replay")
        self.refused_by_api(404, "not_found", "/v1/deliveries/nobody/replay")

    def test_the_command_line_tells_the_trail(self):
        self.deliver(push("6" * 40), "r-6")
        text = self.cli("delivery", "replay", "r-6").stdout
        self.assertRegex(text, "(?m)^replay of +r-6$")
        self.assertRegex(text, "(?m)^commits +0{12} → 6{12}$")
        self.assertRegex(text, r"(?m)^verdicts +web +matched +replay of r-6: push to main by .* \(run ca\w+\)$")


class TwoWebhooks(DeliveryTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = cls.service.config_file.read_text()
        [line] = [line for line in text.splitlines() if "name: github" in line]
        cls.service.stop()
        cls.service.write_config(text.replace(line, line + "\n" + line.replace("name: github", "name: second")))
        cls.service.start()

    def test_one_id_on_two_webhooks(self):
        self.deliver(push("1" * 40), "same")
        self.deliver(push("2" * 40), "same", webhook="second")
        self.refused(2, "say which webhook", "delivery", "replay", "same")
        for webhook, commit in (("github", "1"), ("second", "2")):
            shown = self.read("delivery", "show", "same", "--webhook", webhook)
            self.assertEqual((shown["webhook"], shown["after"]), (webhook, commit * 40))
            again = self.read("delivery", "replay", "same", "--webhook", webhook)
            self.assertEqual((again["webhook"], again["after"], len(again["runs"])), (webhook, commit * 40, 1))
        self.refused(5, "on that webhook", "delivery", "replay", "same", "--webhook", "third")

    def test_simulate_wants_to_know_which(self):
        body = {"body": "{}", "headers": {}}
        self.refused_by_api(400, "bad_request", "/v1/deliveries/simulate", body)
        self.refused_by_api(404, "not_found", "/v1/deliveries/simulate", dict(body, webhook="third"))


class Kills(DeliveryTest):
    """kill -9 around the commit of a replay: a run with its delivery, or neither; at most one."""

    def replay_and_kill(self, wait_for_the_row):
        before = self.count()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.service.socket))
            client.sendall(b"POST /v1/deliveries/k-1/replay HTTP/1.1\r\nHost: s\r\nContent-Length: 0\r\n\r\n")
            if wait_for_the_row:
                self.service.eventually(lambda: self.count() > before, what="the commit")
            self.service.kill()
        self.service.start()
        return self.count() - before

    def count(self):
        [[deliveries]] = self.rows("SELECT count(*) FROM delivery WHERE replay_of = 'k-1'")
        return deliveries

    def test_at_most_one_new_run(self):
        self.deliver(push("5" * 40), "k-1")
        for i in range(8):
            made = self.replay_and_kill(wait_for_the_row=i % 2)
            self.assertIn(made, (1,) if i % 2 else (0, 1))
        [[runs]] = self.rows("SELECT count(*) FROM run")
        self.assertEqual(runs, 1 + self.count())
        for [run] in self.rows("SELECT runs FROM delivery"):
            self.wait(run, "Succeeded")


class Simulate(DeliveryTest):
    def saved(self, payload, delivery="s-1", secret=SECRET, event="push", line_end="\r\n"):
        """A file with a whole request, as a proxy or a forge's page shows it."""
        body = json.dumps(payload)
        head = ["POST /webhooks/github HTTP/1.1", "Host: ci.example.org", "Content-Type: application/json",
                f"x-github-event: {event}", f"X-GitHub-Delivery: {delivery}",
                f"X-Hub-Signature-256: {sign(body.encode(), secret)}", "", ""]
        return self.file(line_end.join(head) + body)

    def file(self, text):
        path = self.service.folder / "saved"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def simulate(self, *words, **more):
        return self.read("delivery", "simulate", *words, **more)

    def test_a_saved_request_is_judged_as_a_real_one(self):
        self.task("api", branch="next")
        for line_end in ("\r\n", "\n"):
            trail = self.simulate(self.saved(push("1" * 40), line_end=line_end))
            self.assertEqual((trail["signature"], trail["status"], trail["problems"]), ("valid", 202, []))
            self.assertEqual((trail["deliveryId"], trail["webhook"], trail["event"]), ("s-1", "github", "push"))
            self.assertEqual(trail["events"], [
                {"ref": "refs/heads/main", "before": ZEROS, "after": "1" * 40, "created": True}])
            verdicts = {v["task"]: v for v in trail["verdicts"]}
            self.assertEqual((verdicts["web"]["matched"], verdicts["api"]["matched"]), (True, False))
            self.assertEqual(trail["runs"], [])
        real = json.loads(self.service.deliver(push("1" * 40), delivery="s-1").body)
        self.assertEqual([(v["task"], v["matched"], v["reason"]) for v in real["verdicts"]],
                         [(v["task"], v["matched"], v["reason"]) for v in trail["verdicts"]])
        self.cli("task", "delete", "-n", "api")

    def test_a_signature_is_told_and_does_not_stop_it(self):
        trail = self.simulate(self.saved(push("2" * 40), secret="another"))
        self.assertTrue(trail["signature"].startswith("invalid: "), trail)
        self.assertEqual((trail["status"], trail["problems"][0]["code"]), (401, "signature_mismatch"))
        self.assertTrue(trail["verdicts"][0]["matched"])
        text = self.cli("delivery", "simulate", self.saved(push("2" * 40), secret="another")).stdout
        self.assertRegex(text, "(?m)^signature +invalid: ")
        self.assertRegex(text, "(?m)^verdicts +web +matched +push to main")
        self.assertRegex(text, "(?m)^answer +401$")
        missing = self.simulate(self.file(json.dumps(push("2" * 40))), "--event", "push", "--webhook", "github")
        self.assertTrue(missing["signature"].startswith("missing: "), missing)
        self.assertEqual([p["code"] for p in missing["problems"]], ["signature_missing", "bad_delivery_id"])
        self.assertNotIn("deliveryId", missing)

    def test_a_header_can_be_given(self):
        body = json.dumps(push("3" * 40))
        given = ("--header", "X-GitHub-Event: push", "--header", "X-GitHub-Delivery: h-1", "--webhook", "github",
                 "--header", f"X-Hub-Signature-256: {sign(body.encode(), SECRET)}")
        trail = self.simulate(*given, self.file(body))
        self.assertEqual((trail["status"], trail["deliveryId"]), (202, "h-1"))
        with open(self.file(body)) as stdin:
            self.assertEqual(self.simulate(*given, "-", stdin=stdin), trail)
        other = self.simulate("--header", "x-github-delivery: h-2", self.saved(push("3" * 40)))
        self.assertEqual((other["status"], other["deliveryId"]), (202, "h-2"))

    def test_it_says_what_would_repeat(self):
        payload = push("4" * 40)
        [run] = self.deliver(payload, "s-4")
        known = self.simulate(self.saved(payload, delivery="s-4"))
        self.assertEqual((known["status"], known["known"]), (200, {"deliveryId": "s-4", "runs": [run]}))
        other = self.simulate(self.saved(dict(payload, compare="x"), delivery="s-5"))
        self.assertEqual((other["status"], other["verdicts"][0]["runId"], other["verdicts"][0]["reason"]),
                         (200, run, f"would repeat the event that started run {run}"))
        conflict = self.simulate(self.saved(push("5" * 40), delivery="s-4"))
        self.assertEqual((conflict["status"], conflict["problems"][0]["code"]), (409, "delivery_conflict"))
        self.assertTrue(conflict["verdicts"][0]["matched"])

    def test_it_changes_nothing(self):
        self.deliver(push("6" * 40, "refs/heads/other"), "s-6")
        runs = self.service.list("?$top=1000")
        for run in runs:
            self.wait(run["name"], "Succeeded")
        before = self.contents()
        metrics = self.service.request("GET", "/metrics").body.decode().split("slipway_deliver")[1:]
        for payload in (push("7" * 40), push("6" * 40, "refs/heads/other"), push(ZEROS, before="6" * 40), {}, []):
            for secret in (SECRET, "wrong"):
                self.cli("delivery", "simulate", self.saved(payload, secret=secret),
                         code=0 if isinstance(payload, dict) and payload else 2)
        self.assertEqual(self.contents(), before)
        self.assertEqual(len(self.service.list("?$top=1000")), len(runs))
        self.assertEqual(self.service.request("GET", "/metrics").body.decode().split("slipway_deliver")[1:], metrics)
        self.assertEqual(len(self.deliver(push("7" * 40), "s-7")), 1)

    def test_what_cannot_be_read(self):
        for text, part in (("", "empty line"), ("no header\n\n{}", "line 1"), ("A: b\nA: c\n\n{}", "twice"),
                           ("A: b\n", "empty line"), (b'{"\xff": 1}', "UTF-8"), (b'{"a": "\x00"}', "UTF-8")):
            self.refused(2, part, "delivery", "simulate", self.file(text))
        self.refused(2, "cannot be read", "delivery", "simulate", self.service.folder / "missing")
        self.refused(2, "Name: value", "delivery", "simulate", "--header", "nonsense", self.file("{}"))
        self.refused(5, "there are: github", "delivery", "simulate", "--webhook", "other", self.file("{}"))
        self.refused(2, "says it already", "delivery", "simulate", "--event", "push", self.saved(push()))
        trail = self.simulate(self.file("{"), "--event", "push", "--webhook", "github", code=2)
        self.assertEqual(trail["problems"][-1]["code"], "bad_json")
        self.assertEqual(trail["verdicts"], [])

    def test_a_form_is_read_too(self):
        trail = self.simulate(self.file("payload=%7B%22zen%22%3A%22x%22%7D"), "--event", "ping", "--webhook", "github")
        self.assertEqual((trail["event"], trail["verdicts"][0]["reason"]), ("ping", "ping: the webhook is connected"))
        self.assertNotIn("events", trail)

    def test_too_large_a_body_is_refused(self):
        self.refused_by_api(413, "too_large", "/v1/deliveries/simulate", {"webhook": "github", "body": "x" * (6 << 20)})
        self.refused_by_api(413, "too_large", "/v1/deliveries/simulate", b" " * (12 << 20))


if __name__ == "__main__":
    unittest.main()
