"""Contexts as a run gets them: from real git servers, from hostile ones, from uploads."""

import io
import json
import os
import random
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import zlib
from hashlib import sha1
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib.git_repository import COMMIT_TIME, Executable, GitRepository, Submodule, Symlink  # noqa: E402
from lib.git_server import GitServer, self_signed_certificate  # noqa: E402
from lib.run_spec import as_input, run_spec  # noqa: E402

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

    def spec(self, context, **more):
        return run_spec(self.data, context=context, **more)

    def start(self, spec):
        self.count += 1
        folder = self.folder / f"run{self.count}"
        folder.mkdir()
        process = subprocess.Popen([PROGRAM, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=ENVIRONMENT)
        process.stdin.write(as_input(spec))
        process.stdin.close()
        return folder, process

    def finish(self, folder, process, began):
        output = process.stdout.read()
        errors = process.stderr.read().decode(errors="replace")
        code = process.wait(60)
        process.stdout.close()
        process.stderr.close()
        self.assertIn(code, (0, 1), errors)
        return Fetched(folder, code, output, time.monotonic() - began)

    def fetch(self, fragment="", url=None, **more):
        began = time.monotonic()
        return self.finish(*self.start(self.spec((url or self.url()) + fragment, **more)), began)

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


class Refs(ContextTest):
    def test_default_branch(self):
        commit = self.repo.commit({"Dockerfile": DOCKERFILE, "a": "1"})
        got = self.fetch()
        self.assertEqual((got.commit, got.branch, got.tag), (commit, "main", None))
        self.assertEqual(got.files(), {"Dockerfile": DOCKERFILE, "a": "1"})

    def test_branch_tag_full_ref_and_pull_ref(self):
        first = self.repo.commit({"Dockerfile": DOCKERFILE})
        topic = self.repo.commit({"Dockerfile": DOCKERFILE, "t": ""}, branch="topic/x")
        pull = self.repo.commit({"Dockerfile": DOCKERFILE, "p": ""}, branch="refs/pull/7/head")
        self.repo.tag("v1", first)
        self.repo.tag("v2", topic, annotated=True)
        rows = [("topic/x", topic, "topic/x", None), ("refs/heads/main", first, "main", None),
                ("v1", first, None, "v1"), ("v2", topic, None, "v2"),
                ("refs/tags/v2", topic, None, "v2"),
                ("pull/7/head", pull, "pull/7/head", None)]
        for ref, commit, branch, tag in rows:
            with self.subTest(ref):
                got = self.fetch("#" + ref)
                self.assertEqual((got.commit, got.branch, got.tag), (commit, branch, tag))

    def test_commit_ids_whole_and_abbreviated(self):
        first = self.repo.commit({"Dockerfile": DOCKERFILE})
        self.repo.commit({"Dockerfile": DOCKERFILE, "later": ""})
        for configure in ("false", "true"):
            self.repo.configure("uploadpack.allowAnySHA1InWant", configure)
            self.data = self.folder / f"data-{configure}"
            for ref in (first, first[:7], first[:10].upper()):
                with self.subTest(ref, configure=configure):
                    self.assertEqual(self.fetch("#" + ref).commit, first)

    def test_exact_commit_of_an_event_although_the_branch_moved_on(self):
        first = self.repo.commit({"Dockerfile": DOCKERFILE})
        self.repo.commit({"Dockerfile": DOCKERFILE, "later": ""})
        got = self.fetch(build={"commit": first, "ref": "refs/heads/main"})
        self.assertEqual((got.commit, got.branch), (first, "main"))
        self.assertEqual(list(got.files()), ["Dockerfile"])

    def test_commit_that_is_gone(self):
        self.repo.commit({"Dockerfile": DOCKERFILE})
        for configure in ("false", "true"):
            self.repo.configure("uploadpack.allowAnySHA1InWant", configure)
            self.assert_fails(self.fetch(build={"commit": "1" * 40, "ref": "refs/heads/main"}),
                              "commit_gone")

    def test_commit_of_a_branch_that_was_deleted_comes_when_the_server_allows(self):
        self.repo.commit({"Dockerfile": DOCKERFILE})
        lost = self.repo.commit({"Dockerfile": DOCKERFILE, "x": ""}, branch="gone")
        self.repo.delete("gone")
        self.repo.configure("uploadpack.allowAnySHA1InWant", "true")
        got = self.fetch(build={"commit": lost, "ref": "refs/heads/gone"})
        self.assertEqual(got.commit, lost)

    def test_missing_ref_names_the_nearest(self):
        self.repo.commit({"Dockerfile": DOCKERFILE}, branch="develop")
        got = self.assert_fails(self.fetch("#devlop"), "ref_not_found")
        self.assertIn("develop", got.message)

    def test_ambiguous_abbreviation(self):
        commits = {}
        for i in range(400):
            oid = self.repo.commit({"Dockerfile": DOCKERFILE, "n": str(i)}, message=str(i))
            if oid[:4] in commits:
                break
            commits[oid[:4]] = oid
        else:
            self.skipTest("no two commits with one beginning")
        self.assert_fails(self.fetch("#" + oid[:4]), "ref_invalid")

    def test_branches_that_replace_folders_of_branches(self):
        self.repo.commit({"Dockerfile": DOCKERFILE}, branch="a")
        self.fetch("#a")
        self.repo.delete("a")
        second = self.repo.commit({"Dockerfile": DOCKERFILE, "x": ""}, branch="a/b")
        self.assertEqual(self.fetch("#a/b").commit, second)

    def test_empty_repository_and_commit_without_dockerfile(self):
        self.assert_fails(self.fetch(), "dockerfile_missing")
        self.repo.commit({"README": "x"})
        self.assert_fails(self.fetch(), "dockerfile_missing")
        self.repo.commit({"Dockerfile": Symlink("/etc/passwd")})
        self.assert_fails(self.fetch(), "dockerfile_missing")
        self.repo.commit({"Dockerfile/x": "a folder"})
        self.assert_fails(self.fetch(), "dockerfile_missing")


class Tree(ContextTest):
    def test_modes_links_and_times_are_kept(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "bin/run": Executable("#!/bin/sh\n"),
                          "link": Symlink("bin/run"), "out": Symlink("/etc/passwd"),
                          "deep/er/file": "x"})
        got = self.fetch()
        self.assertEqual(got.files()["link"], "-> bin/run")
        self.assertEqual(got.files()["out"], "-> /etc/passwd")
        for name, mode in (("Dockerfile", 0o644), ("bin/run", 0o755), ("deep/er", 0o755)):
            self.assertEqual(stat.S_IMODE(got.path(name).stat().st_mode), mode, name)
        for name in ("Dockerfile", "link", "deep/er", "bin", "."):
            self.assertEqual(got.path(name).lstat().st_mtime, COMMIT_TIME, name)

    def test_folder_of_the_context(self):
        self.repo.commit({"Dockerfile": "no", "svc/api/Dockerfile": DOCKERFILE, "svc/api/a": "1",
                          "svc/link": Symlink("api")})
        for folder in ("svc/api", "svc/api/", "./svc/./api"):
            self.assertEqual(self.fetch("#:" + folder).files(), {"Dockerfile": DOCKERFILE, "a": "1"})
        for folder in ("svc/web", "svc/api/a", "svc/link", "Dockerfile"):
            self.assert_fails(self.fetch("#main:" + folder), "folder_not_found")
        for folder in ("../up", "svc/../../x", "/svc"):
            self.assert_fails(self.fetch("#main:" + folder), "path_denied")

    def test_ignored_files_are_not_written_and_the_dockerfile_is_kept_beside(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, ".dockerignore": "Dockerfile\n.dockerignore\n"
                          "logs\n!logs/keep\n**/*.tmp\n", "a.tmp": "", "logs/x": "", "logs/keep": "k",
                          "sub/b.tmp": "", "sub/c": "c"})
        got = self.fetch()
        self.assertEqual(got.files(), {"logs/keep": "k", "sub/c": "c"})
        self.assertEqual(Path(got.dockerfile).read_text(), DOCKERFILE)

    def test_ignore_file_beside_the_dockerfile_wins(self):
        self.repo.commit({"docker/app.Dockerfile": DOCKERFILE, ".dockerignore": "a\n",
                          "docker/app.Dockerfile.dockerignore": "b\n", "a": "", "b": ""})
        got = self.fetch(build={"dockerFilePath": "docker/app.Dockerfile"})
        self.assertIn("a", got.files())
        self.assertNotIn("b", got.files())

    def test_bad_ignore_files(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, ".dockerignore/x": ""})
        self.assert_fails(self.fetch(), "ignore_invalid")
        self.repo.commit({"Dockerfile": DOCKERFILE, ".dockerignore": Symlink("/dev/zero")})
        self.assert_fails(self.fetch(), "ignore_invalid")
        self.repo.commit({"Dockerfile": DOCKERFILE, ".dockerignore": "[\n"})
        self.assert_fails(self.fetch(), "ignore_syntax")
        self.repo.commit({"Dockerfile": DOCKERFILE, ".dockerignore": "x\n" * 200_000})
        self.assert_fails(self.fetch(), "ignore_too_large")

    def test_large_dockerfile(self):
        self.repo.commit({"Dockerfile": "#" * (1 << 20) + "\n"})
        self.assert_fails(self.fetch(), "dockerfile_limit")

    def test_submodule_is_an_empty_folder_with_a_line_in_the_log(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "lib/dep": Submodule("1" * 40)})
        got = self.fetch()
        self.assertEqual(list(got.path("lib/dep").iterdir()), [])
        self.assertIn("lib/dep", got.log)

    def test_lfs_pointers_are_named_and_refused_unless_ignored(self):
        pointer = ("version https://git-lfs.github.com/spec/v1\n"
                   "oid sha256:" + "0" * 64 + "\nsize 12345\n")
        files = {"Dockerfile": DOCKERFILE, "model.bin": pointer}
        self.repo.commit(files)
        got = self.assert_fails(self.fetch(), "git_lfs")
        self.assertIn("model.bin", got.log)
        self.repo.commit({**files, ".dockerignore": "*.bin\n"})
        self.assertIsNone(self.fetch().word)

    def test_names_that_are_only_odd(self):
        names = ["new\nline", "esc\x1b[31m", "bidi\u202e", "n" * 255, "\udcff\udcfe", "-rf", " ",
                 ".g\u200cit/hooks/post-checkout", ".github/x", ".gitignore", "git~2", "x.git"]
        files = {name: "" for name in names}
        entries = [("100644", os.fsencode(n), self.repo.blob(""))
                   for n in names if "/" not in n] + [
            ("40000", n.split("/")[0].encode(), self.repo.raw_tree(
                [("40000", b"hooks", self.repo.raw_tree([("100755", b"post-checkout",
                                                          self.repo.blob(""))]))]))
            for n in names if n.startswith(".g\u200c")] + [
            ("40000", b".github", self.repo.raw_tree([("100644", b"x", self.repo.blob(""))])),
            ("100644", b"Dockerfile", self.repo.blob(DOCKERFILE))]
        tree = self.repo.raw_tree(sorted(entries, key=lambda e: e[1]))
        self.repo.commit_tree(tree)
        self.assertEqual(set(self.fetch().files()), set(files) | {"Dockerfile"})

    def test_same_name_in_two_cases(self):
        tree = self.repo.raw_tree([
            ("120000", "A", self.repo.blob("/tmp")), ("100644", "Dockerfile", self.repo.blob("x")),
            ("40000", "a", self.repo.tree({"f": "1"}))])
        self.repo.commit_tree(tree)
        self.assertEqual(self.fetch().files()["a/f"], "1")


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

    def test_credentials_are_tried_once(self):
        self.server.require("app.git", "slipway", "right")
        self.assert_fails(self.fetch(), "git_auth")
        self.server.requests.clear()
        got = self.assert_fails(self.fetch(build={"contextAccessToken": "wrong-token"}), "git_auth")
        self.assertEqual(len(self.server.requests), 1)
        self.assertNotIn("wrong-token", got.message + got.log)
        self.assertEqual(self.fetch(build={"contextAccessToken": "right"}).commit, self.commit)
        self.assertEqual(self.fetch(build={"contextAccessToken": "right"},
                                    gitUsername="slipway").commit, self.commit)

    def test_token_is_not_sent_where_a_redirect_leads(self):
        with GitServer(self.folder) as other:
            url = self.alias("moved.git", hostile.Redirect(other.url("app.git/info/refs")))
            self.assert_fails(self.fetch(url=url, build={"contextAccessToken": "secret-token"}),
                              "redirect_denied")
            self.assertEqual(other.requests, [])

    def test_mirror_of_one_credential_serves_no_other(self):
        self.server.require("app.git", "slipway", "right")
        exact = {"commit": self.commit, "ref": "refs/heads/main"}
        self.assertIsNone(self.fetch(build={"contextAccessToken": "right", **exact}).word)
        self.assert_fails(self.fetch(build=exact), "git_auth")
        self.assert_fails(self.fetch(build={"contextAccessToken": "other", **exact}), "git_auth")

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
        for i in range(5_000):
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


class Mirrors(ContextTest):
    def packs(self):
        return sorted((self.data / "git").glob("*/objects/pack/*.pack"))

    def test_second_fetch_brings_only_what_is_new(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "big": random.Random(2).randbytes(500_000)})
        self.fetch()
        second = self.repo.commit({"Dockerfile": DOCKERFILE, "big": "small"})
        self.assertEqual(self.fetch().commit, second)
        sizes = sorted(p.stat().st_size for p in self.packs())
        self.assertEqual(len(sizes), 2)
        self.assertLess(sizes[0], 10_000)

    def test_known_commit_needs_no_network(self):
        commit = self.repo.commit({"Dockerfile": DOCKERFILE})
        self.fetch()
        self.server.requests.clear()
        got = self.fetch(build={"commit": commit, "ref": "refs/heads/main"})
        self.assertEqual((got.commit, got.branch), (commit, "main"))
        self.assertEqual(self.server.requests, [])

    def test_damaged_mirror_is_made_again(self):
        commit = self.repo.commit({"Dockerfile": DOCKERFILE, "a": "1"})
        self.fetch()
        for pack in self.packs():
            pack.chmod(0o600)
            pack.write_bytes(pack.read_bytes()[:20] + bytes(1000))
        exact = {"commit": commit, "ref": "refs/heads/main"}
        self.assertEqual(self.fetch(build=exact).files()["a"], "1")

    def test_half_made_mirror_is_made_again(self):
        self.repo.commit({"Dockerfile": DOCKERFILE})
        self.fetch()
        for head in (self.data / "git").glob("*/HEAD"):
            head.unlink()
        self.assertIsNone(self.fetch().word)

    def test_several_fetches_at_once(self):
        commit = self.repo.commit({"Dockerfile": DOCKERFILE, "a": random.Random(3).randbytes(50_000)})
        began = time.monotonic()
        running = [self.start(self.spec(self.url())) for _ in range(4)]
        for folder, process in running:
            self.assertEqual(self.finish(folder, process, began).commit, commit)


def tar_gz(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    return out.getvalue()


class Archives(ContextTest):
    """Over HTTP."""

    def serve(self, behaviour):
        self.server.misbehave("context.tar.gz", behaviour)
        return self.server.url("context.tar.gz")

    def test_archive_is_the_context(self):
        url = self.serve(hostile.Status(200, {}, tar_gz({"Dockerfile": DOCKERFILE, "a/b": "1"})))
        self.assertEqual(self.fetch(url=url).files(), {"Dockerfile": DOCKERFILE, "a/b": "1"})

    def test_what_servers_answer(self):
        url = self.serve(hostile.Status(404))
        self.assert_fails(self.fetch(url=url), "context_not_found")
        for behaviour, word in ((hostile.Status(403), "context_auth"),
                                (hostile.Status(500), "context_network"),
                                (hostile.Silent(), "context_timeout"),
                                (hostile.Redirect("http://localhost:1/x.tar.gz"), "redirect_denied"),
                                (hostile.Status(200, {}, b"<html>"), "tar_bad"),
                                (hostile.Status(200, {}, tar_gz({"../evil": ""})), "tar_unsafe")):
            self.serve(behaviour)
            self.assert_fails(self.fetch(url=url), word)
        self.assert_fails(self.fetch(url=url, allowAddresses=[]), "address_denied")
        self.serve(hostile.Status(200, {}, random.Random(5).randbytes(20_000)))
        self.assert_fails(self.fetch(url=url, limits={"uploadExpandedBytes": 10_000}),
                          "context_too_large")


class Uploads(ContextTest):
    def upload(self, files, name="abc123.tar.gz"):
        (self.data / "sources").mkdir(exist_ok=True)
        (self.data / "sources" / name).write_bytes(tar_gz(files))
        return "source/" + name

    def test_archive_is_the_context(self):
        url = self.upload({"Dockerfile": DOCKERFILE, "a/b": "1"})
        got = self.fetch(url=url)
        self.assertEqual(got.files(), {"Dockerfile": DOCKERFILE, "a/b": "1"})
        self.assertIsNone(got.commit)

    def test_ignore_rules_hold_for_clients_that_do_not_apply_them(self):
        url = self.upload({"Dockerfile": DOCKERFILE, ".dockerignore": "logs\n!logs/keep\nDockerfile\n",
                           "logs/a": "", "logs/deep/b": "", "logs/keep": "k", "c": ""})
        got = self.fetch(url=url)
        self.assertEqual(set(got.files()), {".dockerignore", "logs/keep", "c"})
        self.assertFalse(got.path("logs/deep").exists())
        self.assertEqual(Path(got.dockerfile).read_text(), DOCKERFILE)

    def test_dockerfile_that_the_client_added_is_not_in_the_context(self):
        for name in ("0123456789abcdef" * 2 + "_my.Dockerfile",
                     ".slipway-dockerfile-" + "0123456789abcdef" * 2):
            url = self.upload({name: DOCKERFILE, "a": "1"})
            got = self.fetch(url=url, build={"dockerFilePath": name})
            self.assertEqual(got.files(), {"a": "1"})
            self.assertEqual(Path(got.dockerfile).read_text(), DOCKERFILE)

    def test_missing_or_foreign_archives(self):
        self.assert_fails(self.fetch(url="source/none.tar.gz"), "context_missing")
        (self.data / "sources").mkdir()
        (self.data / "sources" / "link.tar.gz").symlink_to("/etc/passwd")
        self.assert_fails(self.fetch(url="source/link.tar.gz"), "context_missing")

    def test_escaping_archive(self):
        self.assert_fails(self.fetch(url=self.upload({"../evil": "x"})), "tar_unsafe")
        self.assertFalse((self.folder / "evil").exists())


if __name__ == "__main__":
    unittest.main()
