"""Git LFS that is missing, broken or hostile: the run ends and says why; a pointer is never built."""

import json
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib.context_case import DOCKERFILE  # noqa: E402
from lib.eventually import eventually  # noqa: E402
from lib.lfs_case import MODEL, OID, LfsTest  # noqa: E402
from lib.lfs_server import pointer  # noqa: E402


class Failures(LfsTest):
    def setUp(self):
        super().setUp()
        self.commit(model_bin=MODEL)

    def assert_batch(self, behaviour, word, **more):
        self.lfs.on_batch = behaviour
        return self.assert_fails(self.fetch(**more), word)

    def assert_object(self, behaviour, word, **more):
        self.lfs.on_object = behaviour
        got = self.assert_fails(self.fetch(**more), word)
        self.assertEqual(self.kept(), [])
        return got

    def assert_edited(self, edit, word, **more):
        """edit(action) changes what a download is told."""
        self.lfs.edit = lambda answer: [edit(o["actions"]["download"]) for o in answer["objects"]]
        got = self.assert_fails(self.fetch(**more), word)
        self.assertEqual(self.downloads(), [])
        return got

    def test_file_that_the_server_does_not_have(self):
        self.lfs.contents.clear()
        got = self.assert_fails(self.fetch(), "git_lfs")
        self.assertIn("model.bin", got.message)
        self.assertIn(OID, got.message)

    def test_file_that_is_not_where_the_server_says(self):
        for status in (404, 410, 416):
            got = self.assert_object(hostile.Status(status), "git_lfs")
            self.assertIn("model.bin", got.message)
            self.assertIn(OID, got.message)

    def test_repository_without_lfs(self):
        for behaviour in (hostile.Status(404), hostile.Status(501), lambda h: h.backend()):
            got = self.assert_batch(behaviour, "git_lfs")
            self.assertIn("model.bin", got.message)

    def test_content_that_is_not_the_pointers(self):
        for content in (MODEL[::-1], MODEL + b"x", MODEL[:-1], b"", b"x" * 3_000_000):
            got = self.assert_object(hostile.Status(200, {}, content), "git_lfs")
            self.assertIn("model.bin", got.message)
            self.assertIn("damaged", got.message)

    def test_content_without_end(self):
        def endless(handler):
            handler.start(200, {})
            while handler.wait(0):
                handler.wfile.write(bytes(1 << 16))
        self.assertLess(self.assert_object(endless, "git_lfs").seconds, 10)

    def test_pointers_that_promise_too_much(self):
        got = self.assert_fails(self.fetch(limits={"gitObjectBytes": len(MODEL) - 1}),
                                "git_too_large")
        self.assertIn("model.bin", got.message)
        self.repo.commit({"Dockerfile": DOCKERFILE, **{
            name: pointer(name.encode(), 15 << 20) for name in "abcd"}})
        self.assert_fails(self.fetch(limits={"gitBytes": 50 << 20}), "git_too_large")
        self.repo.commit({"Dockerfile": DOCKERFILE, **{
            name: pointer(name.encode(), 2**63 - 1) for name in "ab"}})
        self.assert_fails(self.fetch(limits={"gitBytes": 2**62, "gitObjectBytes": 2**62}),
                          "git_too_large")
        self.assertEqual(self.lfs.batches, [])

    def test_pointers_that_disagree(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "a": pointer(MODEL), "b": pointer(MODEL, 7)})
        self.assert_fails(self.fetch(), "git_lfs")

    def test_pointer_of_an_extension(self):
        version, rest = pointer(MODEL).split("\n", 1)
        text = f"{version}\next-0-crypt sha256:{'0' * 64}\n{rest}"
        self.repo.commit({"Dockerfile": DOCKERFILE, "model.bin": text})
        got = self.assert_fails(self.fetch(), "git_lfs")
        self.assertIn("model.bin", got.message)
        self.assertEqual(self.lfs.batches, [])

    def test_answers_of_the_batch_api(self):
        rows = [(hostile.Status(401), "git_auth"), (hostile.Status(403), "git_auth"),
                (hostile.Status(422), "git_lfs"), (hostile.Status(413), "git_lfs"),
                (hostile.Status(509), "git_lfs"), (hostile.SignInPage(), "git_auth"),
                (hostile.Status(203, {"Content-Type": "text/plain"}), "git_auth"),
                (hostile.Status(200, {}, b"{}"), "git_protocol"),
                (hostile.Status(200, {}, b"<?php"), "git_protocol"),
                (hostile.Status(200, {}, b" " * (5 << 20)), "git_protocol"),
                (hostile.Status(200, {}, b"[" * 100_000), "git_protocol"),
                (hostile.Status(200, {}, b'{"objects":[]}'), "git_lfs"),
                (hostile.Redirect(self.lfs.store.url("elsewhere")), "redirect_denied")]
        for i, (behaviour, word) in enumerate(rows):
            with self.subTest(i):
                self.assert_batch(behaviour, word)
        self.assertEqual(self.lfs.store.requests, [])

    def test_servers_own_words_are_in_the_log_only(self):
        body = json.dumps({"message": "over its data quota"}).encode()
        got = self.assert_batch(hostile.Status(422, {}, body), "git_lfs")
        self.assertIn("over its data quota", got.log)
        self.assertNotIn("quota", got.message)

    def test_places_that_are_not_fetched_from(self):
        port = self.lfs.store.port
        rows = [("file:///etc/passwd", "scheme_denied"), ("/etc/passwd", "scheme_denied"),
                (f"ftp://127.0.0.1:{port}/", "scheme_denied"),
                (f"http://user:secret@127.0.0.1:{port}/objects/{OID}", "git_protocol"),
                (f"http://127.0.0.1:{port}/objects/{OID}\r\nX: y", "git_protocol"),
                (f"http://10.1.2.3:{port}/objects/{OID}", "address_denied"),
                (f"http://localhost.:{port}@10.0.0.1/", "git_protocol"),
                (f"http://[::1]:{port}/objects/{OID}", "address_denied")]
        for href, word in rows:
            with self.subTest(href):
                got = self.assert_edited(lambda a, h=href: a.update(href=h), word)
                self.assertNotIn("secret", got.message + got.log)

    def test_addresses_are_checked_where_the_place_leads(self):
        more = {"allowAddresses": ["127.0.0.1/32"]}
        href = f"http://127.0.0.2:{self.lfs.store.port}/objects/{OID}"
        self.assert_edited(lambda a: a.update(href=href), "address_denied", **more)
        self.lfs.edit = None
        self.assertIsNone(self.fetch(**more).word)

    def test_schemes_hold_for_places_too(self):
        self.assert_edited(lambda a: a.update(href=f"https://127.0.0.1:{self.lfs.store.port}/x"),
                           "scheme_denied", allowSchemes=["http"])

    def test_redirect_of_a_download(self):
        self.assert_object(hostile.Redirect(f"http://127.0.0.1:{self.server.port}/x?secret=1"),
                           "redirect_denied")

    def test_headers_that_would_be_more_than_one(self):
        for header in ({"X": "a\r\nAuthorization: evil"}, {"X\r\nY": "a"}, {"X": "\x01"},
                       {"X:": "a"}, {"": "a"}, {f"X{i}": "a" for i in range(33)},
                       {"X": "a" * 20_000}, {"X": 1}):
            self.assert_edited(lambda a, h=header: a.update(header=h), "git_protocol")

    def test_silent_servers_end_within_their_time(self):
        self.assertLess(self.assert_batch(hostile.Silent(), "git_timeout").seconds, 8)
        self.lfs.on_batch = None
        self.assertLess(self.assert_object(hostile.Silent(), "git_timeout").seconds, 8)

    def test_trickling_servers_end_within_their_time(self):
        def trickle(handler):
            handler.body()
            handler.start(200, {"Content-Length": "100000"})
            while handler.wait(0.1):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        self.assertLess(self.assert_batch(trickle, "git_timeout").seconds, 8)
        self.lfs.on_batch = None
        self.repo.commit({"Dockerfile": DOCKERFILE, "a": self.lfs.put(b"x" * 100_000)})
        self.assertLess(self.assert_object(trickle, "git_timeout").seconds, 8)

    def test_session_has_an_end(self):
        def slow(handler):
            handler.start(200, {"Content-Length": "10000000"})
            while handler.wait(0.05):
                handler.wfile.write(bytes(10_000))
                handler.wfile.flush()
        self.repo.commit({"Dockerfile": DOCKERFILE, "a": self.lfs.put(bytes(10_000_000))})
        got = self.assert_object(slow, "git_timeout", limits={"gitTimeoutMs": 3_000})
        self.assertLess(got.seconds, 8)

    def test_what_passes_is_tried_again(self):
        def fail_times(times, status, then):
            left = [times]
            def behave(handler):
                left[0] -= 1
                if left[0] < 0:
                    return then(handler)
                handler.body()
                return handler.reset() if status is None else handler.answer(status, {}, b"")
            return behave
        self.lfs.on_batch = fail_times(2, 503, self.lfs.serve_batch)
        self.lfs.on_object = fail_times(2, None, self.lfs.serve_object)
        got = self.fetch()
        self.assertEqual(got.files()["model.bin"], MODEL.decode())
        self.assertEqual(got.log.count("trying again"), 4)

    def test_what_does_not_pass_ends(self):
        for status in (500, 429):
            got = self.assert_batch(hostile.Status(status), "git_network")
            self.assertEqual(got.log.count("trying again"), 3)
        self.lfs.on_batch = None
        self.assert_object(hostile.Status(503), "git_network")

    def test_connection_that_breaks_within_a_file(self):
        def cut(handler):
            handler.start(200, {"Content-Length": str(len(MODEL))})
            handler.wfile.write(MODEL[:5])
            handler.reset()
        self.assert_object(cut, "git_network")

    def test_cancel_ends_a_download(self):
        self.lfs.on_object = hostile.Silent()
        began = time.monotonic()
        folder, process = self.start(self.spec(self.url(), limits={"gitStallMs": 60_000}))
        eventually(self.downloads, "the download")
        process.send_signal(signal.SIGTERM)
        self.assert_fails(self.finish(folder, process, began), "canceled")

    def test_next_run_is_well(self):
        self.assert_object(hostile.Status(200, {}, MODEL[:-1]), "git_lfs")
        self.lfs.on_object = None
        self.assertEqual(self.fetch().files()["model.bin"], MODEL.decode())


if __name__ == "__main__":
    unittest.main()
