#!/bin/bash
# Installs the Debian packages that a purpose needs, and nothing when all of them are there.
#   tools/install-packages.sh build|run|demo|test ...
set -euo pipefail

# To compile Slipway.
build=(build-essential cmake ninja-build pkg-config libuv1-dev libcurl4-openssl-dev libgit2-dev libjansson-dev
    libyaml-dev libsqlite3-dev libssl-dev libhttp-parser-dev libarchive-dev libsystemd-dev libjq-dev)
# To run it: the engine, its runtimes, the network of RUN steps.
run=(buildah crun runc slirp4netns iproute2 ca-certificates)
# What the quick start shows it with: a registry, a git server, a static shell for an image.
demo=(docker-registry nginx-light fcgiwrap git curl openssl python3 busybox-static)
# What only the tests need.
test=(libcmocka-dev clang-format npm nodejs strace procps git-lfs)

wanted=()
for purpose in "$@"; do
    declare -n packages=$purpose
    wanted+=("${packages[@]}")
done

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
# A newer node than Debian's may stand on the PATH already; Debian's npm would bring hundreds of packages.
if command -v npm >/dev/null && command -v node >/dev/null; then
    for i in "${!missing[@]}"; do
        case ${missing[$i]} in npm | nodejs) unset "missing[$i]" ;; esac
    done
fi
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
echo "Installing: ${missing[*]}" >&2

# Certificates that somebody put in place without the package (a company's proxy, say) would be
# replaced by the package's own: they stay, as local ones.
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -s $bundle ] && ! is_installed ca-certificates; then
    "${as_root[@]}" mkdir -p /usr/local/share/ca-certificates
    "${as_root[@]}" cp $bundle /usr/local/share/ca-certificates/kept.crt
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
