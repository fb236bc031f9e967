"""The engine, with everything real: slipway-runner builds with buildah and pushes to docker-registry."""

import os
import shutil
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.base_image import push_base
from lib.registry import Registry
from lib.runner import processes_with
from lib.runners import Runners

SECRET = "hunter2-and-more"
HOST_FOLDERS = ["/var/lib/containers", "/run/containers", "/etc/containers", "/run/runc", "/run/crun", "/root/.config/containers",
                "/root/.local/share/containers"]


def tree_of(folder):
    """Everything below a folder, with what would change when it were touched."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(parent, name)
            stat = os.lstat(path)
            found[path] = (stat.st_ino, stat.st_size if name in files else 0, stat.st_mtime_ns if name in files else 0)
    return found


def processes_that_know(text):
    """Pids whose command line or environment holds the text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            seen = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in seen and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def hidden(*programs):
    """A command that executes its arguments where these programs cannot be executed."""
    mounts = "".join(f"mount --bind /dev/null {path}; " for path in programs)
    return ["unshare", "--mount", "sh", "-ec", f'{mounts}exec "$@"', "sh"]


def programs(*names):
    return [path for name in names if (path := shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"))]


class EngineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.registry = cls.enterClassContext(Registry())
        cls.base = push_base(cls.registry)
        cls.host_before = {folder: tree_of(folder) for folder in HOST_FOLDERS}
        cls.runners = cls.enterClassContext(Runners(cls.registry))

    def image(self, name):
        return f"{self.registry.address}/{name}"

    def build(self, dockerfile, images=(), files=None, **more):
        return self.runners.run({"Dockerfile": dockerfile.replace("BASE", self.base), **(files or {})}, images, **more)

    def assert_ended(self, run, status, word=None):
        self.assertEqual((run.status, run.word), (status, word), run.explain())

    def assert_nothing_left(self, run):
        self.assertEqual(self.runners.left_by(run), {})


class Building(EngineTest):
    def test_an_image_is_built_and_pushed_under_each_name(self):
        run = self.build("FROM BASE\nRUN echo made > /made\nCMD [\"cat\", \"/made\"]\n", ["app:1", "app:latest"])

        self.assert_ended(run, "Succeeded")
        self.assertEqual(set(run.digests), {"app:1", "app:latest"})
        self.assertEqual(run.digests["app:1"], self.registry.digest("app", "1"))
        self.assertEqual(run.digests["app:latest"], self.registry.digest("app", "latest"))
        self.assertEqual(self.registry.read_file("app:1", "made"), b"made\n")
        self.assert_nothing_left(run)

    def test_what_did_not_change_comes_from_the_cache(self):
        dockerfile = "FROM BASE\nCOPY one /\nRUN echo cached > /x\nCOPY two /\n"
        self.assert_ended(self.build(dockerfile, files={"one": "1", "two": "2"}), "Succeeded")

        same = self.build(dockerfile, files={"one": "1", "two": "2"})
        changed = self.build(dockerfile, files={"one": "1", "two": "other"})

        self.assertEqual(same.last_log.count("Using cache"), 3, same.explain())
        self.assertEqual(changed.last_log.count("Using cache"), 2, changed.explain())

    def test_no_cache_builds_everything_anew(self):
        dockerfile = "FROM BASE\nRUN cat /proc/sys/kernel/random/uuid > /id\n"
        first = self.build(dockerfile, ["uuid:1"])
        again = self.build(dockerfile, ["uuid:2"], build={"noCache": True})
        self.assert_ended(again, "Succeeded")
        self.assertNotEqual(first.digests["uuid:1"], again.digests["uuid:2"])

    def test_docker_s_instructions_survive(self):
        run = self.build("FROM BASE\nHEALTHCHECK CMD true\nONBUILD RUN true\nSHELL [\"/bin/sh\", \"-ec\"]\n", ["docker:1"])
        self.assert_ended(run, "Succeeded")
        config = self.registry.config("docker:1")["config"]
        self.assertEqual(config["Healthcheck"]["Test"], ["CMD-SHELL", "true"])
        self.assertEqual(config["OnBuild"], ["RUN true"])
        self.assertEqual(config["Shell"], ["/bin/sh", "-ec"])

    def test_a_target_stops_at_its_stage(self):
        dockerfile = "FROM BASE AS one\nRUN echo 1 > /stage\nFROM BASE AS two\nRUN echo 2 > /stage\n"
        run = self.build(dockerfile, ["target:1"], build={"target": "one"})
        self.assert_ended(run, "Succeeded")
        self.assertEqual(self.registry.read_file("target:1", "stage"), b"1\n")

        self.assert_ended(self.build(dockerfile, build={"target": "three"}), "Failed", "target_not_found")

    def test_a_platform_is_written_into_the_image(self):
        run = self.build("FROM scratch\nCOPY Dockerfile /\n", ["arm:1"],
                         build={"platform": {"os": "Linux", "architecture": "arm64"}})
        self.assert_ended(run, "Succeeded")
        config = self.registry.config("arm:1")
        self.assertEqual((config["os"], config["architecture"]), ("linux", "arm64"))

    def test_a_dockerfile_that_ends_in_in_is_not_preprocessed(self):
        run = self.runners.run({"Dockerfile.in": '#include "/etc/hostname"\nFROM scratch\nCOPY Dockerfile.in /\n'},
                               ["in:1"], build={"dockerFilePath": "Dockerfile.in"})
        self.assert_ended(run, "Succeeded")

    def test_a_syntax_line_fetches_nothing(self):
        run = self.build("# syntax=127.0.0.1:1/frontend\nFROM BASE\nRUN true\n")
        self.assert_ended(run, "Succeeded")
        self.assertIn("# syntax=127.0.0.1:1/frontend is not fetched", run.log)

    def test_two_runs_at_once_do_not_disturb_each_other(self):
        dockerfile = "FROM BASE\nRUN echo {0} > /who; sleep 1\nRUN cat /who\n"
        trees = [{"Dockerfile": dockerfile.format(who).replace("BASE", self.base)} for who in ("ada", "bob")]
        runs = [self.runners.start(tree, ["both:latest", f"both:{number}"]) for number, tree in enumerate(trees)]
        for run in runs:
            self.assert_ended(run.finish(), "Succeeded")
        self.assertEqual(self.registry.read_file("both:0", "who"), b"ada\n")
        self.assertEqual(self.registry.read_file("both:1", "who"), b"bob\n")
        self.assertIn(self.registry.digest("both", "latest"), [run.digests["both:latest"] for run in runs])
        self.assert_nothing_left(runs[0])

    def test_an_image_of_one_run_is_no_base_of_another(self):
        self.assert_ended(self.build("FROM BASE\nRUN echo private > /private\n"), "Succeeded")
        self.assert_ended(self.build("FROM localhost/never-pushed\nRUN true\n"), "Error", "base_image_unreachable")

    def test_nothing_of_the_host_s_engine_is_touched(self):
        self.assert_ended(self.build("FROM BASE\nRUN true\n", ["untouched:1"]), "Succeeded")
        for folder in HOST_FOLDERS:
            self.assertEqual(tree_of(folder), self.host_before[folder], folder)


class Arguments(EngineTest):
    def arguments(self, **values):
        return {"arguments": [{"name": name, "value": value, "isSecret": name.startswith("SECRET")}
                              for name, value in values.items()]}

    def test_build_arguments_reach_the_build(self):
        run = self.build('FROM BASE\nARG A\nARG B=default\nARG EMPTY=x\nRUN echo "$A|$B|$EMPTY" > /args\n', ["args:1"],
                         build=self.arguments(A="with blank, = and 'quotes'", EMPTY=""))
        self.assert_ended(run, "Succeeded")
        self.assertEqual(self.registry.read_file("args:1", "args"), b"with blank, = and 'quotes'|default|\n")

    def test_a_secret_argument_is_in_no_command_line_and_no_log(self):
        run = self.runners.start(
            {"Dockerfile": f'FROM {self.base}\nARG SECRET_TOKEN\nRUN echo "$SECRET_TOKEN" | wc -c; '
                           'echo "token: $SECRET_TOKEN"; echo waiting; sleep 2\n'},
            build=self.arguments(SECRET_TOKEN=SECRET))
        run.wait_line("waiting")
        seen = processes_with(SECRET)
        run.finish()

        self.assert_ended(run, "Succeeded")
        self.assertEqual(seen, [])
        self.assertIn("token: ***", run.log)
        self.assertIn("stay in the image's history", run.log)
        self.assertNotIn(SECRET, run.log)
        self.assertIn(f"\n{len(SECRET) + 1}\n", run.log)

    def test_a_secret_argument_is_in_no_error(self):
        run = self.build("FROM BASE\nARG SECRET_PATH\nCOPY $SECRET_PATH /\n", build=self.arguments(SECRET_PATH=SECRET))
        self.assert_ended(run, "Failed", "build_failed")
        self.assertNotIn(SECRET, run.message)
        self.assertNotIn(SECRET, run.raw_report + run.log)

    def test_a_secret_argument_does_not_change_the_engine(self):
        run = self.build("FROM BASE\nRUN true\n", build={"arguments": [
            {"name": "CONTAINERS_CONF", "value": "/etc/passwd", "isSecret": True}]})
        self.assert_ended(run, "Failed", "arg_invalid")


class Failures(EngineTest):
    def test_a_failing_command_names_its_line_and_code(self):
        run = self.build("FROM BASE\n\nRUN echo hello \\\n  && exit 42\n")
        self.assert_ended(run, "Failed", "build_failed")
        self.assertIn("Dockerfile line 3: RUN ended with exit code 42", run.message)
        self.assertIn("\nhello\n", run.log)
        self.assertEqual(run.steps, {"fetch": "Succeeded", "build": "Failed"})
        self.assert_nothing_left(run)

    def test_failures_have_a_word_each(self):
        rows = {
            "FROM BASE\nRUN no-such-command\n": ("Failed", "build_failed"),
            'FROM BASE\nRUN ["/nope"]\n': ("Failed", "build_failed"),
            "FROM BASE\nCOPY nope /\n": ("Failed", "build_failed"),
            "FROM BASE\nFOO x\n": ("Failed", "dockerfile_invalid"),
            "RUN true\n": ("Failed", "dockerfile_invalid"),
            "FROM Upper/Case\n": ("Failed", "dockerfile_invalid"),
            "FROM BASE\n" + "RUN true\n" * 500: ("Failed", "dockerfile_limit"),
            "FROM BASE\nRUN --network=host true\n": ("Failed", "feature_denied"),
            "FROM REGISTRY/nope:1\n": ("Failed", "base_image_not_found"),
            "FROM REGISTRY/base:nope\n": ("Failed", "base_image_not_found"),
            "FROM name.invalid/x\n": ("Error", "base_image_unreachable"),
        }
        for dockerfile, expected in rows.items():
            with self.subTest(dockerfile[:60]):
                run = self.build(dockerfile.replace("REGISTRY", self.registry.address))
                self.assert_ended(run, *expected)
                self.assertTrue(run.message)

    def test_a_dockerfile_over_the_limit_is_refused(self):
        run = self.build("FROM BASE\n# " + "x" * 2000 + "\n", limits={"dockerfileBytes": 1000})
        self.assert_ended(run, "Failed", "dockerfile_limit")

    def test_an_engine_that_is_not_there_is_named(self):
        run = self.build("FROM BASE\n", engine={"path": "/nope/buildah"})
        self.assert_ended(run, "Error", "engine_missing")
        self.assertIn("/nope/buildah", run.message)

    def test_an_engine_that_is_none_is_unusable(self):
        self.assert_ended(self.build("FROM BASE\n", engine={"path": "/bin/true"}), "Error", "engine_unusable")

    def test_a_registry_that_is_down_is_unreachable(self):
        with Registry() as gone:
            pass
        with Runners(gone) as runners:
            run = runners.run({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}, ["down:1"])
        self.assert_ended(run, "Error", "registry_unreachable")

    def test_memory_over_the_limit_kills_the_command(self):
        run = self.build("FROM BASE\nRUN sort /dev/zero\n", limits={"memoryBytes": 64 << 20})
        self.assert_ended(run, "Failed", "build_killed")
        self.assertIn("64 MiB", run.message)
        self.assert_nothing_left(run)


class Logins(unittest.TestCase):
    def setUp(self):
        self.registry = self.enterContext(Registry(user="bob", password=SECRET))
        self.base = push_base(self.registry)

    def test_base_images_and_pushes_use_the_configured_login(self):
        with Runners(self.registry) as runners:
            run = runners.start({"Dockerfile": f"FROM {self.base}\nRUN echo waiting; sleep 1\n"}, ["app:1"])
            run.wait_line("waiting")
            seen = processes_that_know(SECRET)
            on_disk = [str(path) for path in runners.data.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
            run.finish()
        self.assertEqual(run.status, "Succeeded", run.explain())
        self.assertEqual(run.digests["app:1"], self.registry.digest("app", "1"))
        self.assertEqual(seen, [])
        self.assertEqual(on_disk, [])
        self.assertNotIn(SECRET, run.last_log)

    def test_a_wrong_password_is_told_apart_for_pull_and_push(self):
        self.registry.password = "wrong-password"
        with Runners(self.registry) as runners:
            pull = runners.run({"Dockerfile": f"FROM {self.base}\n"})
            push = runners.run({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}, ["app:2"])
        self.assertEqual((pull.status, pull.word), ("Error", "base_image_denied"), pull.explain())
        self.assertEqual((push.status, push.word), ("Error", "registry_auth"), push.explain())


class Network(EngineTest):
    def run_in_build(self, command, **more):
        run = self.build(f"FROM BASE\nRUN {command}\n", **more)
        self.assert_ended(run, "Succeeded")
        return run.log

    def test_the_host_s_loopback_and_private_addresses_are_out_of_reach(self):
        if self.runners.probe()["network"]["message"].find("slirp4netns") < 0:
            self.skipTest("slirp4netns does not work here")
        log = self.run_in_build(f"ip addr; for host in 10.0.2.2 127.0.0.1 169.254.169.254 10.1.2.3 192.168.0.1; do "
                                f"nc -w 2 $host {self.registry.port} < /dev/null && echo reached $host; done; true")
        self.assertIn("10.0.2.100", log)
        self.assertNotIn("reached 1", log.replace("echo reached", ""))

    def test_a_permitted_range_has_a_route(self):
        if self.runners.probe()["network"]["message"].find("slirp4netns") < 0:
            self.skipTest("slirp4netns does not work here")
        log = self.run_in_build("ip route", allowAddresses=["127.0.0.0/8", "10.20.0.0/16", "172.16.0.0/12"])
        self.assertRegex(log, r"\n10\.20\.0\.0/16 via 10\.0\.2\.2")
        self.assertRegex(log, r"\nprohibit 10\.0\.0\.0/8")
        self.assertNotIn("172.16.0.0", log)

    def test_no_network_is_no_network(self):
        log = self.run_in_build("ip addr; ip route", engine={"network": "none"})
        self.assertNotIn("tap0", log)
        self.assertNotIn("eth0", log)

    def test_the_host_s_network_is_given_only_when_configured(self):
        log = self.run_in_build(f"nc -w 2 127.0.0.1 {self.registry.port} < /dev/null && echo reach''ed", engine={"network": "host"})
        self.assertIn("\nreached\n", log)

    def test_what_runs_nothing_starts_no_network(self):
        run = self.build("FROM scratch\nCOPY Dockerfile /\n")
        self.assert_ended(run, "Succeeded")


class Ends(EngineTest):
    HOSTILE = ("FROM BASE\nRUN trap '' TERM HUP INT; setsid sh -c \"trap '' TERM HUP INT; sleep 4321\" & "
               "(setsid sleep 4321 &) ; echo waiting; sleep 4321; sleep 4321\n")

    def test_a_cancel_in_the_middle_of_a_hostile_run_leaves_nothing(self):
        run = self.runners.start({"Dockerfile": self.HOSTILE.replace("BASE", self.base)}, ["hostile:1"])
        run.wait_line("waiting")
        began = time.monotonic()
        run.cancel()
        run.finish()

        self.assert_ended(run, "Canceled", "canceled")
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(processes_with("4321"), [])
        self.assertIsNone(self.registry.digest("hostile", "1"))
        self.assert_nothing_left(run)
        self.assert_ended(self.build("FROM BASE\nRUN true\n"), "Succeeded")

    def test_the_deadline_ends_a_build(self):
        run = self.build("FROM BASE\nRUN sleep 4321\n", timeoutMs=3000)
        self.assert_ended(run, "Timeout", "timeout")
        self.assert_nothing_left(run)

    def test_a_sweep_removes_what_a_killed_runner_left(self):
        run = self.runners.start({"Dockerfile": self.HOSTILE.replace("BASE", self.base)})
        run.wait_line("waiting")
        run.process.kill()
        run.process.wait()
        self.runners.verb("sweep", runId=run.spec["runId"])
        self.assertEqual(processes_with("4321"), [])
        self.assert_nothing_left(run)


class Probe(EngineTest):
    def test_every_part_has_a_line(self):
        lines = self.runners.probe()
        for name in ("data-folder", "engine", "engine-storage", "engine-isolation", "network"):
            self.assertIn(name, lines)
            self.assertTrue(lines[name]["message"])
        self.assertTrue(lines["engine"]["ok"], lines)

    def test_a_part_that_does_not_work_has_a_hint(self):
        line = self.runners.probe(engine={"path": "/nope/buildah"})["engine"]
        self.assertFalse(line["ok"])
        self.assertIn("/nope/buildah", line["message"])
        self.assertIn("engine.path", line["hint"])

    def test_no_runtime_leaves_chroot_and_says_so(self):
        lines = self.runners.probe(engine={"isolation": "chroot"})
        self.assertFalse(lines["engine-isolation"]["ok"], lines)
        self.assertFalse(lines["network"]["ok"])
        run = self.build("FROM BASE\nRUN echo in-chroot\n", engine={"isolation": "chroot"})
        self.assert_ended(run, "Succeeded")
        self.assertIn("share the host's network", run.log)
        self.assert_nothing_left(run)

    def test_without_slirp4netns_run_has_no_network_and_is_told_how_to_get_one(self):
        disguise = hidden(*programs("slirp4netns"))
        line = self.runners.probe(disguise=disguise)["network"]
        self.assertFalse(line["ok"], line)
        self.assertIn("slirp4netns", line["hint"])
        run = self.build("FROM BASE\nRUN ip addr\n", disguise=disguise)
        self.assert_ended(run, "Succeeded")
        self.assertIn("RUN steps have no network: install slirp4netns", run.log)
        self.assertNotIn("inet 1", run.log.replace("inet 127.0.0.1", ""))

    def test_without_a_runtime_chroot_is_found_by_itself(self):
        lines = self.runners.probe(disguise=hidden(*programs("crun", "runc")))
        self.assertIn("isolation chroot", lines["engine-isolation"]["message"])
        self.assertIn("crun: not installed", lines["engine-isolation"]["message"])

    def test_a_data_folder_that_holds_no_overlays_gets_copies(self):
        with Runners(self.registry) as runners:
            for name in ("lower", "upper", "work"):
                (runners.data / name).mkdir()
            options = f"lowerdir={runners.data}/lower,upperdir={runners.data}/upper,workdir={runners.data}/work"
            disguise = ["unshare", "--mount", "sh", "-ec",
                        f'mkdir -p {runners.data}/engine; mount -t overlay none -o {options} {runners.data}/engine; exec "$@"', "sh"]
            line = runners.probe(disguise=disguise)["engine-storage"]
            run = runners.run({"Dockerfile": f"FROM {self.base}\nRUN echo copied > /x\n"}, ["vfs:1"], disguise=disguise)
        self.assertFalse(line["ok"], line)
        self.assertIn("storage driver vfs (not used: overlay: ", line["message"])
        self.assertIn("data_dir", line["hint"])
        self.assert_ended(run, "Succeeded")
        self.assertEqual(self.registry.read_file("vfs:1", "x"), b"copied\n")

    def test_a_network_that_was_asked_for_is_not_given_up(self):
        run = self.build("FROM BASE\nRUN true\n", engine={"isolation": "chroot", "network": "none"})
        self.assert_ended(run, "Error", "engine_unusable")


if __name__ == "__main__":
    unittest.main()
