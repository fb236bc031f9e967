#!/usr/bin/python3
"""A whole run of a one-file change, side by side with bare buildah; and our own share of it.

    tests/bench/run.py [--rounds 9]

Each round commits a change of one file to a repository of 50 small files with one RUN step, and takes it to the
registry twice: by hand (git fetch and reset in a kept clone, buildah bud --layers, buildah push, into a
store of its own) and by a delivery to the service. Prints the medians, the ratio of the whole, and the time
from the accepted delivery to the start of the builder less the time that the context took.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SLIPWAY_BUILD", str(ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests"))
from lib.base_image import busybox  # noqa: E402
from lib.git_repository import Executable, GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.registry import Registry  # noqa: E402
from lib.service import ZEROS, Service, push_payload  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402

DOCKERFILE = 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY files /files\nRUN ["/bin/busybox", "true"]\n'


def tree(n):
    files = {f"files/file{i}": f"content of file {i}\n" * 20 for i in range(50)}
    return {**files, "files/file7": f"changed {n}\n", "Dockerfile": DOCKERFILE, "busybox": Executable(busybox())}


def ms(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


class BareBuildah:
    """What a script would do, as well as it can: everything kept between the builds."""

    def __init__(self, folder, url, registry):
        self.clone, self.url, self.registry = folder / "clone", url, registry
        self.store = ["--root", str(folder / "store"), "--runroot", str(folder / "runroot")]
        subprocess.run(["git", "clone", "--quiet", url, str(self.clone)], check=True)

    def run(self, *command):
        # A namespace of its own, as verified.md says: else buildah leaves mounts on the host.
        subprocess.run(["unshare", "--mount", "--propagation", "private", *command], check=True, cwd=self.clone,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def build(self, tag):
        start = time.monotonic()
        subprocess.run(["git", "fetch", "--quiet", "origin", "main"], cwd=self.clone, check=True)
        subprocess.run(["git", "reset", "--quiet", "--hard", "FETCH_HEAD"], cwd=self.clone, check=True)
        fetched = time.monotonic()
        image = f"{self.registry.address}/bare:{tag}"
        self.run("buildah", *self.store, "bud", "--layers", "--isolation", "oci", "--runtime", "runc", "--network", "none",
                 "-t", image, ".")
        built = time.monotonic()
        self.run("buildah", *self.store, "push", "--tls-verify=false", image)
        return {"context": (fetched - start) * 1000, "build": (built - fetched) * 1000,
                "push": (time.monotonic() - built) * 1000, "whole": (time.monotonic() - start) * 1000}


def timing_engine(folder):
    """buildah behind a program that notes when its first build was started."""
    log, wrapper = folder / "started", folder / "buildah"
    wrapper.write_text(f'#!/bin/bash\ncase " $* " in *" bud "*) echo $EPOCHREALTIME >>{shlex.quote(str(log))} ;; esac\n'
                       'exec /usr/bin/buildah "$@"\n')
    wrapper.chmod(0o755)
    return wrapper, log


def slipway_run(service, url, before, commit):
    answer = service.deliver(push_payload(url, "refs/heads/main", before, commit))
    run = service.wait_run(json.loads(answer.body)["runs"][0])
    assert run["status"] == "Succeeded", run
    steps = {s["name"]: ms(s["end"]) - ms(s["start"]) for s in run["steps"]}
    return {**steps, "whole": ms(run["finishTime"]) - ms(run["createTime"]), "create": ms(run["createTime"])}


def measure(folder, rounds, engine):
    repository = GitRepository(folder / "git" / "app.git")
    wrapper, log = timing_engine(folder)
    bare, ours, own = [], [], []
    commits = [repository.commit(tree(0))]
    with Registry() as registry, GitServer(folder / "git") as git, \
            Service(registry=registry.address, config=f"engine: {{ network: none, path: {engine or wrapper} }}\n") as service:
        url = git.url("app.git")
        by_hand = BareBuildah(folder, url, registry)
        service.slipway("task", "create", "-n", "app", "-c", f"{url}#main", "-t", "app:{{.Run.ID}}")
        by_hand.build("first")
        slipway_run(service, url, ZEROS, commits[0])
        for n in range(1, rounds + 1):
            commits.append(repository.commit(tree(n), parents=[commits[-1]]))
            bare.append(by_hand.build(str(n)))
            ours.append(slipway_run(service, url, commits[-2], commits[-1]))
            if not engine:
                started = float(log.read_text().split()[-1]) * 1000
                own.append(started - ours[-1]["create"] - ours[-1]["fetch"])
            print(f"round {n}: bare {round(bare[-1]['whole'])} ms, slipway {round(ours[-1]['whole'])} ms", flush=True)
    return bare, ours, own


def median(rows, key):
    return round(statistics.median(row[key] for row in rows), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with TemporaryFolder("slipway-bench-") as folder:
        (folder / "git").mkdir()
        bare, ours, _ = measure(folder, options.rounds, "/usr/bin/buildah")
    print(json.dumps({"bare_ms": {k: median(bare, k) for k in ("context", "build", "push", "whole")},
                      "slipway_ms": {k: median(ours, k) for k in ("fetch", "build", "push", "whole")},
                      "ratio": round(median(ours, "whole") / median(bare, "whole"), 2)}))
    with TemporaryFolder("slipway-bench-") as folder:
        (folder / "git").mkdir()
        _, _, own = measure(folder, options.rounds, None)
    print(json.dumps({"accepted_to_builder_started_less_context_ms": round(statistics.median(own), 1)}))


if __name__ == "__main__":
    main()
