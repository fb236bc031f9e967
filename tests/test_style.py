#!/usr/bin/python3
"""The style checks themselves: each finds what it is for, and nothing in a tree that is right."""
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
MAP = """# map

```arrows
common:
model: common
server: common model
```
"""
GOOD_C = """#include "common/buf.h"

#include <stdio.h>

/* open("x") and malloc(1) in a comment are nothing. */
int good(void)
{
	return puts("malloc(1)");
}
"""


class StyleTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.write("ARCHITECTURE.md", MAP)
        self.write(".clang-format", (HERE.parent / ".clang-format").read_text())
        self.write("common/buf.h", "#pragma once\n")
        self.write("model/task.h", "#pragma once\n")
        self.write("server/main.c", GOOD_C)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        subprocess.run(["git", "-C", self.root, "add", name], check=True)

    def run_check(self, script):
        done = subprocess.run([HERE / script, self.root], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def assert_finds(self, script, part):
        code, out = self.run_check(script)
        self.assertEqual(code, 1, out)
        self.assertIn(part, out)

    def test_a_right_tree_passes(self):
        for script in ("arrows.py", "style.sh"):
            self.assertEqual(self.run_check(script), (0, ""))

    def test_an_include_upwards_is_found(self):
        self.write("model/task.c", '#include "server/main.h"\n')
        self.write("server/main.h", "#pragma once\n")
        self.assert_finds("arrows.py", "model/task.c:1: model may not include server")

    def test_an_include_that_no_arrow_allows_is_found(self):
        self.write("common/buf.c", '\n#include "model/task.h"\n')
        self.assert_finds("arrows.py", "common/buf.c:2: common may not include model")

    def test_an_include_that_is_not_from_the_root_is_found(self):
        self.write("common/buf.c", '#include "buf.h"\n')
        self.assert_finds("arrows.py", "common/buf.c:1: no file buf.h")

    def test_a_test_header_in_a_program_is_found(self):
        self.write("tests/unit.h", "#pragma once\n")
        self.write("common/buf.c", '#include "tests/unit.h"\n')
        self.assert_finds("arrows.py", "tests/unit.h is not for the programs")

    def test_a_folder_without_a_line_is_found(self):
        self.write("extra/x.c", "int x;\n")
        self.assert_finds("arrows.py", "extra/x.c: its folder is not in the block")

    def test_a_deeper_folder_has_a_line_of_its_own(self):
        self.write("ARCHITECTURE.md", MAP.replace("server:", "server/http: common\nserver:"))
        self.write("server/http/x.c", '#include "model/task.h"\n')
        self.assert_finds("arrows.py", "server/http may not include model")

    def test_an_arrow_that_points_up_is_found(self):
        self.write("ARCHITECTURE.md", MAP.replace("common:", "common: server"))
        self.assert_finds("arrows.py", "common may not name server")

    def test_tests_may_include_what_they_test(self):
        self.write("tests/test_x.c", '#include "model/task.h"\n')
        self.assertEqual(self.run_check("arrows.py"), (0, ""))

    def test_a_missing_block_is_found_and_a_missing_map_skips(self):
        self.write("ARCHITECTURE.md", "# map\n")
        self.assert_finds("arrows.py", "no block")
        (self.root / "ARCHITECTURE.md").unlink()
        self.assertEqual(self.run_check("arrows.py")[0], 77)

    def test_formatting_is_found(self):
        self.write("server/main.c", "int main( void ) { return 0; }\n")
        self.assert_finds("style.sh", "server/main.c: run clang-format")

    def test_each_rule_finds_its_breach(self):
        rows = {
            "void f(void)\n{\n\tmalloc(1);\n}\n": ":3: malloc() is not for us; use xmalloc",
            'int f(void)\n{\n\treturn atoi("1");\n}\n': ":3: atoi() is not for us",
            'int f(void)\n{\n\treturn open("x",\n\t\t    0);\n}\n': ":3: open() without",
            'void f(void)\n{\n\tfopen("x", "r");\n}\n': ":3: fopen() without close-on-exec",
            "/* TO" "DO */\n": ":1: unfinished",
            "int x; \n": ":1: blanks at the end",
            "int x;\r\n": ":1: blanks at the end",
            "int x;": ":1: no newline at the end",
            "int x;\n" * 501: ":501: longer than 500 lines",
        }
        for text, part in rows.items():
            with self.subTest(part=part):
                self.write("server/main.c", text)
                self.assert_finds("rules.py", "server/main.c" + part)

    def test_what_is_closed_on_exec_passes(self):
        self.write("server/main.c", 'void f(void)\n{\n\tfopen("x", "re");\n'
                                    '\topen(g("("), O_RDONLY |\n\t\t\t     O_CLOEXEC);\n}\n')
        self.assertEqual(self.run_check("rules.py"), (0, ""))

    def test_a_header_without_its_guard_is_found(self):
        self.write("common/x.h", "int x;\n")
        self.assert_finds("rules.py", "common/x.h:1: a header begins with #pragma once")


if __name__ == "__main__":
    unittest.main()
