"""Contexts from strangers at the door of the service: tests/fixtures/hostile-git-url.tsv, row by row, and uploads."""

import http.client
import json
import re
import sys
import unittest
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.fake_service import FakeService  # noqa: E402

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "hostile-git-url.tsv"
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}
SCHEDULE = "/v1/registries/main/scheduleRun"


def expand(text):
    text = re.sub(rb"\{(\d+)\*([^{}]*)\}", lambda m: int(m[1]) * m[2], text.encode())
    return re.sub(rb"\\(x..|.)", lambda m: bytes.fromhex(m[1][1:].decode()) if m[1][:1] == b"x" else ESCAPES[m[1]],
                  text)


def rows(*checks):
    for line in FIXTURE.read_text().splitlines():
        number, check, text, word, *_ = [*line.split("\t"), "", "", "", ""]
        if check in checks and not line.startswith("# "):
            yield number, check, expand(text), word


def submitted(check, text):
    """The row as the context of a build."""
    if check == "url":
        return text.decode()
    return "https://github.com/acme/app.git#" + ":" * (check == "folder") + urllib.parse.quote(text)


class Submissions(unittest.TestCase):
    CONFIG = "limits: { body_timeout_s: 1 }\n"

    @classmethod
    def setUpClass(cls):
        cls.service = FakeService(cls.CONFIG)
        # Nothing private, https alone: what is there when an operator says nothing.
        text = re.sub(r"git:\n(  .*\n)+", "", cls.service.config_file.read_text())
        cls.service.write_config(text)
        cls.enterClassContext(cls.service)

    def submit(self, context):
        answer = self.service.request("POST", SCHEDULE, self.service.build(sourceLocation=context))
        body = json.loads(answer.body)
        return answer.status, body["error"]["code"] if answer.status != 200 else "ok", answer.body.decode()

    def expected(self, check, text, word):
        """What reading the context says before its policy is asked."""
        if any(c < 0x20 or c == 0x7f for c in text):
            return "context_invalid"
        if check == "url" and word == "url_has_credentials":
            return "ok"  # moved to where secrets are kept
        if check == "url" and text.lower().startswith(b"oci://"):
            return "context_kind"
        if check == "url" and b"#" in text:
            return None  # cut off, and tested without
        if check == "ref" and b":" in text:
            return None  # the ref ends there
        return word

    def test_every_row_is_refused_when_it_is_submitted(self):
        tried = 0
        for number, check, text, word in rows("url", "ref", "folder"):
            try:
                wanted = self.expected(check, text, word)
                context = submitted(check, text)
            except UnicodeDecodeError:
                continue  # no JSON
            if wanted is None or b"\0" in text and check == "url":
                continue
            with self.subTest(number, text=text[:80]):
                status, code, body = self.submit(context)
                self.assertEqual((status, code), (200 if wanted == "ok" else 422, wanted), body)
                self.assertLess(len(body), 4096)
                tried += 1
        self.assertGreater(tried, 280)

    def test_upload_that_stops_half_way(self):
        """TAR-019."""
        made = self.service.json("POST", "/v1/registries/main/listBuildSourceUploadUrl")
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=20)
        connection.putrequest("PUT", "/" + made["uploadUrl"].split("/", 3)[3])
        connection.putheader("Content-Length", "2000")
        connection.endheaders(b"x" * 1000)
        sources = self.service.data / "sources"
        self.service.eventually(lambda: list(sources.glob("*.part")), what="the upload's beginning")
        answer = connection.getresponse()
        self.assertEqual((answer.status, json.loads(answer.read())["error"]["code"]), (408, "timeout"))
        self.service.eventually(lambda: not list(sources.iterdir()), what="the partial file to go")
        connection.close()


if __name__ == "__main__":
    unittest.main()
