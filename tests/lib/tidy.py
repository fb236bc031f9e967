"""slipway-runner tidy, started on a data folder of a test's own.

    answer = tidy(data, git_bytes=1 << 20)
    fd = locked(f"{mirror}.lock", fcntl.LOCK_SH)      # as a run that reads it
"""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import time

from lib.context_case import BUILD, ENVIRONMENT

RUNNER = BUILD / "slipway-runner"


def key_of(name):
    return hashlib.sha256(name.encode()).hexdigest()


def order(data, git_bytes=1 << 40, min_free_bytes=0):
    return json.dumps({"dataDir": str(data), "gitBytes": git_bytes, "minFreeBytes": min_free_bytes}).encode()


def start_tidy(data, **limits):
    process = subprocess.Popen([RUNNER, "tidy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=ENVIRONMENT)
    process.stdin.write(order(data, **limits))
    process.stdin.close()
    return process


def finish_tidy(process):
    """Its answer; None when it was killed."""
    output, errors = process.stdout.read(), process.stderr.read().decode(errors="replace")
    code = process.wait(120)
    process.stdout.close()
    process.stderr.close()
    if code == -signal.SIGKILL:
        return None
    assert code == 0, errors
    return json.loads(output)


def tidy(data, **limits):
    return finish_tidy(start_tidy(data, **limits))


def catch(seen):
    """The first true answer, at the very moment: no pause is short enough."""
    deadline = time.monotonic() + 60
    while not (answer := seen()):
        assert time.monotonic() < deadline
    return answer


def kill_when(process, seen):
    """SIGKILL at the very moment that something can be seen; True: before its end."""
    catch(lambda: seen() or process.poll() is not None)
    process.kill()
    return finish_tidy(process) is None


def locked(path, how):
    """A descriptor that holds the lock, as a run would."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, how | fcntl.LOCK_NB)
    return fd
