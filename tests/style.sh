#!/bin/bash
# How our code looks: clang-format over every C file, then the rules that it does not know.
#   tests/style.sh [ROOT]
set -u
cd "${1:-.}" || exit 2
here=$(dirname "$(readlink -f "$0")")
failed=0

mapfile -d '' files < <(git ls-files -z '*.c' '*.h' | while IFS= read -r -d '' f; do
    [ -e "$f" ] && printf '%s\0' "$f"
done)
if ((${#files[@]})) && ! clang-format --dry-run -Werror "${files[@]}" 2>/dev/null; then
    for f in "${files[@]}"; do
        clang-format --dry-run -Werror "$f" 2>/dev/null || echo "$f: run clang-format -i on it"
    done
    failed=1
fi
/usr/bin/python3 "$here/rules.py" . || failed=1
exit $failed
