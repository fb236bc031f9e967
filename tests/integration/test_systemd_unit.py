"""The systemd unit keeps what the design promises: a restart does not disturb a build."""
import configparser
import pathlib
import unittest

UNIT = pathlib.Path(__file__).parents[2] / "examples" / "systemd" / "slipway.service"

WANTED = {
    "Type": "notify",
    "KillMode": "process",  # SIGTERM is for the server, never for its runners
    "Delegate": "yes",  # runners make control groups of their own
    "OOMPolicy": "continue",  # one build out of memory does not stop the service
    "TasksMax": "infinity",
    "LimitCORE": "0",
    "UMask": "0077",
    "StateDirectoryMode": "0750",
}

# Each of these would reach the builds, which are descendants of the service.
FORBIDDEN = {
    "PrivateTmp": "is removed when the service stops, under builds that go on",
    "RuntimeDirectory": "is removed when the service stops",
    "NoNewPrivileges": "breaks setuid programs inside RUN",
    "RestrictSUIDSGID": "layers contain setuid files",
    "MemoryDenyWriteExecute": "breaks every just-in-time compiler inside RUN",
    "LockPersonality": "breaks builds for a 32-bit platform",
    "RestrictNamespaces": "each run has namespaces of its own",
    "PrivateDevices": "a build makes device nodes, and overlay may need /dev/fuse",
    "ProtectClock": "implies a device policy",
    "ProtectHostname": "forbids sethostname, which the OCI runtime calls",
    "ProtectControlGroups": "each run has a control group of its own",
    "ProtectKernelTunables": "the network of a build sets sysctls in its own namespace",
    "PrivateMounts": "the runner makes its own",
    "SystemCallFilter": "would be inherited by RUN",
    "CapabilityBoundingSet": "would be inherited by RUN",
    "MemoryMax": "limits belong to runs (run.memory_bytes), not to the service",
}


class SystemdUnit(unittest.TestCase):
    def setUp(self):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str
        unit.read(UNIT)
        self.service = dict(unit["Service"])

    def test_runners_survive_the_server(self):
        for key, value in WANTED.items():
            self.assertEqual(self.service.get(key), value, key)

    def test_nothing_breaks_builds(self):
        for key, why in FORBIDDEN.items():
            self.assertNotIn(key, self.service, why)

    def test_stop_waits_longer_than_the_drain(self):
        self.assertGreater(int(self.service["TimeoutStopSec"]), 30)


if __name__ == "__main__":
    unittest.main()
