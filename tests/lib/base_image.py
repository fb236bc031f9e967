"""What images in tests are made of: there is no Docker Hub here."""

import gzip
import hashlib
import http.client
import io
import json
import platform
import tarfile
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CREATED = "2024-01-31T12:00:00Z"
APPLETS = "sh cat echo env false head id ip ls mkdir nc nslookup nproc ps rm setsid sleep sort test touch true wc".split()


def busybox():
    """A static program that is a whole userland (Debian's busybox-static)."""
    return Path("/bin/busybox").read_bytes()


def layer():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "etc", "tmp"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        member = tarfile.TarInfo("bin/busybox")
        member.size, member.mode = len(busybox()), 0o755
        tar.addfile(member, io.BytesIO(busybox()))
        for applet in APPLETS:
            member = tarfile.TarInfo(f"bin/{applet}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(member)
    return out.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Uploader:
    def __init__(self, registry):
        self.registry = registry

    def call(self, method, path, body=None, kind="application/octet-stream"):
        connection = http.client.HTTPConnection("127.0.0.1", self.registry.port, timeout=30)
        headers = {"Content-Type": kind, **self.registry.login()}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status in (201, 202), f"{method} {path}: {answer.status} {text[:300]}"
        return answer.headers

    def blob(self, repository, data):
        location = self.call("POST", f"/v2/{repository}/blobs/uploads/")["Location"]
        path = location.split(f":{self.registry.port}", 1)[-1]
        self.call("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest(data)}", data)
        return {"digest": digest(data), "size": len(data)}


def push_base(registry, name="base:1"):
    """Put an image with a shell into the registry, without any engine; its full name."""
    repository, _, tag = name.partition(":")
    tar, upload = layer(), Uploader(registry)
    config = json.dumps({
        "os": "linux", "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
        "created": CREATED, "history": [{"created": CREATED, "created_by": "push_base()"}],
        "rootfs": {"type": "layers", "diff_ids": [digest(tar)]}}).encode()
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {
        "schemaVersion": 2, "mediaType": docker,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", **upload.blob(repository, config)},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    **upload.blob(repository, gzip.compress(tar, 1))}]}
    upload.call("PUT", f"/v2/{repository}/manifests/{tag}", json.dumps(manifest).encode(), docker)
    return f"{registry.address}/{name}"
