#!/usr/bin/python3
"""What the server costs while nothing happens: memory, time from its start to the first answer, wake-ups.

    tests/bench/idle.py [--rounds 11]
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SLIPWAY_BUILD", str(ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests"))
from lib.service import Service, UnixConnection  # noqa: E402
from lib.temporary import TemporaryFolder  # noqa: E402


def status_kb(pid, name):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name + ":")))


def first_answer_ms(service, program):
    """From the start of the program to the first answer on its socket, asked again and again."""
    start = time.monotonic()
    service.start(wait=False, program=program)
    while True:
        try:
            connection = UnixConnection(service.socket)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return (time.monotonic() - start) * 1000
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.0005)


def switches(pid):
    return sum(status_kb(f"{pid}/task/{task}", "voluntary_ctxt_switches") for task in os.listdir(f"/proc/{pid}/task"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    times, with_command_line = [], []
    with TemporaryFolder("slipway-bench-") as folder:
        service = Service(folder=folder)
        for _ in range(options.rounds):
            with_command_line.append(first_answer_ms(service, ("slipway", "serve")))
            service.wait_ready()
            service.stop()
            times.append(first_answer_ms(service, ("slipway-server",)))
            service.wait_ready()
            time.sleep(1)  # the probe of the engine and the spare runner are behind it
            rss = status_kb(service.process.pid, "VmRSS")
            before = switches(service.process.pid)
            time.sleep(2)
            woken = (switches(service.process.pid) - before) / 2
            service.stop()
    print(json.dumps({"first_answer_ms": round(statistics.median(times), 1),
                      "first_answer_of_slipway_serve_ms": round(statistics.median(with_command_line), 1), "resident_mb": round(rss / 1024, 1),
                      "wake_ups_per_second": woken}))


if __name__ == "__main__":
    main()
