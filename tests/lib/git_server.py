"""A git server over HTTP on a free loopback port: the real `git http-backend`, and hostile ones.

    with GitServer(root) as server:                      # serves every repository below root
        url = server.url("app.git")
        server.require("app.git", "bob", "secret")       # basic authentication from now on
        server.misbehave("silent.git", Silent())         # every request below that path
        server.requests                                  # what came: (method, path, authorization)

    GitServer(root, tls=certificate) serves https with a (certificate, key) pair of paths.
    GitServer(root, address=…, port=…) listens elsewhere.

Misbehaviour is a callable that gets the request handler; the classes below are ready-made.
"""

import base64
import os
import socket
import ssl
import struct
import subprocess
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BACKEND = "/usr/lib/git-core/git-http-backend"
ADVERTISEMENT = "application/x-git-upload-pack-advertisement"
RESULT = "application/x-git-upload-pack-result"

Request = namedtuple("Request", "method path authorization")


def pkt(text):
    """One packet line of the git protocol; None is the flush packet."""
    if text is None:
        return b"0000"
    data = text if isinstance(text, bytes) else text.encode()
    return b"%04x" % (len(data) + 4) + data


def advertisement(refs, capabilities="side-band-64k ofs-delta"):
    """The answer to info/refs for [(id, name)]."""
    lines = [pkt(f"{oid} {name}" + (f"\0{capabilities}" if i == 0 else "") + "\n")
             for i, (oid, name) in enumerate(refs)]
    return b"".join([pkt("# service=git-upload-pack\n"), pkt(None), *lines, pkt(None)])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve()

    def do_POST(self):
        self._serve()

    def do_PUT(self):
        self._serve()

    def _serve(self):
        git = self.server.git
        git.requests.append(Request(self.command, self.path, self.headers.get("Authorization")))
        name = self.path.lstrip("/").partition("/")[0]
        try:
            if name in git.misbehaviours:
                git.misbehaviours[name](self)
            elif name in git.accounts and not self.is_authentic(git.accounts[name]):
                self.answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"who are you?\n")
            else:
                self.backend()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def is_authentic(self, account):
        expected = "Basic " + base64.b64encode(":".join(account).encode()).decode()
        return self.headers.get("Authorization") == expected

    # What behaviours are made of.

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = b""
        while size := int(self.rfile.readline(), 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def answer(self, status, headers, data):
        self.start(status, {**headers, "Content-Length": str(len(data))})
        self.wfile.write(data)

    def start(self, status, headers):
        """Status line and headers only. Without a length the body ends with the connection."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if "Content-Length" not in headers:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.flush()

    def reset(self):
        """End the connection with RST, as a machine that fails does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def wait(self, seconds=None):
        """Sleep, unless the server is being closed; True while it goes on."""
        return not self.server.git.closing.wait(seconds)

    def backend_answer(self):
        """(status, headers, body) of git http-backend for this request."""
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.server.git.root),
            "GIT_HTTP_EXPORT_ALL": "1", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1", "REMOTE_USER": "",
        }
        output = subprocess.run([BACKEND], input=self.body(), stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env=environment).stdout
        head, _, data = output.partition(b"\r\n\r\n")
        status, headers = 200, {}
        for line in head.decode().split("\r\n"):
            key, _, value = line.partition(": ")
            if key == "Status":
                status = int(value.split()[0])
            elif key:
                headers[key] = value
        return status, headers, data

    def backend(self):
        self.answer(*self.backend_answer())


class Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away, or a handshake that failed, is what many tests are about."""


class GitServer:
    def __init__(self, root, tls=None, address="127.0.0.1", port=0):
        self.root = root
        self.requests, self.accounts, self.misbehaviours = [], {}, {}
        self.closing = threading.Event()
        self._http = Listener((address, port), Handler)
        self._http.git = self
        self._scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            self._scheme = "https"
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, name, host="127.0.0.1"):
        return f"{self._scheme}://{host}:{self.port}/{name}"

    def require(self, name, user, password):
        self.accounts[name] = (user, password)

    def misbehave(self, name, behaviour):
        self.misbehaviours[name] = behaviour

    def close(self):
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def self_signed_certificate(folder, name="localhost", days=1):
    """(certificate, key) paths; `days` below 0 makes an expired one."""
    key, certificate = f"{folder}/{name}.key", f"{folder}/{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", str(days), "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}"], check=True, stderr=subprocess.DEVNULL)
    return certificate, key


class Status:
    """Answers every request with this status and body."""

    def __init__(self, status, headers=None, body=b""):
        self.status, self.headers, self.body = status, headers or {}, body

    def __call__(self, handler):
        handler.body()
        handler.answer(self.status, self.headers, self.body)


class SignInPage(Status):
    def __init__(self):
        super().__init__(200, {"Content-Type": "text/html"}, b"<html>please sign in</html>")


class Redirect(Status):
    def __init__(self, location, status=302):
        super().__init__(status, {"Location": location})


class Version0:
    """The real server as one that knows version 0 of the protocol only (Azure Repos)."""

    def __call__(self, handler):
        del handler.headers["Git-Protocol"]
        handler.backend()


class Silent:
    """Accepts the request and never answers."""

    def __call__(self, handler):
        handler.wait()


class SilentAfter:
    """Answers properly for `length` bytes of the n-th request's body, then says nothing more."""

    def __init__(self, length, method="POST"):
        self.length, self.method = length, method

    def __call__(self, handler):
        if handler.command != self.method:
            return handler.backend()
        status, headers, data = handler.backend_answer()
        handler.start(status, {**headers, "Content-Length": str(len(data) + self.length)})
        handler.wfile.write(data[:self.length])
        handler.wait()


class Trickle:
    """Sends the answer of the real server a byte at a time."""

    def __init__(self, seconds=1.0, method="POST"):
        self.seconds, self.method = seconds, method

    def __call__(self, handler):
        if handler.command != self.method:
            return handler.backend()
        status, headers, data = handler.backend_answer()
        handler.start(status, {**headers, "Content-Length": str(len(data))})
        for i in range(len(data)):
            if not handler.wait(self.seconds):
                return
            handler.wfile.write(data[i:i + 1])
            handler.wfile.flush()


class ResetAt:
    """Resets the connection after `offset` bytes of answer bodies, counted over all requests. The
    answers are those of the real server, which differ a little from time to time, or given ones."""

    def __init__(self, offset, source=Handler.backend_answer):
        self.offset, self.sent, self.source = offset, 0, source

    def __call__(self, handler):
        status, headers, data = self.source(handler)
        left = self.offset - self.sent
        self.sent += len(data)
        if left >= len(data):
            return handler.answer(status, headers, data)
        handler.start(status, {**headers, "Content-Length": str(len(data))})
        if left > 0:
            handler.wfile.write(data[:left])
            handler.wfile.flush()
        handler.reset()


class FailTimes:
    """Answers the first `times` requests with `status`, then as the real server does."""

    def __init__(self, times, status=503):
        self.left, self.status = times, status

    def __call__(self, handler):
        if self.left == 0:
            return handler.backend()
        self.left -= 1
        handler.body()
        handler.answer(self.status, {}, b"not now\n")


class Paced:
    """Sends the answer of the real server `size` bytes at a time, with pauses."""

    def __init__(self, size, seconds, method="POST"):
        self.size, self.seconds, self.method = size, seconds, method

    def __call__(self, handler):
        if handler.command != self.method:
            return handler.backend()
        status, headers, data = handler.backend_answer()
        handler.start(status, {**headers, "Content-Length": str(len(data))})
        for at in range(0, len(data), self.size):
            if not handler.wait(self.seconds):
                return
            handler.wfile.write(data[at:at + self.size])
            handler.wfile.flush()


class Framed:
    """The answer of the real server in another HTTP framing: frame(handler, status, headers, body)."""

    def __init__(self, frame):
        self.frame = frame

    def __call__(self, handler):
        self.frame(handler, *handler.backend_answer())


class Advertise:
    """Answers info/refs with these bytes, which may come from a generator without end."""

    def __init__(self, chunks):
        self.chunks = chunks

    def __call__(self, handler):
        handler.start(200, {"Content-Type": ADVERTISEMENT})
        for chunk in self.chunks():
            handler.wfile.write(chunk)


class Spoken:
    """Protocol version 2, each answer given as bytes: the capabilities, the refs, the fetch."""

    def __init__(self, refs, fetch, hello=None):
        self.answers = {"hello": hello if hello is not None else capabilities(),
                        "refs": refs, "fetch": fetch}
        self.asked = []  # (what, body of the request)

    def answer(self, handler):
        body = handler.body()
        what = ("hello" if handler.command == "GET" else
                "refs" if b"command=ls-refs" in body else "fetch")
        self.asked.append((what, body))
        return 200, {"Content-Type": ADVERTISEMENT if what == "hello" else RESULT}, self.answers[what]

    def __call__(self, handler):
        handler.answer(*self.answer(handler))


class SpokenOld(Spoken):
    """The same for version 0, where the refs come with the capabilities."""

    def __init__(self, hello, fetch):
        super().__init__(b"", fetch, hello)


def capabilities(*lines):
    """A server's first answer in version 2."""
    lines = lines or ("agent=git/2.39.5", "ls-refs=unborn", "fetch=shallow wait-for-done filter",
                      "server-option", "object-format=sha1")
    return (pkt("# service=git-upload-pack\n") + pkt(None) + pkt("version 2\n") +
            b"".join(pkt(line + "\n") for line in lines) + pkt(None))


def listed(*refs):
    """The answer to ls-refs for ("id", "name symref-target:…")."""
    return b"".join(pkt(f"{oid} {name}\n") for oid, name in refs) + pkt(None)


def packed(pack, before=(), band=1, size=60000):
    """The answer to a fetch: these sections, then the pack."""
    out = b"".join(line if isinstance(line, bytes) else pkt(line + "\n") for line in before)
    out += pkt("packfile\n")
    for at in range(0, len(pack), size):
        out += pkt(bytes([band]) + pack[at:at + size])
    return out + pkt(None)


class SendPack:
    """A repository whose main is `oid`; a fetch gets these bytes as its pack."""

    def __init__(self, oid, pack):
        self.oid, self.pack = oid, pack

    def __call__(self, handler):
        if handler.command == "GET":
            refs = [(self.oid, "HEAD"), (self.oid, "refs/heads/main")]
            return handler.answer(200, {"Content-Type": ADVERTISEMENT}, advertisement(refs))
        handler.body()
        data = pkt("NAK\n")
        for at in range(0, len(self.pack), 60000):
            data += pkt(b"\1" + self.pack[at:at + 60000])
        handler.answer(200, {"Content-Type": RESULT}, data + pkt(None))
