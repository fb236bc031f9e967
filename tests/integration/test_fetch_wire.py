"""Servers that speak git's protocols wrongly, each answer given as bytes; and odd HTTP around them."""

import gzip
import random
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib.context_case import DOCKERFILE, ContextTest  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import capabilities, listed, packed, pkt  # noqa: E402

NOBODY = "1" * 40
BANNER = pkt("# service=git-upload-pack\n") + pkt(None)
CONTROL = set(map(chr, [*range(32), *range(127, 160)]))


class WireTest(ContextTest):
    def setUp(self):
        super().setUp()
        self.first = self.repo.commit({"Dockerfile": DOCKERFILE, "old": "x"})
        self.commit = self.repo.commit({"Dockerfile": DOCKERFILE, "a/b": "1"})
        self.refs = listed((self.commit, "HEAD symref-target:refs/heads/main"),
                           (self.commit, "refs/heads/main"))
        self.pack = self.repo.pack(*self.repo.objects(self.commit))
        self.named = 0

    def say(self, fragment="", refs=None, fetch=None, hello=None, **more):
        """A fetch from a server that answers so, and well where nothing is given."""
        refs, fetch = refs or self.refs, fetch if fetch is not None else packed(self.pack)
        return self.fetch_from(hostile.Spoken(refs, fetch, hello), fragment, **more)

    def say_old(self, refs, fetch, fragment="", words="shallow side-band-64k ofs-delta", **more):
        hello = hostile.advertisement(refs, words) if isinstance(refs, list) else refs
        return self.fetch_from(hostile.SpokenOld(hello, fetch), fragment, **more)

    def old_pack(self, before=b""):
        return before + pkt("NAK\n") + b"".join(
            pkt(b"\1" + self.pack[at:at + 9000]) for at in range(0, len(self.pack), 9000)) + pkt(None)

    def fetch_from(self, behaviour, fragment="", **more):
        self.named += 1
        return self.fetch(fragment, url=self.alias(f"spoken{self.named}.git", behaviour), **more)

    def assert_fails(self, fetched, word):
        super().assert_fails(fetched, word)
        self.assertFalse(CONTROL & set(fetched.message), fetched.message)
        self.assertFalse((fetched.folder / "work" / "context").exists())
        return fetched

    def assert_comes(self, got):
        self.assertEqual((got.word, got.commit), (None, self.commit), got.answer)
        self.assertEqual(got.files(), {"Dockerfile": DOCKERFILE, "a/b": "1"})
        return got


class PacketLines(WireTest):
    BAD = {
        "impossible length": (b"0003", "git_protocol"),
        "longest length": (b"ffff" + b"x" * 65531, "git_protocol"),
        "one byte too long": (b"fff1" + b"x" * 65521, "git_protocol"),
        "no digits": (b"zzzz", "git_protocol"),
        "a sign": (b"+01e" + b"x" * 26, "git_protocol"),
        "a minus": (b"-001", "git_protocol"),
        "blanks": (b"  1e" + b"x" * 26, "git_protocol"),
        "a prefix": (b"0x1e" + b"x" * 26, "git_protocol"),
        "NUL": (b"\0\0\0\0", "git_protocol"),
        "cut digits": (b"00", "git_network"),
        "cut line": (b"0050abc", "git_network"),
        "nothing": (b"", "git_network"),
        "a page": (b"<!DOCTYPE html><html>", "git_protocol"),
    }

    def test_instead_of_the_capabilities(self):
        for why, (data, word) in self.BAD.items():
            with self.subTest(why):
                self.assert_fails(self.say(hello=BANNER + data), word)

    def test_instead_of_the_refs(self):
        for why, (data, word) in self.BAD.items():
            with self.subTest(why):
                self.assert_fails(self.say(refs=pkt(f"{self.commit} HEAD\n") + data), word)

    def test_instead_of_the_pack(self):
        for why, (data, word) in self.BAD.items():
            with self.subTest(why):
                whole = packed(self.pack)
                self.assert_fails(self.say(fetch=pkt("packfile\n") + data), word)
                self.assert_fails(self.say(fetch=whole[:-4] + data), word)

    def test_lines_of_an_odd_but_legal_kind(self):
        empty, upper = pkt(b""), packed(self.pack).replace(b"000dpackfile", b"000Dpackfile")
        self.assert_comes(self.say(fetch=upper))
        self.assert_comes(self.say(fetch=pkt("shallow-info\n") + b"0001" + packed(self.pack)))
        self.assert_comes(self.say(fetch=packed(self.pack, size=1)))
        self.assert_comes(self.say(fetch=packed(self.pack) + b"garbage behind the end" * 1000))
        self.assert_comes(self.say(refs=self.refs + b"garbage"))
        self.assert_fails(self.say(refs=empty + self.refs), "git_protocol")

    def test_long_lines(self):
        for name, hello in {
                "a capability": capabilities("agent=" + "x" * 65000),
                "many capabilities": capabilities("fetch=" + "shallow " * 7000),
                "a ref of version 0": hostile.advertisement([(self.commit, "refs/heads/" + "a" * 5000)])}.items():
            with self.subTest(name):
                self.assert_fails(self.say(hello=hello), "git_too_large")
        self.assert_fails(self.say(refs=pkt(f"{self.commit} refs/heads/{'a' * 5000}\n") + self.refs),
                          "git_too_large")


class Lists(WireTest):
    def test_ids_and_names_that_are_none(self):
        oid = self.commit
        for line in (f"{oid[:39]} refs/heads/main", f"{oid}refs/heads/main", f"{oid}", f"{oid} ",
                     f"{'g' * 40} refs/heads/main", f"{oid}\trefs/heads/main", "unborn",
                     f"{oid} refs/heads/\x1b[31m", f"{oid} refs/heads/a\nb", f"{oid} refs/\0x"):
            with self.subTest(line):
                self.assert_fails(self.say(refs=pkt(line + "\n") + pkt(None)), "git_protocol")

    def test_names_that_would_be_no_files(self):
        """A mirror of ours knows no names: they may be anything."""
        names = ["refs/heads/../../../x", "refs/heads/a..b", "refs/heads/.lock", "refs/heads/a.lock",
                 "/etc/passwd", "../x", "refs/heads/" + "d/" * 1500, "--upload-pack=x", "refs/heads/*"]
        refs = listed(*[(NOBODY, name) for name in names])[:-4] + self.refs
        self.assert_comes(self.say("#main", refs=refs))

    def test_default_branch_of_a_hostile_name(self):
        for name in ("refs/heads/../../../x", "/etc/passwd", "refs/heads/\xff", "x" * 3000, "",
                     "refs/heads/$(id)", "refs/heads/\u202e"):
            with self.subTest(name):
                got = self.say(refs=listed((self.commit, f"HEAD symref-target:{name}")))
                if got.word is None:
                    self.assert_comes(got)
                else:
                    self.assert_fails(got, "git_protocol")

    def test_default_branch_of_a_hostile_name_in_version_0(self):
        for name in (b"refs/heads/\x1b[31m", b"refs/heads/\xff\xfe", b"refs/heads/a\rb", b"\x7f"):
            with self.subTest(name):
                line = (f"{self.commit} HEAD\0symref=HEAD:".encode() + name +
                        b" shallow side-band-64k ofs-delta\n")
                hello = BANNER + pkt(line) + pkt(None)
                got = self.say_old(hello, self.old_pack())
                if got.word is None:
                    self.assertFalse(CONTROL & set(got.branch or ""), got.answer)
                    self.assertFalse(CONTROL & set(got.log.replace("\n", "")), got.log)
                else:
                    self.assert_fails(got, "git_protocol")

    def test_one_name_twice(self):
        refs = listed((self.commit, "refs/heads/main"), (NOBODY, "refs/heads/main"))
        self.assert_comes(self.say("#main", refs=refs))

    def test_one_ref_that_nobody_asked_for(self):
        self.assert_fails(self.say("#main", refs=listed((self.commit, "refs/heads/other"))),
                          "ref_not_found")

    def test_very_many_refs(self):
        many = [(self.commit, "HEAD"), *((self.commit, f"refs/heads/branch-{i:06}") for i in range(150_000)),
                (self.commit, "refs/heads/main")]
        got = self.assert_comes(self.say_old(many, self.old_pack(), "#main"))
        self.assertLess(got.seconds, 15)

    def test_other_hashes(self):
        self.assert_fails(self.say(hello=capabilities("fetch=shallow", "object-format=sha256")),
                          "git_protocol")
        self.assert_fails(self.say_old([(self.commit, "HEAD")], b"", words="object-format=sha256"),
                          "git_protocol")
        other = GitRepository(self.folder / "sha256.git", object_format="sha256")
        other.commit({"Dockerfile": DOCKERFILE})
        got = self.assert_fails(self.fetch(url=self.server.url("sha256.git")), "git_protocol")
        self.assertIn("SHA-1", got.message)

    def test_versions(self):
        refs = hostile.advertisement([(self.commit, "HEAD"), (self.commit, "refs/heads/main")],
                                     "shallow side-band-64k")
        one = refs.replace(BANNER, BANNER + pkt("version 1\n"))
        self.assert_comes(self.say_old(one, self.old_pack(), "#main"))
        self.assert_comes(self.say_old(refs[len(BANNER):], self.old_pack()))  # without the banner
        three = refs.replace(BANNER, BANNER + pkt("version 3\n"))
        self.assert_fails(self.say_old(three, self.old_pack()), "git_protocol")

    def test_server_that_only_says_no(self):
        for text in ("access denied or repository not exported: \x1b[2J/app.git", "x" * 10_000):
            with self.subTest(text[:10]):
                got = self.say(hello=BANNER + pkt(f"ERR {text}\n"))
                self.assertIn(got.word, ("git_protocol", "git_too_large"))
                self.assert_fails(got, got.word)


class Packs(WireTest):
    def test_servers_that_know_less(self):
        """No depth, no answer about it, an old protocol: what comes is more than was wanted."""
        self.assert_comes(self.say(hello=capabilities("fetch")))
        self.assert_comes(self.say(fetch=packed(self.pack, ["shallow-info", f"shallow {self.commit}", b"0001"])))
        main = [(self.commit, "HEAD"), (self.commit, "refs/heads/main")]
        self.assert_comes(self.say_old(main, self.old_pack()))
        self.assert_comes(self.say_old(main, self.old_pack(), words="side-band-64k"))
        self.assert_comes(self.say_old(main, self.old_pack(pkt(f"shallow {self.commit}\n") + pkt(None))))
        self.assert_fails(self.say_old(main, self.old_pack(), words="shallow"), "git_protocol")

    def test_failures_that_a_server_tells(self):
        for text in ("\x1b[31mno\r\n" * 20, "x" * 10_000, "\xff\u202e", ""):
            with self.subTest(text[:10]):
                self.assert_fails(self.say(fetch=packed(text.encode() or b"\n", band=3)), "git_protocol")
                self.assert_fails(self.say(fetch=pkt(b"ERR " + text.encode())), "git_protocol")
        got = self.assert_fails(self.say(fetch=pkt(f"ERR upload-pack: not our ref {self.commit}\n")),
                                "git_network")
        self.assertIn("moved", got.message)

    def test_messages_beside_the_pack_are_not_ours_to_believe(self):
        text = pkt(b"\2\x1b]0;owned\x07run succeeded\r\n" + b"x" * 5000) * 50
        got = self.assert_comes(self.say(fetch=pkt("packfile\n") + text + packed(self.pack)[len(pkt("packfile\n")):]))
        self.assertFalse(CONTROL & set(got.log.replace("\n", "")), got.log)

    def test_lies_about_what_is_known(self):
        for before in ([f"ACK {NOBODY} common", f"ACK {NOBODY} ready"], ["acknowledgments", f"ACK {NOBODY}", "ready", b"0001"],
                       ["shallow-info", f"shallow {NOBODY}", f"unshallow {NOBODY}", b"0001"],
                       ["shallow-info", f"unshallow {self.commit}", b"0001"]):
            with self.subTest(before):
                self.assert_comes(self.say(fetch=packed(self.pack, before)))

    def test_lies_do_not_outlive_the_fetch(self):
        """Boundaries of a history that is none: the server recovers, and so do we."""
        lies = [f"shallow {i:040x}" for i in range(2000)]
        url = self.alias("liar.git", hostile.Spoken(
            self.refs, packed(self.pack, ["shallow-info", *lies, f"shallow {self.first}", b"0001"])))
        self.assertEqual(self.fetch(url=url).commit, self.commit)
        self.server.misbehaviours.clear()
        new = self.repo.commit({"Dockerfile": DOCKERFILE, "a/b": "2"})
        self.assertEqual(self.fetch(url=url).commit, new)
        self.assertEqual(self.fetch("#" + self.first, url=url).files()["old"], "x")

    def test_boundaries_that_are_none(self):
        for line in ("shallow x", "shallow " + "1" * 39, "shallow " + "1" * 41, "unshallow", "unshallow ",
                     "shallow " + "z" * 40, "wanted-refs", "something", "\x1b[31m"):
            with self.subTest(line):
                self.assert_fails(self.say(fetch=packed(self.pack, [line])), "git_protocol")
        many = [f"shallow {i:040x}" for i in range(20_000)]
        self.assert_fails(self.say(fetch=packed(self.pack, many)), "git_protocol")

    def test_packs_that_do_not_hold_what_they_should(self):
        tree = self.repo.git("rev-parse", self.commit + "^{tree}")
        blob = self.repo.blob("1")
        rows = {
            "another commit": (self.repo.pack(*self.repo.objects(self.first)), ("git_bad_pack",)),
            "no object": (self.repo.pack(), ("git_bad_pack",)),
            "the commit alone": (self.repo.pack(self.commit), ("git_bad_object", "git_bad_pack")),
            "no files": (self.repo.pack(self.commit, tree), ("git_bad_object", "git_bad_pack")),
            "all but one file": (self.repo.pack(*[o for o in self.repo.objects(self.commit) if o != blob]),
                                 ("git_bad_object", "git_bad_pack")),
            "all but the tree": (self.repo.pack(*[o for o in self.repo.objects(self.commit) if o != tree]),
                                 ("git_bad_object", "git_bad_pack")),
            "cut": (self.pack[:-30], ("git_bad_pack",)),
            "cut in its head": (self.pack[:10], ("git_bad_pack",)),
            "twice": (self.pack + self.pack, ("git_bad_pack",)),
            "of another version": (self.pack[:7] + b"\7" + self.pack[8:], ("git_bad_pack",)),
        }
        for why, (pack, words) in rows.items():
            with self.subTest(why):
                url = self.alias(why.replace(" ", "-") + ".git", hostile.Spoken(self.refs, packed(pack)))
                got = self.fetch(url=url)
                self.assertIn(got.word, words, got.answer)
                self.assert_fails(got, got.word)
                # The mirror is none the worse for it.
                self.server.misbehaviours.clear()
                self.assert_comes(self.fetch(url=url))

    def test_answers_without_a_pack(self):
        for fetch in (pkt("packfile\n") + pkt(None), pkt("NAK\n") + pkt(None), pkt(b"\2hm\n") + pkt(None),
                      pkt(b"\1") + pkt(None)):
            with self.subTest(fetch):
                self.assert_fails(self.say(fetch=fetch), "git_bad_pack")
        for fetch in (b"", pkt("packfile\n"), packed(self.pack)[:-4], pkt(None), pkt(None) * 5000 + b"0001" * 5000):
            with self.subTest(fetch[:20]):
                self.assert_fails(self.say(fetch=fetch), "git_network")

    def test_head_that_is_a_tag_a_tree_or_a_file(self):
        tree = self.repo.git("rev-parse", self.commit + "^{tree}")
        blob = self.repo.blob("1")
        self.repo.tag("note", self.commit, annotated=True)
        tag = self.repo.git("rev-parse", "refs/tags/note")
        for oid in (tree, blob):
            got = self.say(refs=listed((oid, "refs/heads/main")), fetch=packed(self.repo.pack(tree, blob)),
                           fragment="#main")
            self.assert_fails(got, "ref_not_found")
        pack = self.repo.pack(tag, *self.repo.objects(self.commit))
        self.assert_comes(self.say("#v", refs=listed((tag, "refs/tags/v")), fetch=packed(pack)))
        self.assert_fails(self.say("#v", refs=listed((tag, "refs/tags/v")), fetch=packed(self.repo.pack(tag))),
                          "ref_not_found")


class Framing(WireTest):
    """HTTP around it."""

    def test_framings_that_are_fine(self):
        def chunked(handler, status, headers, data):
            handler.send_response(status)
            for key, value in {**headers, "Transfer-Encoding": "chunked"}.items():
                handler.send_header(key, value)
            handler.end_headers()
            for at in range(0, len(data), 7):
                piece = data[at:at + 7]
                handler.wfile.write(b"%x;why=not\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.write(b"0\r\nTrailer: x\r\n\r\n")

        def until_closed(handler, status, headers, data):
            handler.protocol_version = "HTTP/1.0"
            handler.start(status, headers)
            handler.wfile.write(data)

        for name, frame in (("chunked", chunked), ("closed", until_closed)):
            with self.subTest(name):
                self.assert_comes(self.fetch_from(hostile.Framed(frame)))

    def test_framings_that_are_not(self):
        def zipped(handler, status, headers, data):
            handler.answer(status, {**headers, "Content-Encoding": "gzip"}, gzip.compress(data))

        def longer(handler, status, headers, data):
            handler.start(status, {**headers, "Content-Length": str(len(data) + 100)})
            handler.wfile.write(data)
            handler.close_connection = True

        def shorter(handler, status, headers, data):
            handler.start(status, {**headers, "Content-Length": str(len(data) // 2)})
            handler.wfile.write(data)
            handler.close_connection = True

        def broken_chunk(handler, status, headers, data):
            handler.start(status, {**headers, "Transfer-Encoding": "chunked", "Content-Length": "7"})
            handler.wfile.write(b"zz\r\n" + data)
            handler.close_connection = True

        def head_without_end(handler, status, headers, data):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: aaaaaaaaaaaaaaaaaaaa\r\n" * 10_000)
            handler.close_connection = True

        def no_http(handler, *_):
            handler.wfile.write(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 3)
            handler.close_connection = True

        for frame, words in ((zipped, ("git_protocol",)), (longer, ("git_network", None)),
                             (shorter, ("git_network", "git_protocol")), (broken_chunk, ("git_network", "git_protocol")),
                             (head_without_end, ("git_network", "git_protocol")),
                             (no_http, ("git_network", "git_protocol"))):
            with self.subTest(frame.__name__):
                got = self.fetch_from(hostile.Framed(frame))
                self.assertIn(got.word, words, got.answer)
                self.assertLess(got.seconds, 10)

    def test_content_type_with_control_characters(self):
        got = self.fetch_from(hostile.Status(200, {"Content-Type": "text/\x1b[31mhtml" + "x" * 500}, b"x"))
        self.assert_fails(got, "git_auth")

    def test_slow_but_steady_is_no_stall(self):
        """Two and a half times the slowest rate, for longer than the stall time."""
        big = self.repo.commit({"Dockerfile": DOCKERFILE, "r": random.Random(4).randbytes(8000).hex()})
        got = self.fetch_from(hostile.Paced(256, 0.1), limits={"gitStallMs": 1000})
        self.assertEqual((got.word, got.commit), (None, big))
        self.assertGreater(got.seconds, 1.5)

    def test_too_slow_is_one(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "r": random.Random(4).randbytes(8000).hex()})
        got = self.fetch_from(hostile.Paced(16, 0.1), limits={"gitStallMs": 1000})
        self.assert_fails(got, "git_timeout")
        self.assertLess(got.seconds, 8)

    def test_messages_do_not_hold_it_for_ever(self):
        """"Counting objects" again and again is life, but not beyond the fetch's own time."""
        spoken = hostile.Spoken(self.refs, pkt("packfile\n"))

        def chatter(handler):
            answer = spoken.answer(handler)
            if spoken.asked[-1][0] != "fetch":
                return handler.answer(*answer)
            handler.start(*answer[:2])
            handler.wfile.write(answer[2])
            while handler.wait(0.05):
                handler.wfile.write(pkt(b"\2Counting objects\r"))
                handler.wfile.flush()
        got = self.fetch_from(chatter, limits={"gitStallMs": 500, "gitTimeoutMs": 2000})
        self.assert_fails(got, "git_timeout")
        self.assertGreater(got.seconds, 1.5)
        self.assertLess(got.seconds, 8)

    def test_reset_anywhere(self):
        """After each of many numbers of bytes; the repository is the same one behind."""
        spoken = hostile.Spoken(self.refs, packed(self.pack))
        total = sum(map(len, spoken.answers.values()))
        offsets = sorted({*range(0, total, total // 24), 1, 3, 4, total - 1, total - 4})

        def one(offset):
            url = self.alias(f"reset{offset}.git", hostile.ResetAt(offset, spoken.answer))
            return offset, url, self.fetch(url=url)
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(one, offsets))
        self.server.misbehaviours.clear()
        for offset, url, got in done:
            with self.subTest(offset, of=total):
                self.assert_fails(got, "git_network")
        offset, url, _ = done[len(done) // 2]
        self.assert_comes(self.fetch(url=url))


if __name__ == "__main__":
    unittest.main()
