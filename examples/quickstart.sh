#!/bin/bash
# From a pushed commit to an image in a registry, on one fresh Debian 12 machine.
#
# Installs what is missing, builds Slipway, starts a registry, a git server and the service on
# loopback ports, pushes a commit, delivers GitHub's signed push webhook, and shows the image that
# came out. Then it builds a local folder, lists the runs and cancels one. Everything it starts is
# stopped, and its folder removed, when it ends. Run as root (buildah builds in namespaces).
#
#   examples/quickstart.sh          show everything and clean up
#   KEEP=1 examples/quickstart.sh   leave the service running at the end, until Ctrl-C
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "run me as root: sudo $0"

step "Installing what is missing and building"
tools/install-packages.sh build run demo
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
PATH=$PWD/build:$PATH
slipway --version

demo=$(mktemp -d /tmp/slipway-quickstart.XXXXXX)
pids=()
clean_up() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf --one-file-system "$demo"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A loopback port on which nobody answers.
free_port() {
    local port
    while port=$((20000 + RANDOM % 20000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}
# Wait until a URL answers, for at most 20 s.
await() {
    curl --silent --fail --output /dev/null --retry 80 --retry-delay 0 --retry-max-time 20 \
        --retry-all-errors --retry-connrefused "$@" || fail "no answer: $*"
}

step "A registry, and a git server"
registry_port=$(free_port)
cat >"$demo/registry.yml" <<EOF
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: $demo/registry } }
http: { addr: 127.0.0.1:$registry_port }
EOF
docker-registry serve "$demo/registry.yml" >"$demo/registry.log" 2>&1 &
pids+=($!)
await "http://127.0.0.1:$registry_port/v2/"

git_port=$(free_port)
mkdir -p "$demo/git" "$demo/nginx"
fcgiwrap -s "unix:$demo/fcgiwrap.sock" >"$demo/fcgiwrap.log" 2>&1 &
pids+=($!)
cat >"$demo/nginx.conf" <<EOF
daemon off; master_process off; user root; pid $demo/nginx.pid; error_log $demo/nginx.log;
events {}
http {
    access_log off; client_max_body_size 0; client_body_temp_path $demo/nginx; fastcgi_temp_path $demo/nginx;
    proxy_temp_path $demo/nginx; uwsgi_temp_path $demo/nginx; scgi_temp_path $demo/nginx;
    server {
        listen 127.0.0.1:$git_port;
        location / {
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
            fastcgi_param GIT_PROJECT_ROOT $demo/git;
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param PATH_INFO \$uri;
            fastcgi_pass unix:$demo/fcgiwrap.sock;
        }
    }
}
EOF
nginx -c "$demo/nginx.conf" &
pids+=($!)
repository=http://127.0.0.1:$git_port/acme/hello.git
git init --quiet --bare --initial-branch=main "$demo/git/acme/hello.git"
git -C "$demo/git/acme/hello.git" config http.receivepack true # anonymous pushes, on loopback
await "$repository/info/refs?service=git-upload-pack"
echo "registry 127.0.0.1:$registry_port, repository $repository"

step "The service"
port=$(free_port)
openssl rand -hex 32 >"$demo/webhook.secret"
chmod 600 "$demo/webhook.secret"
cat >"$demo/slipway.yaml" <<EOF
data_dir: $demo/slipway
listen: 127.0.0.1:$port
registries:
  - { name: main, login_server: '127.0.0.1:$registry_port', insecure: true }
webhooks:
  - { name: github, provider: github, secrets: ['file:$demo/webhook.secret'] }
git:
  allow_private_addresses: [127.0.0.0/8]
  allow_schemes: [https, http]
EOF
export SLIPWAY_SOCKET=$demo/slipway/slipway.sock
slipway serve -c "$demo/slipway.yaml" 2>"$demo/slipway.log" &
pids+=($!)
await "http://127.0.0.1:$port/readyz"
show slipway check-health

step "A task: build the branch main of that repository whenever somebody pushes to it"
show slipway task create -n hello -c "$repository#main" -t 'hello:{{.Run.ID}}' -t hello:latest

step "A commit is pushed"
work=$demo/work
git init --quiet --initial-branch=main "$work"
cp /bin/busybox "$work/busybox"
echo "Hello from the commit of $(date -u +%H:%M:%S)." >"$work/message"
cat >"$work/Dockerfile" <<'EOF'
FROM scratch
COPY busybox /bin/
COPY message /
CMD ["/bin/busybox", "cat", "/message"]
EOF
git -C "$work" add .
git -C "$work" -c user.name=demo -c user.email=demo@example.org commit --quiet --message 'Say hello'
git -C "$work" push --quiet "$repository" main
commit=$(git -C "$work" rev-parse HEAD)
echo "pushed $commit"

step "GitHub's delivery arrives, signed with the webhook's secret"
zeros=0000000000000000000000000000000000000000
payload="{\"ref\":\"refs/heads/main\",\"before\":\"$zeros\",\"after\":\"$commit\",\"created\":true,\"deleted\":false,\
\"forced\":false,\"repository\":{\"full_name\":\"acme/hello\",\"clone_url\":\"$repository\"},\
\"pusher\":{\"name\":\"demo\"},\"sender\":{\"login\":\"demo\"},\"commits\":[]}"
# Through a file: a secret on a command line could be read by anybody on the machine.
signature=$(printf %s "$payload" | python3 -c 'import hashlib, hmac, sys
print(hmac.new(open(sys.argv[1]).read().strip().encode(), sys.stdin.buffer.read(), hashlib.sha256).hexdigest())' "$demo/webhook.secret")
answer=$(printf %s "$payload" | curl --silent --show-error --data-binary @- \
    -H 'Content-Type: application/json' -H 'X-GitHub-Event: push' \
    -H "X-GitHub-Delivery: $(cat /proc/sys/kernel/random/uuid)" \
    -H "X-Hub-Signature-256: sha256=$signature" "http://127.0.0.1:$port/webhooks/github")
echo "$answer"

step "The run, as it happens"
show slipway task logs -n hello
show slipway task show-run --run-id "$(slipway task list-runs -n hello --top 1 -q)"
[ "$(slipway task list-runs -n hello --top 1 --jq '.[0].status')" = Succeeded ] || fail "the run did not succeed"
[ "$(slipway task list-runs -n hello --top 1 --jq '.[0].commit')" = "$commit" ] || fail "another commit was built"

step "The image, pulled from the registry, says what the commit said"
pull() { buildah --root "$demo/pulled" --runroot "$demo/pulled-run" --storage-driver vfs "$@"; }
container=$(pull from --quiet --tls-verify=false "127.0.0.1:$registry_port/hello:latest")
said=$(pull run --isolation chroot "$container" -- /bin/busybox cat /message)
pull rm "$container" >/dev/null
echo "$said"
[ "$said" = "$(cat "$work/message")" ] || fail "the image says something else"

step "A build of a local folder, followed on the terminal"
(cd "$work" && show slipway build -t 'hello:{{.Run.ID}}' .)

step "A long build, canceled"
cat >"$work/Dockerfile" <<'EOF'
FROM scratch
COPY busybox /bin/
RUN ["/bin/busybox", "sleep", "600"]
EOF
run=$(cd "$work" && slipway build --no-push --no-wait -q .)
show slipway task cancel-run --run-id "$run" --wait || true
show slipway task list-runs

step "Done"
echo "Read README.md for what comes next; each verb has --help and a man page."
if [ -n "${KEEP:-}" ]; then
    echo "The service stays until Ctrl-C: export SLIPWAY_SOCKET=$SLIPWAY_SOCKET"
    wait
fi
