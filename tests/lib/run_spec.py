"""Specifications of runs, as the server hands them to slipway-runner on standard input."""

import copy
import json
import time

DEFAULTS = {
    "v": 1, "runId": "ca1", "attempt": 1, "timeoutMs": 60_000, "graceMs": 2_000,
    "registry": "main", "registries": [],
    "engine": {"kind": "buildah", "path": "/usr/bin/buildah", "isolation": "auto",
               "runtime": "auto", "network": "none", "pull": "newer"},
    "allowAddresses": ["127.0.0.0/8"], "allowSchemes": ["http", "https"],
    "limits": {
        "uploadExpandedBytes": 1 << 30, "uploadRatio": 200, "uploadEntries": 200_000,
        "ignoreBytes": 256 << 10, "ignoreRules": 10_000, "dockerfileBytes": 1 << 20,
        "gitBytes": 256 << 20, "gitObjects": 100_000, "gitObjectBytes": 16 << 20,
        "gitEntries": 20_000, "gitDepth": 128, "gitStallMs": 1_000, "gitTimeoutMs": 20_000,
        "logBytes": 1 << 20, "logLineBytes": 64 << 10},
}


def merge(into, values):
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def run_spec(data_dir, context=None, images=(), push=False, build=None, **more):
    """A specification; nested dicts in `more` change single members of the defaults."""
    spec = copy.deepcopy(DEFAULTS)
    merge(spec, more)
    spec["dataDir"] = str(data_dir)
    spec.setdefault("deadlineMs", int(time.time() * 1000) + spec["timeoutMs"])
    spec["build"] = {"type": "Docker", "dockerFilePath": "Dockerfile",
                     "imageNames": list(images), "isPushEnabled": push, **(build or {})}
    if context:
        spec["build"]["contextPath"] = context
    return spec


def credential(url, token, **more):
    """The member of a specification that gives a token for a repository."""
    return {"gitCredentials": [{"url": url, "token": token, **more}]}


def as_input(spec):
    return json.dumps(spec).encode()
