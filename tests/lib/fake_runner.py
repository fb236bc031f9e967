#!/usr/bin/python3 -ESs
"""A runner that only acts one: it keeps the contract of the run directory and builds nothing.

What it does stands in the build argument SCRIPT, commands separated by ';':

    started                     the first line of the report
    step NAME STATUS            a step line
    commit ID | image NAME:TAG  what was built, what was pushed
    log TEXT                    a line of the log
    fill BYTES                  that many bytes of numbered log lines
    wait NAME                   until the file NAME appears in the data folder
    touch NAME                  make that file
    push-wanted                 ask, and wait for the grant
    ignore-term                 from now on SIGTERM does nothing
    result STATUS [CODE]        the last line of the report
    crash | exit N | hang       ends: by SIGKILL, with a status, never

Without a script it succeeds at once. SIGTERM ends it as a cancel does. `sweep` appends the run's
id to the file `swept`, `probe` prints one check line, `tidy` appends its order to the file `tidied`.
"""
import fcntl
import json
import os
import signal
import sys
import time


def append(path, data):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.write(fd, data)
    os.close(fd)


class Run:
    def __init__(self, spec):
        self.spec = spec
        self.data = spec["dataDir"]
        self.dir = os.path.join(self.data, "runs", spec["runId"])
        self.lock()
        signal.signal(signal.SIGTERM, self.on_term)

    def lock(self):
        self.fd = os.open(self.dir + "/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + 5
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    sys.exit("the run is locked by another runner")
                time.sleep(0.01)
        with open("/proc/self/stat") as f:
            start = f.read().rpartition(")")[2].split()[19]
        with open("/proc/sys/kernel/random/boot_id") as f:
            boot = f.read().strip()
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, f"{os.getpid()} {start} {boot}\n".encode(), 0)

    def report(self, kind, **members):
        line = {"v": 1, "type": kind, "time": int(time.time() * 1000),
                "attempt": self.spec["attempt"], **members}
        append(self.dir + "/report", (json.dumps(line) + "\n").encode())

    def on_term(self, *_):
        self.report("result", status="Canceled", errorCode="canceled", message="canceled")
        os._exit(0)

    def wait_for(self, path):
        while not os.path.exists(path):
            time.sleep(0.005)

    def fill(self, size):
        lines = (b"line %d of a log that is long enough to be worth following\n" % n for n in range(size // 50))
        append(self.dir + "/log", b"".join(lines)[:size])

    def wait_for_grant(self):
        self.report("push-wanted")
        while True:
            try:
                with open(self.dir + "/grant") as f:
                    if int(f.read()) == self.spec["attempt"]:
                        return
            except (FileNotFoundError, ValueError):
                pass
            time.sleep(0.005)

    def do(self, command):
        verb, _, rest = command.strip().partition(" ")
        if verb == "started":
            self.report("started", pid=os.getpid())
        elif verb == "step":
            name, status = rest.split()
            self.report("step", name=name, status=status)
        elif verb == "commit":
            self.report("commit", id=rest)
        elif verb == "image":
            repository, _, tag = rest.rpartition(":")
            self.report("image", registry="registry.test", repository=repository, tag=tag,
                        digest="sha256:" + "0" * 64)
        elif verb == "log":
            append(self.dir + "/log", rest.encode() + b"\n")
        elif verb == "fill":
            self.fill(int(rest))
        elif verb == "wait":
            self.wait_for(os.path.join(self.data, rest))
        elif verb == "touch":
            append(os.path.join(self.data, rest), b"")
        elif verb == "push-wanted":
            self.wait_for_grant()
        elif verb == "ignore-term":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        elif verb == "result":
            status, _, code = rest.partition(" ")
            more = {"errorCode": code, "message": "as the script says"} if code else {}
            self.report("result", status=status, **more)
        elif verb == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        elif verb == "exit":
            os._exit(int(rest))
        elif verb == "hang":
            while True:
                time.sleep(1)
        elif verb:
            raise SystemExit(f"unknown command {verb}")


def main():
    verb = sys.argv[1] if len(sys.argv) > 1 else "run"
    text = sys.stdin.read()
    if not text:
        return  # a spare whose server has gone
    spec = json.loads(text)
    if verb == "sweep":
        append(os.path.join(spec["dataDir"], "swept"), (spec["runId"] + "\n").encode())
    elif verb == "probe":
        print(json.dumps({"name": "engine", "ok": True, "message": "a fake one", "hint": ""}))
    elif verb == "tidy":
        append(os.path.join(spec["dataDir"], "tidied"), (text + "\n").encode())
        print(json.dumps({"mirrors": 3, "bytes": 12345, "removed": 2, "repacked": 1}))
    else:
        run = Run(spec)
        arguments = {a["name"]: a["value"] for a in spec["build"].get("arguments", [])}
        script = arguments.get("SCRIPT", "started; step build Running; step build Succeeded; "
                                         "log built; result Succeeded")
        for command in script.split(";"):
            run.do(command)


main()
