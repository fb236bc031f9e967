"""Git LFS: what stands behind pointers is in the context, whoever pushed it and whoever may read it."""

import json
import os
import random
import stat
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib.context_case import DOCKERFILE  # noqa: E402
from lib.git_repository import COMMIT_TIME, Executable  # noqa: E402
from lib.lfs_case import MODEL, OID, LfsTest  # noqa: E402
from lib.lfs_server import pointer  # noqa: E402
from lib.run_spec import credential  # noqa: E402


class Files(LfsTest):
    def test_content_stands_where_the_pointer_was(self):
        self.commit(model_bin=MODEL)
        got = self.fetch()
        self.assertEqual(got.files(), {"Dockerfile": DOCKERFILE, "model.bin": MODEL.decode()})
        state = got.path("model.bin").stat()
        self.assertEqual((stat.S_IMODE(state.st_mode), int(state.st_mtime)), (0o644, COMMIT_TIME))
        self.assertIn("Git LFS: 1 file, 21 bytes (0 already here)", got.log)
        self.assertEqual(self.lfs.batches[0].body, {
            "operation": "download", "transfers": ["basic"], "ref": {"name": "refs/heads/main"},
            "objects": [{"oid": OID, "size": len(MODEL)}], "hash_algo": "sha256"})
        self.assertEqual(self.kept(), [OID])

    def test_many_files_are_asked_for_a_hundred_at_a_time(self):
        contents = {f"data/{i % 7}/{i}": f"content {i}".encode() for i in range(250)}
        self.commit(**contents)
        files = self.fetch().files()
        self.assertEqual({n: files[n].encode() for n in contents}, contents)
        self.assertEqual([len(b.body["objects"]) for b in self.lfs.batches], [100, 100, 50])

    def test_executable_bit_and_times_of_folders(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, "a/b/tool": Executable(self.lfs.put(MODEL))})
        got = self.fetch()
        self.assertEqual(stat.S_IMODE(got.path("a/b/tool").stat().st_mode), 0o755)
        for name in ("a/b/tool", "a/b", "a", "."):
            self.assertEqual(int(got.path(name).stat().st_mtime), COMMIT_TIME, name)

    def test_names_that_are_only_odd(self):
        names = ["new\nline", "-rf", " ", "\udcff\udcfe", "n" * 255, "$(id)"]
        text = self.lfs.put(MODEL)
        entries = [("100644", os.fsencode(n), self.repo.blob(text)) for n in names]
        entries.append(("100644", b"Dockerfile", self.repo.blob(DOCKERFILE)))
        self.repo.commit_tree(self.repo.raw_tree(sorted(entries, key=lambda e: e[1])))
        files = self.fetch().files()
        self.assertEqual({n: files[n] for n in names}, dict.fromkeys(names, MODEL.decode()))

    def test_empty_and_large_content(self):
        large = random.Random(7).randbytes(9_000_000).hex().encode()[:15_000_001]
        self.commit(empty=b"", large=large)
        got = self.fetch()
        self.assertEqual(got.path("empty").read_bytes(), b"")
        self.assertEqual(got.path("large").read_bytes(), large)
        self.assertIn("15 MB", got.log)

    def test_what_is_ignored_is_not_asked_for(self):
        self.repo.commit({"Dockerfile": DOCKERFILE, ".dockerignore": "data\n*.bin\n",
                          "data/a": pointer(b"a"), "b.bin": pointer(b"b")})
        self.assertIsNone(self.fetch().word)
        self.assertEqual(self.lfs.batches, [])

    def test_content_that_several_files_share_comes_once(self):
        self.commit(a=MODEL, b=MODEL, c=b"another")
        got = self.fetch()
        self.assertEqual((got.files()["a"], got.files()["b"]), (MODEL.decode(), MODEL.decode()))
        self.assertEqual(len(self.lfs.batches[0].body["objects"]), 2)
        self.assertEqual(len(self.downloads()), 2)

    def test_what_is_here_needs_no_server(self):
        self.commit(a=MODEL)
        self.fetch()
        self.lfs.on_batch = hostile.Status(500)
        self.lfs.on_object = hostile.Status(500)
        self.commit(b=MODEL)
        got = self.fetch()
        self.assertEqual(got.files(), {"Dockerfile": DOCKERFILE, "b": MODEL.decode()})
        self.assertIn("(1 already here)", got.log)

    def test_kept_content_that_was_damaged_is_fetched_again(self):
        self.commit(a=MODEL)
        self.fetch()
        for kept in (self.data / "git").glob("*.lfs/??/*"):
            kept.write_bytes(bytes(len(MODEL)))
        self.commit(b=MODEL)
        self.assertEqual(self.fetch().files()["b"], MODEL.decode())
        self.assertEqual(len(self.downloads()), 2)

    def test_runs_at_once(self):
        contents = {f"f{i}": random.Random(i).randbytes(50_000).hex().encode() for i in range(5)}
        self.commit(**contents)
        began = time.monotonic()
        running = [self.start(self.spec(self.url())) for _ in range(3)]
        for folder, process in running:
            files = self.finish(folder, process, began).files()
            self.assertEqual({n: files[n].encode() for n in contents}, contents)

    def test_places_that_expire_are_asked_for_again(self):
        def expire(answer):
            for entry in answer["objects"]:
                action = entry["actions"]["download"]
                action["expires_at"] = "2020-01-01T00:00:00Z"
                del action["expires_in"]
        self.lfs.edit = expire
        self.commit(a=b"1", b=b"2", c=b"3")
        self.assertEqual(self.fetch().files()["c"], "3")
        self.assertEqual([len(b.body["objects"]) for b in self.lfs.batches], [3, 2, 1])

    def test_lfsconfig_is_not_followed_and_the_log_says_so(self):
        with hostile.GitServer(self.folder) as other:
            self.repo.commit({"Dockerfile": DOCKERFILE, "a": self.lfs.put(MODEL), ".lfsconfig":
                              f"[lfs]\n\turl = http://user:hunter2@127.0.0.1:{other.port}/lfs\n"})
            got = self.fetch()
            self.assertEqual(other.requests, [])
        self.assertEqual(got.files()["a"], MODEL.decode())
        self.assertIn(".lfsconfig", got.log)
        self.assertNotIn("hunter2", got.log)


class FromCommitToCommit(LfsTest):
    """In the folder that is kept from run to run."""

    def test_file_that_did_not_change_is_there_without_asking(self):
        self.commit(model_bin=MODEL, other="1")
        self.fetch()
        self.lfs.on_batch = hostile.Status(500)
        self.commit(model_bin=MODEL, other="2")
        files = self.fetch().files()
        self.assertEqual((files["model.bin"], files["other"]), (MODEL.decode(), "2"))
        self.assertEqual(len(self.lfs.batches), 1)

    def test_each_change_of_a_file(self):
        for content in (b"one", b"two", "no longer in LFS", b"one", None, b"three"):
            self.commit(**{"x": "", **({} if content is None else {"model_bin": content})})
            expected = content.decode() if isinstance(content, bytes) else content
            self.assertEqual(self.fetch().files().get("model.bin"), expected)

    def test_executable_bit_alone(self):
        text = self.lfs.put(MODEL)
        for content, mode in ((text, 0o644), (Executable(text), 0o755), (text, 0o644)):
            self.repo.commit({"Dockerfile": DOCKERFILE, "tool": content})
            got = self.fetch()
            self.assertEqual(stat.S_IMODE(got.path("tool").stat().st_mode), mode)
            self.assertEqual(got.files()["tool"], MODEL.decode())

    def test_run_after_one_that_did_not_get_its_file(self):
        self.commit(model_bin=MODEL)
        self.fetch()
        self.commit(model_bin=b"newer")
        self.lfs.on_object = hostile.Status(404)
        for _ in range(2):
            self.assert_fails(self.fetch(), "git_lfs")
        self.lfs.on_object = None
        self.assertEqual(self.fetch().files()["model.bin"], "newer")


class Credentials(LfsTest):
    TOKEN = "a-token-of-the-repository"

    def setUp(self):
        super().setUp()
        self.server.require("app.git", "slipway", self.TOKEN)
        self.commit(model_bin=MODEL)
        self.known = credential(self.url(), self.TOKEN)

    def test_token_is_for_the_batch_api_and_not_for_the_place(self):
        self.assertEqual(self.fetch(**self.known).files()["model.bin"], MODEL.decode())
        self.assertTrue(self.lfs.batches[0].authorization.startswith("Basic "))
        self.assertEqual([r.authorization for r in self.lfs.store.requests], [None])

    def test_token_is_for_places_below_the_repository(self):
        place = self.server.url(f"app.git/info/lfs/objects/{OID}")
        self.lfs.edit = lambda a: a["objects"][0]["actions"]["download"].update(href=place)
        self.assertIsNone(self.fetch(**self.known).word)
        self.assertEqual(self.lfs.store.requests, [])

    def test_header_of_the_server_wins_over_the_token(self):
        place = self.server.url(f"app.git/info/lfs/objects/{OID}")
        def edit(answer):
            answer["objects"][0]["actions"]["download"].update(
                href=place, header={"authorization": "RemoteAuth abc"})
        self.lfs.edit = edit
        self.assert_fails(self.fetch(**self.known), "git_auth")
        self.assertEqual(self.server.requests[-1].authorization, "RemoteAuth abc")

    def test_token_that_lfs_refuses(self):
        for status in (401, 403):
            self.lfs.on_batch = hostile.Status(status)
            got = self.assert_fails(self.fetch(**self.known), "git_auth")
            self.assertIn("LFS", got.message)
            self.assertNotIn(self.TOKEN, got.message + got.log)

    def test_headers_go_to_the_place(self):
        self.lfs.headers = {"Authorization": "Basic abc", "X-More": "yes", "X-Empty": "",
                            "Host": "evil.example.org", "Content-Length": "7",
                            "Transfer-Encoding": "chunked"}
        seen = []
        def look(handler):
            seen.append(handler.headers)
            self.lfs.serve_object(handler)
        self.lfs.on_object = look
        self.assertIsNone(self.fetch(**self.known).word)
        self.assertEqual((seen[0]["Authorization"], seen[0]["X-More"]), ("Basic abc", "yes"))
        self.assertEqual(seen[0]["Host"], f"127.0.0.1:{self.lfs.store.port}")
        self.assertEqual((seen[0]["Content-Length"], seen[0]["Transfer-Encoding"]), (None, None))

    def test_headers_are_masked_wherever_they_come_back(self):
        secret = "c2VjcmV0OmZvci10aGUtc3RvcmU="
        self.lfs.headers = {"Authorization": f"Basic {secret}"}
        def expire_and_quote(answer):
            for entry in answer["objects"]:
                entry["actions"]["download"].update(expires_in=None,
                                                    expires_at="2020-01-01T00:00:00Z")
            self.lfs.on_batch = hostile.Status(422, {}, json.dumps(
                {"message": f"not {secret} again"}).encode())
        self.lfs.edit = expire_and_quote
        self.commit(other=b"other", model_bin=MODEL)
        got = self.assert_fails(self.fetch(**self.known), "git_lfs")
        self.assertIn("not *** again", got.log)
        self.assertNotIn(secret, got.message + got.log)


class RealClient(LfsTest):
    """The server of these tests is a fake: git-lfs itself works with it, and agrees with us."""

    def setUp(self):
        super().setUp()
        self.repo.configure("http.receivepack", "true")
        self.home = self.folder / "home"
        self.home.mkdir()
        self.git(self.home, "lfs", "install", "--skip-repo")
        self.git(self.home, "config", "--global", "lfs.locksverify", "false")

    def git(self, folder, *arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1",
                       "GIT_TERMINAL_PROMPT": "0",
                       "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
                       "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org"}
        subprocess.run(["git", *arguments], cwd=folder, check=True, env=environment,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_pushed_and_cloned_by_git_lfs_and_fetched_by_us(self):
        work = self.folder / "work"
        self.git(self.folder, "init", "--quiet", "--initial-branch=main", str(work))
        self.git(work, "lfs", "track", "*.bin")
        contents = {f"{i}.bin": f"content {i}\n" * 1000 for i in range(3)}
        for name, text in {"Dockerfile": DOCKERFILE, **contents}.items():
            (work / name).write_text(text)
        self.git(work, "add", ".")
        self.git(work, "commit", "--quiet", "--message", "files in LFS")
        self.git(work, "push", "--quiet", self.url(), "main")
        self.assertEqual(len(self.lfs.contents), 3)

        self.git(self.folder, "clone", "--quiet", self.url(), "clone")
        for name, text in contents.items():
            self.assertEqual((self.folder / "clone" / name).read_text(), text)
        theirs = self.lfs.batches[-1].body

        files = self.fetch("#main").files()
        self.assertEqual({n: files[n] for n in contents}, contents)
        ours = self.lfs.batches[-1].body
        self.assertIsNot(ours, theirs)
        self.assertEqual((ours["operation"], ours["ref"], ours.get("hash_algo")),
                         (theirs["operation"], theirs["ref"], theirs.get("hash_algo")))
        self.assertEqual(sorted(ours["objects"], key=str), sorted(theirs["objects"], key=str))


if __name__ == "__main__":
    unittest.main()
