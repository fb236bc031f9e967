#!/usr/bin/python3
"""Durable ingest: signed GitHub pushes per second, side by side with Debian's webhook.

    tests/bench/ingest.py [--rounds 5] [--seconds 3] [--connections 16] [--kill]

Both get the same deliveries from the same load generator, in turns. webhook runs a hook that writes
and syncs one file before it answers, which is the least that makes an acknowledgement durable.
Prints each round, the medians and their ratio. With --kill: the server is killed with SIGKILL in the
middle of a load, started again, and every acknowledged delivery is looked up.
"""

import argparse
import json
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SLIPWAY_BUILD", str(ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests"))
from lib.service import BUILD, SECRET, Service  # noqa: E402

LOAD = BUILD / "bench" / "bench_load"


def payload(size):
    """A push as GitHub sends it, with as many commits as fill the size."""
    repository = {"id": 1, "full_name": "acme/app", "clone_url": "https://git.example.org/acme/app.git"}
    person = {"name": "Ada", "email": "ada@example.org", "username": "ada"}
    push = {"ref": "refs/heads/main", "before": "1" * 40, "after": "2" * 40, "created": False, "deleted": False,
            "forced": False, "base_ref": None, "compare": "https://git.example.org/acme/app/compare/1...2",
            "commits": [], "head_commit": None, "repository": repository, "pusher": person,
            "sender": {"login": "ada", "id": 1, "type": "User"}}
    while len(json.dumps(push)) < size:
        n = len(push["commits"])
        push["commits"].append({
            "id": f"{n:040x}", "tree_id": f"{n + 1:040x}", "distinct": True, "message": f"Change number {n}\n\nAnd why.",
            "timestamp": "2024-01-31T12:00:00+01:00", "url": f"https://git.example.org/acme/app/commit/{n:040x}",
            "author": person, "committer": person, "added": [f"src/module_{n}/new_file.c"], "removed": [],
            "modified": [f"src/module_{n}/file_{i}.c" for i in range(8)]})
    return json.dumps(push).encode()


def load(port, path, folder, options, acked=None):
    done = subprocess.run([str(LOAD), f"127.0.0.1:{port}", path, str(folder / "secret"), str(folder / "payload"),
                           str(options.connections), str(options.seconds), *([str(acked)] if acked else [])],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def peak_rss_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class DebianWebhook:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        (folder / "out").mkdir()
        hook = folder / "hook.sh"
        hook.write_text(f'#!/bin/sh\nprintf %s "$1" >"{folder}/out/$1" && exec sync "{folder}/out/$1"\n')
        hook.chmod(0o755)
        (folder / "hooks.json").write_text(json.dumps([{
            "id": "push", "execute-command": str(hook), "include-command-output-in-response": True,
            "pass-arguments-to-command": [{"source": "payload", "name": "after"}],
            "trigger-rule": {"match": {"type": "payload-hmac-sha256", "secret": SECRET,
                                       "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}}}]))

    def __enter__(self):
        self.process = subprocess.Popen(
            ["webhook", "-hooks", str(self.folder / "hooks.json"), "-ip", "127.0.0.1", "-port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.01)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def service(folder):
    """A runner that only waits, so that what is measured is the ingest."""
    runner = folder / "runner.sh"
    runner.write_text("#!/bin/sh\ncat >/dev/null\nwhile kill -0 $PPID 2>/dev/null; do sleep 1; done\n")
    runner.chmod(0o755)
    (folder / "service").mkdir(exist_ok=True)
    return Service(registry="127.0.0.1:1", config="max_running: 1\n", folder=folder / "service",
                   environment={"SLIPWAY_RUNNER": str(runner)}, cancel_at_exit=False)


def create_tasks(s, count):
    for i in range(count):
        url = "https://git.example.org/acme/app.git" if i == 0 else f"https://git.example.org/acme/other{i}.git"
        s.json("PUT", f"/v1/registries/main/tasks/task{i}", {"location": "local", "properties": {
            "step": {"type": "Docker", "contextPath": f"{url}#main", "imageNames": ["app:latest"], "dockerFilePath": "Dockerfile"},
            "trigger": {"sourceTriggers": [{"name": "t", "sourceTriggerEvents": ["commit"], "sourceRepository": {
                "sourceControlType": "Github", "repositoryUrl": f"{url}#main", "branch": "main"}}]}}})


def compare(folder, options):
    ours, theirs = [], []
    with DebianWebhook(folder) as webhook, service(folder) as s:
        create_tasks(s, options.tasks)
        for n in range(options.rounds):
            ours.append(load(s.port, "/webhooks/github", folder, options))
            theirs.append(load(webhook.port, "/hooks/push", folder, options))
            print(f"round {n + 1}: slipway {ours[-1]}  webhook {theirs[-1]}", flush=True)
        rss = peak_rss_mb(s.process.pid)
    a, b = (statistics.median(r["per_second"] for r in rounds) for rounds in (ours, theirs))
    print(json.dumps({"payload_bytes": options.size, "connections": options.connections, "tasks": options.tasks,
                      "slipway_per_second": a, "webhook_per_second": b, "ratio": round(a / b, 1),
                      "slipway_p50_us": statistics.median(r["p50_us"] for r in ours),
                      "slipway_p99_us": statistics.median(r["p99_us"] for r in ours),
                      "slipway_failed": sum(r["failed"] for r in ours), "slipway_peak_rss_mb": round(rss, 1)}))


def kill_in_the_middle(folder, options):
    acked = folder / "acked"
    s = service(folder)
    s.start()
    create_tasks(s, 1)
    timer = threading.Timer(options.seconds / 2, lambda: s.process.send_signal(signal.SIGKILL))
    timer.start()
    result = load(s.port, "/webhooks/github", folder, options, acked)
    timer.join()
    s.process.wait()
    s.start()  # a new server must accept the database as it is
    s.stop()
    db = sqlite3.connect(s.data / "slipway.db")
    kept = {row[0] for row in db.execute("SELECT delivery_id FROM delivery")}
    healthy = db.execute("PRAGMA integrity_check").fetchone()[0]
    ids = set(acked.read_text().split())
    print(json.dumps({"acknowledged": len(ids), "kept": len(kept), "lost": len(ids - kept), "integrity": healthy,
                      "failed_requests": result["failed"]}))
    return 0 if not ids - kept and healthy == "ok" else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--size", type=int, default=10240)
    parser.add_argument("--tasks", type=int, default=1)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = Path(name)
        (folder / "secret").write_text(SECRET)
        (folder / "secret").chmod(0o600)
        (folder / "payload").write_bytes(payload(options.size))
        return kill_in_the_middle(folder, options) if options.kill else compare(folder, options)


if __name__ == "__main__":
    sys.exit(main())
