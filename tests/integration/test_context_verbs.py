"""slipway context parse | files, as a user types them."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ.get("SLIPWAY_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build-debug")
SLIPWAY = pathlib.Path(BUILD) / "slipway"
FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"


def slipway(*words):
    return subprocess.run([SLIPWAY, "context", *words], capture_output=True, timeout=60)


def rows():
    lines = (FIXTURES / "git-context.tsv").read_text(encoding="utf-8").split("\n")
    heading, *table = [line.split("\t") for line in lines if line and not line.startswith("# ")]
    for row in table:
        yield dict(zip(heading, row + [""] * len(heading)))


class Parse(unittest.TestCase):
    def test_every_row_of_the_table(self):
        for row in rows():
            with self.subTest(row["input"]):
                done = slipway("parse", "-o", "json", "--", row["input"])
                said = json.loads(done.stdout)
                if row["kind"].startswith("!"):
                    self.assertEqual(done.returncode, 2)
                    self.assertEqual(said["error"]["code"], row["kind"][1:])
                    continue
                self.assertEqual(done.returncode, 0, done.stderr)
                kind = "local" if row["kind"] == "upload" else row["kind"]
                wanted = {key: row[key] for key in ("repository", "ref", "folder")}
                self.assertEqual(said, {"kind": kind, **wanted})
                if row["password"]:
                    self.assertNotIn(row["password"].encode(), done.stdout + done.stderr)

    def test_an_error_is_told_to_people_as_well(self):
        done = slipway("parse", "https://host/app.git#%zz")
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"percent escape", done.stderr)

    def test_usage(self):
        self.assertEqual(slipway("parse").returncode, 2)
        self.assertEqual(slipway("parse", "a", "b").returncode, 2)
        self.assertEqual(slipway("parse", "--help").returncode, 0)


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-test."))
        self.addCleanup(shutil.rmtree, self.folder)

    def put(self, name, text=""):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def files(self, *words):
        done = slipway("files", "-o", "json", *words, str(self.folder))
        self.assertEqual(done.returncode, 0, done.stderr)
        return {one["path"]: (one["ignored"], one["rule"], one["line"])
                for one in json.loads(done.stdout)}

    def make(self, path, is_dir):
        """False when it cannot be there beside the others."""
        try:
            full = self.folder / path
            (full if is_dir else full.parent).mkdir(parents=True, exist_ok=True)
            if not is_dir:
                full.touch(exist_ok=False)
        except OSError:
            return False
        return True

    def test_every_verdict_of_the_table_of_ignore_files(self):
        groups = json.loads((FIXTURES / "dockerignore.json").read_text(encoding="utf-8"))[1:]
        tried = 0
        for group in groups:
            with self.subTest(group["name"]):
                shutil.rmtree(self.folder)
                self.folder.mkdir()
                with open(self.folder / ".dockerignore", "w", encoding="utf-8", newline="") as file:
                    file.write(group["text"])
                if group.get("error"):
                    self.assertEqual(slipway("files", str(self.folder)).returncode, 2)
                    continue
                cases = [c for c in group["cases"] if c["path"].split("/")[0] != ".git"
                         and (c["path"] == ".dockerignore" or self.make(c["path"], c["is_dir"]))]
                files = self.files("-f", "none")  # whose own ignore file is no path of the table
                for case in cases:
                    self.assertEqual(files[case["path"]][0], case["ignored"], case)
                tried += len(cases)
        self.assertGreater(tried, 250)

    def test_each_path_has_the_rule_and_line_that_decided(self):
        self.put(".dockerignore", "# logs\n*.log\n!keep.log\nnode_modules\n")
        for name in ("a.log", "keep.log", "src/main.c", "node_modules/x/y.js", ".git/config"):
            self.put(name)
        self.assertEqual(self.files(), {
            ".dockerignore": (False, None, None),
            ".git": (True, ".git", 0),
            ".git/config": (True, ".git", 0),
            "a.log": (True, "*.log", 2),
            "keep.log": (False, "!keep.log", 3),
            "node_modules": (True, "node_modules", 4),
            "node_modules/x": (True, "node_modules", 4),
            "node_modules/x/y.js": (True, "node_modules", 4),
            "src": (False, None, None),
            "src/main.c": (False, None, None),
        })

    def test_git_comes_back_when_it_is_asked_for(self):
        self.put(".dockerignore", "!.git/**\n")
        self.put(".git/config")
        files = self.files()
        self.assertEqual(files[".git"], (True, ".git", 0))
        self.assertEqual(files[".git/config"], (False, "!.git/**", 1))

    def test_the_dockerfiles_own_ignore_file_counts_first(self):
        self.put(".dockerignore", "a\n")
        self.put("docker/Dockerfile.dockerignore", "b\n")
        self.put("a")
        self.put("b")
        self.assertTrue(self.files()["a"][0])
        own = self.files("-f", "docker/Dockerfile")  # which need not exist
        self.assertFalse(own["a"][0])
        self.assertTrue(own["b"][0])

    def test_a_bad_pattern_exits_2_and_names_the_line(self):
        self.put(".dockerignore", "ok\n[\n")
        done = slipway("files", str(self.folder))
        self.assertEqual(done.returncode, 2)
        self.assertIn(b".dockerignore:2:", done.stderr)
        said = json.loads(slipway("files", "-o", "json", str(self.folder)).stdout)
        self.assertEqual(said["error"]["code"], "ignore_syntax")

    def test_names_that_are_not_utf_8_are_shown_twice(self):
        name = b"a\xff\xfeb"
        with open(os.fsencode(self.folder) + b"/" + name, "wb"):
            pass
        done = slipway("files", "-o", "json", str(self.folder))
        self.assertEqual(json.loads(done.stdout), [{
            "path": "a\\xff\\xfeb", "pathBase64": base64.b64encode(name).decode(),
            "ignored": False, "rule": None, "line": None}])

    def test_only_folders_can_be_listed(self):
        self.assertEqual(slipway("files", str(self.folder / "missing")).returncode, 2)
        self.assertEqual(slipway("files", "https://host/app.git").returncode, 2)
        self.assertEqual(slipway("files", "-o", "json", "/dev/null").stdout.split(), [b"[]"])

    def test_people_get_a_table(self):
        self.put(".dockerignore", "*.log\n")
        self.put("a.log")
        lines = slipway("files", str(self.folder)).stdout.decode().splitlines()
        self.assertEqual(lines[0].split(), ["VERDICT", "PATH", "RULE", "LINE"])
        self.assertEqual(lines[2].split(), ["ignored", "a.log", "*.log", "1"])


if __name__ == "__main__":
    unittest.main()
