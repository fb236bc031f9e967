"""Submodules of git contexts: real repositories behind a real git http-backend, and hostile ones."""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib.context_case import DOCKERFILE, ContextTest  # noqa: E402
from lib.git_repository import GitRepository, Submodule, Symlink  # noqa: E402
from lib.git_server import GitServer  # noqa: E402


def modules(*entries):
    """The text of a .gitmodules: (path, url) each."""
    return "".join(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n'
                   for path, url in entries)


class SubmoduleTest(ContextTest):
    def setUp(self):
        super().setUp()
        self.lib = self.repository("lib.git")

    def repository(self, name):
        return GitRepository(self.folder / name)

    def commit(self, *entries, **files):
        """A commit of the context's repository with submodules: (path, url, commit) each."""
        links = {path: Submodule(commit) for path, _, commit in entries}
        return self.repo.commit({"Dockerfile": DOCKERFILE, **links, **files,
                                 ".gitmodules": modules(*(e[:2] for e in entries))})

    def context(self, got):
        """The files, without those that are in all contexts here."""
        return {path: content for path, content in got.files().items()
                if path not in ("Dockerfile", ".gitmodules")}

    def requests_for(self, name):
        return [r for r in self.server.requests if r.path.startswith("/" + name)]


class Fetching(SubmoduleTest):
    def test_relative_and_absolute_urls(self):
        lib = self.lib.commit({"lib.c": "int x;", "deep/er": "1"})
        for url in ("../lib.git", self.server.url("lib.git")):
            with self.subTest(url):
                self.commit(("vendor/lib", url, lib))
                got = self.fetch()
                self.assertEqual(self.context(got), {"vendor/lib/lib.c": "int x;",
                                                     "vendor/lib/deep/er": "1"})
                self.assertIn(f"Submodule vendor/lib: {self.server.url('lib.git')} at {lib[:7]}",
                              got.log)

    def test_exact_commit_also_when_no_ref_leads_to_it_any_more(self):
        first = self.lib.commit({"a": "1"})
        lost = self.lib.commit({"a": "2"}, branch="topic")
        self.lib.commit({"a": "3"})
        self.lib.delete("topic")
        for commit, content in ((first, "1"), (lost, "2")):
            self.commit(("lib", "../lib.git", commit))
            self.assertEqual(self.context(self.fetch()), {"lib/a": content})

    def test_nested_ones(self):
        inner = self.repository("inner.git").commit({"i": "inner"})
        lib = self.lib.commit({"l": "lib", "third/inner": Submodule(inner),
                               ".gitmodules": modules(("third/inner", "../inner.git"))})
        self.commit(("vendor/lib", "../lib.git", lib))
        got = self.context(self.fetch())
        self.assertEqual(got.pop("vendor/lib/.gitmodules")[:10], "[submodule")
        self.assertEqual(got, {"vendor/lib/l": "lib", "vendor/lib/third/inner/i": "inner"})

    def test_several_of_one_repository(self):
        one, two = self.lib.commit({"a": "1"}), self.lib.commit({"a": "2"})
        self.commit(("one", "../lib.git", one), ("two", "../lib.git", two))
        self.assertEqual(self.context(self.fetch()), {"one/a": "1", "two/a": "2"})

    def test_a_repository_that_is_its_own_submodule(self):
        docs = self.repo.commit({"page": "hello"}, branch="docs")
        self.commit(("docs", "./", docs))
        got = self.fetch(limits={"gitTimeoutMs": 5_000})
        self.assertEqual(self.context(got), {"docs/page": "hello"})

    def test_folder_of_the_context(self):
        lib = self.lib.commit({"a": "1"})
        self.commit(("svc/api/lib", "../lib.git", lib), ("other", "../missing.git", "1" * 40),
                    **{"svc/api/Dockerfile": DOCKERFILE, "svc/api/x": "x"})
        got = self.fetch("#:svc/api")
        self.assertEqual(self.context(got), {"lib/a": "1", "x": "x"})
        self.assertIn("Submodule lib: ", got.log)

    def test_ignore_rules_hold_inside(self):
        lib = self.lib.commit({"a.c": "1", "a.o": "2", "test/x": "3", ".dockerignore": "a.c\n"})
        ignored = "**/*.o\nvendor/lib/test\nskipped\n"
        self.commit(("vendor/lib", "../lib.git", lib), ("skipped", "../missing.git", "1" * 40),
                    **{".dockerignore": ignored})
        self.assertEqual(self.context(self.fetch()),
                         {".dockerignore": ignored, "vendor/lib/a.c": "1",
                          "vendor/lib/.dockerignore": "a.c\n"})
        self.assertEqual(self.requests_for("missing.git"), [])

    def test_re_included_files_of_an_ignored_one(self):
        rules = "*\n!vendor/lib/include\n!other/*/nothing\n"
        for content in ("1", "2"):
            lib = self.lib.commit({"include/a.h": content, "a.c": content, "deep/b.h": "no"})
            self.commit(("vendor/lib", "../lib.git", lib), ("other/lib", "../lib.git", lib),
                        **{".dockerignore": rules})
            got = self.fetch()
            self.assertEqual(self.context(got), {"vendor/lib/include/a.h": content})
            self.assertFalse(got.path("other").exists())

    def test_those_that_git_leaves_empty(self):
        lib = self.lib.commit({"a": "1"})
        self.repo.commit({"Dockerfile": DOCKERFILE, "stray": Submodule("1" * 40)})
        got = self.fetch()
        self.assertEqual(list(got.path("stray").iterdir()), [])
        self.assertIn("Submodule stray stays empty: .gitmodules does not name it", got.log)
        self.repo.commit({"Dockerfile": DOCKERFILE, "none": Submodule(lib), ".gitmodules":
                          modules(("none", "../lib.git")) + "\tupdate = none\n"})
        got = self.fetch()
        self.assertEqual(list(got.path("none").iterdir()), [])
        self.assertIn("Submodule none stays empty", got.log)

    def test_addresses_are_those_that_git_would_use(self):
        for base, url in (("a/app.git", "../lib.git"), ("a/app.git", "../../b/lib.git"),
                          ("a/app.git", "./lib.git"), ("a/app.git", ".././.././b/lib.git/")):
            with self.subTest(url, base=base):
                self.assertIn(f"Submodule lib: {self.address_in_git(base, url)} at ",
                              self.log_of(base, url))

    def address_in_git(self, base, url):
        with tempfile.TemporaryDirectory() as folder:
            def git(*arguments):
                return subprocess.run(["git", *arguments], cwd=folder, check=True,
                                      capture_output=True, text=True).stdout.strip()
            git("init", "--quiet")
            git("config", "remote.origin.url", self.server.url(base))
            Path(folder, ".gitmodules").write_text(modules(("lib", url)))
            git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib")
            git("submodule", "init")
            return git("config", "submodule.lib.url")

    def log_of(self, base, url):
        self.repo = self.repository(base) if not (self.folder / base).exists() else self.repo
        place = (self.folder / base).parent
        for path in (place / "lib.git", place.parent / "b/lib.git", place / "app.git/lib.git"):
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                path.symlink_to(self.lib.path)
        self.commit(("lib", url, self.lib.commit({"a": "1"})))
        got = self.fetch(url=self.server.url(base))
        self.assertIsNone(got.word, got.message)
        return got.log

    def test_without_mounts_of_its_own(self):
        self.mode = ""
        lib = self.lib.commit({"a": "1"})
        self.commit(("vendor/lib", "../lib.git", lib))
        self.assertEqual(self.context(self.fetch()), {"vendor/lib/a": "1"})


class LargeFiles(SubmoduleTest):
    CONTENT = b"large" * 100

    def serve(self, handler):
        """lib.git with an LFS server below it, as forges have it."""
        if handler.path.endswith("/info/lfs/objects/batch"):
            wanted = json.loads(handler.body())["objects"]
            objects = [{**one, "actions": {"download": {"href": self.server.url("lib.git/large")}}}
                       for one in wanted]
            return handler.answer(200, {"Content-Type": "application/vnd.git-lfs+json"},
                                  json.dumps({"objects": objects}).encode())
        if handler.path.endswith("/large"):
            return handler.answer(200, {}, self.CONTENT)
        return handler.backend()

    def test_pointers_inside_are_those_of_the_submodules_server(self):
        oid = hashlib.sha256(self.CONTENT).hexdigest()
        lib = self.lib.commit({"model.bin": "version https://git-lfs.github.com/spec/v1\n"
                                            f"oid sha256:{oid}\nsize {len(self.CONTENT)}\n"})
        self.commit(("vendor/lib", "../lib.git", lib))
        got = self.assert_fails(self.fetch(), "git_lfs")
        self.assertIn("submodule vendor/lib: ", got.message)
        self.server.misbehave("lib.git", self.serve)
        self.assertEqual(self.context(self.fetch()),
                         {"vendor/lib/model.bin": self.CONTENT.decode()})


class Changing(SubmoduleTest):
    def test_another_commit_changes_only_its_files(self):
        first = self.lib.commit({"a": "1", "same": "s", "gone/x": "x"})
        second = self.lib.commit({"a": "2", "same": "s", "new": "n"})
        for commit, want in ((first, {"lib/a": "1", "lib/same": "s", "lib/gone/x": "x"}),
                             (second, {"lib/a": "2", "lib/same": "s", "lib/new": "n"}),
                             (first, {"lib/a": "1", "lib/same": "s", "lib/gone/x": "x"})):
            self.commit(("lib", "../lib.git", commit))
            got = self.fetch()
            self.assertEqual(self.context(got), want)
        self.assertIn("since commit", got.log)

    def test_unchanged_one_is_not_asked_for(self):
        lib = self.lib.commit({"a": "1"})
        self.commit(("lib", "../lib.git", lib))
        self.fetch()
        self.server.requests.clear()
        self.commit(("lib", "../lib.git", lib), more="m")
        self.assertEqual(self.context(self.fetch()), {"lib/a": "1", "more": "m"})
        self.assertEqual(self.requests_for("lib.git"), [])

    def test_nested_one_moves_on(self):
        inner = self.repository("inner.git")

        def commit(content):
            nested = inner.commit({"i": content})
            lib = self.lib.commit({"l": content, "inner": Submodule(nested),
                                   ".gitmodules": modules(("inner", "../inner.git"))})
            self.commit(("lib", "../lib.git", lib))

        for content in ("1", "2"):
            commit(content)
            got = self.context(self.fetch())
            got.pop("lib/.gitmodules")
            self.assertEqual(got, {"lib/l": content, "lib/inner/i": content})

    def test_nested_one_gets_its_entry_later(self):
        inner = self.repository("inner.git").commit({"i": "1"})
        before = self.lib.commit({"l": "l", "inner": Submodule(inner)})
        after = self.lib.commit({"l": "l", "inner": Submodule(inner),
                                 ".gitmodules": modules(("inner", "../inner.git"))})
        self.commit(("lib", "../lib.git", before))
        self.assertEqual(self.context(self.fetch()), {"lib/l": "l"})
        self.commit(("lib", "../lib.git", after))
        self.assertEqual(self.fetch().files()["lib/inner/i"], "1")

    def test_entry_comes_or_changes_later(self):
        other = self.repository("other.git")
        lib = self.lib.commit({"a": "1"})
        other.git("fetch", "-q", str(self.lib.path), "main:main")
        self.repo.commit({"Dockerfile": DOCKERFILE, "lib": Submodule(lib)})
        self.assertEqual(self.context(self.fetch()), {})
        for url in ("../lib.git", "../other.git"):
            self.commit(("lib", url, lib))
            got = self.fetch()
            self.assertEqual(self.context(got), {"lib/a": "1"})
            self.assertIn(url[3:], got.log)

    def test_removed_and_replaced(self):
        lib = self.lib.commit({"a": "1"})
        self.commit(("lib", "../lib.git", lib), ("lib2", "../lib.git", lib))
        self.fetch()
        self.commit(("lib2", "../lib.git", lib))
        self.assertEqual(self.context(self.fetch()), {"lib2/a": "1"})
        self.repo.commit({"Dockerfile": DOCKERFILE, "lib/a": "mine", "lib2": "a file"})
        self.assertEqual(self.context(self.fetch()), {"lib/a": "mine", "lib2": "a file"})
        self.commit(("lib", "../lib.git", lib))
        self.assertEqual(self.context(self.fetch()), {"lib/a": "1"})

    def test_old_commit_that_the_mirror_lost(self):
        first, second = self.lib.commit({"a": "1", "b": "b"}), self.lib.commit({"a": "2"})
        self.commit(("lib", "../lib.git", first))
        self.fetch()
        main = self.mirror_with(self.repo.tip("main"))
        for mirror in (self.data / "git").glob("*"):
            if mirror.suffix == "" and mirror != main:
                subprocess.run(["rm", "-rf", mirror], check=True)
        self.commit(("lib", "../lib.git", second))
        self.assertEqual(self.context(self.fetch()), {"lib/a": "2"})

    def mirror_with(self, commit):
        for head in (self.data / "git").glob("*/HEAD"):
            if subprocess.run(["git", "cat-file", "-e", commit], cwd=head.parent,
                              stderr=subprocess.DEVNULL).returncode == 0:
                return head.parent
        self.fail("no mirror has " + commit)

    def test_damaged_mirror_of_one_is_made_again(self):
        content = random.Random(1).randbytes(50_000).hex()
        lib = self.lib.commit({"a": content})
        self.commit(("lib", "../lib.git", lib))
        self.fetch()
        for pack in (self.mirror_with(lib) / "objects/pack").glob("*.pack"):
            pack.chmod(0o600)
            whole = pack.read_bytes()
            pack.write_bytes(whole[:-20_020] + bytes(20_000) + whole[-20:])
        self.commit(("lib", "../lib.git", lib), ("lib2", "../lib.git", lib))
        got = self.fetch()
        self.assertEqual(self.context(got), {"lib/a": content, "lib2/a": content})
        self.assertIn("fetching all of it again", got.log)

    def test_after_a_failure_all_is_there(self):
        lib = self.lib.commit({"a": "1"})
        self.commit(("lib", "../lib.git", lib), ("other", "../other.git", lib))
        self.assert_fails(self.fetch(), "git_not_found")
        self.repository("other.git").git("fetch", "-q", str(self.lib.path), "main:main")
        self.assertEqual(self.context(self.fetch()), {"lib/a": "1", "other/a": "1"})


class Allowed(SubmoduleTest):
    def test_credential_of_its_own(self):
        lib = self.lib.commit({"a": "1"})
        self.server.require("lib.git", "slipway", "right")
        self.commit(("lib", "../lib.git", lib))
        scope = {"url": self.server.url("lib.git"), "username": "slipway", "token": "right"}
        got = self.fetch(gitCredentials=[scope])
        self.assertEqual(self.context(got), {"lib/a": "1"})
        self.assertTrue(all(r.authorization is None for r in self.requests_for("app.git")))
        got = self.assert_fails(self.fetch(gitCredentials=[{**scope, "token": "wrong"}]), "git_auth")
        self.assertIn("submodule lib: ", got.message)

    def test_without_a_credential(self):
        lib = self.lib.commit({"a": "1"})
        self.server.require("lib.git", "slipway", "right")
        self.commit(("vendor/lib", "../lib.git", lib))
        got = self.assert_fails(self.fetch(), "git_auth")
        self.assertIn("submodule vendor/lib: ", got.message)

    def test_what_came_with_a_credential_is_not_left_for_others(self):
        lib = self.lib.commit({"a": "1"})
        self.server.require("lib.git", "slipway", "right")
        self.commit(("lib", "../lib.git", lib))
        scope = {"url": self.server.url("lib.git"), "username": "slipway", "token": "right"}
        self.assertIsNone(self.fetch(gitCredentials=[scope]).word)
        self.assert_fails(self.fetch(), "git_auth")

    def test_other_hosts_only_when_they_are_listed(self):
        with GitServer(self.folder) as other:
            lib = self.lib.commit({"a": "1"})
            url = other.url("lib.git", host="localhost")
            self.commit(("vendor/lib", url, lib))
            got = self.assert_fails(self.fetch(), "submodule_denied")
            self.assertIn("submodule vendor/lib: " + url, got.message)
            self.assertIn("git.submodule_hosts", got.message)
            self.assertEqual(other.requests, [])
            got = self.fetch(submoduleHosts=["localhost"])
            self.assertEqual(self.context(got), {"vendor/lib/a": "1"})
            # What is kept of it is no way around the list.
            self.assert_fails(self.fetch(), "submodule_denied")

    def test_host_that_a_nested_one_names(self):
        with GitServer(self.folder) as other:
            inner = self.repository("inner.git").commit({"i": "1"})
            lib = self.lib.commit({"inner": Submodule(inner), ".gitmodules":
                                   modules(("inner", other.url("inner.git", host="localhost")))})
            self.commit(("lib", "../lib.git", lib))
            got = self.assert_fails(self.fetch(), "submodule_denied")
            self.assertIn("submodule lib/inner: ", got.message)

    def test_commit_that_the_server_does_not_have(self):
        self.lib.commit({"a": "1"})
        self.commit(("vendor/lib", "../lib.git", "1" * 40))
        got = self.assert_fails(self.fetch(), "commit_gone")
        self.assertIn("submodule vendor/lib: " + self.server.url("lib.git"), got.message)
        self.assertIn("1" * 40, got.message)

    def test_repository_that_is_not_there_and_server_that_misbehaves(self):
        self.commit(("lib", "../missing.git", "1" * 40))
        self.assert_fails(self.fetch(), "git_not_found")
        self.commit(("lib", "../silent.git", "1" * 40))
        self.server.misbehave("silent.git", hostile.Silent())
        self.assert_fails(self.fetch(), "git_timeout")
        self.server.misbehave("moved.git", hostile.Redirect("http://localhost:1/lib.git"))
        self.commit(("lib", "../moved.git", "1" * 40))
        self.assert_fails(self.fetch(), "redirect_denied")

    def test_ssh_urls_are_answered_with_what_to_write(self):
        self.commit(("lib", "git@github.com:acme/lib.git", "1" * 40))
        got = self.assert_fails(self.fetch(), "scheme_denied")
        self.assertIn("https://github.com/acme/lib.git", got.message)
        self.assertIn("submodule lib: ", got.message)


class Hostile(SubmoduleTest):
    def refused(self, text, word):
        files = {"Dockerfile": DOCKERFILE, ".gitmodules": text}
        with self.subTest(text[:200]):
            self.repo.commit({**files, "x": Submodule("1" * 40)})
            got = self.assert_fails(self.fetch(), word)
            self.assertIn(".gitmodules ", got.message)
            self.assertTrue(all("/app.git" in r.path for r in self.server.requests))

    def test_names_and_paths(self):
        """Every rule has its rows in tests/unit/context/test_gitmodules.c."""
        for name, path in (("x", "../../x"), ("../x", "x"), ("x", "-x"), ("x", '"x\r"')):
            self.refused(f'[submodule "{name}"]\n\tpath = {path}\n\turl = ../lib.git\n',
                         "git_unsafe_submodule")

    def test_urls(self):
        for url in ("ext::sh -c touch% /tmp/x", "file:///etc", "-u./x", "https:///x",
                    "../lib%0ahost=evil"):
            self.refused(modules(("x", url)), "url_invalid")

    def test_entries_that_nobody_uses(self):
        for text, word in (("path = ../x", "git_unsafe_submodule"), ("url = -u", "url_invalid")):
            self.repo.commit({"Dockerfile": DOCKERFILE,
                              ".gitmodules": f'[submodule "x"]\n{text}\n'})
            self.assert_fails(self.fetch(), word)

    def test_urls_that_are_used(self):
        """What no run would ask for is refused when a commit wants it."""
        for url, word in (("../../../evil", "url_invalid"), ("../../../../evil/x", "url_invalid"),
                          ("../x/../../../etc", "url_invalid"), ("/srv/git/x", "scheme_denied"),
                          ("gopher://127.0.0.1/x", "scheme_denied"),
                          ("git://127.0.0.1/x", "scheme_denied"),
                          ("ssh://-oProxyCommand=x/x", "url_invalid"),
                          ("https://user:pw@127.0.0.1/x", "url_has_credentials"),
                          ("http://10.0.0.1/x", "address_denied"),
                          ("http://127.0.0.1.nip.example:22/x", "port_denied")):
            with self.subTest(url):
                self.commit(("x", url, "1" * 40))
                got = self.assert_fails(self.fetch(), word)
                self.assertIn(".gitmodules line 3", got.message)
                self.assertNotIn("user:pw", got.message + got.log)

    def test_what_is_no_configuration(self):
        for text in ("<html>\n", "# a comment\n" * 100_000,
                     "".join(f'[submodule "{i}"]\n' for i in range(1001))):
            self.refused(text, "git_unsafe_submodule")

    def test_include_is_not_followed(self):
        evil = self.folder / "evil"
        evil.write_text(modules(("x", "../lib.git")))
        lib = self.lib.commit({"a": "1"})
        self.repo.commit({"Dockerfile": DOCKERFILE, "x": Submodule(lib),
                          ".gitmodules": f"[include]\n\tpath = {evil}\n"})
        self.assertEqual(self.context(self.fetch()), {})

    def test_file_that_is_none(self):
        self.repo.commit({"svc/Dockerfile": DOCKERFILE, ".gitmodules": Symlink("/etc/passwd")})
        self.assert_fails(self.fetch("#:svc"), "git_unsafe_tree")
        lib = self.lib.commit({".gitmodules": Symlink("/etc/passwd")})
        self.commit(("lib", "../lib.git", lib))
        self.assert_fails(self.fetch(), "git_unsafe_tree")

    def test_tree_of_a_submodule(self):
        blob = self.lib.blob("x")
        for name in ("..", ".git", "GIT~1", "a/b"):
            with self.subTest(name):
                lib = self.lib.commit_tree(self.lib.raw_tree([("100644", name, blob)]))
                self.commit(("lib", "../lib.git", lib))
                got = self.assert_fails(self.fetch(), "git_unsafe_tree")
                self.assertIn("submodule lib: ", got.message)

    def test_submodule_below_a_link(self):
        victim = self.folder / "victim"
        victim.mkdir()
        lib = self.lib.commit({"a": "1"})
        inner = self.repo.tree({"lib": Submodule(lib)})
        self.repo.commit_tree(self.repo.raw_tree([
            ("100644", ".gitmodules", self.repo.blob(modules(("a/lib", "../lib.git")))),
            ("100644", "Dockerfile", self.repo.blob(DOCKERFILE)),
            ("120000", "a", self.repo.blob(str(victim))), ("40000", "a", inner)]))
        self.assert_fails(self.fetch(), "git_unsafe_tree")
        self.assertEqual(list(victim.iterdir()), [])

    def test_files_of_all_submodules_are_counted_together(self):
        lib = self.lib.commit({f"f{i}": "" for i in range(40)})
        self.commit(*((f"m{i}", "../lib.git", lib) for i in range(3)))
        self.assertIsNone(self.fetch(limits={"gitEntries": 200}).word)
        self.assert_fails(self.fetch(limits={"gitEntries": 100}), "git_too_many_files")

    def test_submodules_that_hold_each_other_come_to_an_end(self):
        lib = self.lib.commit({"a": "0"})
        for i in range(10):
            lib = self.lib.commit({"again": Submodule(lib),
                                   ".gitmodules": modules(("again", "./"))})
            if i == 8:
                deepest = lib
        self.commit(("lib", "../lib.git", deepest))
        self.assertEqual(self.fetch().files()["lib/" + "again/" * 9 + "a"], "0")
        self.commit(("lib", "../lib.git", lib))
        self.assert_fails(self.fetch(), "git_too_deep")

    def test_how_many_there_are_is_bounded(self):
        lib = self.lib.commit({"a": "0"})
        for _ in range(3):
            links = {f"m{i}": Submodule(lib) for i in range(9)}
            lib = self.lib.commit({**links,
                                   ".gitmodules": modules(*((path, "./") for path in links))})
        self.commit(("lib", "../lib.git", lib))
        self.assert_fails(self.fetch(), "git_too_many_submodules")


if __name__ == "__main__":
    unittest.main()
