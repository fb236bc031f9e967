"""The built server and the machine around it: systemd, modes, limits, what a runner inherits."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.fake_service import FakeService  # noqa: E402


class Supervised(unittest.TestCase):
    def setUp(self):
        self.service = FakeService()
        self.addCleanup(self.service.__exit__)

    def start(self, environment, sockets=()):
        """Start it as systemd does: sockets from descriptor 3 on, and their number in LISTEN_FDS."""
        sockets = [os.dup(s.fileno()) for s in sockets]
        high = [os.dup2(fd, 100 + i, inheritable=True) for i, fd in enumerate(sockets)]
        command = self.service.command("--listen", "127.0.0.1:0")
        numbers = " ".join(f"{3 + i}<&{fd}" for i, fd in enumerate(high))
        script = f"exec env LISTEN_PID=$$ LISTEN_FDS={len(high)} \"$@\" {numbers}"
        with open(self.service.log, "ab") as log:
            self.service.process = subprocess.Popen(
                ["bash", "-c", script, "bash", *command], env={**self.service.environment, **environment}, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, pass_fds=high)
        for fd in sockets + high:
            os.close(fd)

    def message(self, notify):
        self.assertTrue(select.select([notify], [], [], 20)[0], "no message for systemd")
        return notify.recv(4096).decode()

    def test_systemd_is_told_what_happens(self):
        path = self.service.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            self.start({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"})
            first = self.message(notify)
            while first == "WATCHDOG=1":
                first = self.message(notify)
            self.assertIn("READY=1", first)
            self.assertEqual(self.service.request("GET", "/readyz").status, 200)
            self.assertEqual(self.message(notify), "WATCHDOG=1")
            self.service.process.send_signal(signal.SIGTERM)
            last = self.message(notify)
            while last == "WATCHDOG=1":
                last = self.message(notify)
            self.assertEqual(last, "STOPPING=1")
        self.assertEqual(self.service.process.wait(20), 0)

    def test_sockets_of_systemd_are_the_ones_listened_on(self):
        self.service.data.mkdir(mode=0o750)
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
            local.bind(str(self.service.socket))
            local.listen()
            self.service.port = tcp.getsockname()[1]
            self.start({}, [local, tcp])
        self.service.eventually(lambda: "service.listening" in self.service.log.read_text(), what="the start")
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)
        self.assertEqual(self.service.request("GET", "/healthz", tcp=True).status, 200)
        self.assertEqual(self.service.request("GET", "/v1/registries", tcp=True).status, 401)
        inode = {line.split()[9] for line in Path(f"/proc/{self.service.process.pid}/net/tcp").read_text().splitlines()
                 if f":{self.service.port:04X}" in line.split()[1] and line.split()[3] == "0A"}
        self.assertEqual(len(inode), 1)


class Inherited(unittest.TestCase):
    def setUp(self):
        self.service = self.enterContext(FakeService(environment={"AZURE_HOOK_PASSWORD": "hush-4711"}))

    def runner(self, run):
        return int((self.service.data / "runs" / run / "lock").read_text().split()[0])

    def test_a_runner_gets_little_of_the_environment_and_no_descriptor(self):
        run = self.service.submit("started; touch up; hang", arguments=[
            {"name": "SCRIPT", "value": "started; touch up; hang"}, {"name": "S", "value": "secret-4711", "isSecret": True}])
        self.service.wait_file("up")
        process = Path(f"/proc/{self.runner(run)}")
        self.assertNotIn(b"4711", (process / "environ").read_bytes())
        self.assertNotIn(b"4711", (process / "cmdline").read_bytes())
        self.assertIn(b"PATH=", (process / "environ").read_bytes())
        wanted = {str(self.service.data / "runs" / run / name) for name in ("lock", "runner.err")}

        def others():
            try:
                files = {os.readlink(fd) for fd in (process / "fd").iterdir()}
            except FileNotFoundError:
                return {"one that was just closed"}  # the runner's own: it has written a file
            return {f for f in files - wanted if not f.startswith("pipe:")}
        self.service.eventually(lambda: others() == set(), 5, f"nothing but its own: {others()}")
        self.assertEqual(os.getsid(int(process.name)), int(process.name))
        for path in (self.service.data / "runs" / run).iterdir():
            self.assertNotIn(b"4711", path.read_bytes())

    def test_a_core_would_show_secrets(self):
        limits = Path(f"/proc/{self.service.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")

    def test_nobody_else_can_look_into_the_folder(self):
        self.service.wait_status(self.service.submit(), "Succeeded")
        modes = {p.name: oct(p.stat().st_mode & 0o777) for p in [self.service.data, *self.service.data.rglob("*")]}
        self.assertEqual(modes.pop("data"), "0o750")
        self.assertEqual(modes.pop("slipway.sock"), "0o660")
        self.assertEqual({m for m in modes.values() if not re.fullmatch("0o[67]00", m)}, set(), modes)


if __name__ == "__main__":
    unittest.main()
