"""A test case with a service of its own (fake_service.py) and the built command line."""

import json
import subprocess
import unittest

from lib.fake_service import FakeService
from lib.service import BUILD

URL = "https://git.example.org/acme/app.git"
SLIPWAY = str(BUILD / "slipway")


class CliTest(unittest.TestCase):
    CONFIG = ""

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(FakeService(cls.CONFIG))

    def cli(self, *words, code=0, **more):
        done = self.service.slipway(*words, check=False, **more)
        self.assertEqual(done.returncode, code, f"slipway {words}\n{done.stdout}\n{done.stderr}")
        return done

    def read(self, *words, code=0, **more):
        return json.loads(self.cli(*words, "-o", "json", code=code, **more).stdout)

    def refused(self, code, part, *words, **more):
        done = self.cli(*words, code=code, **more)
        self.assertIn(part, done.stderr)
        self.assertEqual(done.stdout, "")

    def build(self, script, *words, code=0, **more):
        return self.cli("build", "--no-push", "--build-arg", f"SCRIPT={script}", *words, f"{URL}#main", code=code, **more)

    def queue(self, script, *words):
        return self.build(script, "--no-wait", "-q", *words).stdout.strip()

    def wait(self, run, status):
        return self.service.wait_status(run, status)

    def open(self, *words, **more):
        return subprocess.Popen([SLIPWAY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                                env=self.service.environment, **more)

    def read_bytes(self, stream, count):
        data = b""
        while len(data) < count:
            piece = stream.read(count - len(data))
            self.assertTrue(piece, f"it ended after {len(data)} bytes")
            data += piece
        return data
