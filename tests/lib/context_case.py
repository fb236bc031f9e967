"""Contexts fetched by tests/fetch_context, the runner without engine and registry.

    class MyTest(ContextTest):
        def test_it(self):
            self.repo.commit({"Dockerfile": DOCKERFILE})
            self.assertEqual(self.fetch("#main").files(), {"Dockerfile": DOCKERFILE})

A fetch runs in a mount namespace of its own, as runs do, unless `mode` is "". held() gives one that
lives on, as a build would.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from lib.git_repository import GitRepository
from lib.git_server import GitServer
from lib.run_spec import as_input, run_spec

BUILD = Path(os.environ.get("SLIPWAY_BUILD", Path(__file__).resolve().parents[2] / "build-debug"))
PROGRAM = BUILD / "tests" / "fetch_context"
# Leaks of libgit2's own are not ours to find here.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:" + os.environ.get("ASAN_OPTIONS", "")}
DOCKERFILE = "FROM scratch\n"


class Fetched:
    """What became of one fetch."""

    def __init__(self, folder, code, output, seconds):
        self.folder, self.code, self.seconds = folder, code, seconds
        self.answer = json.loads(output)
        self.log = (folder / "log").read_text(errors="replace")

    def __getattr__(self, name):
        return self.answer.get(name)

    def path(self, name=""):
        return Path(os.fsdecode(os.fsencode(self.dir) + b"/" + os.fsencode(name)))

    def files(self):
        """{path: content} of the context; links as their target behind an arrow."""
        found = {}
        assert self.code == 0, self.answer
        for parent, folders, names in os.walk(os.fsencode(self.dir)):
            for name in names + [f for f in folders if os.path.islink(os.path.join(parent, f))]:
                path = os.path.join(parent, name)
                key = os.path.relpath(path, os.fsencode(self.dir))
                found[os.fsdecode(key)] = ("-> " + os.readlink(os.fsdecode(path))
                                           if os.path.islink(path) else Path(
                                               os.fsdecode(path)).read_bytes().decode())
        return found


class ContextTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.data = self.folder / "data"
        self.data.mkdir()
        self.server = self.enterContext(GitServer(self.folder))
        self.repo = GitRepository(self.folder / "app.git")
        self.count = 0

    mode = "mounts"

    def spec(self, context, **more):
        return run_spec(self.data, context=context, **more)

    def start(self, spec, mode=None):
        self.count += 1
        folder = self.folder / f"run{self.count}"
        folder.mkdir()
        mode = self.mode if mode is None else mode
        process = subprocess.Popen([PROGRAM, *filter(None, [mode]), folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=ENVIRONMENT)
        process.stdin.write(as_input(spec))
        process.stdin.close()
        return folder, process

    def finish(self, folder, process, began, output=None):
        output = output or process.stdout.read()
        errors = process.stderr.read().decode(errors="replace")
        code = process.wait(60)
        process.stdout.close()
        process.stderr.close()
        self.assertIn(code, (0, 1), errors)
        return Fetched(folder, code, output, time.monotonic() - began)

    def fetch(self, fragment="", url=None, **more):
        began = time.monotonic()
        return self.finish(*self.start(self.spec((url or self.url()) + fragment, **more)), began)

    @contextlib.contextmanager
    def held(self, fragment="", **more):
        """A fetch whose checkout stays locked; its files are those that its process sees."""
        folder, process = self.start(self.spec(self.url() + fragment, **more), mode="hold")
        try:
            answer = process.stdout.readline()
            got = Fetched(folder, 0 if b'"dir"' in answer else 1, answer, 0)
            if got.code == 0:
                got.answer["dir"] = f"/proc/{process.pid}/root{got.dir}"
            yield got
        finally:
            process.terminate()
            self.finish(folder, process, 0, b"{}")

    def url(self, name="app.git"):
        return self.server.url(name)

    def alias(self, name, behaviour):
        """The same repository under a name that misbehaves."""
        os.symlink(self.repo.path, self.folder / name)
        self.server.misbehave(name, behaviour)
        return self.server.url(name)

    def assert_fails(self, fetched, word):
        self.assertEqual(fetched.word, word, fetched.answer)
        self.assertLessEqual(len(fetched.message), 512)
        return fetched
