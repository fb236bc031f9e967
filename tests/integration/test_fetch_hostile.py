"""Contexts from repositories and servers that mean us harm."""

import random
import signal
import stat
import sys
import time
import unittest
import zlib
from hashlib import sha1
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib.context_case import DOCKERFILE, ENVIRONMENT, ContextTest  # noqa: E402
from lib.git_server import GitServer, self_signed_certificate  # noqa: E402
from lib.run_spec import credential  # noqa: E402

class HostileTrees(ContextTest):
    def commit_entries(self, *entries):
        file = ("100644", "Dockerfile", self.repo.blob(DOCKERFILE))
        self.repo.commit_tree(self.repo.raw_tree([file, *entries]))

    def test_names_that_mean_something(self):
        blob = self.repo.blob("x")
        folder = self.repo.tree({"config": "x"})
        for name in ("..", ".", ".git", ".GIT", "git~1", "GIT~1", ".git ", ".git.", ".git. .",
                     ".git::$INDEX_ALLOCATION", ".git\\x", "a/b", "../../etc/x", "n" * 300):
            for mode, oid in (("100644", blob), ("40000", folder)):
                with self.subTest(name, mode=mode):
                    self.commit_entries((mode, name, oid))
                    self.assert_fails(self.fetch(), "git_unsafe_tree")

    def test_names_inside_folders_are_looked_at_too(self):
        inner = self.repo.raw_tree([("100644", "..", self.repo.blob("x"))])
        self.commit_entries(("40000", "a", self.repo.raw_tree([("40000", "b", inner)])))
        self.assert_fails(self.fetch(), "git_unsafe_tree")

    def test_modules_file_that_is_a_link(self):
        self.commit_entries(("120000", ".gitmodules", self.repo.blob("/etc/passwd")))
        self.assert_fails(self.fetch(), "git_unsafe_tree")

    def test_link_and_folder_of_one_name(self):
        victim = self.folder / "victim"
        victim.mkdir()
        self.commit_entries(("120000", "a", self.repo.blob(str(victim))),
                            ("40000", "a", self.repo.tree({"written": "x"})))
        self.assert_fails(self.fetch(), "git_unsafe_tree")
        self.assertEqual(list(victim.iterdir()), [])

    def test_two_entries_of_one_name(self):
        for other in (("100644", "a", self.repo.blob("y")), ("40000", "a", self.repo.tree({"f": "x"})),
                      ("120000", "a", self.repo.blob("/tmp"))):
            with self.subTest(other[0]):
                self.commit_entries(("100644", "a", self.repo.blob("x")), other)
                self.assert_fails(self.fetch(), "git_unsafe_tree")

    def test_modes_of_devices_make_files(self):
        blob = self.repo.blob("x")
        modes = ("0", "1", "644", "10000", "20000", "60000", "100000", "100600", "100664", "104755", "140000",
                 "130000", "170000")
        self.commit_entries(*[(mode, f"m{mode}", blob) for mode in modes])
        got = self.fetch()
        self.assertEqual(len(got.files()), len(modes) + 1)
        for mode in modes:
            status = got.path("m" + mode).lstat()
            self.assertTrue(stat.S_ISREG(status.st_mode), mode)
            self.assertIn(stat.S_IMODE(status.st_mode), (0o644, 0o755), mode)

    def test_targets_of_links(self):
        for target in ("", "a\0b", "a" * 5000, "a" * (1 << 20)):
            with self.subTest(target[:9]):
                self.commit_entries(("120000", "link", self.repo.blob(target)))
                self.assert_fails(self.fetch(), "git_unsafe_tree")
        for target in (b"a/" * 2047 + b"b", b"a\n\x1b[31m", b"\xff\xfe", b"../../../../etc/passwd", b"/proc/self/environ"):
            with self.subTest(target[:9]):
                self.commit_entries(("120000", "link", self.repo.blob(target)))
                self.assertIsNone(self.fetch().word)

    def test_files_and_folders_that_are_not_what_they_say(self):
        for mode in ("100644", "120000"):
            self.commit_entries((mode, "a", self.repo.tree({"f": "x"})))
            self.assert_fails(self.fetch(), "git_bad_object")

    def test_names_are_shown_without_their_control_characters(self):
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
        for mode, oid in (("160000", "1" * 40), ("100644", self.repo.blob(pointer))):
            self.commit_entries((mode, "a\x1b[31m\nrun succeeded\x07", oid))
            got = self.fetch()
            self.assertFalse(set(map(chr, range(32))) & set(got.log.replace("\n", "") + (got.message or "")))
            self.assertNotIn("\nrun succeeded", got.log)

    def test_tag_of_tags(self):
        oid = self.repo.commit({"Dockerfile": DOCKERFILE})
        for i in range(100):
            kind = "tag" if i else "commit"
            oid = self.repo.git("mktag", stdin=f"object {oid}\ntype {kind}\ntag t{i}\ntagger A <a@b> 1 +0000\n\nx\n".encode())
        self.repo.move("refs/tags/deep", oid)
        got = self.fetch("#deep")
        self.assertEqual((got.word, got.tag), (None, "deep"))

    def bomb(self, levels):
        tree = self.repo.raw_tree([("100644", f"f{i}", self.repo.blob("x")) for i in range(10)])
        for _ in range(levels):
            tree = self.repo.raw_tree([("40000", f"d{i}", tree) for i in range(10)])
        return tree

    def test_bombs_are_counted_before_anything_is_written(self):
        for levels in (5, 10):
            with self.subTest(levels):
                self.commit_entries(("40000", "bomb", self.bomb(levels)))
                got = self.assert_fails(self.fetch(), "git_too_many_files")
                self.assertFalse((got.folder / "work" / "context").exists())
                self.assertLess(got.seconds, 5)

    def test_nested_folders(self):
        tree = self.repo.tree({"f": "x"})
        for _ in range(1000):
            tree = self.repo.raw_tree([("40000", "d", tree)])
        self.commit_entries(("40000", "d", tree))
        got = self.assert_fails(self.fetch(), "git_too_deep")
        self.assertLess(len(got.message), 300)

    def test_large_file(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "big": b"\0" * (17 << 20)})
        self.assert_fails(self.fetch(), "git_too_large")

    def test_many_times_the_same_large_file(self):
        blob = self.repo.blob(b"\0" * (8 << 20))
        self.commit_entries(*[("100644", f"f{i:03}", blob) for i in range(100)])
        self.assert_fails(self.fetch(), "git_too_large")

    def test_attributes_run_no_filter(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "x": "a\r\nb\n", ".gitattributes":
                          "* filter=evil text eol=crlf ident\n" + "*.x text\n" * 100_000})
        self.assertEqual(self.fetch().files()["x"], "a\r\nb\n")


class HostileServers(ContextTest):
    def setUp(self):
        super().setUp()
        self.commit = self.repo.commit({"Dockerfile": DOCKERFILE, "random": random.Random(1).randbytes(
            20_000)})

    def test_answers(self):
        elsewhere = "http://localhost:1/x.git/info/refs?service=git-upload-pack"
        rows = {
            "status-401": (hostile.Status(401), "git_auth"),
            "status-403": (hostile.Status(403), "git_auth"),
            "status-429": (hostile.Status(429, {"Retry-After": "86400"}), "git_auth"),
            "status-404": (hostile.Status(404), "git_not_found"),
            "status-500": (hostile.Status(500), "git_network"),
            "sign-in": (hostile.SignInPage(), "git_auth"),
            "redirect": (hostile.Redirect(elsewhere), "redirect_denied"),
            "moved": (hostile.Redirect(elsewhere, 301), "redirect_denied"),
            "silent": (hostile.Silent(), "git_timeout"),
            "half-silent": (hostile.SilentAfter(30, "GET"), "git_timeout"),
            "silent-pack": (hostile.SilentAfter(3000), "git_timeout"),
            "trickle": (hostile.Trickle(0.05), "git_timeout"),
            "no-git": (hostile.Status(200, {"Content-Type": hostile.ADVERTISEMENT}, b"hello"),
                       "git_protocol"),
            "cut-refs": (hostile.Status(200, {"Content-Type": hostile.ADVERTISEMENT},
                                        hostile.pkt("# service=git-upload-pack\n")), "git_network"),
            "long-name": (hostile.Advertise(lambda: [
                hostile.advertisement([("1" * 40, "refs/heads/" + "a" * 60_000)])]), "git_too_large"),
            "many-objects": (hostile.SendPack(self.commit, b"PACK\0\0\0\2\xff\xff\xff\xff"),
                             "git_bad_pack"),
            "no-pack": (hostile.SendPack(self.commit, b"x" * 1000), "git_bad_pack"),
            "empty-pack": (hostile.SendPack(self.commit, b""), "git_bad_pack"),
        }
        for name, (behaviour, word) in rows.items():
            with self.subTest(name):
                got = self.fetch(url=self.alias(name + ".git", behaviour))
                self.assert_fails(got, word)
                self.assertLess(got.seconds, 12)

    def test_endless_list_of_refs(self):
        def refs():
            yield hostile.pkt("# service=git-upload-pack\n") + hostile.pkt(None)
            line = b"".join(hostile.pkt(f"{'1' * 40} refs/heads/branch-{i}\n") for i in range(1000))
            while True:
                yield line * 20
        self.assert_fails(self.fetch(url=self.alias("endless.git", hostile.Advertise(refs))),
                          "git_too_large")

    def test_more_bytes_than_allowed(self):
        self.assert_fails(self.fetch(limits={"gitBytes": 10_000}), "git_too_large")

    def test_reset_at_any_byte_is_tried_again_and_leaves_no_half_tree(self):
        refs = len(hostile.advertisement([(self.commit, "HEAD")]))
        for offset in (0, 4, refs, 1000, 5_000, 20_000):
            with self.subTest(offset):
                url = self.alias(f"reset-{offset}.git", hostile.ResetAt(offset))
                self.server.requests.clear()
                self.assert_fails(self.fetch(url=url), "git_network")
                lists = [r for r in self.server.requests if r.method == "GET"]
                self.assertEqual(len(lists), 3)
                self.server.misbehaviours.clear()
                self.assertEqual(self.fetch(url=url).commit, self.commit)

    def test_server_that_recovers(self):
        url = self.alias("weak.git", hostile.FailTimes(2))
        self.assertEqual(self.fetch(url=url).commit, self.commit)

    def token(self, token, **more):
        return credential(self.url(), token, **more)

    def test_credentials_are_tried_once(self):
        self.server.require("app.git", "slipway", "right")
        self.assert_fails(self.fetch(), "git_auth")
        self.server.requests.clear()
        got = self.assert_fails(self.fetch(**self.token("wrong-token")), "git_auth")
        self.assertEqual(len(self.server.requests), 1)
        self.assertNotIn("wrong-token", got.message + got.log)
        self.assertEqual(self.fetch(**self.token("right")).commit, self.commit)
        self.assertEqual(self.fetch(**self.token("right", username="slipway")).commit, self.commit)

    def test_token_is_not_sent_where_a_redirect_leads(self):
        with GitServer(self.folder) as other:
            url = self.alias("moved.git", hostile.Redirect(other.url("app.git/info/refs")))
            self.assert_fails(self.fetch(url=url, **credential(url, "secret-token")),
                              "redirect_denied")
            self.assertEqual(other.requests, [])

    def test_mirror_of_one_credential_serves_no_other(self):
        self.server.require("app.git", "slipway", "right")
        exact = {"commit": self.commit, "ref": "refs/heads/main"}
        self.assertIsNone(self.fetch(build=exact, **self.token("right")).word)
        self.assert_fails(self.fetch(build=exact), "git_auth")
        self.assert_fails(self.fetch(build=exact, **self.token("other")), "git_auth")

    def test_private_addresses_are_refused_also_behind_names(self):
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"):
            with self.subTest(host):
                url = self.server.url("app.git", host=host)
                self.assert_fails(self.fetch(url=url, allowAddresses=[]), "address_denied")
        self.assertEqual(self.server.requests, [])

    def test_schemes(self):
        for url in (f"git://127.0.0.1:{self.server.port}/app.git", "ssh://git@127.0.0.1/app.git",
                    "git@127.0.0.1:app.git"):
            self.assert_fails(self.fetch(url=url), "scheme_denied")
        self.assert_fails(self.fetch(allowSchemes=["https"]), "scheme_denied")

    def test_certificates(self):
        for name, days in (("localhost", 1), ("elsewhere", 1)):
            certificate = self_signed_certificate(self.folder, name, days)
            with GitServer(self.folder, tls=certificate) as server:
                got = self.fetch(url=server.url("app.git", host="localhost"))
                self.assert_fails(got, "tls")
                self.assertEqual(server.requests, [])

    def test_proxy_of_the_environment_is_not_used(self):
        ENVIRONMENT["http_proxy"] = "http://127.0.0.1:1"
        try:
            self.assertIsNone(self.fetch().word)
        finally:
            del ENVIRONMENT["http_proxy"]

    def test_cancel_and_deadline_end_a_silent_fetch(self):
        url = self.alias("silent.git", hostile.Silent())
        began = time.monotonic()
        folder, process = self.start(self.spec(url, limits={"gitStallMs": 30_000}))
        while not self.server.requests:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        got = self.assert_fails(self.finish(folder, process, began), "canceled")
        self.assertLess(got.seconds, 5)
        got = self.fetch(url=url, limits={"gitStallMs": 30_000}, timeoutMs=500)
        self.assert_fails(got, "timeout")
        got = self.fetch(url=url, limits={"gitStallMs": 30_000, "gitTimeoutMs": 500})
        self.assert_fails(got, "git_timeout")


class HostilePacks(ContextTest):
    """Packs made by hand, sent by a server that says that they hold main."""

    @staticmethod
    def header(kind, size):
        out, byte = b"", kind << 4 | size & 15
        size >>= 4
        while size:
            out += bytes([byte | 128])
            byte, size = size & 127, size >> 7
        return out + bytes([byte])

    def pack(self, *objects):
        data = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big") + b"".join(objects)
        return data + sha1(data).digest()

    def send(self, pack, commit="1" * 40):
        return self.fetch(url=self.alias("bad.git", hostile.SendPack(commit, pack)))

    def test_cycle_of_deltas(self):
        delta = zlib.compress(b"\1\1\x91\0\1")
        ids = [bytes([n]) * 20 for n in (1, 2)]
        cycle = [self.header(7, 5) + ids[1] + delta, self.header(7, 5) + ids[0] + delta]
        self.assert_fails(self.send(self.pack(*cycle)), "git_bad_pack")

    def test_long_chain_of_deltas(self):
        base = b"x" * 100
        objects, last = [self.header(3, len(base)) + zlib.compress(base)], base
        previous = b"blob 100\0" + base
        for i in range(90_000):
            changed = b"%099d" % i + b"x"
            oid = sha1(previous).digest()
            delta = b"\x64\x64" + bytes([100]) + changed
            objects.append(self.header(7, len(delta)) + oid + zlib.compress(delta))
            previous = b"blob 100\0" + changed
        got = self.send(self.pack(*objects))
        self.assert_fails(got, "git_bad_pack")
        self.assertLess(got.seconds, 20)

    def test_object_larger_than_allowed_is_not_inflated(self):
        size = 20 << 30
        bomb = self.header(3, size) + zlib.compress(b"\0" * (64 << 20))
        got = self.send(self.pack(bomb))
        self.assertIn(got.word, ("git_too_large", "git_bad_pack"))
        self.assertLess(got.seconds, 5)

    def test_damaged_checksum(self):
        blob = self.header(3, 1) + zlib.compress(b"x")
        pack = self.pack(blob)
        self.assert_fails(self.send(pack[:-1] + bytes([pack[-1] ^ 1])), "git_bad_pack")


if __name__ == "__main__":
    unittest.main()
