"""A repository on a forge: whoever pushes to it has that forge's delivery posted by a hook of git.

    hosted = Hosted(folder / "git" / "app.git", server.url("app.git"), "gitlab", service.port)
    hosted.push(source, "main")          # from another repository, over HTTP
    hosted.deliveries()[-1].answer       # what the service said to what was posted
"""

import http.client
import json
import subprocess
import sys
import uuid
from collections import namedtuple
from pathlib import Path

from lib.git_repository import GitRepository
from lib.payloads import FORGES, ZEROS

TESTS = Path(__file__).resolve().parents[1]
POSTED = "posted"  # a file in the repository, one line a delivery

Delivery = namedtuple("Delivery", "ref status answer body headers")


class Hosted(GitRepository):
    def __init__(self, path, url, forge, port):
        super().__init__(path)
        self.url = url
        self.configure("http.receivepack", "true")
        hook = self.path / "hooks" / "post-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/usr/bin/python3\n"
                        f"import sys\nsys.path.insert(0, {str(TESTS)!r})\n"
                        f"from lib.forge import post\npost({forge!r}, {url!r}, {port})\n")
        hook.chmod(0o755)

    def push(self, source, *refs):
        """Returns when the hook has posted: git waits for it."""
        source.git("push", "--quiet", self.url, *refs)

    def deliveries(self):
        return [Delivery(*json.loads(line)) for line in (self.path / POSTED).read_text().splitlines()]


# In the hook, whose folder is the repository.


def message_of(commit):
    return subprocess.run(["git", "log", "-1", "--format=%B", commit], capture_output=True, text=True, check=True).stdout


def post(name, url, port):
    """A delivery for each "old new ref" on standard input."""
    for line in sys.stdin:
        before, after, ref = line.split()
        message = None if after == ZEROS else message_of(after)
        body = json.dumps(FORGES[name].push(url, ref, before, after, message=message))
        headers = FORGES[name].headers(body.encode(), str(uuid.uuid4()))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", f"/webhooks/{name}", body.encode(), headers)
        answer = connection.getresponse()
        with open(POSTED, "a") as posted:
            posted.write(json.dumps([ref, answer.status, json.loads(answer.read()), body, headers]) + "\n")
