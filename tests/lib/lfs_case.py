"""Contexts with files in Git LFS (context_case.py, lfs_server.py).

    class MyTest(LfsTest):
        def test_it(self):
            self.commit(model_bin=MODEL, note_txt="in the repository itself")
            self.assertEqual(self.fetch().files()["model.bin"], MODEL.decode())
"""

import hashlib

from lib.context_case import DOCKERFILE, ContextTest
from lib.lfs_server import LfsServer

MODEL = b"what the model weighs"
OID = hashlib.sha256(MODEL).hexdigest()


class LfsTest(ContextTest):
    def setUp(self):
        super().setUp()
        self.lfs = self.enterContext(LfsServer(self.server))

    def commit(self, **files):
        """Names have "_" for "."; a file of bytes goes to LFS, text is committed as it is."""
        return self.repo.commit({"Dockerfile": DOCKERFILE, **{
            name.replace("_", "."): self.lfs.put(content) if isinstance(content, bytes) else content
            for name, content in files.items()}})

    def downloads(self):
        return [r for r in self.lfs.store.requests if r.method == "GET"]

    def kept(self):
        """Contents that are kept for the next run."""
        return sorted(p.name for p in (self.data / "git").glob("*.lfs/??/*"))
