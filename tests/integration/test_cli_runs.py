"""Runs from the command line: followed, interrupted, listed and canceled."""

import json
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.cli_test import SLIPWAY, URL, CliTest  # noqa: E402
from lib.service import ZEROS, push_payload  # noqa: E402


class Interrupts(CliTest):
    CONFIG = "run: { grace_s: 1 }\n"

    def started(self, script):
        """A build that has shown its first line of log, and its run's id."""
        build = self.enterContext(self.open("build", "--no-push", "--build-arg", f"SCRIPT=started; log up; {script}", URL))
        run = build.stderr.readline().decode().split()[-1]
        self.assertEqual(build.stdout.readline(), b"up\n")
        return build, run

    def test_ctrl_c_cancels_the_run(self):
        build, run = self.started("wait never")
        build.send_signal(signal.SIGINT)
        _, said = build.communicate(timeout=20)
        self.assertEqual(build.returncode, 1)
        self.assertIn(b"asking for a cancel of " + run.encode(), said)
        self.assertIn(f"run {run}: Canceled".encode(), said)
        self.wait(run, "Canceled")

    def test_ctrl_c_twice_detaches(self):
        build, run = self.started("ignore-term; wait never-comes")
        build.send_signal(signal.SIGINT)
        self.assertIn(b"asking for a cancel", build.stderr.readline())
        build.send_signal(signal.SIGINT)
        _, said = build.communicate(timeout=20)
        self.assertEqual(build.returncode, 1)
        self.assertIn(b"slipway task logs --run-id " + run.encode(), said)

    def test_ctrl_c_at_a_log_that_is_followed_cancels_nothing(self):
        run = self.queue("started; log up; wait go-on; result Succeeded")
        with self.open("task", "logs", "--run-id", run) as logs:
            self.assertEqual(logs.stdout.readline(), b"up\n")
            logs.send_signal(signal.SIGINT)
            logs.communicate(timeout=20)
        self.assertEqual(logs.returncode, -signal.SIGINT)
        self.service.touch("go-on")
        self.wait(run, "Succeeded")


class Logs(CliTest):
    def test_following_and_reading_later_give_the_same_bytes(self):
        run = self.queue("started; fill 400000; wait half; fill 300000; log end; result Succeeded")
        with self.open("task", "logs", "--run-id", run) as live:
            first = self.read_bytes(live.stdout, 1000)
            self.service.touch("half")
            followed = first + live.communicate(timeout=30)[0]
        self.assertEqual(live.returncode, 0)
        stored = self.service.run_log(run)
        self.assertEqual(len(stored), 700_004)
        self.assertEqual(followed, stored)
        for words in ((), ("--no-follow",)):
            read = subprocess.run([SLIPWAY, "task", "logs", "--run-id", run, *words], stdout=subprocess.PIPE,
                                  env=self.service.environment, check=True)
            self.assertEqual(read.stdout, stored)

    def test_no_follow_shows_what_is_there_now(self):
        run = self.queue("started; log first; touch first; wait second; log second; result Succeeded")
        self.service.wait_file("first")
        self.assertEqual(self.cli("task", "logs", "--run-id", run, "--no-follow").stdout, "first\n")
        self.service.touch("second")
        self.assertEqual(self.cli("task", "logs", "--run-id", run).stdout, "first\nsecond\n")

    def test_a_restarted_server_leaves_no_gap(self):
        for signum in (signal.SIGKILL, signal.SIGTERM):
            gate = f"restarted-{signum}"
            run = self.queue(f"started; fill 100000; wait {gate}; fill 100000; log end; result Succeeded")
            with self.open("task", "logs", "--run-id", run) as live:
                first = self.read_bytes(live.stdout, 100_000)
                self.service.stop(signum)
                self.service.start()
                self.service.touch(gate)
                followed = first + live.communicate(timeout=40)[0]
            self.assertEqual(live.returncode, 0)
            self.assertEqual(followed, self.service.run_log(run))
            self.assertEqual(len(followed), 200_004)

    def test_the_last_run_of_a_task_or_of_all(self):
        self.cli("task", "create", "-n", "logged", "-c", f"{URL}#logged", "--no-push", "--arg",
                 "SCRIPT=started; log of the task; result Succeeded")
        self.refused(5, "has no run yet", "task", "logs", "-n", "logged")
        payload = push_payload(URL, "refs/heads/logged", ZEROS, "a" * 40)
        self.wait(json.loads(self.service.deliver(payload).body)["runs"][0], "Succeeded")
        self.build("started; log by hand; result Succeeded")
        self.assertEqual(self.cli("task", "logs", "-n", "logged").stdout, "of the task\n")
        self.assertEqual(self.cli("task", "logs").stdout, "by hand\n")

    def test_a_run_that_there_is_not(self):
        self.refused(5, "cazzz", "task", "logs", "--run-id", "cazzz")
        self.refused(2, "no run id", "task", "logs", "--run-id", "../etc")
        self.refused(5, "cazzz", "task", "show-run", "--run-id", "cazzz")
        self.refused(2, "--run-id ID", "task", "show-run")

    def test_a_run_is_shown(self):
        run = self.queue("started; step build Running; step build Succeeded; result Failed word")
        self.wait(run, "Failed")
        shown = self.read("task", "show-run", "--run-id", run)
        self.assertEqual((shown["runId"], shown["status"], shown["errorCode"]), (run, "Failed", "word"))
        text = self.cli("task", "show-run", "--run-id", run).stdout
        self.assertRegex(text, rf"run +{run}\nstatus +Failed\nerror +word\nbecause +as the script says\n")
        self.assertIn("steps          build    Succeeded", text)


class Runs(CliTest):
    """One run holds the only place; all others wait in the queue."""
    CONFIG = "max_running: 1\nrun: { grace_s: 1 }\n"

    def setUp(self):
        self.holder = self.queue("started; wait never")
        self.wait(self.holder, "Running")
        self.addCleanup(self.cli, "task", "cancel-run", "--all", "--wait")

    def queued(self, count):
        return [self.service.submit() for _ in range(count)]

    def outcomes(self, *words, code=0):
        return {r["runId"]: r["outcome"] for r in self.read("task", "cancel-run", *words, code=code)}

    def test_a_listing_is_newest_first_in_every_format(self):
        first, second = self.queued(2)
        listed = self.read("task", "list-runs", "--top", "2")
        self.assertEqual([r["runId"] for r in listed], [second, first])
        self.assertEqual(self.cli("task", "list-runs", "-q", "--top", "2").stdout, f"{second}\n{first}\n")
        rows = str.splitlines(self.cli("task", "list-runs", "-o", "jsonl", "--top", "2").stdout)
        self.assertEqual([json.loads(row)["runId"] for row in rows], [second, first])
        rows = str.splitlines(self.cli("task", "list-runs", "-o", "tsv", "--top", "1").stdout)
        self.assertEqual(rows[0].split("\t")[0], second)
        rows = str.splitlines(self.cli("task", "list-runs", "--top", "1").stdout)
        self.assertEqual((rows[0].split()[:2], rows[1].split()[0]), (["RUN", "ID"], second))

    def test_a_listing_goes_beyond_a_page(self):
        ids = self.queued(130)
        self.assertEqual(len(self.read("task", "list-runs")), 15)
        self.assertEqual(len(self.read("task", "list-runs", "--top", "120")), 120)
        everything = str.splitlines(self.cli("task", "list-runs", "-q").stdout)
        self.assertEqual(everything[:130], ids[::-1])
        self.assertEqual(len(everything), len(set(everything)))
        self.assertEqual(len(str.splitlines(self.cli("task", "list-runs", "-q", "--top", "7").stdout)), 7)
        self.assertEqual(len(self.outcomes("--all", "--run-status", "Queued")), 130)

    def test_a_listing_is_filtered(self):
        self.queued(1)
        self.assertEqual([r["runId"] for r in self.read("task", "list-runs", "--run-status", "running")], [self.holder])
        self.assertEqual(self.read("task", "list-runs", "-n", "it's none"), [])
        self.assertEqual(self.read("task", "list-runs", "--image", "app@sha256:00"), [])
        self.refused(2, "not 'Done'", "task", "list-runs", "--run-status", "Done")

    def test_runs_are_canceled_by_their_ids(self):
        first, second = self.queued(2)
        self.assertEqual(self.outcomes("--run-id", first, "--run-id", second, "--run-id", "cazzz"),
                         {first: "Canceled", second: "Canceled", "cazzz": "NotFound"})
        self.assertEqual(self.outcomes("--run-id", first), {first: "AlreadyCanceled"})
        self.assertEqual(self.outcomes("--run-id", "cazzz", code=5), {"cazzz": "NotFound"})

    def test_what_has_ended_is_a_conflict(self):
        self.cli("task", "cancel-run", "--run-id", self.holder, "--wait")
        ended = self.queue("started; result Succeeded")
        self.wait(ended, "Succeeded")
        self.assertEqual(self.outcomes("--run-id", ended, code=6), {ended: "AlreadyEnded"})

    def test_wait_is_until_the_end(self):
        done = self.cli("task", "cancel-run", "--run-id", self.holder, "--wait", "-o", "tsv")
        self.assertEqual(done.stdout.split("\t")[:2], [self.holder, "Accepted"])
        self.assertIn(f"run {self.holder}: Canceled", done.stderr)
        self.assertEqual(self.service.show(self.holder)["status"], "Canceled")

    def test_all_is_narrowed_by_a_selection(self):
        mine = self.queued(2)
        self.cli("task", "create", "-n", "selected", "-c", f"{URL}#selected", "--no-push")
        pushed = json.loads(self.service.deliver(push_payload(URL, "refs/heads/selected", ZEROS, "b" * 40)).body)["runs"]
        self.assertEqual(self.outcomes("--all", "-n", "nobody"), {})
        self.assertEqual(self.outcomes("--all", "--older-than", "1d"), {})
        self.assertEqual(set(self.outcomes("--all", "--dry-run")), {self.holder, *mine, *pushed})
        self.assertEqual(set(self.outcomes("--all", "--dry-run", "-n", "selected")), set(pushed))
        self.assertEqual(set(self.outcomes("--all", "--dry-run", "--run-status", "Queued")), {*mine, *pushed})
        self.assertEqual(self.service.show(mine[0])["status"], "Queued")
        self.assertEqual(self.outcomes("--all", "--branch", "selected"), {run: "Canceled" for run in pushed})
        self.assertEqual(set(self.outcomes("--all", "--older-than", "0s", "--run-status", "Queued")), set(mine))
        self.assertEqual(self.service.show(self.holder)["status"], "Running")

    def test_a_selection_that_makes_no_sense_cancels_nothing(self):
        self.refused(2, "say which runs", "task", "cancel-run")
        self.refused(2, "say which runs", "task", "cancel-run", "-n", "web")
        self.refused(2, "either --run-id", "task", "cancel-run", "--run-id", self.holder, "--all")
        self.refused(2, "either --run-id", "task", "cancel-run", "--run-id", self.holder, "--dry-run")
        self.refused(2, "not 'soon'", "task", "cancel-run", "--all", "--older-than", "soon")
        self.refused(2, "not 'Done'", "task", "cancel-run", "--all", "--run-status", "Done")
        self.assertEqual(self.service.show(self.holder)["status"], "Running")

    def test_the_classic_pipe(self):
        waiting = self.queued(1)[0]
        with self.open("task", "list-runs", "--run-status", "Running", "-q") as ids:
            done = subprocess.run(["xargs", "-n1", SLIPWAY, "task", "cancel-run", "--run-id"], stdin=ids.stdout,
                                  capture_output=True, text=True, env=self.service.environment, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.holder, done.stdout)
        self.wait(self.holder, "Canceled")
        self.wait(waiting, "Succeeded")


if __name__ == "__main__":
    unittest.main()
