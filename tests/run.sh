#!/bin/bash
# Installs what the tests need, builds with sanitizers and warnings as errors, and runs everything.
# Arguments go to ctest: tests/run.sh -L unit, tests/run.sh -R webhook.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install-packages.sh build run demo test
# Recorded webhook payloads of GitHub; version and content are pinned by the lock file.
if [ ! -d tests/node_modules/@octokit/webhooks-examples ]; then
    (cd tests && npm ci --no-audit --no-fund --loglevel=error)
fi

cmake --preset debug >/dev/null
cmake --build --preset debug
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=1:detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
exec ctest --preset debug -j "$(nproc)" "$@"
