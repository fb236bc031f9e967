"""Hostile API requests and configurations: the table tests/fixtures/hostile-api.tsv, row by row."""

import importlib
import json
import os
import re
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.fake_service import FakeService  # noqa: E402

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "hostile-api.tsv"
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\"}


def expand(text, **places):
    for name, value in places.items():
        text = text.replace("{%s}" % name, value)
    text = re.sub(r"\{(\d+)\*([^{}]*)\}", lambda m: int(m[1]) * m[2], text)
    return re.sub(r"\\(x..|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else ESCAPES[m[1]], text)


def rows(*kinds):
    lines = [line for line in FIXTURE.read_text().splitlines() if not line.startswith("#")]
    names = lines[0].split("\t")
    every = [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]]
    return [row for row in every if row["how"] in kinds]


class Requests(unittest.TestCase):
    def setUp(self):
        self.service = self.enterContext(FakeService())
        self.run_id = self.service.submit("started; touch up; hang")
        self.service.wait_file("up")

    def exchange(self, row):
        """The answer's status, headers in lower case, and body; the bytes are sent as they stand."""
        head, _, body = expand(row["input"], run=self.run_id).partition(" || ")
        line, *headers = head.split(" | ")
        method, _, path = line.partition(" ")
        text = f"{method} {path} HTTP/1.1\r\nHost: slipway\r\nConnection: close\r\n"
        text += "".join(f"{header}\r\n" for header in headers)
        text += f"Content-Length: {len(body)}\r\n\r\n{body}" if body else "\r\n"
        return self.raw(text.encode("latin-1"), row["how"] == "tcp")

    def raw(self, request, tcp):
        family, address = ((socket.AF_INET, ("127.0.0.1", self.service.port)) if tcp
                           else (socket.AF_UNIX, str(self.service.socket)))
        with socket.socket(family) as client:
            client.settimeout(20)
            client.connect(address)
            try:
                client.sendall(request)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it answered before it had read everything
            answer = b""
            while piece := self.receive(client):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *headers = head.decode().split("\r\n")
        return int(status.split()[1]), {k.lower(): v for k, _, v in (h.partition(": ") for h in headers)}, body

    def receive(self, client):
        try:
            return client.recv(65536)
        except ConnectionResetError:
            return b""

    def test_every_request(self):
        for row in rows("tcp", "unix"):
            with self.subTest(row["id"], input=row["input"]):
                status, headers, body = self.exchange(row)
                self.assertEqual(status, int(row["status"]), body)
                answer = json.loads(body)
                if row["word"] != "-":
                    self.assertEqual(answer["error"]["code"], row["word"])
                if status == 401:
                    self.assertEqual(headers["www-authenticate"], "Bearer")
                # API-025: no answer says more than it must.
                self.assertEqual(headers["content-type"], "application/json; charset=utf-8")
                self.assertEqual(headers["x-content-type-options"], "nosniff")
                self.assertLessEqual(len(body), 4096)
                self.assertNotIn(str(self.service.data).encode(), body)
        self.assertEqual(self.service.show(self.run_id)["status"], "Running")
        self.assertIsNone(self.service.process.poll())


class Configurations(unittest.TestCase):
    def setUp(self):
        self.service = FakeService()
        self.addCleanup(self.service.__exit__)
        os.symlink("loop.yaml", self.service.folder / "loop.yaml")
        (self.service.folder / "empty.yaml").write_text("")

    def configuration(self, text):
        """The path of the configuration; files that stand before it are made."""
        if text.startswith(str(self.service.folder)):
            return text
        lines = text.split("\n")
        while made := re.fullmatch(r"(\S+) (\d{4}): (.*)", lines[0]):
            path = self.service.folder / made[1]
            path.write_text(made[3] + "\n")
            path.chmod(int(made[2], 8))
            lines.pop(0)
        self.service.write_config(f"data_dir: {self.service.data}\n" + "\n".join(lines) + "\n")
        return str(self.service.config_file)

    def test_every_configuration(self):
        for row in rows("start"):
            with self.subTest(row["id"], input=row["input"]):
                path = self.configuration(expand(row["input"], dir=str(self.service.folder)))
                command = [self.service.command()[0], "-c", path]
                done = subprocess.run(command, env=self.service.environment, capture_output=True, text=True, timeout=20)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr.startswith("slipway-server: "), done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn(f"({row['word']})", done.stderr)
                self.assertNotIn("hush", done.stderr)
                self.assertFalse(self.service.socket.exists(), "it began to listen")


class Table(unittest.TestCase):
    def test_every_row_that_is_not_run_here_says_where_or_why(self):
        for row in rows("test"):
            with self.subTest(row["id"]):
                module, name, *method = re.match(r"[\w.]+", row["why"])[0].split(".")
                self.assertTrue(hasattr(getattr(importlib.import_module(f"integration.{module}"), name), method[0]))
        for row in rows("later", "elsewhere"):
            with self.subTest(row["id"]):
                self.assertGreater(len(row["why"]), 20)


if __name__ == "__main__":
    unittest.main()
