#!/bin/bash
# Installs the build into a temporary folder and proves that what is there works from there.
#   tests/install.sh BUILD_FOLDER
set -euo pipefail
build=${1:?the build folder}
cmake=${CMAKE:-cmake}
folder=$(mktemp -d)
server=""
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$folder"
}
trap finish EXIT
unset SLIPWAY_RUNNER SLIPWAY_SERVER SLIPWAY_CONFIG SLIPWAY_SOCKET

fail() {
    echo "install: $*" >&2
    exit 1
}

# every_file ROOT: each thing that the package promises is there.
every_file() {
    local root=$1 file
    for file in bin/slipway libexec/slipway/slipway-server libexec/slipway/slipway-runner; do
        [ -x "$root/$file" ] || fail "no program $file"
    done
    for file in lib/systemd/system/slipway.service lib/systemd/system/slipway.socket share/doc/slipway/slipway.yaml \
        share/bash-completion/completions/slipway; do
        [ -s "$root/$file" ] || fail "no $file"
    done
    ! find "$root" -name '*.a' -o -name '*.h' -o -name 'test_*' | grep . || fail "parts of the build were installed"
}

# man_pages ROOT: one for the program, one for each verb, all of them troff.
man_pages() {
    local root=$1 verb page
    page=$root/share/man/man1/slipway.1
    [ -s "$page" ] || fail "no slipway.1"
    "$root/bin/slipway" --help | sed -n 's/^  \([a-z-]*\( [a-z-]*\)\?\)  .*/\1/p' >"$folder/verbs"
    [ "$(wc -l <"$folder/verbs")" -ge 15 ] || fail "slipway --help lists too few verbs"
    while read -r verb; do
        page=$root/share/man/man1/slipway-${verb// /-}.1
        [ -s "$page" ] || fail "no man page for '$verb'"
        grep -q '^\.SH SYNOPSIS$' "$page" || fail "$page has no synopsis"
    done <"$folder/verbs"
    for page in "$root"/share/man/man1/*; do
        [ "$(head -c 4 "$page")" = ".TH " ] || fail "$page does not begin with .TH"
    done
}

# child_of PID PROGRAM: until the process has a child that runs the program.
child_of() {
    local pid=$1 program=$2 child deadline=$((SECONDS + 20))
    while [ $SECONDS -lt $deadline ]; do
        for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true); do
            [ "$(readlink "/proc/$child/exe" || true)" != "$program" ] || return 0
        done
        kill -0 "$pid" 2>/dev/null || fail "the server ended: $(cat "$folder/log")"
        read -r -t 0.05 <> <(:) || true
    done
    fail "no $program runs below the server: $(cat "$folder/log")"
}

# serves ROOT: slipway finds the server, and the server the runner.
serves() {
    local root=$1
    mkdir "$folder/data"
    printf 'data_dir: %s\nlisten: none\nretention: { min_free_bytes: 0 }\n' "$folder/data" >"$folder/slipway.yaml"
    "$root/bin/slipway" serve -c "$folder/slipway.yaml" >"$folder/log" 2>&1 </dev/null &
    server=$!
    child_of "$server" "$(readlink -f "$root/libexec/slipway/slipway-runner")"
    [ "$(readlink "/proc/$server/exe")" = "$(readlink -f "$root/libexec/slipway/slipway-server")" ] ||
        fail "slipway serve runs $(readlink "/proc/$server/exe")"
    SLIPWAY_CONFIG=$folder/slipway.yaml "$root/bin/slipway" task list -q
    kill "$server"
    wait "$server" || fail "the server ended with $?"
    server=""
}

"$cmake" --install "$build" --prefix "$folder/prefix" >/dev/null
every_file "$folder/prefix"
man_pages "$folder/prefix"
"$folder/prefix/bin/slipway" --version | grep -Eq '^slipway [0-9]+\.[0-9]+\.[0-9]+$' || fail "slipway --version"
"$folder/prefix/bin/slipway" serve --help | grep -q '^Usage: slipway serve ' || fail "slipway serve --help"
"$folder/prefix/bin/slipway" config check -c "$folder/prefix/share/doc/slipway/slipway.yaml" >/dev/null ||
    fail "the sample configuration is not valid"
bash -n "$folder/prefix/share/bash-completion/completions/slipway"
serves "$folder/prefix"

# A package's way: the same below DESTDIR, and the unit starts what will be there.
DESTDIR=$folder/package "$cmake" --install "$build" >/dev/null
root=$(dirname "$(dirname "$(find "$folder/package" -path '*/bin/slipway')")")
every_file "$root"
grep -qx "ExecStart=${root#"$folder/package"}/bin/slipway serve" "$root/lib/systemd/system/slipway.service" ||
    fail "the unit does not start the installed program"
"$root/bin/slipway" --version >/dev/null
