"""slipway-runner with the real engine, a real registry and a real git server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.git_server import Silent  # noqa: E402
from lib.registry import Registry  # noqa: E402
from lib.run_spec import credential  # noqa: E402
from lib.runner import (  # noqa: E402
    PROGRAM, Runner, control_groups, descendants, processes_with, wait_until)
from lib.runner_case import BASE, STUBBORN, RunnerTest, run_line  # noqa: E402

class Success(RunnerTest):
    def test_commit_becomes_an_image_with_the_digest_that_the_registry_holds(self):
        commit = self.commit(BASE + "ARG who\nCOPY message /\n" + run_line("echo built for $who"),
                             {"message": "hello"})
        run = self.runner(images=["app:{{.Run.ID}}", "team/app:{{.Run.Commit}}"],
                          build={"arguments": [{"name": "who", "value": "{{.Run.Branch}}"}]})
        self.assertEqual(run.run(), 0, run.errors)
        self.assert_end(run, "Succeeded")
        self.assertEqual(run.steps, dict.fromkeys(("fetch", "build", "push"), "Succeeded"))
        self.assertIn("built for main", run.log)
        self.assertTrue(run.has_line("commit", id=commit))
        self.assertEqual([(i["repository"], i["tag"], i["digest"]) for i in run.images], [
            ("app", run.spec["runId"], self.registry.digest("app", run.spec["runId"])),
            ("team/app", commit, self.registry.digest("team/app", commit))])
        self.assertEqual(self.registry.read_file(f"team/app:{commit}", "message"), b"hello")

    def test_nothing_is_pushed_before_the_grant(self):
        self.commit(BASE)
        run = self.runner().start()
        run.wait_report("push-wanted")
        self.assertIsNone(self.registry.digest("app", run.spec["runId"]))
        (run.folder / "grant").write_text("7\n")  # another attempt's
        self.assertIsNone(run.process.poll())
        run.grant()
        self.assertEqual(run.wait(), 0)
        self.assert_end(run, "Succeeded")

    def test_build_without_push(self):
        self.commit(BASE)
        run = self.runner(push=False)
        self.assertEqual(run.run(), 0)
        self.assert_end(run, "Succeeded")
        self.assertEqual((run.images, set(run.steps)), ([], {"fetch", "build"}))

    def test_isolation_is_complete_where_it_is_permitted(self):
        self.commit(BASE)
        run = self.runner(push=False)
        run.run()
        if os.geteuid() == 0:
            self.assertNotIn("not isolated", run.log)

    def test_all_processes_of_a_build_are_in_its_control_group(self):
        self.commit(BASE + run_line("echo it runs; busybox sleep 5"))
        run = self.runner(push=False).start()
        self.addCleanup(run.cancel)
        run.wait_log("\nit runs\n")
        groups = [Path(f"/proc/{pid}/cgroup").read_text()
                  for pid in descendants(run.process.pid)
                  if b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        self.assertTrue(groups)
        if not control_groups(self.data, run.spec["runId"]):
            self.skipTest("no control groups can be made here")
        for text in groups:
            self.assertIn(f"/slipway/{run.spec['runId']}-", text)
        run.cancel()
        run.wait()

    def test_second_attempt_appends(self):
        self.commit(BASE)
        spec = self.spec(push=False)
        Runner(spec).run()
        run = Runner({**spec, "attempt": 2})
        run.run()
        self.assertEqual([line["attempt"] for line in run.report if line["type"] == "result"], [1, 2])
        self.assertIn("attempt 2", run.log)


class Failures(RunnerTest):
    def test_user_s_mistakes_are_failed(self):
        rows = [(BASE + run_line("exit 3"), {}, "build_failed"),
                ("FORM scratch\n", {}, "dockerfile_invalid"),
                (BASE, {"images": ["app:{{.Run.Nonsense}}"]}, None),
                (BASE, {"context": self.server.url("app.git#nowhere")}, "ref_not_found"),
                (BASE, {"build": {"dockerFilePath": "other"}}, "dockerfile_missing")]
        for dockerfile, more, word in rows:
            with self.subTest(word):
                self.commit(dockerfile)
                run = self.runner(**more)
                run.run()
                if word:
                    self.assert_end(run, "Failed", word)
                else:  # refused with the specification already
                    self.assertEqual((run.process.returncode, run.result), (2, None))

    def test_registry_that_is_not_there(self):
        self.commit(BASE)
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % nobody.getsockname()[1]
            run = self.runner(registries=[
                {"name": "main", "loginServer": address, "insecure": True}])
            run.run()
        self.assert_end(run, "Error", "registry_unreachable")
        self.assertEqual(run.steps["push"], "Error")

    def test_no_registry_configured(self):
        self.commit(BASE)
        run = self.runner(registries=[])
        run.run()
        self.assert_end(run, "Error", "registry_missing")

    def test_log_without_end(self):
        self.commit(BASE + run_line("busybox yes"))
        run = self.runner(limits={"logBytes": 100_000})
        run.run()
        self.assert_end(run, "Failed", "log_limit")
        self.assertLess(len(run.log), 170_000)

    def test_login_is_used_and_never_shown(self):
        self.commit(BASE + "ARG TOKEN\n" + run_line(
            "echo raw $TOKEN; echo $TOKEN | busybox base64; exit 1"))
        secret = "correct-horse-battery"
        with Registry(user="bob", password="pass-word-of-bob") as registry:
            login = {"name": "main", "loginServer": registry.address, "insecure": True,
                     "username": "bob", "password": "pass-word-of-bob"}
            run = self.runner(registries=[login], build={"arguments": [
                {"name": "TOKEN", "value": secret, "isSecret": True}]})
            run.run()
            self.assert_end(run, "Failed", "build_failed")
            self.assertIn("raw ***", run.log)
            self.assertNotIn(secret, run.log + json.dumps(run.report))
            self.assertNotIn("Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"[:24], run.log)
            self.commit(BASE)
            run = self.runner(registries=[login])
            run.run()
            self.assert_end(run, "Succeeded")
            run = self.runner(registries=[{**login, "password": "wrong"}])
            run.run()
            self.assert_end(run, "Error", "registry_auth")
            self.assertNotIn("pass-word-of-bob", run.log)

    def test_secrets_are_in_no_command_line_and_no_environment_but_the_consumer_s(self):
        self.commit(BASE + run_line("busybox sleep 3"))
        login = {"name": "main", "loginServer": self.registry.address, "insecure": True,
                 "username": "bob", "password": "pass-word-of-bob"}
        run = self.runner(push=False, registries=[login], **credential(
            self.server.url("app.git"), "token-of-the-context")).start()
        run.wait_report("step", name="build", status="Running")
        seen = 0
        while run.process.poll() is None:
            for pid in [run.process.pid, *descendants(run.process.pid)]:
                try:
                    text = (Path(f"/proc/{pid}/cmdline").read_bytes() +
                            Path(f"/proc/{pid}/environ").read_bytes())
                except OSError:
                    continue
                seen += 1
                self.assertNotIn(b"pass-word-of-bob", text)
                self.assertNotIn(b"token-of-the-context", text)
        run.wait()
        self.assertGreater(seen, 10)


class Cancel(RunnerTest):
    def test_build_that_daemonises_and_ignores_signals(self):
        mark = str(987_000 + os.getpid() % 1000)
        self.commit(BASE + run_line(STUBBORN.format(mark=mark)))
        run = self.runner(graceMs=4_000).start()
        run.wait_log("\nstubborn\n")
        wait_until(lambda: len(processes_with(mark)) > 2, "it has daemonised")
        run.cancel()
        self.assertEqual(run.wait(15), 0)
        self.assert_end(run, "Canceled", "canceled")
        self.assertEqual(processes_with(mark), [])
        self.assertEqual(run.steps["build"], "Canceled")

    def test_while_fetching_and_while_waiting_for_the_grant(self):
        self.commit(BASE)
        self.server.misbehave("silent.git", Silent())
        run = self.runner(context=self.server.url("silent.git"),
                          limits={"gitStallMs": 60_000}).start()
        run.wait_report("step", name="fetch", status="Running")
        run.cancel()
        run.wait(10)
        self.assert_end(run, "Canceled", "canceled")
        run = self.runner().start()
        run.wait_report("push-wanted")
        run.cancel()
        run.wait(10)
        self.assert_end(run, "Canceled", "canceled")
        self.assertIsNone(self.registry.digest("app", run.spec["runId"]))

    def test_inner_process_that_hangs_is_killed_and_the_end_told_for_it(self):
        self.commit(BASE)
        run = self.runner(graceMs=1_000).start()
        run.wait_report("push-wanted")
        inner = descendants(run.process.pid)[0]
        os.kill(inner, signal.SIGSTOP)
        run.cancel()
        self.assertEqual(run.wait(15), 0)
        self.assert_end(run, "Canceled", "canceled")
        self.assertIn("killed", run.result["message"])
        self.assertIn("Canceled", run.log)

    def test_asking_again_and_again_changes_nothing(self):
        self.commit(BASE + run_line(STUBBORN.format(mark="60")))
        run = self.runner(graceMs=4_000).start()
        run.wait_log("\nstubborn\n")
        while run.process.poll() is None:
            run.cancel()
            try:
                run.process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        run.wait()
        self.assert_end(run, "Canceled", "canceled")

    def test_deadline(self):
        self.commit(BASE + run_line(STUBBORN.format(mark="60")))
        run = self.runner(timeoutMs=4_000, graceMs=2_000)
        run.run()
        self.assert_end(run, "Timeout", "timeout")
        self.assertLess(run.seconds, 9)

    def test_deadline_that_has_passed_already(self):
        self.commit(BASE)
        run = self.runner(deadlineMs=1_000)
        run.run()
        self.assert_end(run, "Timeout", "timeout")


class Crash(RunnerTest):
    def test_sigkill_of_the_runner_takes_the_build_and_the_sweep_removes_the_rest(self):
        mark = str(986_000 + os.getpid() % 1000)
        self.commit(BASE + run_line(STUBBORN.format(mark=mark)))
        run = self.runner().start()
        run.wait_log("\nstubborn\n")
        os.kill(run.process.pid, signal.SIGKILL)
        run.wait()
        wait_until(lambda: not processes_with(mark), "the build is dead", 10)
        self.assertIsNone(run.result)
        wait_until(lambda: Runner(run.spec, "sweep").start().wait() == 0, "swept", 20)
        self.assert_clean(run)
        self.assertEqual(Runner(run.spec, "sweep").start().wait(), 0)

    def test_inner_process_that_dies_leaves_no_result_and_no_rest(self):
        self.commit(BASE + run_line(STUBBORN.format(mark="60")))
        run = self.runner().start()
        run.wait_log("\nstubborn\n")
        os.kill(descendants(run.process.pid)[0], signal.SIGKILL)
        self.assertEqual(run.wait(20), 1)
        self.assertIsNone(run.result)
        self.assert_clean(run)

    def test_run_that_somebody_else_carries_out(self):
        self.commit(BASE)
        run = self.runner().start()
        run.wait_report("push-wanted")
        before = len(run.report)
        for verb in (None, "sweep"):
            second = Runner(run.spec, verb).start()
            self.assertEqual(second.wait(), 1)
        self.assertEqual(len(run.report), before)
        run.grant()
        run.wait()
        self.assert_end(run, "Succeeded")

    def test_lock_names_the_process_that_the_server_may_signal(self):
        self.commit(BASE)
        run = self.runner().start()
        run.wait_report("push-wanted")
        pid, start, boot = (run.folder / "lock").read_text().split()
        self.assertEqual(int(pid), run.process.pid)
        stat = Path(f"/proc/{pid}/stat").read_text()
        self.assertEqual(stat.rpartition(")")[2].split()[19], start)
        self.assertEqual(boot, Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        self.assertTrue(run.has_line("started", pid=int(pid)))
        run.cancel()
        run.wait()


class Program(RunnerTest):
    def start(self, *arguments):
        return subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_spare_runner_ends_with_its_input_or_a_signal(self):
        spare = self.start()
        spare.communicate(b"", timeout=10)
        self.assertEqual(spare.returncode, 0)
        spare = self.start()
        wait_until(lambda: "pipe" in Path(f"/proc/{spare.pid}/wchan").read_text() or
                   re.search(r"SigIgn:.*1000$", Path(f"/proc/{spare.pid}/status").read_text(), re.M),
                   "it waits")
        spare.terminate()
        spare.communicate(timeout=10)
        self.assertEqual(spare.returncode, -signal.SIGTERM)

    def test_specifications_that_are_none(self):
        good = self.spec()
        for text in (b"{", b"[]", b'{"v":1}', json.dumps({**good, "v": 2}).encode(),
                     json.dumps(good).encode() + b"x", b"\0" * 100):
            program = self.start()
            _, errors = program.communicate(text, timeout=10)
            self.assertEqual(program.returncode, 2, text)
            self.assertIn(b"spec.invalid", errors)

    def test_usage(self):
        program = self.start("--version")
        self.assertRegex(program.communicate()[0], rb"^slipway-runner \d")
        program = self.start("nonsense")
        program.communicate(timeout=10)
        self.assertEqual(program.returncode, 2)

    def test_probe_says_a_line_for_each_part(self):
        run = Runner({**self.spec(), "attempt": 0, "runId": "probe"}, "probe").start()
        self.assertEqual(run.wait(), 0, run.errors)
        lines = {line["name"]: line for line in map(json.loads, run.output.splitlines())}
        for name in ("isolation", "cgroup", "git", "registry main"):
            self.assertTrue(lines[name]["ok"], lines[name])
        self.assertGreater(len(lines), 4)
        spec = self.spec(registries=[{"name": "main", "loginServer": "127.0.0.1:1"}])
        run = Runner({**spec, "attempt": 0, "runId": "probe"}, "probe").start()
        run.wait()
        lines = {line["name"]: line for line in map(json.loads, run.output.splitlines())}
        self.assertFalse(lines["registry main"]["ok"])
        self.assertTrue(lines["registry main"]["hint"])

    def test_nobody_may_look_into_it_or_get_its_core(self):
        self.commit(BASE)
        run = self.runner().start()
        run.wait_report("push-wanted")
        for pid in [run.process.pid, *descendants(run.process.pid)]:
            limits = Path(f"/proc/{pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size\s+0\s")
        run.cancel()
        run.wait()


if __name__ == "__main__":
    unittest.main()
