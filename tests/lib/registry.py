"""A real docker-registry on a free loopback port, and what its images hold.

    with Registry() as registry:                      # registry.address is "127.0.0.1:40123"
        registry.digest("app", "latest")              # "sha256:…", or None
        registry.read_file("app:latest", "message")   # bytes, out of the last layer that has it
    Registry(user="bob", password="secret")           # asks for a login (basic authentication)
"""

import base64
import gzip
import http.client
import io
import json
import re
import subprocess
import tarfile
import time
import warnings

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
    import crypt  # bcrypt, without a package more

from lib.temporary import TemporaryFolder

MANIFESTS = ", ".join(["application/vnd.oci.image.manifest.v1+json",
                       "application/vnd.docker.distribution.manifest.v2+json"])


class Registry:
    def __init__(self, user=None, password=None):
        self.user, self.password = user, password
        self._folder = TemporaryFolder()
        self.port = None

    def __enter__(self):
        folder = self._folder.__enter__()
        auth = ""
        if self.user:
            hashed = crypt.crypt(self.password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
            (folder / "htpasswd").write_text(f"{self.user}:{hashed}\n")
            auth = f"auth: {{ htpasswd: {{ realm: test, path: {folder}/htpasswd }} }}\n"
        (folder / "config.yml").write_text(
            f"version: 0.1\nlog: {{ level: info, formatter: text }}\n"
            f"storage: {{ filesystem: {{ rootdirectory: {folder}/data }}, delete: {{ enabled: true }} }}\n"
            f"http: {{ addr: '127.0.0.1:{self.port or 0}' }}\n{auth}")
        self._log = folder / "log"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        self.port = self._wait_for_port()
        return self

    def _wait_for_port(self, seconds=20):
        """It tells in its log which port it took."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", self._log.read_text()):
                return int(found.group(1))
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"docker-registry did not start:\n{self._log.read_text()}")

    def __exit__(self, *_):
        self.stop()
        self._folder.__exit__(None, None, None)

    def stop(self):
        self._process.terminate()
        self._process.wait()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def login(self):
        """The header that its login wants."""
        if not self.user:
            return {}
        return {"Authorization": "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()}

    def get(self, path, method="GET", accept=MANIFESTS):
        headers = {"Accept": accept, **self.login()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def digest(self, repository, tag):
        status, headers, _ = self.get(f"/v2/{repository}/manifests/{tag}", "HEAD")
        return headers["Docker-Content-Digest"] if status == 200 else None

    def manifest(self, image):
        repository, _, tag = image.rpartition(":")
        status, _, body = self.get(f"/v2/{repository}/manifests/{tag}")
        if status != 200:
            raise AssertionError(f"no image {image}: {status} {body[:200]}")
        return repository, json.loads(body)

    def config(self, image):
        """The image's configuration: architecture, env, labels, history."""
        repository, manifest = self.manifest(image)
        return json.loads(self.get(f"/v2/{repository}/blobs/{manifest['config']['digest']}")[2])

    def layers(self, image):
        repository, manifest = self.manifest(image)
        for layer in manifest["layers"]:
            blob = self.get(f"/v2/{repository}/blobs/{layer['digest']}")[2]
            if blob[:2] == b"\x1f\x8b":
                blob = gzip.decompress(blob)
            yield tarfile.open(fileobj=io.BytesIO(blob))

    def read_file(self, image, path):
        content = None
        for layer in self.layers(image):
            for member in layer:
                if member.name.lstrip("./") == path and member.isfile():
                    content = layer.extractfile(member).read()
        if content is None:
            raise AssertionError(f"{image} has no {path}")
        return content

    def file_names(self, image):
        """Regular files over all layers, sorted."""
        return sorted({member.name.lstrip("./") for layer in self.layers(image) for member in layer if member.isfile()})
