#!/usr/bin/python3
"""Which folder may include which: the block of arrows in ARCHITECTURE.md, held against every C file.

    tests/arrows.py [ROOT]

Each line of the block is "FOLDER: FOLDER FOLDER…" and names everything that the files of the first
may include; a folder may only name folders that stand above it, so that an include never goes up.
Exits 0 when all is well, 1 with a line for each include that is not, 77 without ARCHITECTURE.md.
"""
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```arrows\n(.*?)^```", re.MULTILINE | re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)


def read_arrows(text):
    """The block as {folder: set of folders}, and what is wrong with it."""
    block = BLOCK.search(text)
    if not block:
        return {}, ["ARCHITECTURE.md: no block that begins with ```arrows"]
    arrows, wrong = {}, []
    for line in block.group(1).splitlines():
        folder, colon, targets = line.partition(":")
        if not colon:
            wrong.append(f"ARCHITECTURE.md: not an arrow: {line}")
            continue
        for target in targets.split():
            if target not in arrows:
                wrong.append(f"ARCHITECTURE.md: {folder} may not name {target}, "
                             "which does not stand above it")
        arrows[folder] = set(targets.split())
    return arrows, wrong


def folder_of(path, arrows):
    """The deepest folder of the block that the file is in, or None."""
    for parent in pathlib.PurePosixPath(path).parents:
        if str(parent) in arrows:
            return str(parent)
    return None


def tracked_c_files(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-z", "*.c", "*.h"], check=True,
                         stdout=subprocess.PIPE).stdout
    return [name for name in out.decode().split("\0") if name]


def check_file(root, name, arrows):
    """What is wrong with the includes of one file."""
    path = pathlib.Path(root, name)
    if not path.exists():  # deleted, but not yet committed
        return
    is_test = name.startswith("tests/")
    home = folder_of(name, arrows)
    if home is None and not is_test:
        yield f"{name}: its folder is not in the block of arrows"
        return
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        target = match.group(1)
        line = text.count("\n", 0, match.start()) + 1
        there = folder_of(target, arrows)
        if not pathlib.Path(root, target).exists():
            yield f"{name}:{line}: no file {target}: write includes from the root"
        elif is_test:
            continue
        elif there is None:
            yield f"{name}:{line}: {target} is not for the programs"
        elif there != home and there not in arrows[home]:
            yield f"{name}:{line}: {home} may not include {there} ({target})"


def main(root):
    map_file = pathlib.Path(root, "ARCHITECTURE.md")
    if not map_file.exists():
        print("skipped: there is no ARCHITECTURE.md")
        return 77
    arrows, wrong = read_arrows(map_file.read_text())
    if arrows:
        for name in tracked_c_files(root):
            wrong.extend(check_file(root, name, arrows))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
