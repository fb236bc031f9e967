"""Git LFS beside a GitServer: the batch API of one repository, and a store of objects elsewhere.

    with GitServer(root) as git, LfsServer(git, "app.git") as lfs:
        pointer = lfs.put(b"content")                # as it is committed; the content is there
        lfs.batches                                  # requests of the batch API, as Batch
        lfs.store.requests                           # downloads and uploads, as Request

To misbehave: `on_batch` and `on_object` are behaviours of git_server.py in place of ours, `edit`
changes an answer of the batch API before it is sent (a dict), `headers` are those that downloads
are told to send. What git.require() wants of the repository is wanted of its batch API too.

It is a fake: test_lfs.py lets the real git-lfs push to it and clone from it.
"""

import hashlib
import json
from collections import namedtuple

from lib.git_server import GitServer

MEDIA_TYPE = "application/vnd.git-lfs+json"

Batch = namedtuple("Batch", "body authorization")


def pointer(content, size=None):
    """The text of a pointer to this content."""
    oid = hashlib.sha256(content).hexdigest()
    size = len(content) if size is None else size
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"


class LfsServer:
    def __init__(self, git, name="app.git"):
        self.git, self.name = git, name
        self.contents, self.batches, self.headers = {}, [], {}
        self.on_batch = self.on_object = self.edit = None
        self.store = GitServer("/nonexistent")
        self.store.misbehave("objects", self._object)
        git.misbehave(name, self._repository)

    def put(self, content):
        self.contents[hashlib.sha256(content).hexdigest()] = content
        return pointer(content)

    def close(self):
        self.store.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # The repository's own server.

    def _repository(self, handler):
        path = handler.path.partition("?")[0]
        if self.name in self.git.accounts and not handler.is_authentic(
                self.git.accounts[self.name]):
            handler.body()
            handler.answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"who are you?\n")
        elif path == f"/{self.name}/info/lfs/objects/batch":
            (self.on_batch or self.serve_batch)(handler)
        elif path.startswith(f"/{self.name}/info/lfs/objects/"):
            self.serve_object(handler)
        elif "/info/lfs/" in path:
            handler.body()
            self._answer(handler, 404, {"message": "Not found"})
        else:
            handler.backend()

    def serve_batch(self, handler):
        request = json.loads(handler.body())
        self.batches.append(Batch(request, handler.headers.get("Authorization")))
        kinds = {handler.headers.get(name, "").partition(";")[0]
                 for name in ("Accept", "Content-Type")}
        if handler.command != "POST" or kinds != {MEDIA_TYPE}:
            return self._answer(handler, 406, {"message": "Not acceptable"})
        if "basic" not in request.get("transfers", ["basic"]) or len(request["objects"]) > 100:
            return self._answer(handler, 422, {"message": "Not this"})
        answer = {"transfer": "basic", "hash_algo": "sha256",
                  "objects": [self._entry(request["operation"], o) for o in request["objects"]]}
        if self.edit:
            self.edit(answer)
        return self._answer(handler, 200, answer)

    def _entry(self, operation, wanted):
        entry = {"oid": wanted["oid"], "size": wanted["size"], "authenticated": True}
        action = {"href": self.href(wanted["oid"]), "header": dict(self.headers),
                  "expires_in": 3600}
        if (wanted["oid"] in self.contents) == (operation == "download"):
            return {**entry, "actions": {operation: action}}
        if operation == "download":
            return {**entry, "error": {"code": 404, "message": "Object does not exist"}}
        return entry

    def href(self, oid):
        return self.store.url(f"objects/{oid}?signature=a%2Fb%3D")

    @staticmethod
    def _answer(handler, status, body):
        handler.answer(status, {"Content-Type": MEDIA_TYPE}, json.dumps(body).encode())

    # The store.

    def _object(self, handler):
        if self.on_object and handler.command == "GET":
            return self.on_object(handler)
        return self.serve_object(handler)

    def serve_object(self, handler):
        oid = handler.path.partition("?")[0].rpartition("/")[2]
        if handler.command == "PUT":
            content = handler.body()
            if hashlib.sha256(content).hexdigest() != oid:
                return handler.answer(400, {}, b"")
            self.contents[oid] = content
            return handler.answer(200, {}, b"")
        content = self.contents.get(oid)
        if content is None:
            return handler.answer(404, {}, b"")
        return handler.answer(200, {"Content-Type": "application/octet-stream"}, content)
