#!/usr/bin/python3
"""Rules of CONTRIBUTING.md that a machine can check line by line, beyond clang-format.

    tests/rules.py [ROOT]

Prints a line for each breach; exits 1 if there is one. To allow something in one place, write the
better code and say why in the commit; there is no way to switch a rule off for a line.
"""
import pathlib
import re
import subprocess
import sys

LINES_MAX = 500
CODE = (".c", ".h", ".py", ".sh", ".js", ".css", ".html", ".cmake", "CMakeLists.txt")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")

# Calls that compile (banned.h takes the worst), but have a better counterpart in the programs.
BANNED = {
    "malloc": "xmalloc", "calloc": "xcalloc", "realloc": "xrealloc", "strdup": "xstrdup",
    "reallocarray": "xreallocarray", "strndup": "xstrndup", "asprintf": "xasprintf",
    "alloca": "xmalloc", "atoi": "str_to_u64", "atol": "str_to_u64", "atoll": "str_to_u64",
    "sscanf": "a reader of our own", "rand": "random_bytes", "random": "random_bytes",
    "srand": "random_bytes", "srandom": "random_bytes", "vfork": "child_start",
    "execlp": "execve", "execvp": "execve", "execvpe": "execve", "pipe": "pipe2", "dup": "fcntl(F_DUPFD_CLOEXEC)",
    "creat": "open", "setlocale": "nothing: numbers would change",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
MEMORY = "common/mem.c"  # the one file that allocates
ALLOCATORS = {"malloc", "calloc", "realloc", "reallocarray", "strdup", "strndup"}

# A descriptor that an engine's child inherits can hold a lock, or show a secret.
OPENING = re.compile(r"(?<![\w.>])(open|openat|socket|socketpair|accept4|pipe2|mkostemp|fopen"
                     r"|memfd_create|timerfd_create|eventfd|epoll_create1|signalfd)\s*\(")
CLOSED_ON_EXEC = re.compile(r"CLOEXEC|\"[rwa+]+e")

NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(match):
    """Comments go, but for their newlines; strings stay when they say how to open."""
    text = match.group(0)
    if text.startswith('"') and re.fullmatch(r'"[rwa+]+e?"', text):
        return text
    return re.sub(r"[^\n]", " ", text)


def call_text(code, start):
    """The call that begins at `start`, up to its closing parenthesis."""
    depth = 0
    for end in range(code.index("(", start), len(code)):
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        if depth == 0:
            return code[start:end + 1]
    return code[start:]


def check_c(name, text):
    if name.endswith(".h") and "#pragma once" not in text:
        yield 1, "a header begins with #pragma once"
    if name.startswith("tests/"):
        return
    code = NOT_CODE.sub(blank, text)

    def line_of(match):
        return code.count("\n", 0, match.start()) + 1

    for match in BANNED_CALL.finditer(code):
        call = match.group(1)
        if not (name == MEMORY and call in ALLOCATORS):
            yield line_of(match), f"{call}() is not for us; use {BANNED[call]}"
    for match in OPENING.finditer(code):
        if not CLOSED_ON_EXEC.search(call_text(code, match.start())):
            yield line_of(match), f"{match.group(1)}() without close-on-exec"


def check_text(name, text):
    lines = text.split("\n")
    if lines and lines[-1]:
        yield len(lines), "no newline at the end"
    if len(lines) - 1 > LINES_MAX:
        yield len(lines) - 1, f"longer than {LINES_MAX} lines: split it"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "blanks at the end"
        if UNFINISHED.search(line):
            yield number, "unfinished: finish it, or file an issue"


def tracked_files(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True,
                         stdout=subprocess.PIPE).stdout
    return [name for name in out.decode().split("\0") if name.endswith(CODE)]


def main(root):
    wrong = 0
    for name in tracked_files(root):
        path = pathlib.Path(root, name)
        if not path.exists() or "fixtures" in path.parts:
            continue
        text = path.read_bytes().decode()
        found = list(check_text(name, text))
        if name.endswith((".c", ".h")):
            found += check_c(name, text)
        for number, what in sorted(found):
            print(f"{name}:{number}: {what}")
        wrong += len(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
