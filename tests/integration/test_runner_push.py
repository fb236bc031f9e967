"""Pushing: the fence, a registry that fails or lies, a cancel in the last moment."""

import http.server
import os
import sys
import threading
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.git_server import Handler  # noqa: E402
from lib.runner_case import BASE, RunnerTest  # noqa: E402

class Proxy:
    """Stands before a registry: passes all on, but `intercept` may answer first."""

    def __init__(self, registry, intercept):
        outer = self

        class Between(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            body = Handler.body

            def pass_on(self):
                body = self.body()
                headers = {k: v for k, v in self.headers.items()
                           if k not in ("Host", "Transfer-Encoding", "Content-Length")}
                request = urllib.request.Request(f"http://{registry.address}{self.path}",
                                                 data=body or None, headers=headers,
                                                 method=self.command)
                try:
                    answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as e:
                    answer = e
                with answer:
                    return answer.status, dict(answer.headers.items()), answer.read()

            def serve(self):
                status, headers, data = intercept(self) or self.pass_on()
                self.send_response(status)
                for key, value in headers.items():
                    if key not in ("Content-Length", "Date", "Transfer-Encoding"):
                        self.send_header(key, value.replace(registry.address, outer.address))
                if self.command != "HEAD":
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = serve

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Push(RunnerTest):
    def through(self, proxy, **more):
        return self.runner(registries=[
            {"name": "main", "loginServer": proxy.address, "insecure": True}], **more)

    def test_registry_that_fails_at_first(self):
        self.commit(BASE)
        failures = [None, None]

        def intercept(handler):
            if handler.command == "POST" and failures:
                failures.pop()
                handler.body()
                return 503, {}, b"not now"
        with Proxy(self.registry, intercept) as proxy:
            run = self.through(proxy)
            run.run()
        self.assert_end(run, "Succeeded")

    def test_registry_that_holds_something_else(self):
        self.commit(BASE)
        pushed = []

        def intercept(handler):
            if handler.command == "PUT" and "/manifests/" in handler.path:
                pushed.append(handler.path)
            if handler.command == "HEAD" and "/manifests/" in handler.path and pushed:
                return 200, {"Docker-Content-Digest": "sha256:" + "0" * 64,
                             "Content-Type": "application/vnd.oci.image.manifest.v1+json"}, b""
        with Proxy(self.registry, intercept) as proxy:
            run = self.through(proxy)
            run.run()
        self.assert_end(run, "Error", "registry_digest")
        self.assertEqual(run.images, [])

    def canceled_at_manifest(self, deliver):
        """Cancel in the moment in which the manifest arrives, which is then kept or dropped."""
        self.commit(BASE, {"unique": os.urandom(8).hex()})
        arrived = threading.Event()

        def intercept(handler):
            if handler.command != "PUT" or "/manifests/" not in handler.path:
                return None
            if deliver:
                handler.pass_on()
            else:
                handler.body()
            arrived.set()
            threading.Event().wait(20)  # the engine gets no answer
        with Proxy(self.registry, intercept) as proxy:
            run = self.through(proxy, graceMs=12_000).start()
            run.wait_report("push-wanted")
            run.grant()
            self.assertTrue(arrived.wait(30))
            run.cancel()
            run.wait(20)
        return run

    def test_cancel_after_the_registry_took_the_image_tells_the_truth(self):
        run = self.canceled_at_manifest(deliver=True)
        self.assert_end(run, "Succeeded")
        self.assertEqual(run.images[0]["digest"],
                         self.registry.digest("app", run.spec["runId"]))

    def test_cancel_before_the_registry_took_the_image(self):
        run = self.canceled_at_manifest(deliver=False)
        self.assert_end(run, "Canceled", "canceled")
        self.assertEqual(run.images, [])
        self.assertIsNone(self.registry.digest("app", run.spec["runId"]))

    def test_token_is_fetched_where_the_registry_says_but_only_near_it(self):
        self.commit(BASE)
        asked = []

        def intercept(handler):
            if handler.path.startswith("/token"):
                asked.append(handler.headers.get("Authorization"))
                return 200, {}, b'{"token": "bearer-of-today"}'
            if handler.headers.get("Authorization") != "Bearer bearer-of-today":
                handler.body()
                return 401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}, b"{}"
            del handler.headers["Authorization"]
        with Proxy(self.registry, intercept) as proxy:
            realm = f"http://{proxy.address}/token"
            login = {"name": "main", "loginServer": proxy.address, "insecure": True,
                     "username": "bob", "password": "pass-word-of-bob"}
            run = self.runner(registries=[login])
            run.run()
            self.assert_end(run, "Succeeded")
            self.assertTrue(asked and asked[0].startswith("Basic "))
            realm = "http://localhost:1/token"
            run = self.runner(registries=[login])
            run.run()
            self.assert_end(run, "Error", "registry_auth")


if __name__ == "__main__":
    unittest.main()
