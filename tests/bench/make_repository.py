#!/usr/bin/python3
"""Bare git repositories that look like real ones, the same at every call.

    tests/bench/make_repository.py SHAPE [FOLDER]      # small, mid or big; prints the path

Source text of many revisions that delta well, files that were rewritten, and binary ones, in nested folders;
one pack with a bitmap, as a forge keeps it. Made once: FOLDER (by default slipway-bench in $XDG_CACHE_HOME or
~/.cache) keeps it. From Python:

    repository = Repository.copy_of("big", folder)     # hard links to the one that is kept
    commit = repository.change(7)                      # one commit on main that changes one file
"""

import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1  # to be counted up with every change of what is made
START_TIME = 1_500_000_000  # of the first commit, seconds since 1970

WORDS = """alloc append argument array assert attach base batch begin bind block branch buffer build bytes cache call
chain check child clean clear clone close code column commit compare config connect context copy count create current
cursor data decode default delete depth detach device diff digest drain edge encode engine entry error event expand
extend fetch field file filter find first flags flush folder format frame free graph group handle hash head header heap
hook image index init inner input insert item join kernel last layer length level limit line link list load local lock
match memory merge message method mirror mode module mount name next node object offset open option order output owner
pack page parent parse patch path peer pipe point policy pool port prefix process queue range read record ref region
release remote remove render reply report request reset resolve result return root route scan schema scope search
section select send server session shift size slot socket sort source split stack start state status step store stream
string style sweep sync table target task tempo test thread time token trace track tree trim tuple type unit update
value vector version view wait walk watch width window word worker wrap write zone""".split()

LINES = [
    "\tif ({a}_{b}(&{c}->{d}, {e}_{n}) < 0)", "\t\treturn {a}_error({c}, \"cannot {b} the {d}: {e} {n}\");",
    "\tstruct {a}_{b} *{c} = {a}_{d}({e}, {n});", "static int {a}_{b}(struct {c} *{d}, size_t {e})", "{{", "}}", "",
    "\t/* The {a} is {b} only while its {c} can {d}; {e} comes {n} later. */", "#include \"{a}/{b}_{c}.h\"",
    "\tfor (size_t {a} = 0; {a} < {b}->{c}_len; {a}++)", "\t\t{a}->{b}[{n}] = {c}_{d}({e});", "\t}} else {{",
    "#define {a}_{b}_{c} 0x{h}", "\tassert({a}->{b} == {c}_{d} || {e} > {n});", "\t{a}->{b}.{c} += {d}_{e}[{n}];",
    "\t{{ \"{a}-{b}\", {c}_{d}, 0x{h} }},", "\tcase {a}_{b}_{c}: return {d}_{e}({n});",
    "The {a} of a {b} is what its {c} says: when {d} comes before {e}, it is {n}.",
    "  {a}.{b}:: {c} the {d} ({e}, by default {n}).", "\t{a}_{b}_{c}({d}, {e}, {n}, 0x{h});",
]


@dataclass(frozen=True)
class Shape:
    files: int
    folders: int
    tree_bytes: int           # of all files of the newest commit, Documentation/ included
    documentation_bytes: int  # of Documentation/
    binary_share: float       # how many of the files are binary
    edits: int                # revisions that change some lines of a file
    text_bytes: int           # of all revisions that wrote a file anew
    binary_bytes: int         # of all revisions of binary files


SHAPES = {
    "small": Shape(67, 12, 300_000, 20_000, 0.03, 400, 300_000, 200_000),
    "mid": Shape(5_000, 300, 18_000_000, 2_000_000, 0.02, 30_000, 160_000_000, 80_000_000),
    "big": Shape(5_000, 300, 48_000_000, 5_700_000, 0.02, 50_000, 560_000_000, 280_000_000),
}


class Text:
    """Lines as source has them: many words in common, names and numbers of their own."""

    def __init__(self, rng):
        self.rng = rng
        self.pool = [self._line() for _ in range(60_000)]

    def _line(self):
        words = self.rng.choices(WORDS, k=5)
        return self.rng.choice(LINES).format(a=words[0], b=words[1], c=words[2], d=words[3], e=words[4],
                                             n=self.rng.randrange(1000), h=f"{self.rng.randrange(1 << 24):06x}")

    def lines(self, size):
        """Lines of one subject: some come again and again, as in source, so that it compresses as source does."""
        count = max(3, size // 42)
        start, span = self.rng.randrange(len(self.pool)), max(3, count * 2 // 3)
        return self.rng.choices((self.pool[start:] + self.pool[:start])[:span] if start + span > len(self.pool)
                                else self.pool[start:start + span], k=count)

    def edit(self, lines):
        """Some lines changed, in two or three places."""
        lines = list(lines)
        for _ in range(self.rng.randrange(1, 4)):
            at = self.rng.randrange(len(lines))
            lines[at:at + self.rng.randrange(3)] = self.rng.choices(self.pool, k=self.rng.randrange(1, 4))
        return lines


@dataclass
class File:
    path: str
    size: int
    binary: bool
    edits: int = 0
    rewrites: int = 0
    marks: list = None  # of its revisions, oldest first


def pick_folders(rng, count):
    folders = []
    while len(folders) < count:
        parent = rng.choice(folders[:count // 4] + [""] * 4)
        if parent.count("/") < 7:
            folders.append(f"{parent}{rng.choice(WORDS)}{rng.randrange(100)}/")
    return folders


def pick_files(shape, rng):
    """The files of the newest commit, with about the sizes that the shape wants in sum."""
    folders = pick_folders(rng, shape.folders)
    documents = max(2, shape.files * shape.documentation_bytes // shape.tree_bytes)
    files = {}
    while len(files) < shape.files - 2:  # and two Dockerfiles
        document = len(files) < documents
        binary = not document and rng.random() < shape.binary_share
        folder = rng.choice(["Documentation/", "Documentation/notes/"]) if document else rng.choice(folders)
        suffix = rng.choice(["txt", "adoc"]) if document else "png" if binary else rng.choice(["c", "c", "h", "sh", "py"])
        path = f"{folder}{rng.choice(WORDS)}_{rng.choice(WORDS)}{len(files)}.{suffix}"
        files[path] = File(path, int(rng.lognormvariate(0, 1) * 1000), binary)
    for document, wanted in ((True, shape.documentation_bytes), (False, shape.tree_bytes - shape.documentation_bytes)):
        group = [f for f in files.values() if f.path.startswith("Documentation/") == document]
        factor = wanted / sum(f.size for f in group)
        for file in group:
            file.size = max(100, int(file.size * factor))
    return list(files.values())


def spread_history(shape, rng, files):
    """How often each file was changed and written anew: some often, most seldom."""
    texts, binaries = [f for f in files if not f.binary], [f for f in files if f.binary]
    weights = [rng.paretovariate(1.1) for _ in texts]
    for file in rng.choices(texts, weights, k=shape.edits):
        file.edits += 1
    for group, wanted in ((texts, shape.text_bytes), (binaries, shape.binary_bytes)):
        while group and wanted > 0:
            file = rng.choice(group)
            file.rewrites += 1
            wanted -= file.size


def revisions(file, text, rng):
    """All contents of a file, newest first: so each is a delta of the one before it, as in a forge's pack."""
    if file.binary:
        return [rng.randbytes(file.size) for _ in range(file.rewrites + 1)]
    kinds = ["edit"] * file.edits + ["rewrite"] * file.rewrites
    rng.shuffle(kinds)
    lines = text.lines(file.size)
    contents = ["\n".join(lines).encode()]
    for kind in kinds:
        lines = text.edit(lines) if kind == "edit" else text.lines(file.size)
        contents.append("\n".join(lines).encode())
    return contents


def write_blobs(out, files, text, rng):
    mark = 0
    for file in files:
        contents = revisions(file, text, rng)
        for content in contents:
            mark += 1
            out.write(b"blob\nmark :%d\ndata %d\n%b\n" % (mark, len(content), content))
        file.marks = list(range(mark, mark - len(contents), -1))


def write_commit(out, number, changes):
    message = f"change number {number}"
    out.write(f"commit refs/heads/main\ncommitter Ada <ada@example.org> {START_TIME + 600 * number} +0000\n"
              f"data {len(message)}\n{message}\n".encode())
    for path, mark in changes:
        out.write(f"M 100644 :{mark} {path}\n".encode())


def write_commits(out, files, rng):
    dockerfile = b"FROM scratch\nCOPY . /\n"
    out.write(b"blob\nmark :999999999\ndata %d\n%b\n" % (len(dockerfile), dockerfile))
    write_commit(out, 0, [(path, 999999999) for path in ("Dockerfile", "Documentation/Dockerfile")] + [(f.path, f.marks[0]) for f in files])
    turns = [file for file in files for _ in file.marks[1:]]
    rng.shuffle(turns)
    at = dict.fromkeys((f.path for f in files), 0)
    number = 0
    while turns:
        number += 1
        changes = {}
        for _ in range(min(len(turns), rng.randrange(1, 8))):
            file = turns.pop()
            at[file.path] += 1
            changes[file.path] = file.marks[at[file.path]]
        write_commit(out, number, changes.items())


def git(repository, *arguments, **options):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", "-C", str(repository), *arguments], check=True, env=environment, **options)


def make(shape, path):
    """Make the repository at this path."""
    rng = random.Random(f"{FORMAT} {shape}")
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--bare", "--initial-branch=main")
    for key, value in (("uploadpack.allowAnySHA1InWant", "true"), ("uploadpack.allowFilter", "true"), ("gc.auto", "0"),
                       ("repack.writeBitmaps", "true"), ("http.receivepack", "false")):
        git(path, "config", key, value)
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    with subprocess.Popen(["git", "-C", str(path), "fast-import", "--quiet", "--depth=50"], stdin=subprocess.PIPE,
                          env=environment) as importer:
        files = pick_files(shape, rng)
        spread_history(shape, rng, files)
        write_blobs(importer.stdin, files, Text(rng), rng)
        write_commits(importer.stdin, files, rng)
        importer.stdin.close()
        if importer.wait() != 0:
            raise RuntimeError("git fast-import failed")
    git(path, "repack", "-a", "-d", "--quiet")
    git(path, "pack-refs", "--all")


def cache_folder():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway-bench"


def kept(name, folder=None):
    """The path of the repository of that shape; made when it is not there."""
    path = Path(folder or cache_folder()) / f"{name}-{FORMAT}.git"
    if not path.exists():
        making = path.with_suffix(f".{os.getpid()}")
        print(f"making {path} (up to two minutes, once)", file=sys.stderr, flush=True)
        make(SHAPES[name], making)
        making.rename(path)
    return path


class Repository:
    """A copy to change; what is kept stays as it is."""

    def __init__(self, path):
        self.path = path
        listing = git(path, "ls-tree", "-r", "--name-only", "main", stdout=subprocess.PIPE).stdout.decode()
        self.files = [line for line in listing.splitlines() if line.endswith((".c", ".txt"))]

    @classmethod
    def copy_of(cls, name, folder, cache=None):
        path = Path(folder) / f"{name}.git"
        source = kept(name, cache)
        try:  # Objects never change, and all else git replaces rather than changes.
            shutil.copytree(source, path, copy_function=os.link)
        except OSError:  # another disk
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(source, path)
        return cls(path)

    def change(self, number, prefix="", files=1):
        """A commit on main that writes some files below `prefix` anew; its id."""
        rng = random.Random(number)
        candidates = [path for path in self.files if path.startswith(prefix)]
        changes = ""
        for path in rng.sample(candidates, files):
            text = "".join(f"line {i} of change {number}: {rng.random()}\n" for i in range(200))
            changes += f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"
        commit = (f"commit refs/heads/main\ncommitter Ada <ada@example.org> {START_TIME + 10 ** 8 + number} +0000\n"
                  f"data 6\nchange\nfrom refs/heads/main^0\n{changes}\n")
        git(self.path, "fast-import", "--quiet", input=commit.encode())
        return self.tip()

    def tip(self):
        return git(self.path, "rev-parse", "main", stdout=subprocess.PIPE).stdout.decode().strip()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    print(kept(*sys.argv[1:]))
