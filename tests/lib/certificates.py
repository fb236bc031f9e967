"""Certificates for servers of tests.

    ca = Authority(folder)
    certificate, key = ca.issue("good", "DNS:git.example.org")
    ca.issue("late", "DNS:git.example.org", days=-1)       # has expired
    ca.path                                                # what a client must trust
"""

import subprocess
from pathlib import Path


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name="test authority"):
        self.folder = Path(folder)
        self.path, self._key = self._pair("authority")
        openssl("req", "-x509", *self._new_key(self._key), "-out", self.path, "-days", "2",
                "-subj", f"/CN={name}")

    def issue(self, name, names, days=1):
        certificate, key = self._pair(name)
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("req", *self._new_key(key), "-out", request, "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self._key,
                "-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", certificate)
        return certificate, key

    def _pair(self, name):
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]
