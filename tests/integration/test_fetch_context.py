"""Contexts as a run gets them: refs, trees, mirrors, archives."""

import io
import os
import random
import stat
import sys
import tarfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib.context_case import DOCKERFILE, ContextTest  # noqa: E402
from lib.git_repository import COMMIT_TIME, Executable, Symlink  # noqa: E402

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

    def test_lfs_pointer_without_a_server_is_named_and_refused_unless_ignored(self):
        pointer = ("version https://git-lfs.github.com/spec/v1\n"
                   "oid sha256:" + "0" * 64 + "\nsize 12345\n")
        files = {"Dockerfile": DOCKERFILE, "model.bin": pointer}
        self.repo.commit(files)
        got = self.assert_fails(self.fetch(), "git_lfs")
        self.assertIn("model.bin", got.message)
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
