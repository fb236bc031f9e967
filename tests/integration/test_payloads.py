"""Every delivery that GitHub's own examples record, of github.com and of Enterprise Server, is read
as what it is. The examples come from npm (tests/package.json): npm ci --prefix tests"""
import json
import os
import subprocess
import unittest
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "node_modules/@octokit/webhooks-examples"
READER = os.environ.get("READ_DELIVERY", "build/tests/read_delivery")
ZEROS = "0" * 40
ACTIONS = {"opened": "opened", "reopened": "reopened", "synchronize": "updated", "ready_for_review": "ready"}


def recorded():
    """(edition, event name, payload) of each recorded delivery."""
    for index in sorted(EXAMPLES.glob("*/index.json")):
        for event in json.loads(index.read_text()):
            for payload in event["examples"]:
                yield index.parent.name, event["name"], payload


def read(deliveries):
    """What read_delivery says to each of (name, payload)."""
    message = b""
    for name, payload in deliveries:
        body = json.dumps(payload).encode()
        message += b"%s %d\n%s" % (name.encode(), len(body), body)
    answer = subprocess.run([READER], input=message, capture_output=True, check=True, timeout=60)
    return [json.loads(line) for line in answer.stdout.splitlines()]


@unittest.skipUnless(EXAMPLES.is_dir(), "no examples: npm ci --prefix tests")
class Payloads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recorded = list(recorded())
        cls.said = read((name, payload) for _, name, payload in cls.recorded)

    def of(self, name):
        return [(payload, said) for (_, event, payload), said in zip(self.recorded, self.said)
                if event == name]

    def test_there_are_many_of_several_editions(self):
        self.assertGreater(len(self.recorded), 500)
        self.assertEqual(len(self.recorded), len(self.said))
        self.assertGreaterEqual(len({edition for edition, _, _ in self.recorded}), 6)

    def test_pushes_say_ref_tip_and_repository(self):
        pushes = self.of("push")
        self.assertGreater(len(pushes), 10)
        for payload, said in pushes:
            self.assertEqual(said, {
                "kind": "push",
                "ref": payload["ref"],
                "before": payload["before"],
                "after": payload["after"],
                "url": payload["repository"]["clone_url"],
                "repository": said["repository"],
                "sender": payload["sender"]["login"],
                "created": payload["before"] == ZEROS,
                "deleted": payload["after"] == ZEROS,
                "forced": payload["forced"],
            })
            host = payload["repository"]["clone_url"].split("/")[2]
            full_name = payload["repository"]["full_name"]
            if host == "github.com":
                full_name = full_name.lower()
            self.assertEqual(said["repository"], f"{host}/{full_name}")

    def test_pings_are_pings(self):
        pings = self.of("ping")
        self.assertGreater(len(pings), 0)
        for _, said in pings:
            self.assertEqual(said["kind"], "ping")

    def test_pull_requests_say_commit_branches_and_what_happened(self):
        pulls = self.of("pull_request")
        self.assertGreater(len(pulls), 40)
        for payload, said in pulls:
            pull = payload["pull_request"]
            self.assertEqual(said, {
                "kind": "pull_request",
                "ref": f"refs/pull/{payload['number']}/head",
                "after": pull["head"]["sha"],
                "url": payload["repository"]["clone_url"],
                "repository": said["repository"],
                "sender": payload["sender"]["login"],
                "created": False, "deleted": False, "forced": False,
                "pull": {
                    "number": payload["number"],
                    "action": self.action(payload),
                    "target": "refs/heads/" + pull["base"]["ref"],
                    "source": "refs/heads/" + pull["head"]["ref"],
                    "draft": pull["draft"],
                    "fork": not pull["head"]["repo"]
                            or pull["head"]["repo"]["full_name"] != pull["base"]["repo"]["full_name"],
                },
            })

    def action(self, payload):
        if payload["action"] == "closed":
            return "merged" if payload["pull_request"]["merged"] else "closed"
        if payload["action"] == "edited" and "base" in payload["changes"]:
            return "retargeted"
        return ACTIONS.get(payload["action"], "other")

    def test_the_kinds_of_pull_requests_are_there(self):
        actions = {said["pull"]["action"] for _, said in self.of("pull_request")}
        self.assertLessEqual({"opened", "reopened", "updated", "ready", "closed", "other"}, actions)

    def test_actions_that_no_example_records(self):
        payload = json.loads(json.dumps(self.of("pull_request")[0][0]))
        cases = [
            ("closed", {"merged": True}, {}, "merged"),
            ("edited", {}, {"changes": {"base": {"ref": {"from": "main"}}}}, "retargeted"),
            ("edited", {}, {"changes": {"title": {"from": "old"}}}, "other"),
            ("enqueued", {}, {}, "other"),
        ]
        for action, pull, more, wanted in cases:
            changed = {**payload, **more, "action": action, "pull_request": {**payload["pull_request"], **pull}}
            self.assertEqual(read([("pull_request", changed)])[0]["pull"]["action"], wanted)

    def test_a_merge_group_is_built_as_a_pull_request_to_its_target(self):
        groups = self.of("merge_group")
        self.assertGreater(len(groups), 0)
        for payload, said in groups:
            group = payload["merge_group"]
            self.assertEqual(said, {
                "kind": "pull_request",
                "ref": group["head_ref"],
                "after": group["head_sha"],
                "url": payload["repository"]["clone_url"],
                "repository": said["repository"],
                "sender": payload["sender"]["login"],
                "created": False, "deleted": False, "forced": False,
                "pull": {"number": 104, "action": "updated", "target": group["base_ref"],
                         "draft": False, "fork": False},
            })

    def test_everything_else_is_other_and_no_error(self):
        for (edition, name, _), said in zip(self.recorded, self.said):
            if name not in ("push", "ping", "pull_request", "merge_group"):
                self.assertEqual(said.get("kind"), "other", f"{edition} {name}: {said}")

    def test_an_annotated_or_other_tip_is_taken_over_the_first_commit(self):
        payload = json.loads(json.dumps(self.of("push")[0][0]))
        payload["after"] = "a" * 40
        payload["commits"] = [{"id": "b" * 40}, {"id": "c" * 40}]
        payload["head_commit"] = {"id": "d" * 40}
        self.assertEqual(read([("push", payload)])[0]["after"], "a" * 40)


if __name__ == "__main__":
    unittest.main()
