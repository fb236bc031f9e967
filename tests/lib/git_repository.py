"""Bare git repositories made from plain values, also ones that git itself would refuse to make.

    repo = GitRepository(folder / "app.git")
    first = repo.commit({"Dockerfile": "FROM scratch\n", "run.sh": Executable("#!/bin/sh\n")})
    repo.commit({"a/b": "x", "link": Symlink("a/b")}, branch="topic", parents=[first])
    repo.tag("v1", first)

Every commit holds exactly the files given. Authors and dates are fixed, so that ids repeat.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

COMMIT_TIME = 1_700_000_000  # seconds since 1970, UTC


@dataclass(frozen=True)
class Symlink:
    target: str


@dataclass(frozen=True)
class Executable:
    content: str | bytes


@dataclass(frozen=True)
class Submodule:
    commit: str


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


class GitRepository:
    def __init__(self, path, object_format="sha1"):
        self.path = Path(path)
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main",
             f"--object-format={object_format}", str(self.path)],
            check=True, env=self._environment())

    @staticmethod
    def _environment():
        return {
            "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_AUTHOR_DATE": f"{COMMIT_TIME} +0000", "GIT_COMMITTER_DATE": f"{COMMIT_TIME} +0000",
        }

    def git(self, *arguments, stdin=b""):
        """Run git in the repository; its standard output, without the newline at its end."""
        result = subprocess.run(["git", *arguments], cwd=self.path, input=stdin, check=True,
                                stdout=subprocess.PIPE, env=self._environment())
        return result.stdout.decode().rstrip("\n")

    def configure(self, key, value):
        self.git("config", key, value)

    # Objects.

    def blob(self, content):
        return self.git("hash-object", "-w", "--stdin", stdin=as_bytes(content))

    def raw_tree(self, entries):
        """A tree of (mode, name, id) exactly as given: any name, any order."""
        body = b"".join(mode.encode() + b" " + as_bytes(name) + b"\0" + bytes.fromhex(oid)
                        for mode, name, oid in entries)
        return self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=body)

    def tree(self, files):
        """A tree from {path: content}; a content may be a nested dict as well."""
        folders, entries = {}, []
        for path, content in files.items():
            name, _, rest = path.partition("/")
            if rest:
                folders.setdefault(name, {})[rest] = content
            else:
                entries.append(self._entry(name, content))
        entries += [("40000", name, self.tree(inner)) for name, inner in folders.items()]
        # Git sorts folders as if their names ended in a slash.
        entries.sort(key=lambda e: as_bytes(e[1]) + (b"/" if e[0] == "40000" else b""))
        return self.raw_tree(entries)

    def _entry(self, name, content):
        match content:
            case dict():
                return ("40000", name, self.tree(content))
            case Symlink(target):
                return ("120000", name, self.blob(target))
            case Executable(inner):
                return ("100755", name, self.blob(inner))
            case Submodule(commit):
                return ("160000", name, commit)
        return ("100644", name, self.blob(content))

    def pack(self, *oids):
        """A pack of these objects and no others; nothing is left out of it."""
        result = subprocess.run(["git", "pack-objects", "--stdout", "--quiet"], cwd=self.path,
                                input="".join(oid + "\n" for oid in oids).encode(), check=True,
                                stdout=subprocess.PIPE, env=self._environment())
        return result.stdout

    def objects(self, oid):
        """The ids of all objects that this one leads to, and its own."""
        lines = self.git("rev-list", "--objects", oid).split("\n")
        return [line.split()[0] for line in lines]

    # History.

    def commit_tree(self, tree, branch="main", parents=(), message="change"):
        """A commit of a tree that exists; moves the branch (a full ref is taken as it is)."""
        options = [option for parent in parents for option in ("-p", parent)]
        oid = self.git("commit-tree", tree, *options, stdin=as_bytes(message))
        if branch:
            self.move(branch, oid)
        return oid

    def commit(self, files, branch="main", parents=None, message="change"):
        """Commit these files on top of the branch (or of `parents`)."""
        if parents is None:
            parents = [p for p in [self.tip(branch)] if p]
        return self.commit_tree(self.tree(files), branch, parents, message)

    def move(self, branch, oid):
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        self.git("update-ref", ref, oid)

    def delete(self, branch):
        self.git("update-ref", "-d", branch if branch.startswith("refs/") else f"refs/heads/{branch}")

    def tag(self, name, oid, annotated=False):
        if annotated:
            self.git("tag", "--annotate", "--message", "a tag", name, oid)
        else:
            self.git("tag", name, oid)

    def tip(self, branch):
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        return self.git("for-each-ref", "--format=%(objectname)", ref) or None
